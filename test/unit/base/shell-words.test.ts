/** The line that is shown for a command: a POSIX shell makes exactly its words of it. */
import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shellLine, splitLine } from '../../../src/base/shell-words.ts'

/** What the shell of this machine takes lines for: their words, one list a line. */
function shellWords(lines: readonly string[]): string[][] {
  const script = lines.map(line => `printf '%s\\0' ${line}; printf '\\0\\0'`).join('\n')
  const said = execFileSync('sh', ['-s'], { input: script, env: { HOME: '/h', A: 'no' }, maxBuffer: 1 << 26 })
  return said
    .toString('utf8')
    .split('\0\0\0')
    .slice(0, -1)
    .map(list => list.split('\0'))
}

/** At least one word, none of them empty: three NULs are the end of a line here. */
const odd = fc.oneof(
  fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }),
  fc.string({ unit: fc.constantFrom(...'\'"\\$`!*?~=#&|;<>(){}[] \t\n-ab/.é𝒳'), minLength: 1, maxLength: 12 }),
)
const word = odd.map(text => text.replaceAll('\0', '') || 'x').filter(text => text.isWellFormed())

describe('the words of a command as a line', () => {
  it('are split by a POSIX shell into exactly these words', () => {
    fc.assert(
      fc.property(fc.array(fc.array(word, { minLength: 1, maxLength: 6 }), { minLength: 20, maxLength: 60 }), all => {
        expect(shellWords(all.map(shellLine))).toEqual(all)
      }),
      { numRuns: 12 },
    )
  })

  it('are split by ourselves into exactly these words', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(word, fc.constant('')), { maxLength: 6 }), words => {
        expect(splitLine(shellLine(words))).toEqual({ words, problem: null })
      }),
    )
  })

  it.each([
    [['docker', 'stop', 'web'], 'docker stop web'],
    [['sh', '-c', 'echo "a b" > /x'], `sh -c 'echo "a b" > /x'`],
    [["it's"], `'it'\\''s'`],
    [['', '~', '=x', 'A=b'], `'' '~' '=x' A=b`],
  ])('%j is %s', (words, line) => expect(shellLine(words)).toBe(line))
})

describe('a line that is typed', () => {
  it.each([
    ['nginx -g "daemon off;"', ['nginx', '-g', 'daemon off;']],
    [`sh -c 'a  b'`, ['sh', '-c', 'a  b']],
    ['a\\ b "c\\"d\\e"', ['a b', 'c"d\\e']],
    ['  ', []],
    [`'' ""x`, ['', 'x']],
  ])('%s has the words %j', (line, words) => expect(splitLine(line)).toEqual({ words, problem: null }))

  it.each([
    ['echo "a', 'A quote (") is not closed.'],
    ["echo 'a", "A quote (') is not closed."],
    ['a\\', 'A backslash stands at its end.'],
  ])('%s is none: %s', (line, problem) => expect(splitLine(line).problem).toBe(problem))
})

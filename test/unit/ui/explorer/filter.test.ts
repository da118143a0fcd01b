import { describe, expect, it } from 'vitest'
import { everything, findEverywhere } from '../../../../src/ui/explorer/everything.ts'
import { parseFilter } from '../../../../src/ui/explorer/filter-language.ts'
import { matchScene } from '../../../../src/ui/explorer/filter-match.ts'
import { runNow } from '../../../../src/ui/explorer/slices.ts'
import { MATCH } from '../../../../src/ui/explorer/tree-rows.ts'
import { paths, sceneOf, stackOfText, world } from '../../../harness/explorer-text.ts'
import { stackOf } from '../../../harness/stacks.ts'
import { entry, tar } from '../../../harness/tar.ts'

const stack = () =>
  stackOfText(
    `
    dir lib
    file lib/libc.so 2000000
    file lib/libm.so.6 900
    file lib/Libz.a 10
    link lib/libc.so.1 -> libc.so
    hard lib/again -> lib/libc.so
    file etc/passwd 100 0644 0:42
    file etc/shadow 50 0600 7:42
    file bin/su 5000 04755
    fifo run/pipe
    char dev/null 1,3
    file empty 0
    file a b-no 1
    `.replace('file a b-no 1', 'file a%20b 1'),
    `
    file etc/passwd 120 0644 0:42
    gone lib/libm.so.6
    file lib/new.so 1
    `,
  )

function matches(text: string, of = stack(), users = world): string {
  const parsed = parseFilter(text)
  if (!parsed.ok) return `error: ${parsed.error}`
  const scene = sceneOf(of)
  const { marks } = runNow(matchScene(scene, parsed.filter, users))
  const nodes = [...marks.keys()].filter(node => marks[node]! & MATCH)
  return paths(of, nodes).sort().join(' ')
}

describe('a word', () => {
  it.each([
    ['libc', 'lib/libc.so lib/libc.so.1'],
    ['LIB', ''],
    ['Lib', 'lib/Libz.a'],
    ['libz', 'lib/Libz.a'],
    ['etc/', 'etc/passwd etc/shadow'],
    ['/etc/p', 'etc/passwd'],
    ['c/pass', 'etc/passwd'],
    ['*.so', 'lib/libc.so lib/new.so'],
    ['lib*.so*', 'lib/libc.so lib/libc.so.1 lib/libm.so.6'],
    ['?u', 'bin/su'],
    ['lib[cm].so', 'lib/libc.so lib/libc.so.1 lib/libm.so.6'],
    ['[!l]*.so', 'lib/new.so'],
    ['lib/*.a', 'lib/Libz.a'],
    ['/b*/su', 'bin/su'],
    ['/**/su', 'bin/su'],
    ['/s[hu]/', 'bin/su etc/shadow'],
    ['/^.E/i', 'empty etc etc/passwd etc/shadow'],
    ['"a b"', 'a b'],
    ['so new', 'lib/new.so'],
    ['so !libc !new', 'lib/libm.so.6'],
    [
      '',
      'a b bin bin/su dev dev/null empty etc etc/passwd etc/shadow lib lib/Libz.a lib/again lib/libc.so lib/libc.so.1 lib/libm.so.6 lib/new.so run run/pipe',
    ],
  ])('%s', (text, expected) => {
    expect(matches(text)).toBe(expected)
  })
})

describe('a field', () => {
  it.each([
    ['size>1M', 'lib/again lib/libc.so'],
    ['size<10 type:file', 'a b empty lib/new.so'],
    ['size>=5kB size<=5k', 'bin/su'],
    ['size=0 type:f', 'empty'],
    ['type:dir size>1MB', 'lib'],
    ['type:link', 'lib/libc.so.1'],
    ['type:hard', 'lib/again'],
    ['type:setuid', 'bin/su'],
    ['type:device', 'dev/null'],
    ['type:fifo', 'run/pipe'],
    ['change:A', 'lib/new.so'],
    ['+', 'lib/new.so'],
    ['~', 'etc/passwd'],
    ['-', 'lib/libm.so.6'],
    ['change:CD', 'etc/passwd lib/libm.so.6'],
    ['change:any', 'etc/passwd lib/libm.so.6 lib/new.so'],
    ['change:none etc', 'etc'],
    ['owner:7', 'etc/shadow'],
    ['owner::42', 'etc/passwd etc/shadow'],
    ['owner:0:42', 'etc/passwd'],
    ['step:2', 'etc/passwd lib/new.so'],
    ['size>', 'everything'],
  ])('%s', (text, expected) => {
    const found = matches(text)
    expect(found).toBe(expected === 'everything' ? matches('') : expected)
  })

  it('names owners as the image does', () => {
    const owners = { users: new Map([[7, 'games']]), groups: new Map([[42, 'shadow']]) }
    expect(matches('owner:games', stack(), { ...world, owners })).toBe('etc/shadow')
    expect(matches('owner::shadow passwd', stack(), { ...world, owners })).toBe('etc/passwd')
  })
})

describe('what is wrong is said in words', () => {
  it.each([
    ['/(/', 'error: /(/ is no regular expression: unterminated group'],
    ['size>much', 'error: “much” is no size; write 500k, 1.5M or 2GiB'],
    [
      'type:banana',
      'error: there is no type “banana”; types are file, dir, link, hard, device, fifo, exec, setuid, empty',
    ],
    ['change:x', 'error: change: wants A, C or D (or any, none), not “x”'],
    ['step:x', 'error: step: wants a number, not “x”'],
  ])('%s', (text, expected) => expect(matches(text)).toBe(expected))
})

describe('names are bytes', () => {
  const odd = () =>
    stackOf(
      tar(
        entry({ path: Buffer.from('caf\xe9', 'latin1'), body: new Uint8Array(1) }),
        entry({ path: 'café', body: new Uint8Array(1) }),
        entry({ path: '日本.txt', body: new Uint8Array(1) }),
      ),
    )

  it.each([
    ['café', 'café'],
    ['caf?', 'café caf\ufffd'],
    ['??.txt', '日本.txt'],
    ['caf*', 'café caf\ufffd'],
    ['/本/', '日本.txt'],
    ['日', '日本.txt'],
  ])('%s', (text, expected) => expect(matches(text, odd())).toBe(expected))

  it('a hit that runs over the end of a name is none', () => {
    expect(matches('ab', stackOfText('file xa 1\nfile by 1'))).toBe('')
  })
})

it('finding looks at every path of every layer, gone or not', () => {
  const of = stackOfText('file a/x 1\nfile b/x 2', 'gone a\nfile c/x 3', 'gone c/x')
  const parsed = parseFilter('x')
  if (!parsed.ok) throw new Error(parsed.error)
  const scene = runNow(everything(of))
  expect(paths(of, runNow(findEverywhere(scene, parsed.filter, world)))).toEqual(['a/x', 'b/x', 'c/x'])
})

/** A terminal that is written to sparingly shows what it would show without: every frame, every style, every cell. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createThrift } from '../../../src/ui/terminal/thrift.ts'
import { emulator, screenText, styleText } from '../../harness/terminal.ts'

const columns = 24
const rows = 5

/** As Ink writes: the whole first frame, then every line that is another one from some column on. */
function inks(before: readonly string[] | null, now: readonly string[]): string {
  if (before === null) return `\x1b[2J\x1b[H${now.join('\n')}`
  const lines = now.map((line, at) => {
    const last = at === now.length - 1
    if (line === before[at]) return last ? '' : '\x1b[E'
    return `\x1b[G\x1b[K${line}${last ? '' : '\n'}`
  })
  return `\x1b[${now.length - 1}A${lines.join('')}`
}

const style = fc.constantFrom(
  '\x1b[1m',
  '\x1b[22m',
  '\x1b[2m',
  '\x1b[31m',
  '\x1b[39m',
  '\x1b[7m',
  '\x1b[27m',
  '\x1b[0m',
  '\x1b[44m',
  '\x1b[49m',
  '\x1b[38;5;9m',
  '\x1b[1;4;32m',
)
const word = fc.constantFrom('a', 'bb ', '  ', '│', '▁▂', '…', 'web-1', '12 %', '团', '👩‍👩‍👧', 'é')
const line = fc
  .array(fc.oneof({ weight: 4, arbitrary: word }, { weight: 2, arbitrary: style }), { maxLength: 9 })
  .map(parts => {
    let used = 0
    const kept = parts.filter(part => part.startsWith('\x1b') || (used += [...part].length * 2) <= columns)
    return `${kept.join('')}\x1b[0m`
  })
const frames = fc.array(fc.array(line, { minLength: rows, maxLength: rows }), { minLength: 2, maxLength: 6 })

describe('what is spared', () => {
  it('is nothing that is seen', async () => {
    await fc.assert(
      fc.asyncProperty(frames, async all => {
        const [plain, spared] = [emulator(columns, rows), emulator(columns, rows)]
        const thrift = createThrift()
        const write = (terminal: typeof plain, text: string) =>
          new Promise<void>(resolve => terminal.write(text.replaceAll('\n', '\r\n'), resolve))
        let before: readonly string[] | null = null
        for (const frame of all) {
          const text = inks(before, frame)
          await write(plain, text)
          await write(spared, thrift(text, columns, rows))
          expect(screenText(spared)).toBe(screenText(plain))
          expect(styleText(spared)).toBe(styleText(plain))
          before = frame
        }
      }),
      { numRuns: 60 },
    )
  })

  it('is everything but the cells that change', () => {
    const thrift = createThrift()
    const frame = (cpu: string) => ['head', `│ web   ${cpu} │ panel`, 'x', 'y', 'z']
    thrift(inks(null, frame('12 %')), columns, rows)
    const text = thrift(inks(frame('12 %'), frame('17 %')), columns, rows)
    expect(text).toBe('\x1b[2;10H7\x1b[5H')
  })

  it('is nothing after something that is not understood, until a whole frame comes', () => {
    const thrift = createThrift()
    const frame = (text: string) => [text, 'b', 'c', 'd', 'e']
    thrift(inks(null, frame('a')), columns, rows)
    expect(thrift('\x1b[?1049l', columns, rows)).toBe('\x1b[?1049l')
    const update = inks(frame('a'), frame('x'))
    expect(thrift(update, columns, rows)).toBe(update)
    thrift(inks(null, frame('a')), columns, rows)
    expect(thrift(update, columns, rows)).not.toBe(update)
    thrift(inks(null, frame('a')), columns, rows)
    expect(thrift(update, columns + 1, rows)).toBe(update)
  })
})

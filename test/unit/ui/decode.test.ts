/** Bytes of a terminal as keys, pastes and mouse reports, however they were cut into reads. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decode, LONGEST_PASTE } from '../../../src/ui/terminal/decode.ts'
import type { InputEvent } from '../../../src/ui/terminal/events.ts'

/** Events in short: keys by name, pastes quoted, the mouse in words. */
function brief(event: InputEvent): string {
  if (event.kind === 'key') return event.key
  if (event.kind === 'paste') return JSON.stringify(event.text)
  const modifiers = [event.ctrl && 'ctrl', event.alt && 'alt', event.shift && 'shift'].filter(Boolean)
  return [...modifiers, event.kind, event.kind === 'wheel' ? event.by : event.button, `${event.x},${event.y}`].join(' ')
}

function keys(input: string): string[] {
  const { events, rest } = decode(input)
  return [...events, ...decode(rest, true).events].map(brief)
}

describe('keys', () => {
  it.each([
    ['a', 'a'],
    ['A', 'A'],
    [' ', 'space'],
    ['é', 'é'],
    ['団', '団'],
    ['😀', '😀'],
    ['\r', 'enter'],
    ['\n', 'enter'],
    ['\t', 'tab'],
    ['\x7f', 'backspace'],
    ['\b', 'backspace'],
    ['\x03', 'ctrl-c'],
    ['\x1a', 'ctrl-z'],
    ['\x00', 'ctrl-space'],
    ['\x1b', 'esc'],
    ['\x1bx', 'alt-x'],
    ['\x1bX', 'alt-X'],
    ['\x1b\x7f', 'alt-backspace'],
    ['\x1b[A', 'up'],
    ['\x1bOA', 'up'],
    ['\x1b[H', 'home'],
    ['\x1b[1~', 'home'],
    ['\x1b[7~', 'home'],
    ['\x1bOF', 'end'],
    ['\x1b[3~', 'delete'],
    ['\x1b[5~', 'pageup'],
    ['\x1b[2~', 'insert'],
    ['\x1b[Z', 'shift-tab'],
    ['\x1bOP', 'f1'],
    ['\x1b[11~', 'f1'],
    ['\x1b[[A', 'f1'],
    ['\x1b[15~', 'f5'],
    ['\x1b[24~', 'f12'],
    ['\x1b[1;5A', 'ctrl-up'],
    ['\x1b[1;2D', 'shift-left'],
    ['\x1b[5;3~', 'alt-pageup'],
    ['\x1b[1;8C', 'ctrl-alt-shift-right'],
    ['\x1bOa', 'ctrl-up'],
    ['\x1b[a', 'shift-up'],
    ['\x1b[3^', 'ctrl-delete'],
    ['\x1b[3$', 'shift-delete'],
    ['\x1b[27u', 'esc'],
    ['\x1b[97u', 'a'],
    ['\x1b[97;5u', 'ctrl-a'],
    ['\x1b[97;2u', 'A'],
    ['\x1b[27;5;13~', 'ctrl-enter'],
  ])('%j is %s', (bytes, name) => {
    expect(keys(bytes)).toEqual([name])
  })

  it('that arrive in one read are one event each', () => {
    expect(keys('jjj\r')).toEqual(['j', 'j', 'j', 'enter'])
    expect(keys('d'.repeat(60))).toHaveLength(60)
    expect(keys('j\x1b[Bq\x03')).toEqual(['j', 'down', 'q', 'ctrl-c'])
  })

  it('of a terminal that answers are no keys', () => {
    expect(keys('\x1b[?62;4c')).toEqual([])
    expect(keys('\x1b[12;40R')).toEqual([])
    expect(keys('\x1b]11;rgb:0000/0000/0000\x1b\\j')).toEqual(['j'])
    expect(keys('\x1bP>|xterm(380)\x1b\\j')).toEqual(['j'])
    expect(keys('\x1b[Ij\x1b[O')).toEqual(['j'])
    expect(keys('\x1b[97;1:3u')).toEqual([])
  })

  it('two escapes are two keys', () => {
    expect(keys('\x1b\x1b')).toEqual(['esc', 'esc'])
  })
})

describe('an incomplete tail', () => {
  it.each([
    '\x1b',
    '\x1b[',
    '\x1b[1;',
    '\x1bO',
    '\x1b[<0;12',
    '\x1b[200~half a pa',
    '\x1b]11;rgb:00',
  ])('%j is kept', tail => {
    expect(decode(`j${tail}`)).toEqual({ events: [{ kind: 'key', key: 'j', text: 'j' }], rest: tail })
  })

  it('that no terminal sends is given up', () => {
    expect(decode(`\x1b[${'1'.repeat(400)}`).rest).toBe('')
  })
})

describe('a paste', () => {
  it('is one event, whatever it contains', () => {
    expect(keys('a\x1b[200~q\r\x1b[A\x03x\x1b[201~b')).toEqual(['a', JSON.stringify('q\r\x1b[A\x03x'), 'b'])
  })

  it('has a longest length', () => {
    const { events, rest } = decode(`\x1b[200~${'x'.repeat(LONGEST_PASTE + 10)}`)
    expect(rest).toBe('')
    expect(events[0]?.kind === 'paste' && events[0].text.length).toBe(LONGEST_PASTE)
  })

  it('whose end never comes is taken as it is', () => {
    expect(decode('\x1b[200~abc', true).events.map(brief)).toEqual(['"abc"'])
  })
})

describe('the mouse', () => {
  it.each([
    ['\x1b[<0;1;1M', 'press 0 0,0'],
    ['\x1b[<0;12;34m', 'release 0 11,33'],
    ['\x1b[<2;5;6M', 'press 2 4,5'],
    ['\x1b[<32;5;6M', 'drag 0 4,5'],
    ['\x1b[<64;5;6M', 'wheel -1 4,5'],
    ['\x1b[<65;5;6M', 'wheel 1 4,5'],
    ['\x1b[<20;5;6M', 'ctrl shift press 0 4,5'],
  ])('%j is %s', (bytes, name) => {
    expect(keys(bytes)).toEqual([name])
  })

  it('does not leak into the keys when a report is nonsense', () => {
    expect(keys('\x1b[<M\x1b[<1;2Mj\x1b[<66;1;1M')).toEqual(['j'])
  })
})

describe('however it is cut into reads', () => {
  it('the events are the same', () => {
    const piece = fc.constantFrom(
      'j',
      'é',
      '😀',
      '\r',
      '\x1b[A',
      '\x1bOP',
      '\x1b[1;5A',
      '\x1b[<65;20;30M',
      '\x1b[200~paste\r\n\x1b[201~',
      '\x03',
      '\x1b[15~',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 20 }), fc.array(fc.nat(200), { maxLength: 8 }), (pieces, cuts) => {
        const input = pieces.join('')
        const whole = decode(input).events
        const at = [...new Set(cuts.filter(cut => cut < input.length))].sort((a, b) => a - b)
        let rest = ''
        const events: InputEvent[] = []
        for (const [index, start] of [0, ...at].entries()) {
          const chunk = input.slice(start, at[index] ?? input.length)
          if (/[\ud800-\udbff]$/.test(chunk)) return
          const decoded = decode(rest + chunk)
          events.push(...decoded.events)
          rest = decoded.rest
        }
        expect(rest).toBe('')
        expect(events).toEqual(whole)
      }),
    )
  })

  it('any bytes end in events and a bounded rest', () => {
    const byte = fc.constantFrom(
      '\x1b',
      '[',
      'O',
      '<',
      ';',
      '1',
      '~',
      'M',
      'A',
      '$',
      ']',
      'P',
      '\x07',
      '\\',
      '\x9b',
      'x',
      ':',
    )
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 60 }), bytes => {
        const { rest } = decode(bytes.join(''))
        expect(decode(rest, true).rest).toBe('')
      }),
    )
  })
})

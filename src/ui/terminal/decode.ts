/**
 * Bytes of a terminal as keys, pastes and mouse reports. Pure: a state in, events and a state out. However the bytes
 * were cut into reads, each key is one event; a paste is one event whatever it contains.
 *
 * Sequences: ECMA-48 CSI and SS3, xterm's modified keys (`CSI 1;5A`), rxvt's and the Linux console's own, bracketed
 * paste (`CSI 200~`), SGR mouse reports (`CSI < b;x;y M`), kitty's and xterm's `CSI code;modifiers u`.
 */
import type { InputEvent, KeyEvent, MouseEvent } from './events.ts'

export interface Decoded {
  events: InputEvent[]
  /** What may be the beginning of something; give it back in front of the next read. */
  rest: string
}

/** A paste longer than this is handed out in part and its rest is dropped: nobody types a path of a megabyte. */
export const LONGEST_PASTE = 1_000_000

/** Longest sequence that is waited for; more is no terminal's. */
const LONGEST_SEQUENCE = 256

/** All complete events in `input`. With `flush`, a tail that was waited for is taken as it is: a lone escape is `esc`. */
export function decode(input: string, flush = false): Decoded {
  const events: InputEvent[] = []
  let at = 0
  while (at < input.length) {
    const taken = input[at] === '\x1b' ? takeEscape(input, at, flush) : takeCharacter(input, at)
    if (taken === null) return { events, rest: input.slice(at) }
    if (taken.event) events.push(taken.event)
    at = taken.next
  }
  return { events, rest: '' }
}

/** What was read at a place and where the next begins; null when more has to come first. */
type Taken = { event: InputEvent | null; next: number } | null

function takeCharacter(input: string, at: number): Taken {
  const point = input.codePointAt(at)!
  const next = at + (point > 0xffff ? 2 : 1)
  const control = controls[point]
  if (control) return { event: key(control), next }
  if (point < 0x20) return { event: key(`ctrl-${String.fromCharCode(point + 0x60)}`), next }
  if (point === 0x20) return { event: { kind: 'key', key: 'space', text: ' ' }, next }
  if (point >= 0x80 && point < 0xa0) return { event: null, next }
  const text = input.slice(at, next)
  return { event: { kind: 'key', key: text, text }, next }
}

const controls: Record<number, string> = {
  0: 'ctrl-space',
  8: 'backspace',
  9: 'tab',
  10: 'enter',
  13: 'enter',
  28: 'ctrl-\\',
  29: 'ctrl-]',
  30: 'ctrl-^',
  31: 'ctrl-_',
  127: 'backspace',
}

function takeEscape(input: string, at: number, flush: boolean): Taken {
  const second = input[at + 1]
  if (second === undefined) return flush ? { event: key('esc'), next: at + 1 } : null
  if (second === '\x1b') return { event: key('esc'), next: at + 1 }
  if (second === '[') return takeCsi(input, at, flush)
  if (second === 'O') return takeSs3(input, at, flush)
  if (']PX^_'.includes(second)) return takeString(input, at, flush)
  const plain = takeCharacter(input, at + 1)
  const event = plain?.event
  return { event: event?.kind === 'key' ? key(withModifiers(event.key, ['alt'])) : null, next: plain!.next }
}

function takeSs3(input: string, at: number, flush: boolean): Taken {
  const final = input[at + 2]
  if (final === undefined) return flush ? { event: key('alt-O'), next: at + 2 } : null
  const name = ss3Keys[final]
  return { event: name ? key(name) : null, next: at + 3 }
}

/** A reply of the terminal (OSC, DCS, APC, PM, SOS) up to BEL or ST: never a key. */
function takeString(input: string, at: number, flush: boolean): Taken {
  string.lastIndex = at + 2
  const end = string.exec(input)
  if (end) return { event: null, next: end.index + end[0].length }
  if (flush || input.length - at > LONGEST_SEQUENCE * 64) return { event: key(`alt-${input[at + 1]}`), next: at + 2 }
  return null
}

const string = /\x07|\x1b\\|\x9c/g

function takeCsi(input: string, at: number, flush: boolean): Taken {
  csi.lastIndex = at
  const match = csi.exec(input)
  if (!match) return takeBrokenCsi(input, at, flush)
  const next = at + match[0].length
  const [, parameters, , final] = match as unknown as [string, string, string, string]
  if (final === '~' && parameters === '200') return takePaste(input, next, flush)
  if (parameters.startsWith('<') && (final === 'M' || final === 'm')) return { event: mouse(parameters, final), next }
  return { event: csiKey(parameters, final), next }
}

/** Parameters, intermediates, final; `[[A` is the Linux console's F1; rxvt ends shifted keys with `$`. */
const csi = /\x1b\[(\[|[0-?]{0,200})([ -#%-/]*)([@-~$])/y

function takeBrokenCsi(input: string, at: number, flush: boolean): Taken {
  csiStart.lastIndex = at
  const length = csiStart.exec(input)![0].length
  const atEnd = at + length === input.length
  if (atEnd && length < LONGEST_SEQUENCE && !flush) return null
  if (flush && length === 2) return { event: key('alt-['), next: at + 2 }
  return { event: null, next: at + length }
}

const csiStart = /\x1b\[(?:\[|[0-?]*[ -/]*)/y

function takePaste(input: string, start: number, flush: boolean): Taken {
  const end = input.indexOf('\x1b[201~', start)
  if (end < 0 && input.length - start < LONGEST_PASTE && !flush) return null
  const text = input.slice(start, end < 0 ? input.length : end)
  return { event: { kind: 'paste', text: text.slice(0, LONGEST_PASTE) }, next: end < 0 ? input.length : end + 6 }
}

function csiKey(parameters: string, final: string): KeyEvent | null {
  if (parameters === '[') return named(linuxKeys[final], [])
  if (/^[<=>?]/.test(parameters)) return null
  const [first = '', second = ''] = parameters.split(';')
  const modifiers = modifiersOf(Number(second.split(':')[0] || '1'))
  if (second.split(':')[1] === '3') return null
  if (final === 'u') return codeKey(Number.parseInt(first, 10), modifiers)
  if (final === '~' && first === '27') return codeKey(Number.parseInt(parameters.split(';')[2] ?? '', 10), modifiers)
  if (final === 'Z') return named('tab', ['shift'])
  if ('~^$@'.includes(final)) return named(tildeKeys[first], [...modifiers, ...(rxvtModifiers[final] ?? [])])
  if ('abcd'.includes(final)) return named(letterKeys[final.toUpperCase()], ['shift'])
  return first === '' || first === '1' ? named(letterKeys[final], modifiers) : null
}

/** A key by its Unicode code point, as kitty and xterm (modifyOtherKeys) report it. */
function codeKey(point: number, modifiers: string[]): KeyEvent | null {
  if (point === 27) return named('esc', modifiers)
  if (!(point >= 0 && point <= 0x10ffff) || (point >= 0xd800 && point <= 0xf8ff)) return null
  const plain = takeCharacter(String.fromCodePoint(point), 0)?.event
  if (plain?.kind !== 'key') return null
  if (modifiers.length === 0) return plain
  const printable = plain.text.length > 0 && plain.key !== 'space'
  if (modifiers.join() === 'shift' && printable)
    return { ...plain, key: plain.key.toUpperCase(), text: plain.text.toUpperCase() }
  return named(plain.key, modifiers)
}

function named(name: string | undefined, modifiers: string[]): KeyEvent | null {
  return name ? key(withModifiers(name, modifiers)) : null
}

function key(name: string): KeyEvent {
  return { kind: 'key', key: name, text: '' }
}

/** Modifiers in one order, whichever way they came. */
function withModifiers(name: string, modifiers: readonly string[]): string {
  return ['ctrl', 'alt', 'shift']
    .filter(one => modifiers.includes(one))
    .concat(name)
    .join('-')
}

function modifiersOf(parameter: number): string[] {
  const bits = Math.max(0, (parameter || 1) - 1)
  return [bits & 1 ? 'shift' : '', bits & 2 ? 'alt' : '', bits & 4 ? 'ctrl' : ''].filter(Boolean)
}

const rxvtModifiers: Record<string, string[]> = { '^': ['ctrl'], $: ['shift'], '@': ['ctrl', 'shift'] }

const letterKeys: Record<string, string> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  E: '5',
  F: 'end',
  H: 'home',
  P: 'f1',
  Q: 'f2',
  R: 'f3',
  S: 'f4',
}

const ss3Keys: Record<string, string> = {
  ...letterKeys,
  M: 'enter',
  a: 'ctrl-up',
  b: 'ctrl-down',
  c: 'ctrl-right',
  d: 'ctrl-left',
}

const linuxKeys: Record<string, string> = { A: 'f1', B: 'f2', C: 'f3', D: 'f4', E: 'f5' }

const tildeKeys: Record<string, string> = {
  1: 'home',
  2: 'insert',
  3: 'delete',
  4: 'end',
  5: 'pageup',
  6: 'pagedown',
  7: 'home',
  8: 'end',
  11: 'f1',
  12: 'f2',
  13: 'f3',
  14: 'f4',
  15: 'f5',
  17: 'f6',
  18: 'f7',
  19: 'f8',
  20: 'f9',
  21: 'f10',
  23: 'f11',
  24: 'f12',
}

/** `<button;column;row` of an SGR report, 1-based; `m` is a release. */
function mouse(parameters: string, final: string): MouseEvent | null {
  const [code, x, y] = parameters.slice(1).split(';').map(Number)
  if (code === undefined || x === undefined || y === undefined || !(code >= 0 && x >= 1 && y >= 1)) return null
  const wheel = (code & 64) !== 0
  if (wheel && (code & 3) > 1) return null
  const kind = wheel ? 'wheel' : final === 'm' ? 'release' : code & 32 ? 'drag' : 'press'
  return {
    kind,
    button: wheel ? 0 : code & 3,
    x: x - 1,
    y: y - 1,
    by: wheel ? ((code & 1) === 0 ? -1 : 1) : 0,
    shift: (code & 4) !== 0,
    alt: (code & 8) !== 0,
    ctrl: (code & 16) !== 0,
  }
}

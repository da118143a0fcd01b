/**
 * How text of a log looks, as one number: colours of the terminal's own 16 and a few attributes. SGR (ECMA-48 8.3.117)
 * of any kind becomes one of these, so that nothing a container says can hide text or bring colours that the person's
 * terminal was not set up for. Pure.
 */
import type { Style, Theme } from '../theme.ts'
import type { Part } from '../widgets/line.ts'
import type { Said } from './log-text.ts'

/** Bits 0-4: the colour of the text plus one, 5-9: of what is behind it, above them the attributes. */
export const NO_LOOK = 0

const attributes: Record<number, { bit: number; off: number }> = {
  1: { bit: 1 << 10, off: 22 },
  2: { bit: 1 << 11, off: 22 },
  3: { bit: 1 << 12, off: 23 },
  4: { bit: 1 << 13, off: 24 },
  7: { bit: 1 << 14, off: 27 },
}

/** A colour of the terminal's own, 0 to 15, as the look of text. */
export function colourLook(colour: number, bold = false): number {
  return colour + 1 + (bold ? 1 << 10 : 0)
}

export const DIM = 1 << 11

/** The look after an SGR sequence with these parameters. */
export function changedLook(look: number, parameters: string): number {
  if (!/^[\d;:]*$/.test(parameters)) return look
  const codes = parameters.split(/[;:]/).slice(0, 64).map(Number)
  let now = look
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at]!
    const attribute = attributes[code]
    if (code === 0) now = NO_LOOK
    else if (attribute) now |= attribute.bit
    else if (code >= 21 && code <= 27) now &= ~offBits(code)
    else if (code === 38 || code === 48) {
      const [colour, used] = wideColour(codes, at + 1)
      at += used
      if (colour !== null) now = code === 38 ? withText(now, colour) : withBehind(now, colour)
    } else if (code >= 30 && code <= 37) now = withText(now, code - 30)
    else if (code >= 90 && code <= 97) now = withText(now, code - 82)
    else if (code === 39) now &= ~31
    else if (code >= 40 && code <= 47) now = withBehind(now, code - 40)
    else if (code >= 100 && code <= 107) now = withBehind(now, code - 92)
    else if (code === 49) now &= ~(31 << 5)
  }
  return now
}

function offBits(code: number): number {
  let bits = 0
  for (const { bit, off } of Object.values(attributes)) if (off === code) bits |= bit
  return bits
}

function withText(look: number, colour: number): number {
  return (look & ~31) | (colour + 1)
}

function withBehind(look: number, colour: number): number {
  return (look & ~(31 << 5)) | ((colour + 1) << 5)
}

/** `5;N` or `2;R;G;B`: the nearest of 16, and how many numbers it took. */
function wideColour(codes: readonly number[], at: number): [number | null, number] {
  const [first, second, third] = codes.slice(at + 1)
  if (codes[at] === 5) return [first === undefined ? null : nearestOfCube(first), 2]
  if (codes[at] !== 2) return [null, 0]
  return [third === undefined ? null : nearest(first!, second!, third), 4]
}

/** xterm's 256: the 16, a cube of 6 x 6 x 6, 24 greys. */
function nearestOfCube(index: number): number {
  if (index < 16) return index
  if (index >= 232) return nearest(8 + (index - 232) * 10, 8 + (index - 232) * 10, 8 + (index - 232) * 10)
  const level = (value: number) => (value === 0 ? 0 : 55 + value * 40)
  const cell = index - 16
  return nearest(level(Math.floor(cell / 36) % 6), level(Math.floor(cell / 6) % 6), level(cell % 6))
}

/** The nearest of the 16 by hue and brightness: what people choose them for, whatever their terminal makes of them. */
function nearest(red: number, green: number, blue: number): number {
  const most = Math.max(red, green, blue)
  const least = Math.min(red, green, blue)
  if (most - least < 48) return most < 64 ? 0 : most < 144 ? 8 : most < 216 ? 7 : 15
  const half = (most + least) / 2
  const hue = (red > half ? 1 : 0) + (green > half ? 2 : 0) + (blue > half ? 4 : 0)
  return most > 208 && least > 48 ? hue + 8 : hue
}

/** The parts of a text from one place to another, in their looks. */
export function lookParts(theme: Theme, { text, looks }: Said, from: number, to: number): Part[] {
  if (looks === '' || theme.level === 'none') return [from === 0 && to >= text.length ? text : text.slice(from, to)]
  const parts: Part[] = []
  let begun = 0
  let look = NO_LOOK
  const take = (end: number) => {
    const some = text.slice(Math.max(from, begun), Math.min(to, end))
    if (some !== '') parts.push(look === NO_LOOK ? some : [styleOf(look), some])
  }
  for (let at = 0; at < looks.length && begun < to; at += 2) {
    const start = looks.charCodeAt(at)
    take(start)
    begun = start
    look = looks.charCodeAt(at + 1)
  }
  take(to)
  return parts
}

const styles = new Map<number, Style>()

/** The style of a look; each is closed by its own closer. */
export function styleOf(look: number): Style {
  let style = styles.get(look)
  if (style === undefined) {
    style = makeStyle(look)
    styles.set(look, style)
  }
  return style
}

function makeStyle(look: number): Style {
  const behind = ((look >> 5) & 31) - 1
  const said = (look & 31) - 1
  // Black on what is black for most people would not be seen.
  const text = said === 0 && behind < 0 ? 8 : said
  const open: number[] = []
  const close: number[] = []
  for (const [code, { bit, off }] of Object.entries(attributes)) {
    if ((look & bit) === 0) continue
    open.push(Number(code))
    if (!close.includes(off)) close.push(off)
  }
  if (text >= 0) open.push(text < 8 ? 30 + text : 82 + text)
  if (text >= 0) close.push(39)
  // Text of the colour that is behind it would not be seen.
  if (behind >= 0 && behind !== text) {
    open.push(behind < 8 ? 40 + behind : 92 + behind)
    close.push(49)
  }
  if (open.length === 0) return one => one
  const [before, after] = [open, close.reverse()].map(codes => codes.map(code => `\x1b[${code}m`).join(''))
  return one => (one === '' ? '' : before + one + after)
}

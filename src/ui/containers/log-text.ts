/** A line of a log as harmless text with the colours that it was said in. Pure. */
import { Buffer } from 'node:buffer'
import { safe, width } from '../../base/text.ts'
import { changedLook, NO_LOOK } from './looks.ts'

/** A longer line is cut: nobody reads on a screen what is wider than this. */
const LONGEST = 16_384

/** Harmless text, and how parts of it look: pairs of characters, where a look begins and which (`looks.ts`). */
export interface Said {
  text: string
  looks: string
}

/**
 * Colours become those of the terminal's own 16; everything else that drives a terminal is gone, tabs are spaces. Of a
 * line that was written over itself (progress bars) the last state is shown. Bytes that are no UTF-8 are replaced.
 */
export function logText(bytes: Uint8Array): Said {
  const some = bytes.length > LONGEST * 4 ? bytes.subarray(0, LONGEST * 4) : bytes
  const text = Buffer.from(some.buffer, some.byteOffset, some.length).toString('utf8')
  if (!plain.test(text)) return styled(text)
  return { text: text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text, looks: '' }
}

const plain = /^[\x20-\x7e]*$/

/** CSI, OSC and the other strings, two-byte escapes (ECMA-48 5.3 to 5.6); what is cut off is left for `safe`. */
const sequences =
  /\x1b(?:\[([0-?]{0,256})[ -/]{0,16}([@-~])|\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)|[PX^_][^\x1b]{0,4096}\x1b\\|[ -/]{0,4}[0-Z\\`-~])/g

function styled(raw: string): Said {
  const line = { text: '', looks: '', column: 0, look: NO_LOOK, drawn: NO_LOOK }
  let from = 0
  for (const found of raw.matchAll(sequences)) {
    append(line, raw.slice(from, found.index))
    if (found[2] === 'm') line.look = changedLook(line.look, found[1] ?? '')
    from = found.index + found[0].length
    if (line.text.length > LONGEST) break
  }
  append(line, raw.slice(from))
  if (line.text.length > LONGEST) line.text = `${line.text.slice(0, LONGEST)}…`
  return { text: line.text, looks: line.looks }
}

interface Line extends Said {
  column: number
  look: number
  /** The look that the text has at its end. */
  drawn: number
}

function append(line: Line, run: string): void {
  const parts = run.split('\r')
  for (const [at, part] of parts.entries()) {
    if (part === '') continue
    // What follows a return is written over what is there.
    if (at > 0 || line.column < 0) Object.assign(line, { text: '', looks: '', column: 0, drawn: NO_LOOK })
    put(line, part)
  }
  // A return at the end does nothing until something is said after it.
  if (parts.length > 1 && parts.at(-1) === '') line.column = -1
}

function put(line: Line, part: string): void {
  if (line.look !== line.drawn) {
    line.looks += String.fromCharCode(line.text.length, line.look)
    line.drawn = line.look
  }
  for (const [at, word] of part.replace(/\n/g, ' ').split('\t').entries()) {
    const stop = at === 0 ? 0 : 8 - (line.column % 8)
    const harmless = safe(word.length > LONGEST ? word.slice(0, LONGEST + 1) : word)
    line.text += ' '.repeat(stop) + harmless
    line.column += stop + width(harmless)
  }
}

/** A line of a log as harmless text. Pure. */
import { Buffer } from 'node:buffer'
import { safe, safeLines } from '../../base/text.ts'

/** A longer line is cut: nobody reads on a screen what is wider than this. */
const LONGEST = 4096

/**
 * Colours and everything else that drives a terminal is gone, tabs are spaces. Of a line that was written over itself
 * (progress bars) the last state is shown. Bytes that are no UTF-8 are replaced.
 */
export function logText(bytes: Uint8Array): string {
  const some = bytes.length > LONGEST * 4 ? bytes.subarray(0, LONGEST * 4) : bytes
  const text = Buffer.from(some.buffer, some.byteOffset, some.length).toString('utf8')
  if (plain.test(text)) return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
  const bare = text.includes('\x1b') ? text.replace(sequences, '') : text
  const parts = bare.split('\r').filter(part => part !== '')
  const shown = (parts.at(-1) ?? '').slice(0, LONGEST).replace(/\n/g, ' ')
  const harmless = shown.includes('\t') ? safeLines(shown)[0]! : safe(shown)
  return bare.length > LONGEST ? `${harmless}…` : harmless
}

const plain = /^[\x20-\x7e]*$/

/** CSI, OSC and the other strings, two-byte escapes (ECMA-48 5.3 to 5.6); what is cut off is left for `safe`. */
const sequences =
  /\x1b(?:\[[0-?]{0,256}[ -/]{0,16}[@-~]|\][^\x07\x1b]{0,4096}(?:\x07|\x1b\\)|[PX^_][^\x1b]{0,4096}\x1b\\|[ -/]{0,4}[0-Z\\`-~])/g

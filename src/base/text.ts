/**
 * The one place where foreign text becomes harmless for a terminal, and where text is measured and cut in columns.
 * Names, commands, labels, log lines and error texts pass through `safe` or `safeBytes` before anything shows them.
 */
import { Buffer, isUtf8 } from 'node:buffer'
import stringWidth from 'string-width'

export { isUtf8 }

/**
 * A name as text that any terminal can show: control, bidi and invisible characters become visible escapes, bytes that
 * are not UTF-8 become `\xNN`. Two different names never give the same text: a backslash that would read as the start
 * of an escape is doubled.
 */
export function safeBytes(bytes: Uint8Array): string {
  const text = decode(bytes)
  return needsEscape(text) || text.includes('\\') ? escaped(doubleBackslashes(text), byteOrCode) : text
}

/** Foreign text (a command, a label, an error) on one line, harmless. Backslashes stay as they are. */
export function safe(text: string): string {
  return needsEscape(text) ? escaped(text, code) : text
}

/** Foreign text as harmless lines: split at line ends, tabs expanded to 8 columns, everything else as `safe` does. */
export function safeLines(text: string): string[] {
  return text.split(/\r?\n/).map(line => safe(expandTabs(line)))
}

/** JSON that is harmless on a terminal and loses nothing: what `safe` would escape is written as `\uXXXX`. */
export function safeJson(value: unknown, indent?: number): string {
  const json = JSON.stringify(value, null, indent)
  if (!notPlain.test(json)) return json
  return json.replace(unsafeExceptLineEnds, character =>
    Array.from({ length: character.length }, (_, at) => `\\u${hex(character.charCodeAt(at), 4)}`).join(''),
  )
}

/** How many terminal columns a harmless text takes. */
export function width(text: string): number {
  if (!notPrintableAscii.test(text)) return text.length
  const known = widths.get(text)
  if (known !== undefined) return known
  const columns = stringWidth(text, { countAnsiEscapeCodes: true })
  if (text.length <= 512) {
    if (widths.size >= 4096) for (const oldest of [...widths.keys()].slice(0, 1024)) widths.delete(oldest)
    widths.set(text, columns)
  }
  return columns
}

/** The text in exactly so many columns: cut with `…` where it is longer, padded with spaces where it is shorter. */
export function fit(text: string, columns: number, align: 'left' | 'right' | 'center' = 'left'): string {
  if (columns <= 0) return ''
  const cut = cutEnd(text, columns)
  const missing = columns - width(cut)
  if (missing <= 0) return cut
  const before = align === 'left' ? 0 : align === 'right' ? missing : missing >> 1
  return ' '.repeat(before) + cut + ' '.repeat(missing - before)
}

/** The text in at most so many columns, its end replaced by `…` where it is longer. Never splits a character. */
export function cutEnd(text: string, columns: number): string {
  if (fits(text, columns)) return text
  return columns < 1 ? '' : `${head(text, columns - 1)}…`
}

/** The text in at most so many columns, its middle replaced by `…`: for paths and digests, whose ends tell most. */
export function cutMiddle(text: string, columns: number): string {
  if (fits(text, columns)) return text
  if (columns < 1) return ''
  const last = tail(text, (columns - 1) >> 1)
  return `${head(text, columns - 1 - width(last))}…${last}`
}

/** A text longer than this is cut without measuring the whole of it: no cluster of a harmless text is that wide. */
const clusterUnits = 24

function fits(text: string, columns: number): boolean {
  if (text.length <= columns && !notPrintableAscii.test(text)) return true
  return text.length <= (columns + 1) * clusterUnits && width(text) <= columns
}

function head(text: string, columns: number): string {
  const some = text.slice(0, (columns + 1) * clusterUnits)
  if (!notPrintableAscii.test(some)) return some.slice(0, columns)
  let used = 0
  let result = ''
  for (const { segment } of segments(some)) {
    used += width(segment)
    if (used > columns) break
    result += segment
  }
  return result
}

function tail(text: string, columns: number): string {
  const some = text.slice(Math.max(0, text.length - (columns + 1) * clusterUnits))
  if (!notPrintableAscii.test(some)) return columns > 0 ? some.slice(-columns) : ''
  const parts = [...segments(some)]
  let used = 0
  let at = parts.length
  while (at > 0 && used + width(parts[at - 1].segment) <= columns) used += width(parts[--at].segment)
  return parts
    .slice(at)
    .map(one => one.segment)
    .join('')
}

let lateSegmenter: Intl.Segmenter | null = null
/** Made when it is first needed: it costs as much as the rest of a short command. */
const segments = (text: string) => (lateSegmenter ??= new Intl.Segmenter()).segment(text)
const widths = new Map<string, number>()
const notPlain = /[^\n\x20-\x7e]/
const notPrintableAscii = /[^\x20-\x7e]/

/**
 * What drives a terminal, turns the direction of text or is not seen: controls (C0, DEL, C1), format characters (bidi,
 * zero-width, tags, byte order mark), line and paragraph separators, blank letters, lone surrogates, characters that
 * no standard names. A mark with nothing before it, or the ninth on one letter, would draw outside of its own cell.
 * Variation selectors are let through.
 */
const unsafeSource = String.raw`[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\uffa0]`
const unsafe = new RegExp(`${unsafeSource}|^\\p{M}|(?<=\\p{M}{8})\\p{M}`, 'gu')
const unsafeExceptLineEnds = new RegExp(`(?!\\n)${unsafeSource}`, 'gu')

function needsEscape(text: string): boolean {
  if (!notPrintableAscii.test(text)) return false
  unsafe.lastIndex = 0
  return unsafe.test(text)
}

function escaped(text: string, spell: (character: string) => string): string {
  return text.replace(unsafe, spell)
}

function code(character: string): string {
  const point = character.codePointAt(0)!
  return point < 0x80 ? `\\x${hex(point, 2)}` : `\\u{${hex(point, 1)}}`
}

function byteOrCode(character: string): string {
  const point = character.codePointAt(0)!
  return point >= 0xdc80 && point <= 0xdcff ? `\\x${hex(point - 0xdc00, 2)}` : code(character)
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0')
}

/** A backslash stays single unless what follows makes it look like an escape or is one. */
const ambiguousBackslash = new RegExp(`\\\\(?=x[0-9a-f]{2}|u\\{|\\\\|${unsafeSource}|(?<=\\p{M}{8}\\\\)\\p{M})`, 'gu')

function doubleBackslashes(text: string): string {
  return text.replace(ambiguousBackslash, '\\\\')
}

/** UTF-8 to text; a byte that is no part of a valid sequence becomes the lone surrogate U+DC00 + byte. */
function decode(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (isUtf8(bytes)) return buffer.toString('utf8')
  return buffer
    .toString('latin1')
    .replace(sequence, one =>
      one.length === 1 ? String.fromCharCode(0xdc00 + one.charCodeAt(0)) : Buffer.from(one, 'latin1').toString('utf8'),
    )
}

/** The well-formed multi-byte sequences of the Unicode standard, table 3-7, or else one byte above 0x7f. */
const sequence = new RegExp(
  [
    '[\xc2-\xdf][\x80-\xbf]',
    '\xe0[\xa0-\xbf][\x80-\xbf]',
    '[\xe1-\xec\xee\xef][\x80-\xbf]{2}',
    '\xed[\x80-\x9f][\x80-\xbf]',
    '\xf0[\x90-\xbf][\x80-\xbf]{2}',
    '[\xf1-\xf3][\x80-\xbf]{3}',
    '\xf4[\x80-\x8f][\x80-\xbf]{2}',
    '[\x80-\xff]',
  ].join('|'),
  'g',
)

function expandTabs(line: string): string {
  if (!line.includes('\t')) return line
  let result = ''
  let column = 0
  for (const [at, part] of line.split('\t').entries()) {
    const stop = at === 0 ? 0 : 8 - (column % 8)
    result += ' '.repeat(stop) + part
    column += stop + width(safe(part))
  }
  return result
}

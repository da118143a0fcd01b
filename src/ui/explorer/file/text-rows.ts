/**
 * The rows of a text that is in memory in part: lines, long ones in segments of bounded length, wrapped or cut. All
 * places are byte offsets, so that a file of 10 GB is read where it is looked at and nowhere else.
 */
import { Buffer, isUtf8 } from 'node:buffer'
import { safe, safeBytes, width } from '../../../base/text.ts'
import { takeColumns } from '../../panes/wrap.ts'

/** The bytes in memory and where they stand in the file. */
export interface Stretch {
  start: number
  bytes: Uint8Array
  size: number
}

/** A place that a row begins at: a segment, and how many rows of it lie above. */
export interface Place {
  offset: number
  row: number
}

export interface TextRow {
  place: Place
  /** Harmless; wrapped to the width, or the whole segment where lines are cut. */
  text: string
  /** Whether a line of the file begins here. */
  first: boolean
}

export interface Layout {
  columns: number
  wrap: boolean
}

/** A line longer than this is broken into segments of it. */
const SEGMENT = 4096
const NEWLINE = 0x0a

/** The rows from a place on, at most `count`; fewer at the end of the file or of what is in memory. */
export function rowsFrom(stretch: Stretch, place: Place, count: number, layout: Layout): TextRow[] {
  const rows: TextRow[] = []
  let { offset } = place
  let skip = place.row
  while (rows.length < count && offset < stretch.size && inMemory(stretch, offset)) {
    const texts = rowTexts(stretch, offset, layout)
    for (let row = skip; row < texts.length && rows.length < count; row++) {
      rows.push({ place: { offset, row }, text: texts[row]!, first: row === 0 && beginsLine(stretch, offset) })
    }
    skip = 0
    offset = segmentEnd(stretch, offset).next
  }
  return rows
}

/** The place so many rows further down (or up, below zero); it stops at the ends of the file and of the memory. */
export function movePlace(stretch: Stretch, place: Place, by: number, layout: Layout): Place {
  let { offset, row } = place
  for (; by > 0; by--) {
    if (row + 1 < rowTexts(stretch, offset, layout).length) row++
    else {
      const { next } = segmentEnd(stretch, offset)
      if (next >= stretch.size || !inMemory(stretch, next)) break
      offset = next
      row = 0
    }
  }
  for (; by < 0; by++) {
    if (row > 0) row--
    else {
      if (offset <= stretch.start) break
      offset = segmentBefore(stretch, offset)
      row = rowTexts(stretch, offset, layout).length - 1
    }
  }
  return { offset, row }
}

/** The segment that holds a byte. */
export function placeAt(stretch: Stretch, offset: number): Place {
  let at = lineStart(stretch, offset)
  for (;;) {
    const { next } = segmentEnd(stretch, at)
    if (next > offset || next >= stretch.size || next <= at) return { offset: at, row: 0 }
    at = next
  }
}

/** The number of the line that holds a byte, 1 for the first; null when its beginning is not in memory. */
export function lineNumber(stretch: Stretch, offset: number): number | null {
  if (stretch.start !== 0) return null
  let lines = 1
  const end = Math.min(offset, stretch.bytes.length)
  for (let at = stretch.bytes.indexOf(NEWLINE); at >= 0 && at < end; at = stretch.bytes.indexOf(NEWLINE, at + 1))
    lines++
  return lines
}

function rowTexts(stretch: Stretch, offset: number, { columns, wrap }: Layout): string[] {
  const { end } = segmentEnd(stretch, offset)
  const text = showLine(stretch.bytes.subarray(offset - stretch.start, end - stretch.start))
  if (!wrap || text.length * 2 <= columns || width(text) <= columns) return [text]
  const rows: string[] = []
  for (let rest = text; rest !== ''; ) {
    const row = takeColumns(rest, Math.max(1, columns))
    rows.push(row)
    rest = rest.slice(row.length)
  }
  return rows
}

/** A line as harmless text: tabs to 8 columns, a carriage return at its end left out, bytes that are no UTF-8 as `\xNN`. */
export function showLine(bytes: Uint8Array): string {
  const line = bytes.at(-1) === 0x0d ? bytes.subarray(0, -1) : bytes
  const show = isUtf8(line)
    ? (part: Uint8Array) => safe(Buffer.from(part.buffer, part.byteOffset, part.length).toString('utf8'))
    : safeBytes
  if (!line.includes(9)) return show(line)
  let text = ''
  let columns = 0
  for (let start = 0; ; ) {
    const tab = line.indexOf(9, start)
    const part = show(line.subarray(start, tab < 0 ? line.length : tab))
    text += part
    if (tab < 0) return text
    columns += width(part)
    const stop = 8 - (columns % 8)
    text += ' '.repeat(stop)
    columns += stop
    start = tab + 1
  }
}

/** Where the segment at an offset ends (its newline left out), and where the next one begins. */
function segmentEnd({ start, bytes }: Stretch, offset: number): { end: number; next: number } {
  const from = offset - start
  const limit = Math.min(bytes.length, from + SEGMENT)
  const newline = bytes.subarray(from, limit).indexOf(NEWLINE)
  if (newline >= 0) return { end: offset + newline, next: offset + newline + 1 }
  if (limit === bytes.length) return { end: start + limit, next: start + limit }
  // Not within a character of UTF-8.
  let cut = limit
  while (cut > limit - 4 && (bytes[cut]! & 0xc0) === 0x80) cut--
  if ((bytes[cut]! & 0xc0) === 0x80) cut = limit
  return { end: start + cut, next: start + cut }
}

function segmentBefore(stretch: Stretch, offset: number): number {
  let at = lineStart(stretch, offset - 1)
  for (;;) {
    const { next } = segmentEnd(stretch, at)
    if (next >= offset || next <= at) return at
    at = next
  }
}

/** Where the line that holds a byte begins; in a very long one a place before it that is a whole number of segments off. */
function lineStart({ start, bytes }: Stretch, offset: number): number {
  const at = Math.max(0, Math.min(offset - start, bytes.length))
  const newline = at === 0 ? -1 : bytes.lastIndexOf(NEWLINE, at - 1)
  return start + newline + 1
}

function beginsLine({ start, bytes }: Stretch, offset: number): boolean {
  return offset === 0 || bytes[offset - start - 1] === NEWLINE
}

function inMemory({ start, bytes }: Stretch, offset: number): boolean {
  return offset >= start && offset < start + bytes.length
}

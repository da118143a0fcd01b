/** Two versions of a file as lines: side by side, one below the other, or as bytes. */
import { cutEnd, fit as fitted, width } from '../../../base/text.ts'
import { takeColumns } from '../../panes/wrap.ts'
import type { Style, Theme } from '../../theme.ts'
import { line, type Part } from '../../widgets/line.ts'
import { bytesPerRow, hexRow } from '../file/hex-rows.ts'
import { type PairRow, type Pieces, type Side, wordPieces } from './pairs.ts'

export interface DrawnAs {
  columns: number
  /** Digits of the greatest line number. */
  digits: number
  /** Columns that are shifted out on the left. */
  left: number
}

/** A row of both sides: exactly `columns` wide. */
export function sidesLine(theme: Theme, row: PairRow, { columns, digits, left }: DrawnAs): string {
  const [wide, rest] = [Math.floor((columns - 1) / 2), columns - 1 - Math.floor((columns - 1) / 2)]
  if (row.kind === 'gap') return gapLine(theme, row, columns)
  const [before, after] = piecesOf(row)
  const half = (side: Side | null, pieces: Pieces, style: Style | null, sign: string, room: number) =>
    line(room, side ? sideParts(theme, side, pieces, style, sign, { columns: room, digits, left }) : [])
  return (
    half(row.before, before, row.kind === 'same' ? null : theme.deleted, '-', wide) +
    theme.dim(theme.glyph.vertical) +
    half(row.after, after, row.kind === 'same' ? null : theme.added, '+', rest)
  )
}

/** The rows of one below the other: what was, then what is. */
export function unifiedLines(theme: Theme, row: PairRow, how: DrawnAs): string[] {
  if (row.kind === 'gap') return [gapLine(theme, row, how.columns)]
  const [before, after] = piecesOf(row)
  const lines: string[] = []
  const put = (side: Side, pieces: Pieces, style: Style | null, sign: string) =>
    lines.push(line(how.columns, sideParts(theme, side, pieces, style, sign, how)))
  if (row.before && row.kind !== 'same') put(row.before, before, theme.deleted, '-')
  if (row.after) put(row.after, after, row.kind === 'same' ? null : theme.added, '+')
  return lines
}

function gapLine(theme: Theme, { hidden }: PairRow, columns: number): string {
  const text = ` ${hidden} equal ${hidden === 1 ? 'line' : 'lines'} `
  const rule = theme.glyph.horizontal.repeat(3)
  return line(columns, [
    [theme.dim, `${rule}${text}${theme.glyph.horizontal.repeat(Math.max(0, columns - 3 - text.length))}`],
  ])
}

function piecesOf({ kind, before, after }: PairRow): [Pieces, Pieces] {
  if (kind === 'changed') return wordPieces(before!.text, after!.text)
  const whole = (side: Side | null): Pieces => (side ? [{ text: side.text, differs: false }] : [])
  return [whole(before), whole(after)]
}

/** `  12 - text`: the words that differ stand out from the line. */
function sideParts(
  theme: Theme,
  side: Side,
  pieces: Pieces,
  style: Style | null,
  sign: string,
  { columns, digits, left }: DrawnAs,
): Part[] {
  const head = `${fitted(String(side.number), digits, 'right')} `
  const parts: Part[] = [[theme.dim, head], style ? [style, `${sign} `] : '  ']
  let skip = left
  let room = columns - head.length - 2
  for (const { text, differs } of pieces) {
    const hidden = skip > 0 ? takeColumns(text, skip) : ''
    const shown = text.slice(hidden.length)
    skip = Math.max(0, skip - width(hidden))
    if (shown === '' || room <= 0) continue
    const cut = cutEnd(shown, room)
    room -= width(cut)
    const plain: Style = one => one
    parts.push([differs && style ? one => theme.strong(theme.match(style(one))) : (style ?? plain), cut])
  }
  return parts
}

/** Bytes of both sides in rows at the same offsets, those that differ standing out. */
export interface HexRows {
  perRow: number
  count: number
}

export function hexRows(before: Uint8Array, after: Uint8Array, columns: number): HexRows {
  const size = Math.max(before.length, after.length)
  const half = Math.floor((columns - 1) / 2)
  // The offset stands once, on the left.
  const perRow = bytesPerRow(half, size)
  return { perRow, count: Math.ceil(size / perRow) }
}

/** Row `at`. */
export function hexPairLine(
  theme: Theme,
  before: Uint8Array,
  after: Uint8Array,
  at: number,
  { perRow }: HexRows,
  columns: number,
): string {
  const size = Math.max(before.length, after.length)
  const from = at * perRow
  const half = Math.floor((columns - 1) / 2)
  const side = (own: Uint8Array, other: Uint8Array, style: Style, room: number) => {
    const bytes = own.subarray(from, from + perRow)
    const row = hexRow(bytes, from, perRow, size)
    const differs = (n: number) => own[from + n] !== other[from + n]
    const parts: Part[] = [[theme.dim, ` ${row.offset}  `]]
    for (let n = 0; n < perRow; n++) {
      const start = n * 3 + Math.floor(n / 8)
      const text = row.hex.slice(start, start + 2)
      parts.push(n === 0 ? '' : n % 8 === 0 ? '  ' : ' ')
      parts.push(differs(n) && text.trim() !== '' ? [style, text] : [theme.dim, text])
    }
    parts.push('  ')
    for (let n = 0; n < perRow; n++) parts.push(differs(n) ? [style, row.text[n]!] : [theme.dim, row.text[n]!])
    return line(room, parts)
  }
  return (
    side(before, after, theme.deleted, half) +
    theme.dim(theme.glyph.vertical) +
    side(after, before, theme.added, columns - 1 - half)
  )
}

/** Rows in which a difference begins. */
export function hexStarts(before: Uint8Array, after: Uint8Array, { perRow, count }: HexRows): number[] {
  const starts: number[] = []
  let differed = false
  for (let row = 0; row < count; row++) {
    let differs = false
    for (let at = row * perRow; at < (row + 1) * perRow && !differs; at++) differs = before[at] !== after[at]
    if (differs && !differed) starts.push(row)
    differed = differs
  }
  return starts
}

/** The content of a file as lines: text with what was found standing out, or a hex dump. */
import { width } from '../../base/text.ts'
import { hexRow } from '../explorer/file/hex-rows.ts'
import type { TextRow } from '../explorer/file/text-rows.ts'
import type { Theme } from '../theme.ts'
import { line, type Part } from '../widgets/line.ts'
import { takeColumns } from './wrap.ts'

/** One row of text, from column `left` on. */
export function textLine(theme: Theme, row: TextRow, columns: number, left: number, found: string): string {
  const edge: Part = [theme.dim, row.first ? ' ' : theme.glyph.dot]
  const text = left === 0 ? row.text : row.text.slice(takeColumns(row.text, left).length)
  return line(columns, [edge, ...marked(theme, text, found)])
}

/** One row of a hex dump. */
export function hexLine(
  theme: Theme,
  bytes: Uint8Array,
  offset: number,
  perRow: number,
  size: number,
  columns: number,
): string {
  const row = hexRow(bytes, offset, perRow, size)
  return line(columns, [
    [theme.dim, ` ${row.offset}  `],
    row.hex,
    [theme.dim, `  ${theme.glyph.vertical}`],
    [theme.accent, row.text],
    [theme.dim, theme.glyph.vertical],
  ])
}

/** The text with every place that holds `found` standing out; small letters match both. */
function marked(theme: Theme, text: string, found: string): Part[] {
  if (found === '' || width(text) === 0) return [text]
  const exact = found !== found.toLowerCase()
  const inside = exact ? text : text.toLowerCase()
  // Letters whose small form has another length would shift the places.
  if (inside.length !== text.length) return [text]
  const parts: Part[] = []
  let at = 0
  for (let next = inside.indexOf(found); next >= 0; next = inside.indexOf(found, at)) {
    parts.push(text.slice(at, next), [theme.match, text.slice(next, next + found.length)])
    at = next + found.length
  }
  return [...parts, text.slice(at)]
}

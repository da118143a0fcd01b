/** The list of images as a table. */
import type { ImageRow } from '../../actions/image-list.ts'
import { formatAge, formatBytes } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { Theme } from '../theme.ts'
import type { Part } from '../widgets/line.ts'
import { type Column, type Placed, placeColumns, tableHead, tableRow } from '../widgets/table.ts'

/** What of the table is worked out once a frame. */
export interface Table {
  head: Part[]
  row(row: ImageRow, state: { cursor: boolean; marked: boolean }): Part[]
}

/** The table of these rows in a room of columns; `now` in milliseconds since 1970. */
export function imageTable(theme: Theme, room: number, rows: readonly ImageRow[], now: number): Table {
  const largest = rows.reduce((most, row) => Math.max(most, row.size ?? 0), 1)
  const placed: Placed<ImageRow>[] = placeColumns(room - MARGIN, columnsOf(theme, largest, now), rows)
  return {
    head: ['   ', ...tableHead(theme, placed)],
    row: (row, { cursor, marked }) => [
      cursor ? theme.glyph.cursor : ' ',
      [theme.accent, marked ? theme.glyph.marked : ' '],
      ' ',
      ...tableRow(theme, placed, row),
    ],
  }
}

/** The cursor, the mark, and a blank at either end. */
const MARGIN = 4

function columnsOf(theme: Theme, largest: number, now: number): Column<ImageRow>[] {
  const name = (text: string | null) => (text === null ? '<none>' : safe(text))
  const bytes = (value: number | null) => (value === null ? '' : formatBytes(value))
  const dim = () => theme.dim
  return [
    {
      title: 'REPOSITORY',
      text: row => name(row.repository),
      worth: 100,
      most: 48,
      least: 14,
      look: (theme, row) => (row.repository === null ? theme.dim : theme.strong),
    },
    {
      title: 'TAG',
      text: row => name(row.tag),
      worth: 90,
      most: 20,
      least: 7,
      look: (theme, row) => (row.tag === null ? theme.dim : text => text),
    },
    { title: 'ENGINE', text: row => safe(row.engine), worth: 40, most: 8, look: dim },
    {
      title: 'IMAGE ID',
      text: row => safe(row.id.replace(/^sha256:/, '').slice(0, 12)),
      worth: 30,
      most: 12,
      look: dim,
    },
    { title: 'CREATED', text: row => (row.created === null ? '' : formatAge(now - row.created)), worth: 60, most: 12 },
    { title: 'SIZE', text: row => bytes(row.size), align: 'right', worth: 95, most: 8 },
    { title: 'UNIQUE', text: row => bytes(row.unique), align: 'right', worth: 50, most: 8 },
    { title: ' ', text: row => bar(theme, (row.size ?? 0) / largest), worth: 20, most: 1, look: theme => theme.accent },
  ]
}

/** One cell whose height is a share: the lowest for anything, blank for nothing. */
export function bar(theme: Theme, share: number): string {
  const steps = [...theme.glyph.bars]
  return share <= 0 ? ' ' : steps[Math.min(steps.length - 1, Math.floor(share * steps.length))]!
}

/** Columns of a table that follow from the room there is: the least needed ones go first. */
import { fit as fitted, width } from '../../base/text.ts'
import type { Theme } from '../theme.ts'
import type { Part } from './line.ts'

export interface Column<Row> {
  title: string
  /** Harmless text of a cell. */
  text(row: Row): string
  align?: 'left' | 'right'
  /** 0 to 100: the least needed is left out first. */
  worth: number
  /** Columns that it takes at most; it grows with its content up to that. */
  most: number
  /** Columns below which it is not shown at all; the whole content without it. */
  least?: number
  /** How the cell looks. */
  look?(theme: Theme, row: Row): (text: string) => string
}

/** A column with the room it got. */
export interface Placed<Row> {
  column: Column<Row>
  columns: number
}

/** Columns between two of them. */
const GAP = 2

/** Which columns are shown in a room, and how wide. Those with a `least` give way before others are left out. */
export function placeColumns<Row>(room: number, columns: readonly Column<Row>[], rows: readonly Row[]): Placed<Row>[] {
  const placed = columns.map(column => {
    const widest = rows.reduce((most, row) => Math.max(most, width(column.text(row))), width(column.title))
    return { column, columns: Math.min(column.most, widest) }
  })
  const least = ({ column, columns }: Placed<Row>) => Math.min(columns, column.least ?? columns)
  const gaps = () => GAP * Math.max(0, placed.length - 1)
  while (placed.length > 1 && placed.reduce((sum, one) => sum + least(one), gaps()) > room) {
    const lowest = placed.reduce((at, one, index) => (one.column.worth <= placed[at]!.column.worth ? index : at), 0)
    placed.splice(lowest, 1)
  }
  let over = placed.reduce((sum, one) => sum + one.columns, gaps()) - room
  for (const one of placed) {
    const given = Math.max(0, Math.min(over, one.columns - Math.max(1, least(one))))
    one.columns -= given
    over -= given
  }
  return placed
}

/** The parts of a row. */
export function tableRow<Row>(theme: Theme, placed: readonly Placed<Row>[], row: Row): Part[] {
  return placed.flatMap(({ column, columns }, at): Part[] => {
    const text = fitted(column.text(row), columns, column.align ?? 'left')
    return [at === 0 ? '' : '  ', column.look ? [column.look(theme, row), text] : text]
  })
}

/** The parts of the head. */
export function tableHead<Row>(theme: Theme, placed: readonly Placed<Row>[]): Part[] {
  return placed.flatMap(({ column, columns }, at): Part[] => [
    at === 0 ? '' : '  ',
    [theme.dim, fitted(column.title, columns, column.align ?? 'left')],
  ])
}

/** Lists as window arithmetic: a cursor, the first visible row, and a function that gives the parts of a row. */
import type { Move } from '../../actions/moving.ts'
import type { Theme } from '../theme.ts'
import { type Part, rowLine } from './line.ts'

export interface ListState {
  /** The row that keys act on. */
  cursor: number
  /** The first row that is visible. */
  top: number
}

/** The list after a move, cursor within `count`, the window of `height` rows following it. */
export function moveList(state: ListState, by: Move, count: number, height: number): ListState {
  return moveTo(state, state.cursor + distance(by, state.cursor, count, height), count, height)
}

/** The list with its cursor on a row, the window moved as little as possible. */
export function moveTo(state: ListState, to: number, count: number, height: number): ListState {
  const cursor = Math.max(0, Math.min(count - 1, to))
  return keepVisible({ cursor, top: state.top }, count, height)
}

/** The same cursor in a window that shows it and wastes no row below the last one. */
export function keepVisible(state: ListState, count: number, height: number): ListState {
  const cursor = Math.max(0, Math.min(count - 1, state.cursor))
  const rows = Math.max(1, height)
  const lowest = Math.max(0, count - rows)
  const top = Math.max(0, Math.min(lowest, Math.max(cursor - rows + 1, Math.min(state.top, cursor))))
  return { cursor, top }
}

export interface ListOptions {
  theme: Theme
  columns: number
  rows: number
  count: number
  state: ListState
  /** Whether keys go to this list. */
  focused: boolean
  /** The parts of a row; asked for visible rows only. */
  row(index: number): readonly Part[]
  /** What stands at the right end of a row. */
  right?(index: number): readonly Part[]
}

/** The visible rows as lines, blank ones below the last. */
export function drawList(options: ListOptions): string[] {
  const { theme, columns, rows, count, focused, row, right } = options
  const { cursor, top } = keepVisible(options.state, count, rows)
  return Array.from({ length: rows }, (_, at) => {
    const index = top + at
    if (index >= count) return ' '.repeat(columns)
    return rowLine(theme, columns, row(index), { cursor: index === cursor, focused, right: right?.(index) ?? [] })
  })
}

function distance(by: Move, cursor: number, count: number, height: number): number {
  if (typeof by === 'number') return by
  const page = Math.max(1, height - 1)
  if (by === 'page') return page
  if (by === '-page') return -page
  if (by === 'half') return Math.max(1, height >> 1)
  if (by === '-half') return -Math.max(1, height >> 1)
  return by === 'first' ? -cursor : count - 1 - cursor
}

/** The box of help and palette: a line to type into, and the rows that match. */
import { formatCount } from '../../base/sizes.ts'
import type { Size } from '../layout.ts'
import type { InputEvent } from '../terminal/events.ts'
import type { Theme } from '../theme.ts'
import type { OverlayBox } from '../ui.ts'
import { editField, type Field, field, fieldParts } from './field.ts'
import { frame } from './frame.ts'
import { line, type Part } from './line.ts'
import { drawList, type ListState, moveList } from './list.ts'

export interface SearchBox {
  title: string
  query: Field
  list: ListState
  count: number
  /** How many there are without the query. */
  of: number
  row(index: number, cursor: boolean): Part[]
  right?(index: number): Part[]
}

/** Draws the box; tells `measured` how many rows a page has. */
export function drawSearch(size: Size, theme: Theme, box: SearchBox, measured: { height: number }): OverlayBox {
  const columns = Math.max(20, Math.min(76, size.columns - 4))
  const inner = columns - 2
  const rows = Math.max(1, Math.min(box.of, size.rows - 7))
  measured.height = rows
  const list = drawList({
    theme,
    columns: inner,
    rows,
    count: box.count,
    state: box.list,
    focused: true,
    row: index => box.row(index, index === box.list.cursor),
    ...(box.right ? { right: box.right } : {}),
  })
  if (box.count === 0) list[0] = line(inner, [[theme.dim, '   nothing matches']])
  const empty: Part[] = box.query.text === '' ? [[theme.dim, 'type to search']] : []
  const query = line(inner, [
    [theme.accent, ` ${theme.glyph.prompt} `],
    ...fieldParts(theme, box.query, inner - 4),
    ...empty,
  ])
  const footer: Part[] = [[theme.dim, `${formatCount(box.count)} of ${formatCount(box.of)}`]]
  const lines = [query, ...list]
  return {
    columns,
    lines: frame(theme, { columns, sections: [{ title: [[theme.title, box.title]], lines }], footer, focused: true }),
  }
}

export interface SearchState {
  query: Field
  list: ListState
  height: number
}

/** What keys do in a list that is searched by typing. */
export function searchInput(
  event: InputEvent,
  state: SearchState,
  count: number,
  on: { close(): void; choose(index: number): void },
): void {
  const by = event.kind === 'wheel' ? event.by : event.kind === 'key' ? moves[event.key] : undefined
  if (by !== undefined) state.list = moveList(state.list, by, count, state.height)
  else if (event.kind === 'key' && event.key === 'esc') {
    if (state.query.text === '') on.close()
    else Object.assign(state, { query: field(), list: { cursor: 0, top: 0 } })
  } else if (event.kind === 'key' && event.key === 'enter') on.choose(state.list.cursor)
  else {
    const edited = editField(state.query, event)
    if (edited && edited.text !== state.query.text) state.list = { cursor: 0, top: 0 }
    if (edited) state.query = edited
  }
}

const moves: Record<string, number | 'page' | '-page'> = {
  up: -1,
  down: 1,
  'ctrl-p': -1,
  'ctrl-n': 1,
  pageup: '-page',
  pagedown: 'page',
}

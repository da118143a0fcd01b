/** How the journal looks: a line a deed, and the one under the cursor whole below. */
import type { JournalEntry } from '../../actions/journal.ts'
import { shellLine } from '../../base/shell-words.ts'
import { formatCount } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { Size } from '../layout.ts'
import type { Theme } from '../theme.ts'
import { frame } from '../widgets/frame.ts'
import { exactly, line, type Part } from '../widgets/line.ts'
import { drawList, type ListState } from '../widgets/list.ts'
import { type Column, placeColumns, tableHead, tableRow } from '../widgets/table.ts'
import { wrap } from '../widgets/wrap.ts'

export interface JournalModel {
  /** Newest first. */
  rows: readonly JournalEntry[]
  list: ListState
  readOnly: boolean
}

/** Rows of the list, of a body of this size. */
export function journalHeight(size: Size): number {
  return Math.max(1, size.rows - 3 - detailRows(size))
}

/** Lines below the list with the rule above them. */
function detailRows({ rows }: Size): number {
  return rows >= 12 ? Math.min(9, Math.floor(rows / 3)) + 1 : 0
}

export function drawJournal(size: Size, theme: Theme, { rows, list, readOnly }: JournalModel): string[] {
  const inner = size.columns - 2
  const placed = placeColumns(inner - 4, columns, rows.slice(list.top, list.top + journalHeight(size)))
  const lines = drawList({
    theme,
    columns: inner,
    rows: journalHeight(size),
    count: rows.length,
    state: list,
    focused: true,
    row: index => [index === list.cursor ? ` ${theme.glyph.cursor} ` : '   ', ...tableRow(theme, placed, rows[index]!)],
  })
  const none = readOnly ? 'Nothing is done in read-only mode.' : 'Nothing was done yet.'
  const head =
    rows.length === 0 ? line(inner, [[theme.dim, `   ${none}`]]) : line(inner, ['   ', ...tableHead(theme, placed)])
  const here = rows[list.cursor]
  const below = detailRows(size)
  const detail = below > 0 && here ? exactly(detailLines(theme, inner, here), inner, below - 1) : []
  const footer: Part[] =
    rows.length === 0 ? [] : [[theme.dim, `${formatCount(list.cursor + 1)} of ${formatCount(rows.length)}`]]
  const shown = detail.length > 0 ? [head, ...lines] : exactly([head, ...lines], inner, size.rows - 2)
  return frame(theme, {
    columns: size.columns,
    sections: [
      { title: [[theme.title, 'Journal']], lines: shown },
      ...(detail.length > 0 ? [{ title: [[theme.dim, 'the same by hand']] as Part[], lines: detail }] : []),
    ],
    footer,
    focused: true,
  })
}

const outcomes = { done: 'done', failed: 'failed', cancelled: 'cancelled', 'going on': 'going on…' } as const

const columns: readonly Column<JournalEntry>[] = [
  { title: 'TIME', worth: 70, most: 8, text: one => clock(one.time) },
  {
    title: 'OUTCOME',
    worth: 90,
    most: 9,
    text: one => outcomes[one.outcome],
    look: (theme, { outcome }) =>
      outcome === 'failed'
        ? theme.danger
        : outcome === 'done'
          ? theme.ok
          : outcome === 'cancelled'
            ? theme.dim
            : theme.warning,
  },
  { title: 'TOOK', worth: 40, most: 8, align: 'right', text: one => (one.took === null ? '' : duration(one.took)) },
  { title: 'WHAT', worth: 95, most: 60, least: 40, text: one => safe(one.what) },
  { title: 'ENGINE', worth: 45, most: 16, text: one => safe(one.engine) },
  {
    title: 'BY HAND',
    worth: 30,
    most: 120,
    least: 24,
    text: one => safe(shellLine(one.command)),
    look: theme => theme.dim,
  },
]

function detailLines(theme: Theme, columns: number, { command, fault }: JournalEntry): string[] {
  const room = columns - 2
  return [
    ...wrap(safe(shellLine(command)), room).map(text => line(columns, [' ', text])),
    ...(fault ? ['', ...wrap(safe(fault.message), room)].map(text => line(columns, [' ', [theme.danger, text]])) : []),
  ]
}

/** On the person's own clock. */
function clock(time: number): string {
  const date = new Date(time)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map(part => String(part).padStart(2, '0')).join(':')
}

/** `12 ms`, `3.4 s`, `2 min` */
function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  return ms < 100_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`
}

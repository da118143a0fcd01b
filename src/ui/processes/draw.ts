/** How the processes of a container look. */
import type { Fault } from '../../base/errors.ts'
import { formatBytes, formatCount } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { Size } from '../layout.ts'
import type { Theme } from '../theme.ts'
import { frame } from '../widgets/frame.ts'
import { exactly, line, type Part } from '../widgets/line.ts'
import { drawList, type ListState } from '../widgets/list.ts'
import { type Column, placeColumns, tableHead, tableRow } from '../widgets/table.ts'
import { wrap } from '../widgets/wrap.ts'
import type { Sampled, SortBy } from './rows.ts'

export interface ProcessesModel {
  /** In their order; null: nobody has answered yet. */
  rows: readonly Sampled[] | null
  list: ListState
  by: SortBy
  fault: Fault | null
}

/** Rows of the list: the body without its frame and head. */
export function processesHeight(size: Size): number {
  return Math.max(1, size.rows - 3)
}

export function drawProcesses(size: Size, theme: Theme, { rows, list, by, fault }: ProcessesModel): string[] {
  const inner = size.columns - 2
  const all = rows ?? []
  const known = columns.filter(column => column.title === 'COMMAND' || all.some(one => column.text(one) !== ''))
  const placed = placeColumns(inner - 3, known, all.slice(list.top, list.top + processesHeight(size)))
  const said = fault
    ? [fault.message, fault.hint ?? ''].filter(Boolean).flatMap(text => wrap(safe(text), inner - 2))
    : []
  const lines =
    all.length === 0
      ? exactly(
          (fault ? said : [rows === null ? `Looking ${theme.glyph.ellipsis}` : 'Nothing runs in it.']).map(text =>
            line(inner, [' ', [fault ? theme.warning : theme.dim, text]]),
          ),
          inner,
          Math.max(0, size.rows - 2),
        )
      : [
          line(inner, ['   ', ...tableHead(theme, placed)]),
          ...drawList({
            theme,
            columns: inner,
            rows: processesHeight(size),
            count: all.length,
            state: list,
            focused: true,
            row: index => [
              index === list.cursor ? ` ${theme.glyph.cursor} ` : '   ',
              ...tableRow(theme, placed, all[index]!),
            ],
          }),
        ]
  const right: Part[] = all.length > 0 && fault ? [[theme.warning, 'as they were']] : []
  return frame(theme, {
    columns: size.columns,
    sections: [
      {
        title: [
          [theme.title, 'Processes'],
          [theme.dim, `  ${orders[by]}`],
        ],
        right,
        lines: lines.slice(0, Math.max(0, size.rows - 2)),
      },
    ],
    footer: all.length === 0 ? [] : [[theme.dim, `${formatCount(list.cursor + 1)} of ${formatCount(all.length)}`]],
    focused: true,
  })
}

const orders: Record<SortBy, string> = {
  cpu: 'busiest first',
  memory: 'largest first',
  time: 'by processor time',
  number: 'by number',
}

const columns: readonly Column<Sampled>[] = [
  { title: 'PID', worth: 90, most: 8, align: 'right', text: one => (one.inside === null ? '' : String(one.inside)) },
  {
    title: 'OUTSIDE',
    worth: 40,
    most: 8,
    align: 'right',
    text: one => (one.pid === null ? '' : String(one.pid)),
    look: theme => theme.dim,
  },
  { title: 'USER', worth: 60, most: 12, text: one => safe(one.user) },
  {
    title: 'CPU',
    worth: 80,
    most: 8,
    align: 'right',
    text: one => (one.busy === null ? '' : `${one.busy < 10 ? one.busy.toFixed(1) : Math.round(one.busy)} %`),
  },
  {
    title: 'MEMORY',
    worth: 75,
    most: 9,
    align: 'right',
    text: one => (one.resident === null ? '' : formatBytes(one.resident)),
  },
  { title: 'TIME', worth: 50, most: 10, align: 'right', text: one => (one.cpu === null ? '' : timeWords(one.cpu)) },
  { title: 'COMMAND', worth: 95, most: 2000, least: 12, text: one => safe(one.command.slice(0, 4000)) },
]

/** `0:04`, `1:02:03` */
function timeWords(seconds: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0')
  const minutes = Math.floor(seconds / 60)
  return minutes < 60
    ? `${minutes}:${two(seconds % 60)}`
    : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(seconds % 60)}`
}

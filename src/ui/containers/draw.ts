/** How the Containers screen looks. */
import { formatCount } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { WatchedEngine } from '../../engine/watching.ts'
import type { Size } from '../layout.ts'
import type { Theme } from '../theme.ts'
import { frame } from '../widgets/frame.ts'
import { exactly, line, type Part, sideBySide } from '../widgets/line.ts'
import { drawList, type ListState } from '../widgets/list.ts'
import { wrap } from '../widgets/wrap.ts'
import { factLines, tailLines, tailState } from './panel.ts'
import type { Shown } from './preview.ts'
import type { ContainerRow } from './rows.ts'
import { containerTable, type Known } from './table.ts'

export interface ContainersModel {
  engines: readonly WatchedEngine[]
  /** All of them, and those that are shown. */
  all: readonly ContainerRow[]
  rows: readonly ContainerRow[]
  list: ListState
  marks: ReadonlySet<string>
  filter: string
  runningOnly: boolean
  known: Known
  /** The row that the panel tells of, the one that the cursor rested on last, and its log. */
  rested: ContainerRow | undefined
  tail: Shown | null
}

/** Where what is, for a body of a size. */
export interface Layout {
  /** Columns and rows of the list's frame. */
  list: Size
  /** Where the log of the row under the cursor is: beside the list with facts, below it, or nowhere. */
  beside: number
  below: number
}

export function layoutOf({ columns, rows }: Size): Layout {
  const beside = columns >= 112 ? Math.min(64, Math.round(columns * 0.32)) : 0
  const below = beside === 0 && rows >= 16 ? Math.floor(rows * 0.4) : 0
  return { list: { columns: columns - beside, rows: rows - below }, beside, below }
}

/** Where lines of the log are shown, at most. */
export function logRoom(size: Size): Size {
  const { beside, below } = layoutOf(size)
  if (beside > 0) return { columns: beside - 2, rows: Math.max(0, size.rows - 6) }
  return { columns: size.columns - 2, rows: Math.max(0, below - 2) }
}

/** Rows of the list that are visible: its frame, head and banners are none. */
export function listHeight(size: Size, engines: readonly WatchedEngine[]): number {
  return Math.max(1, layoutOf(size).list.rows - 3 - banners(engines).length)
}

/** The body: the list, the container under the cursor and its log where there is room. */
export function drawContainers(size: Size, theme: Theme, model: ContainersModel): string[] {
  if (model.all.length === 0) return emptyLines(theme, size, model.engines)
  const { list, beside, below } = layoutOf(size)
  const table = drawTable(list, theme, model, beside === 0)
  if (beside > 0) return sideBySide(table, drawPanel({ columns: beside, rows: size.rows }, theme, model))
  return below > 0 ? [...table, ...drawTail({ columns: size.columns, rows: below }, theme, model)] : table
}

/** The engines and how they are, for the end of the breadcrumb line. */
export function enginesSummary(theme: Theme, engines: readonly WatchedEngine[]): Part[][] {
  return engines.map(({ id, engine, health }): Part[] => {
    const version = engine?.version.split('.').slice(0, 2).join('.')
    const name = safe(version && engine?.kind !== 'native' ? `${id} ${version}` : id)
    if (health.state === 'connecting') return [[theme.dim, `${name} ${theme.glyph.ellipsis}`]]
    if (health.state === 'ok')
      return [
        [theme.dim, `${name} `],
        [theme.ok, theme.glyph.marked],
      ]
    return [
      [theme.dim, `${name} `],
      [theme.warning, theme.glyph.unmarked],
      [theme.dim, ` lost ${clock(health.since)}`],
    ]
  })
}

function drawTable(size: Size, theme: Theme, model: ContainersModel, placed: boolean): string[] {
  const { rows, list, marks, filter, runningOnly, known } = model
  const inner = size.columns - 2
  const table = containerTable(theme, inner, rows, known, placed)
  const lost = banners(model.engines).map(text => line(inner, [[theme.warning, ` ! ${text}`]]))
  const lines = drawList({
    theme,
    columns: inner,
    rows: Math.max(0, size.rows - 3 - lost.length),
    count: rows.length,
    state: list,
    focused: true,
    row: index => table.row(rows[index]!, { cursor: index === list.cursor, marked: marks.has(rows[index]!.key) }),
  })
  if (rows.length === 0 && lines.length > 0) {
    const why = filter === '' ? 'none of them runs' : 'nothing matches the filter'
    lines[0] = line(inner, [[theme.dim, `   ${why}`]])
  }
  const title: Part[] = [
    [theme.title, 'Containers'],
    [theme.dim, runningOnly ? '  running' : ''],
    ...(filter === ''
      ? []
      : ([
          [theme.dim, '  filter '],
          [theme.match, safe(filter)],
        ] as Part[])),
  ]
  const shown = [...lost, line(inner, table.head), ...lines].slice(0, Math.max(0, size.rows - 2))
  const footer = placed ? placeOf(theme, model) : []
  return frame(theme, { columns: size.columns, sections: [{ title, lines: shown }], footer, focused: true })
}

/**
 * Where the cursor is. It stands in the last corner of the screen: everything behind it is written anew with every move,
 * and a slow line has to carry that.
 */
function placeOf(theme: Theme, { all, rows, list, marks }: ContainersModel): Part[] {
  const hidden = all.length - rows.length
  return [
    [theme.accent, marks.size > 0 ? `${marks.size} marked  ` : ''],
    [theme.dim, hidden > 0 ? `${formatCount(hidden)} hidden  ` : ''],
    `${formatCount(rows.length === 0 ? 0 : list.cursor + 1)} of ${formatCount(rows.length)}`,
  ]
}

function drawPanel(size: Size, theme: Theme, model: ContainersModel): string[] {
  const { columns } = size
  const inner = columns - 2
  const row = model.rested
  if (!row) {
    const lines = exactly([], inner, Math.max(0, size.rows - 2))
    return frame(theme, { columns, sections: [{ title: [], lines }], footer: placeOf(theme, model) })
  }
  const facts = factLines(theme, inner, row, model.known).slice(0, Math.max(0, size.rows - 4))
  const room = Math.max(0, size.rows - 3 - facts.length)
  const log = exactly(tailLines(theme, inner, room, model.tail), inner, room)
  return frame(theme, {
    columns,
    footer: placeOf(theme, model),
    sections: [
      { title: [[theme.title, safe(row.container.name)]], lines: facts },
      { title: [[theme.title, 'Logs']], right: tailState(theme, model.tail), lines: log },
    ],
  })
}

function drawTail(size: Size, theme: Theme, model: ContainersModel): string[] {
  const inner = size.columns - 2
  const room = Math.max(0, size.rows - 2)
  const row = model.rested
  const title: Part[] = [
    [theme.title, 'Logs'],
    [theme.dim, row ? `  ${safe(row.container.name)}` : ''],
  ]
  const lines = exactly(tailLines(theme, inner, room, model.tail), inner, room)
  return frame(theme, { columns: size.columns, sections: [{ title, right: tailState(theme, model.tail), lines }] })
}

/** Most lines that tell of lost engines. */
const MOST_BANNERS = 2

/** Of engines whose containers are shown as they were. */
function banners(engines: readonly WatchedEngine[]): string[] {
  return engines
    .flatMap(({ id, health, containers }) =>
      health.state === 'lost' && containers.length > 0
        ? [`${safe(id)} is lost since ${clock(health.since)}: ${safe(health.fault.message)}`]
        : [],
    )
    .slice(0, MOST_BANNERS)
}

/** `14:02`, on the person's own clock. */
function clock(time: number): string {
  const date = new Date(time)
  return `${String(date.getHours()).padStart(2, '0')}:${String(date.getMinutes()).padStart(2, '0')}`
}

/** Why there is nothing, and how there could be something. */
function emptyLines(theme: Theme, size: Size, engines: readonly WatchedEngine[]): string[] {
  const asking = engines.length === 0 || engines.some(one => one.health.state === 'connecting')
  const columns = Math.min(size.columns, 64)
  const blocks: Part[][] = [
    [[theme.title, asking ? 'Asking the engines …' : 'No containers here yet.']],
    [],
    ...(asking ? [] : [[[theme.key, 'strata run -d IMAGE'], '  starts one'] as Part[]]),
    ...engines.flatMap(({ id, health }) =>
      health.state === 'lost'
        ? wrap(`${safe(id)}: ${safe(health.fault.message)}`, columns - 2).map((text): Part[] => [[theme.dim, text]])
        : [],
    ),
  ]
  const top = Math.max(0, Math.floor((size.rows - blocks.length) / 3))
  const left = ' '.repeat(Math.max(1, (size.columns - columns) >> 1))
  const lines = blocks.map(parts => line(size.columns, [left, ...parts]))
  return exactly([...exactly([], size.columns, top), ...lines], size.columns, size.rows)
}

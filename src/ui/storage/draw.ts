/** How the Storage screen looks. */
import { addSums, totals } from '../../actions/disks.ts'
import { formatBytes, formatCount } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { EngineDisk } from '../../engine/usage-watch.ts'
import type { Size } from '../layout.ts'
import type { Theme } from '../theme.ts'
import { frame, tabs } from '../widgets/frame.ts'
import { exactly, line, type Part, sideBySide } from '../widgets/line.ts'
import { drawList, type ListState } from '../widgets/list.ts'
import { wrap } from '../widgets/wrap.ts'
import { MOST_ENGINES, overviewLines, whole } from './overview.ts'
import { panelLines } from './panel.ts'
import { type StorageRow, type View, viewNames, views, volumeName } from './rows.ts'
import { storageTable } from './table.ts'

export interface StorageModel {
  disks: readonly EngineDisk[]
  view: View
  /** How many things each view has. */
  counts: Record<View, number>
  rows: readonly StorageRow[]
  list: ListState
  marks: ReadonlySet<string>
  filter: string
  /** Milliseconds since 1970. */
  now: number
}

export interface Layout {
  /** Lines of the overview; 0: there is no room for it. */
  overview: number
  /** Rows of the list. */
  list: number
  /** Columns of the panel beside the list, or its rows below it; 0: it is not shown there. */
  beside: number
  below: number
}

export function layoutOf({ columns, rows }: Size, disks: readonly EngineDisk[]): Layout {
  const overview = rows < 10 ? 0 : Math.min(MOST_ENGINES, Math.max(1, disks.length))
  const beside = columns >= 104 ? Math.min(56, Math.round(columns * 0.36)) : 0
  const under = beside === 0 && rows - overview >= 18 ? Math.min(11, Math.floor((rows - overview) * 0.42)) : 0
  const list = rows - (overview > 0 ? overview + 1 : 0) - under - 3
  return { overview, list: Math.max(1, list), beside, below: under }
}

/** The body: the disks, the list of one view, and what is to be said of the row under the cursor. */
export function drawStorage(size: Size, theme: Theme, model: StorageModel): string[] {
  const { disks, rows, list } = model
  if (!disks.some(one => one.usage !== null)) return emptyLines(theme, size, disks)
  const { overview, beside, below } = layoutOf(size, disks)
  const top =
    overview === 0
      ? []
      : frame(theme, {
          columns: size.columns,
          sections: [{ title: [[theme.title, 'Disk']], lines: overviewLines(theme, size.columns - 2, disks) }],
        }).slice(0, -1)
  const body = { columns: size.columns - beside, rows: size.rows - top.length - below }
  const table = drawTable(body, theme, model)
  const row = rows[list.cursor]
  const shown =
    beside > 0
      ? sideBySide(table, drawPanel({ columns: beside, rows: body.rows }, theme, model, row))
      : below > 0
        ? [...table, ...drawPanel({ columns: size.columns, rows: below }, theme, model, row)]
        : table
  const [rule = '', ...rest] = shown
  return [...top, top.length > 0 ? hanging(theme, rule) : rule, ...rest].slice(0, size.rows)
}

/** The first rule of frames that hang on the one above: its ends go on from the sides of that one. */
function hanging({ glyph }: Theme, rule: string): string {
  return replaceLast(replaceFirst(rule, glyph.topLeft, glyph.teeLeft), glyph.topRight, glyph.teeRight)
}

function replaceFirst(text: string, from: string, to: string): string {
  const at = text.indexOf(from)
  return at < 0 ? text : text.slice(0, at) + to + text.slice(at + from.length)
}

function replaceLast(text: string, from: string, to: string): string {
  const at = text.lastIndexOf(from)
  return at < 0 ? text : text.slice(0, at) + to + text.slice(at + from.length)
}

/** For the end of the breadcrumb line: what all of it takes, what could be freed, how old that is. */
export function storageSummary(theme: Theme, disks: readonly EngineDisk[]): Part[][] {
  const known = disks.flatMap(({ usage }) => (usage === null ? [] : [totals(usage)]))
  const frees = addSums(known.flatMap(all => all.map(one => one.reclaimable)))
  const asking = disks.some(one => one.asking)
  const outdated = disks.some(one => one.outdated && !one.asking)
  return [
    ...(known.length > 0
      ? [
          [
            [theme.strong, formatBytes(known.reduce((sum, all) => sum + whole(all), 0))],
            [theme.dim, ' in use'],
          ] as Part[],
          [[frees.bytes > 0 ? theme.ok : theme.dim, `${formatBytes(frees.bytes)} unused`]] as Part[],
        ]
      : []),
    ...(asking ? [[[theme.dim, `measuring${theme.glyph.ellipsis}`]] as Part[]] : []),
    ...(outdated ? [[[theme.warning, 'changed since']] as Part[]] : []),
  ]
}

function drawTable(size: Size, theme: Theme, model: StorageModel): string[] {
  const { rows, list, marks, filter, view, now, disks } = model
  const inner = size.columns - 2
  const engines = disks.filter(one => one.usage !== null).length
  const table = storageTable(theme, inner, { view, rows, now, engines })
  const lines = drawList({
    theme,
    columns: inner,
    rows: Math.max(0, size.rows - 3),
    count: rows.length,
    state: list,
    focused: true,
    row: index => table.row(rows[index]!, { cursor: index === list.cursor, marked: marks.has(rows[index]!.key) }),
  })
  if (rows.length === 0 && lines.length > 0) {
    const why = filter === '' ? nothing[view] : 'nothing matches the filter'
    lines[0] = line(inner, [[theme.dim, `   ${why}`]])
  }
  const shown = [line(inner, table.head), ...lines].slice(0, Math.max(0, size.rows - 2))
  const title: Part[] = [...titleTabs(theme, model, inner), ...(filter === '' ? [] : filterParts(theme, filter))]
  const footer: Part[] = [
    ...(marks.size > 0 ? [[theme.accent, `${marks.size} marked  `] as Part] : []),
    `${formatCount(rows.length === 0 ? 0 : list.cursor + 1)} of ${formatCount(rows.length)}`,
  ]
  return frame(theme, { columns: size.columns, sections: [{ title, lines: shown }], footer, focused: true })
}

/** Where there is room with how many things each view has. */
function titleTabs(theme: Theme, { counts, view }: StorageModel, room: number): Part[] {
  const counted = views.map(one => `${viewNames[one]} ${formatCount(counts[one])}`)
  const bare = views.map(one => viewNames[one])
  const names = counted.join('  ').length + 4 <= room ? counted : bare
  return tabs(theme, names, views.indexOf(view))
}

function filterParts(theme: Theme, filter: string): Part[] {
  return [
    [theme.dim, '  filter '],
    [theme.match, safe(filter)],
  ]
}

const nothing: Record<View, string> = {
  layers: 'no layers are stored',
  images: 'no images are stored',
  containers: 'no containers are here',
  volumes: 'no volumes are here',
  cache: 'the build cache is empty',
}

function drawPanel(size: Size, theme: Theme, { now }: StorageModel, row: StorageRow | undefined): string[] {
  const inner = size.columns - 2
  const height = Math.max(0, size.rows - 2)
  const all = row ? panelLines(theme, inner, row, now) : []
  const lines = all.length <= height ? all : all.filter(one => one.trim() !== '')
  // What can be done about it stands last, and is what the panel is for: the middle gives way to it.
  const cut = lines.length <= height ? lines : [...lines.slice(0, Math.max(0, height - 2)), ...lines.slice(-2)]
  const title = row ? safe(row.view === 'volumes' ? volumeName(row.it) : row.name) : ''
  return frame(theme, {
    columns: size.columns,
    sections: [{ title: [[theme.title, title]], lines: exactly(cut, inner, height) }],
  })
}

/** Why there is nothing yet, or at all. */
function emptyLines(theme: Theme, size: Size, disks: readonly EngineDisk[]): string[] {
  const asking = disks.length === 0 || disks.some(one => one.asking || (one.fault === null && one.lost === null))
  const columns = Math.min(size.columns, 64)
  const blocks: Part[][] = [
    [
      [
        theme.title,
        asking ? `Measuring the disks of the engines ${theme.glyph.ellipsis}` : 'No engine tells of its disk.',
      ],
    ],
    [],
    ...disks
      .map(({ id, fault, lost }) => ({ id, fault: fault ?? lost }))
      .flatMap(({ id, fault }) =>
        fault === null
          ? []
          : wrap(`${safe(id)}: ${safe(fault.message)}`, columns - 2).map((one): Part[] => [[theme.dim, one]]),
      ),
  ]
  const top = Math.max(0, Math.floor((size.rows - blocks.length) / 3))
  const left = ' '.repeat(Math.max(1, (size.columns - columns) >> 1))
  const lines = blocks.map(parts => line(size.columns, [left, ...parts]))
  return exactly([...exactly([], size.columns, top), ...lines], size.columns, size.rows)
}

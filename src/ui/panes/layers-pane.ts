/** The list of steps as lines: what each layer stores and adds, and what made it. Steps without a layer show a dot. */
import { formatBytes } from '../../base/sizes.ts'
import { cutEnd, fit as fitted } from '../../base/text.ts'
import type { LayerState } from '../explorer/loading.ts'
import type { Theme } from '../theme.ts'
import { line, type Part } from '../widgets/line.ts'
import { drawList, type ListState } from '../widgets/list.ts'
import { fitColumns } from './columns.ts'

/** A minus sign and seven columns. */
const ADDS = 8

export interface StepRow {
  /** 1-based. */
  step: number
  layer: number | null
  /** Harmless, on one line. */
  command: string
  /** null for a step without a layer. */
  state: LayerState | null
  /** A container's: it is alive. */
  live: boolean
  /** Whether something odd was met in the layer. */
  odd: boolean
  /** Of an image that was not pulled: bytes that a pull would bring for the layer; 0 when it is here. */
  pull?: number | null
}

export interface LayersModel {
  rows: readonly StepRow[]
  /** Layers of the marked range; null: none is marked. */
  range: { from: number; to: number } | null
}

/** The header line and the rows, exactly `rows` lines. */
export function layersPane(
  theme: Theme,
  model: LayersModel,
  options: { columns: number; rows: number; state: ListState; focused: boolean },
): string[] {
  const { columns, rows, state, focused } = options
  const biggest = model.rows.reduce((most, row) => Math.max(most, knownBytes(row)), 1)
  const number = Math.max(2, String(model.rows.at(-1)?.step ?? 0).length)
  const { kept } = fitColumns(
    [
      { name: 'stored', width: 7, worth: 3 },
      { name: 'adds', width: ADDS, worth: 1 },
      { name: 'bar', width: 1, worth: 2 },
      ...(model.rows.some(row => row.pull !== undefined) ? [{ name: 'pull', width: 7, worth: 2.5 }] : []),
    ],
    columns - number - 2,
    14,
  )
  const list = drawList({
    theme,
    columns,
    rows: rows - 1,
    count: model.rows.length,
    state,
    focused,
    row: index => stepParts(theme, model, kept, number, biggest, index, index === state.cursor),
  })
  return [line(columns, [[theme.dim, header(kept, number)]]), ...list]
}

function header(kept: Set<string>, number: number): string {
  const stored = kept.has('stored') ? `${fitted('STORED', 7, 'right')} ` : ''
  const adds = kept.has('adds') ? `${fitted('ADDS', ADDS, 'right')} ` : ''
  const pull = kept.has('pull') ? `${fitted('PULL', 7, 'right')} ` : ''
  return ` ${fitted('#', number, 'right')} ${stored}${adds}${pull}${kept.has('bar') ? '  ' : ''}CREATED BY`
}

function stepParts(
  theme: Theme,
  model: LayersModel,
  kept: Set<string>,
  number: number,
  biggest: number,
  index: number,
  here: boolean,
): Part[] {
  const row = model.rows[index]!
  const { state } = row
  const edge = here ? theme.glyph.cursor : bracket(theme, model.range, row, index, model.rows)
  const parts: Part[] = [[theme.accent, edge]]
  if (!state) {
    const empty =
      (kept.has('stored') ? 8 : 0) +
      (kept.has('adds') ? ADDS + 1 : 0) +
      (kept.has('pull') ? 8 : 0) +
      (kept.has('bar') ? 2 : 0)
    return [...parts, [theme.dim, `${fitted(theme.glyph.dot, number, 'right')} ${' '.repeat(empty)}${row.command}`]]
  }
  const broken = state.phase === 'broken'
  const mark = broken || row.odd
  const name = row.live ? theme.glyph.marked : String(row.step)
  const look = broken ? theme.danger : mark ? theme.warning : row.live ? theme.ok : plain
  parts.push([look, fitted(name, number, 'right')])
  parts.push([broken ? theme.danger : theme.warning, mark ? '!' : ' '])
  if (kept.has('stored')) parts.push(storedPart(theme, state))
  if (kept.has('adds')) parts.push(addsPart(theme, state))
  if (kept.has('pull')) parts.push(pullPart(theme, row))
  if (kept.has('bar')) parts.push([theme.accent, `${heightBar(theme, knownBytes(row), biggest)} `])
  return [...parts, row.command]
}

/** The marked range as a bracket down the left edge; steps without a layer inside of it belong to it. */
function bracket(
  theme: Theme,
  range: LayersModel['range'],
  row: StepRow,
  index: number,
  rows: readonly StepRow[],
): string {
  if (!range) return ' '
  const first = rows.findIndex(one => one.layer === range.from)
  const last = rows.findIndex(one => one.layer === range.to)
  if (index < first || index > last) return ' '
  const { glyph } = theme
  if (range.from === range.to) return glyph.teeLeft
  return row.layer === range.from ? glyph.topLeft : row.layer === range.to ? glyph.bottomLeft : glyph.vertical
}

function storedPart(theme: Theme, state: LayerState): Part {
  if (state.phase === 'broken') return [theme.danger, `${fitted('broken', 7, 'right')} `]
  if (state.stored !== null) return `${fitted(formatBytes(state.stored), 7, 'right')} `
  const rough =
    state.total === null ? theme.glyph.ellipsis : cutEnd(`~${formatBytes(Number(state.total.toPrecision(2)))}`, 7)
  return [theme.dim, `${fitted(rough, 7, 'right')} `]
}

function addsPart(theme: Theme, state: LayerState): Part {
  if (state.adds !== null) return `${fitted(formatBytes(state.adds), ADDS, 'right')} `
  if (state.phase === 'cancelled' || state.phase === 'unread') return [theme.dim, `${fitted('unread', ADDS, 'right')} `]
  if (state.phase !== 'reading') return [theme.dim, `${fitted('', ADDS)} `]
  const share = state.total ? `${Math.min(99, Math.floor((state.done / state.total) * 100))} %` : theme.glyph.ellipsis
  return [theme.accent, `${fitted(share, ADDS, 'right')} `]
}

/** What a pull would bring. */
function pullPart(theme: Theme, { pull }: StepRow): Part {
  if (pull === 0) return [theme.ok, `${fitted('here', 7, 'right')} `]
  return `${fitted(pull ? formatBytes(pull) : '', 7, 'right')} `
}

function knownBytes(row: StepRow): number {
  return row.state?.stored ?? row.state?.total ?? 0
}

/** The share of the biggest layer as one cell; nothing at all is an empty one. */
function heightBar(theme: Theme, bytes: number, biggest: number): string {
  if (bytes === 0) return ' '
  const { bars } = theme.glyph
  return bars[Math.min(bars.length - 1, Math.floor((bytes / biggest) * bars.length))]!
}

function plain(text: string): string {
  return text
}

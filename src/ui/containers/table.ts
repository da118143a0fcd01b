/** The list of containers as a table. */
import { formatBytes, formatCount } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { Theme } from '../theme.ts'
import type { Part } from '../widgets/line.ts'
import { type Column, placeColumns, tableHead, tableRow } from '../widgets/table.ts'
import type { ContainerRow } from './rows.ts'
import { HISTORY, type Usage } from './usage.ts'
import { type MoreFacts, portWords, sinceWords, stateStyle, stateWords } from './words.ts'

/** What is known of the rows besides themselves. */
export interface Known {
  facts(row: ContainerRow): MoreFacts | undefined
  usage(row: ContainerRow): Usage | undefined
  /** CPU and memory are not wanted. */
  noUsage?: boolean
  /** What is being done with it: `stopping…`. */
  doing(row: ContainerRow): string | undefined
  /** Milliseconds since 1970. */
  now: number
}

export interface Table {
  head: Part[]
  row(row: ContainerRow, state: { cursor: boolean; marked: boolean }): Part[]
}

/** The table of these rows in a room of columns; `isAlone`: no panel beside it says more of the row under the cursor. */
export function containerTable(
  theme: Theme,
  room: number,
  rows: readonly ContainerRow[],
  known: Known,
  isAlone: boolean,
): Table {
  // Engines whose containers publish nothing need no room for it.
  const columns = columnsOf(theme, known, isAlone).filter(
    ({ title, text }) =>
      !(known.noUsage && usageColumns.has(title)) && (!rareColumns.has(title) || rows.some(row => text(row) !== '')),
  )
  const placed = placeColumns(room - MARGIN, columns.map(withoutBlankStyles), rows)
  return {
    head: ['   ', ...tableHead(theme, placed)],
    row: (row, { cursor, marked }) => [
      cursor ? theme.glyph.cursor : ' ',
      marked ? [theme.accent, theme.glyph.marked] : ' ',
      ' ',
      ...tableRow(theme, placed, row),
    ],
  }
}

const usageColumns = new Set(['CPU', 'MEMORY'])
/** Shown where there is something in them. */
const rareColumns = new Set(['PORTS', 'RESTARTS'])

/** The cursor, the mark, and a blank at either end. */
const MARGIN = 4

/** A cell without text needs no style: bytes that a slow line has to carry. */
function withoutBlankStyles(column: Column<ContainerRow>): Column<ContainerRow> {
  const { look, text } = column
  return look ? { ...column, look: (theme, row) => (text(row).trim() === '' ? one => one : look(theme, row)) } : column
}

function columnsOf(theme: Theme, { facts, usage, doing, now }: Known, isAlone: boolean): Column<ContainerRow>[] {
  const dim = () => theme.dim
  const live = (row: ContainerRow, style: (text: string) => string) => (row.stale ? theme.dim : style)
  const plain = (text: string) => text
  return [
    {
      title: 'NAME',
      text: row => safe(row.container.name),
      worth: 100,
      most: 36,
      least: 10,
      look: (theme, row) => live(row, theme.strong),
    },
    {
      title: 'STATE',
      text: row => doing(row) ?? stateWords(row.container, facts(row)),
      worth: 98,
      most: 24,
      least: 17,
      look(theme, row) {
        if (doing(row)) return theme.accent
        const style = stateStyle(row.container, facts(row))
        return live(row, style ? theme[style] : plain)
      },
    },
    {
      title: 'SINCE',
      text: row => sinceWords(row.container, facts(row), now),
      worth: 70,
      most: 10,
      look: (_, row) => live(row, plain),
    },
    {
      title: 'CPU',
      // As wide before the first sample as after it: columns stand still.
      text: row => cpuText(theme, usage(row)) || (row.container.state === 'running' ? ' '.repeat(CPU_COLUMNS) : ''),
      align: 'right',
      worth: 80,
      most: CPU_COLUMNS,
      look: (theme, row) => live(row, theme.accent),
    },
    {
      title: 'MEMORY',
      text: row => formatted(usage(row)?.last.memory),
      align: 'right',
      worth: 78,
      most: 8,
      look: (_, row) => live(row, plain),
    },
    {
      title: '  LIVE',
      text: row => formatted(facts(row)?.upperBytes ?? undefined),
      align: 'right',
      worth: isAlone ? 44 : 52,
      most: 7,
      look: (_, row) => live(row, plain),
    },
    {
      title: 'RESTARTS',
      text: row => ((facts(row)?.restarts ?? 0) > 0 ? formatCount(facts(row)!.restarts) : ''),
      align: 'right',
      worth: 42,
      most: 8,
      look: (theme, row) => live(row, theme.warning),
    },
    {
      title: 'PORTS',
      text: row => portWords(row.container.ports, theme.glyph.arrow),
      worth: 40,
      most: 22,
      least: 7,
      look: (_, row) => live(row, plain),
    },
    { title: 'IMAGE', text: row => safe(row.container.image), worth: 50, most: 32, least: 9, look: dim },
    { title: 'ENGINE', text: row => safe(row.engineId), worth: 45, most: 15, least: 6, look: dim },
  ]
}

const CPU_COLUMNS = HISTORY + 6

/** The last samples as bars, and the newest as a number that stands still while nothing happens; as wide whatever it is. */
function cpuText({ glyph }: Theme, usage: Usage | undefined): string {
  const last = usage?.cpu.at(-1)
  if (!usage || last === undefined) return ''
  const percent = `${Math.round(last)} %`.padStart(5)
  return `${spark(glyph.bars, usage.cpu)} ${percent}`
}

/** Bytes that it takes to show one in place of the other: what changes, and the way there. */
export function usageCost(theme: Theme, before: Usage | undefined, now: Usage | undefined): number {
  const texts = [before, now].map(one => [cpuText(theme, one), formatted(one?.last.memory) ?? ''])
  return differing(texts[0]![0]!, texts[1]![0]!) + differing(texts[0]![1]!, texts[1]![1]!)
}

function differing(before: string, now: string): number {
  if (before === now) return 0
  const [old, fresh] = [[...before], [...now]]
  return 14 + fresh.reduce((sum, one, at) => sum + (one === old[at] ? 0 : one > '~' ? 3 : 1), 0)
}

/** The highest bar is the most that was, and never less than a tenth of a core. */
export function spark(bars: string, samples: readonly number[]): string {
  const steps = [...bars]
  const most = Math.max(10, ...samples)
  const cells = samples.map(value => steps[Math.min(steps.length - 1, Math.floor((value / most) * steps.length))]!)
  return cells.join('').padStart(HISTORY)
}

/** Two digits: a third one would never stand still. */
function formatted(bytes: number | undefined): string {
  return bytes === undefined ? '' : formatBytes(Number(bytes.toPrecision(2)))
}

/** The views of the Storage screen as tables. */
import { isStopped, shortId } from '../../actions/disks.ts'
import { roughDuration } from '../../base/durations.ts'
import { formatBytes } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { Sum } from '../../engine/usage-sums.ts'
import type { Theme } from '../theme.ts'
import type { Part } from '../widgets/line.ts'
import { type Column, placeColumns, tableHead, tableRow } from '../widgets/table.ts'
import { type StorageRow, type View, volumeName } from './rows.ts'

export interface Table {
  head: Part[]
  row(row: StorageRow, state: { cursor: boolean; marked: boolean }): Part[]
}

/** The table of a view's rows in a room of columns; `now` in milliseconds since 1970. */
export function storageTable(
  theme: Theme,
  room: number,
  { view, rows, now, engines }: { view: View; rows: readonly StorageRow[]; now: number; engines: number },
): Table {
  const columns = columnsOf(view, theme, rows, now).filter(one => engines > 1 || one.title !== 'ENGINE')
  const placed = placeColumns(room - MARGIN, columns, rows)
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

/** The cursor, the mark, and a blank at either end. */
const MARGIN = 4

/** Cells of a bar. */
const BAR = 10

type Columns = Column<StorageRow>[]

function columnsOf(view: View, theme: Theme, rows: readonly StorageRow[], now: number): Columns {
  const dim = () => theme.dim
  const plain = (text: string) => text
  const size: Column<StorageRow> = {
    title: 'SIZE',
    text: row => (row.bytes === null ? '?' : formatBytes(row.bytes)),
    align: 'right',
    worth: 99,
    most: 8,
    look: (_, row) => (row.bytes ? plain : theme.dim),
  }
  const largest = rows.reduce((most, row) => Math.max(most, lengthOf(row)), 1)
  const bar: Column<StorageRow> = {
    title: '',
    text: row => barOf(theme, row, largest),
    worth: 60,
    most: BAR,
    look: () => theme.accent,
  }
  const engine: Column<StorageRow> = {
    title: 'ENGINE',
    text: row => safe(row.engineId),
    worth: 65,
    most: 15,
    least: 6,
    look: dim,
  }
  const name = (title: string, most: number): Column<StorageRow> => ({
    title,
    text: row => safe(row.name),
    worth: 100,
    most,
    least: 20,
    look: () => theme.strong,
  })
  if (view === 'layers')
    return [
      size,
      bar,
      {
        title: 'NEEDED BY',
        text: neededBy,
        worth: 90,
        most: 24,
        look: (_, row) => (row.users === 0 ? theme.ok : plain),
      },
      { ...name('MADE BY', 80), least: 14, look: () => plain },
      { title: 'LAYER', text: layerId, worth: 30, most: 17, look: dim },
      engine,
    ]
  if (view === 'images')
    return [
      {
        ...name('IMAGE', 44),
        look: (_, row) => (row.view === 'images' && row.it.names.length === 0 ? theme.dim : theme.strong),
      },
      {
        title: 'UNIQUE',
        text: row => sumOf(row, 'unique'),
        align: 'right',
        worth: 99,
        most: 10,
        look: () => theme.accent,
      },
      { title: 'SHARED', text: row => sumOf(row, 'shared'), align: 'right', worth: 80, most: 10, look: dim },
      { title: 'SIZE', text: row => sumOf(row, 'total'), align: 'right', worth: 55, most: 10 },
      bar,
      {
        title: 'USED',
        text: row => (row.users === 0 ? '' : String(row.users)),
        align: 'right',
        worth: 50,
        most: 4,
      },
      engine,
    ]
  if (view === 'containers')
    return [
      name('CONTAINER', 36),
      {
        title: 'STATE',
        text: row => (row.view === 'containers' ? row.it.state : ''),
        worth: 85,
        most: 10,
        look: (_, row) => (row.view === 'containers' && !isStopped(row.it) ? theme.ok : theme.dim),
      },
      {
        title: 'WRITTEN',
        text: row => (row.view === 'containers' ? bytesOf(row.it.upperBytes) : ''),
        align: 'right',
        worth: 99,
        most: 8,
      },
      {
        title: 'LOG',
        text: row => (row.view === 'containers' ? bytesOf(row.it.logBytes) : ''),
        align: 'right',
        worth: 75,
        most: 8,
      },
      bar,
      { title: 'VOLUMES', text: row => (row.users === 0 ? '' : String(row.users)), align: 'right', worth: 40, most: 7 },
      {
        title: 'IMAGE',
        text: row => (row.view === 'containers' ? safe(row.it.image) : ''),
        worth: 50,
        most: 32,
        least: 9,
        look: dim,
      },
      engine,
    ]
  if (view === 'volumes')
    return [
      {
        ...name('VOLUME', 40),
        text: row => (row.view === 'volumes' ? safe(volumeName(row.it)) : ''),
        look: (_, row) => (row.view === 'volumes' && row.it.anonymous ? plain : theme.strong),
      },
      size,
      bar,
      {
        title: 'USED BY',
        text: row => (row.view === 'volumes' ? usedBy(row) : ''),
        worth: 90,
        most: 36,
        least: 8,
        look: (_, row) => (row.users === 0 ? theme.ok : plain),
      },
      {
        title: 'KIND',
        text: row => (row.view === 'volumes' && row.it.anonymous ? 'anonymous' : 'named'),
        worth: 60,
        most: 9,
        look: dim,
      },
      engine,
    ]
  return [
    size,
    bar,
    { ...name('WHAT', 80), look: () => plain },
    {
      title: 'KIND',
      text: row => (row.view === 'cache' ? safe(row.it.type) : ''),
      worth: 60,
      most: 16,
      least: 7,
      look: dim,
    },
    {
      title: 'STATE',
      text: row => (row.view === 'cache' ? cacheState(row.it) : ''),
      worth: 85,
      most: 10,
      look: (_, row) => (row.view === 'cache' && !row.it.shared && !row.it.inUse ? theme.ok : theme.dim),
    },
    {
      title: 'LAST USED',
      text: row =>
        row.view === 'cache' && row.it.lastUsed !== null ? `${roughDuration(now - row.it.lastUsed * 1000)} ago` : '',
      worth: 50,
      most: 15,
      look: dim,
    },
    engine,
  ]
}

/** An image's bar is as long as the image; what only it has is the full part. */
function lengthOf(row: StorageRow): number {
  return row.view === 'images' ? row.cost.total.bytes : (row.bytes ?? 0)
}

function barOf({ glyph }: Theme, row: StorageRow, largest: number): string {
  const cells = (bytes: number) => (bytes <= 0 ? 0 : Math.max(1, Math.round((bytes / largest) * BAR)))
  const whole = cells(lengthOf(row))
  const own = row.view === 'images' ? Math.min(whole, cells(row.cost.unique.bytes)) : whole
  return glyph.barFull.repeat(own) + glyph.barEmpty.repeat(whole - own)
}

function sumOf(row: StorageRow, which: 'unique' | 'shared' | 'total'): string {
  return row.view === 'images' ? formatSum(row.cost[which]) : ''
}

/** `≥ 5 MB` where some of it is not known. */
export function formatSum({ bytes, atLeast }: Sum): string {
  if (!atLeast) return formatBytes(bytes)
  return bytes === 0 ? '?' : `≥ ${formatBytes(bytes)}`
}

function bytesOf(bytes: number | null): string {
  return bytes === null ? '' : formatBytes(bytes)
}

function neededBy(row: StorageRow): string {
  if (row.view !== 'layers') return ''
  const { images, containers, busy } = row.it
  if (busy) return 'a running strata'
  const words = [
    ...(images.length > 0 ? [some(images.length, 'image')] : []),
    ...(containers.length > 0 ? [some(containers.length, 'container')] : []),
  ]
  return words.join(', ') || 'nobody'
}

function layerId(row: StorageRow): string {
  if (row.view !== 'layers') return ''
  return row.it.kind === 'blob' ? `${shortId(row.it.digest)} blob` : shortId(row.it.id)
}

function usedBy(row: StorageRow & { view: 'volumes' }): string {
  const names = row.it.users.map(id => safe(row.usage.containers.find(one => one.id === id)?.name ?? shortId(id)))
  return names.join(', ') || (row.it.busy ? 'something' : 'nobody')
}

export function cacheState({ inUse, shared }: { inUse: boolean; shared: boolean }): string {
  return inUse ? 'in use' : shared ? 'in images' : 'free'
}

export function some(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

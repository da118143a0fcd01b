/** The disks of the engines at a glance: one bar each, as long as what it holds, with what of it could be freed. */
import { addSums, totals } from '../../actions/disks.ts'
import { formatBytes } from '../../base/sizes.ts'
import { fit as fitted, safe, width } from '../../base/text.ts'
import type { Total } from '../../engine/usage-sums.ts'
import type { EngineDisk } from '../../engine/usage-watch.ts'
import type { Style, Theme } from '../theme.ts'
import { line, type Part, partsWidth } from '../widgets/line.ts'
import { formatSum } from './table.ts'

/** Engines that have a line of their own at most. */
export const MOST_ENGINES = 4

/** Lines of `columns` each, one an engine; those that have not answered yet say so. */
export function overviewLines(theme: Theme, columns: number, disks: readonly EngineDisk[]): string[] {
  const shown = disks.slice(0, MOST_ENGINES)
  const sums = shown.map(({ usage }) => (usage === null ? null : totals(usage)))
  const largest = sums.reduce((most, all) => Math.max(most, all === null ? 0 : whole(all)), 1)
  const names = Math.min(16, Math.max(6, ...shown.map(one => width(safe(one.id)))))
  const unused = sums.map(all => (all === null ? '' : `${formatSum(addSums(all.map(one => one.reclaimable)))} unused`))
  const ends = Math.max(0, ...unused.map(one => width(one)))
  // One blank before each, two between: name, bar, size, words, unused.
  const rest = columns - names - ends - 18
  const words = sums.map(all => (all === null ? [] : kindWords(theme, all, rest - SHORTEST - 2)))
  const widest = Math.max(0, ...words.map(partsWidth))
  const room = Math.max(4, Math.min(LONGEST, widest > 0 ? rest - widest - 2 : rest))
  return shown.map((disk, at) => {
    const name: Part = [theme.strong, fitted(safe(disk.id), names)]
    const all = sums[at] ?? null
    if (all === null) return line(columns, [' ', name, '  ', silence(theme, disk)])
    const parts: Part[] = [
      ...[' ', name, '  ', ...bar(theme, all, room, largest), '  '],
      [theme.strong, formatBytes(whole(all)).padStart(8)],
      ...(widest > 0 ? ['  ', ...(words[at] ?? [])] : []),
    ]
    const frees = all.some(one => one.reclaimable.bytes > 0)
    const trouble = disk.lost ? 'lost' : disk.fault ? 'not up to date' : null
    const end: Part = trouble ? [theme.warning, trouble] : [frees ? theme.ok : theme.dim, unused[at] ?? '']
    return line(columns, parts, ['  ', end, ' '])
  })
}

/** Cells of a bar beside words, and at most. */
const SHORTEST = 12
const LONGEST = 40

/** Bytes of everything. */
export function whole(all: readonly Total[]): number {
  return all.reduce((sum, one) => sum + one.size.bytes, 0)
}

function silence(theme: Theme, { engine, lost, fault }: EngineDisk): Part {
  if (fault !== null) return [theme.warning, safe(fault.message)]
  if (lost !== null) return [theme.dim, safe(lost.message)]
  return [theme.dim, engine === null ? `connecting${theme.glyph.ellipsis}` : `measuring${theme.glyph.ellipsis}`]
}

/** How each kind looks; where there is no colour their order tells them apart. */
function styles(theme: Theme): Record<Total['kind'], Style> {
  return {
    images: theme.accent,
    containers: theme.added,
    logs: theme.deleted,
    volumes: theme.changed,
    cache: theme.dim,
  }
}

function bar(theme: Theme, all: readonly Total[], room: number, largest: number): Part[] {
  const look = styles(theme)
  let bytes = 0
  let used = 0
  const parts = all.map(({ kind, size }): Part => {
    bytes += size.bytes
    const end = Math.round((bytes / largest) * room)
    const cells = end - used
    used = end
    const glyph = kind === 'cache' ? theme.glyph.barEmpty : theme.glyph.barFull
    return [look[kind], glyph.repeat(cells)]
  })
  return [...parts, ' '.repeat(Math.max(0, room - used))]
}

/** The kinds with their sizes, of which the smallest are left out where there is no room. */
function kindWords(theme: Theme, all: readonly Total[], room: number): Part[] {
  const look = styles(theme)
  const kinds = all.filter(one => one.size.bytes > 0)
  for (;;) {
    const parts = kinds.flatMap(({ kind, size }, at): Part[] => [
      at === 0 ? '' : '  ',
      [look[kind], kindNames[kind]],
      [theme.dim, ` ${formatSum(size)}`],
    ])
    if (partsWidth(parts) <= room || kinds.length === 0) return parts
    const least = kinds.reduce((least, one) => (one.size.bytes < least.size.bytes ? one : least))
    kinds.splice(kinds.indexOf(least), 1)
  }
}

const kindNames: Record<Total['kind'], string> = {
  images: 'layers',
  containers: 'containers',
  logs: 'logs',
  volumes: 'volumes',
  cache: 'cache',
}

/** `strata df`: what the disks of the engines hold, and how much of it nobody needs. The Storage screen shows the same. */
import { formatBytes } from '../../base/sizes.ts'
import { cutEnd, safe } from '../../base/text.ts'
import type { ContainerEngine } from '../../engine/containers.ts'
import { isDangling } from '../../engine/prune.ts'
import type { DiskUsage, Storage } from '../../engine/usage.ts'
import { withLent } from '../../engine/usage-lent.ts'
import { layerName, shortId } from '../../engine/usage-names.ts'
import {
  containerBytes,
  imageCosts,
  isLoose,
  isStopped,
  type Sum,
  type Total,
  totals,
} from '../../engine/usage-sums.ts'
import { withEngines } from '../containers/engines.ts'
import { writeJsonLines } from '../json.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { type Column, writeTable } from '../table.ts'

/** The disk of an engine that has answered. */
export interface Disk {
  id: string
  engine: ContainerEngine & { storage: Storage }
  usage: DiskUsage
}

export async function df(io: Io, _: string[], options: Options): Promise<number> {
  return withDisks(io, options, async disks => {
    if (options.json) await writeJsonLines(io.out, options.verbose ? disks.flatMap(thingRows) : disks.flatMap(sumRows))
    else {
      await writeTable(io.out, columns, disks.flatMap(sumRows))
      if (options.verbose) await writeThings(io, disks)
    }
    await io.out.flush()
    for (const { id, usage } of disks)
      for (const one of usage.unknown) await io.err.write(`strata: ${safe(id)}: ${safe(one)}\n`)
    return 0
  })
}

/** Measures the disks of all engines, or of the wanted one, at once; who does not answer is told, and the exit code is 1. */
export async function withDisks(io: Io, options: Options, use: (disks: Disk[]) => Promise<number>): Promise<number> {
  return withEngines(io, options, async engines => {
    const { engines: answering, silent } = await engines.all()
    const looked = await Promise.all(
      answering.map(async (engine): Promise<Disk | { name: string; reason: string } | null> => {
        const { id, storage } = engine
        if (!storage) return null
        try {
          return { id, engine: { ...engine, storage }, usage: await storage.usage({ signal: io.signal }) }
        } catch (error) {
          if (io.signal.aborted) throw error
          return { name: id, reason: (error as Error).message }
        }
      }),
    )
    const all = looked.filter(one => one !== null)
    const disks = all.filter(one => 'usage' in one)
    const unasked = disks.some(one => one.id === 'native') ? [] : await unaskedNative(io, options)
    const code = await use(withLent([...disks, ...unasked]).slice(0, disks.length))
    const failed = [...silent, ...all.filter(one => 'reason' in one)]
    for (const { name, reason } of failed) await io.err.write(`strata: ${safe(name)}: ${safe(reason)}\n`)
    await io.err.flush()
    return failed.length > 0 ? 1 : code
  })
}

/** Its containers may stand on layers of the engines that were asked for. */
async function unaskedNative(io: Io, options: Options): Promise<Disk[]> {
  const { ownEngine } = await import('../containers/own-engine.ts')
  const engine = ownEngine({ ...options, engine: undefined, context: undefined })
  try {
    const { id, storage } = engine
    return storage ? [{ id, engine: { ...engine, storage }, usage: await storage.usage({ signal: io.signal }) }] : []
  } finally {
    engine.close()
  }
}

interface SumRow {
  engine: string
  type: string
  total: number
  active: number
  bytes: number
  /** The bytes are at least that many. */
  atLeast: boolean
  reclaimable: number
}

const types: Record<Total['kind'], string> = {
  images: 'Images',
  containers: 'Containers',
  logs: 'Logs',
  volumes: 'Volumes',
  cache: 'Build cache',
}

function sumRows({ id, usage }: Disk): SumRow[] {
  return totals(usage).map(({ kind, count, active, size, reclaimable }) => ({
    engine: id,
    type: types[kind],
    total: count,
    active,
    bytes: size.bytes,
    atLeast: size.atLeast,
    reclaimable: reclaimable.bytes,
  }))
}

const columns: Column<SumRow>[] = [
  { title: 'ENGINE', value: row => safe(row.engine) },
  { title: 'TYPE', value: row => row.type },
  { title: 'TOTAL', value: row => row.total, align: 'right' },
  { title: 'ACTIVE', value: row => row.active, align: 'right' },
  {
    title: 'SIZE',
    value: row => row.bytes,
    shown: row => `${row.atLeast ? '≥ ' : ''}${formatBytes(row.bytes)}`,
    align: 'right',
  },
  { title: 'RECLAIMABLE', value: row => row.reclaimable, shown: row => formatBytes(row.reclaimable), align: 'right' },
]

/** One thing of a disk. Sizes are bytes; null: not known. */
interface ThingRow {
  engine: string
  kind: 'layer' | 'image' | 'container' | 'volume' | 'cache'
  id: string
  name: string
  /** Of its own: what no other thing of its kind has. */
  bytes: number | null
  /** What it has with others. */
  shared: number | null
  /** Who needs it. */
  users: string[]
  /** What could be said of it in a word: `dangling`, `anonymous`, `exited`. */
  note: string
}

function thingRows({ id: engine, usage }: Disk): ThingRow[] {
  const costs = imageCosts(usage)
  const containers = new Map(usage.containers.map(one => [one.id, one.name]))
  const images = new Map(usage.images.map(one => [one.id, one.names[0] ?? shortId(one.id)]))
  const known = ({ bytes, atLeast }: Sum) => (atLeast ? null : bytes)
  const named = (ids: readonly string[], of: Map<string, string>) => ids.map(id => of.get(id) ?? id)
  return [
    ...usage.layers.map((one): ThingRow => {
      const users = [...named(one.images, images), ...named(one.containers, containers)]
      const note = one.kind === 'blob' ? 'blob' : isLoose(one) ? 'unused' : ''
      return { engine, kind: 'layer', id: one.id, name: layerName(one), bytes: one.bytes, shared: null, users, note }
    }),
    ...usage.images.map((one): ThingRow => {
      const { unique, shared } = costs.get(one.id)!
      const users = usage.containers.filter(container => container.imageId === one.id).map(container => container.name)
      const sizes = { bytes: known(unique), shared: known(shared) }
      const name = one.names.join(', ') || '<none>'
      return { engine, kind: 'image', id: one.id, name, ...sizes, users, note: isDangling(one) ? 'dangling' : '' }
    }),
    ...usage.containers.map((one): ThingRow => {
      const bytes = known(containerBytes(one))
      const note = isStopped(one) ? one.state : 'running'
      return { engine, kind: 'container', id: one.id, name: one.name, bytes, shared: null, users: [], note }
    }),
    ...usage.volumes.map((one): ThingRow => {
      const users = named(one.users, containers)
      const note = one.anonymous ? 'anonymous' : ''
      return { engine, kind: 'volume', id: one.name, name: one.name, bytes: one.bytes, shared: null, users, note }
    }),
    ...usage.cache.map((one): ThingRow => {
      const sizes = one.shared ? { bytes: 0, shared: one.bytes } : { bytes: one.bytes, shared: 0 }
      const note = one.inUse ? 'in use' : one.shared ? 'in images' : ''
      return { engine, kind: 'cache', id: one.id, name: one.description, ...sizes, users: [], note }
    }),
  ]
}

const headings = { layer: 'LAYER', image: 'IMAGE', container: 'CONTAINER', volume: 'VOLUME', cache: 'BUILD CACHE' }

async function writeThings(io: Io, disks: readonly Disk[]): Promise<void> {
  const rows = disks.flatMap(thingRows)
  for (const kind of ['image', 'container', 'volume', 'cache', 'layer'] as const) {
    const own = rows.filter(one => one.kind === kind).sort((a, b) => (b.bytes ?? 0) - (a.bytes ?? 0))
    if (own.length === 0) continue
    await io.out.write('\n')
    await writeTable(io.out, thingColumns(kind), own)
  }
}

function thingColumns(kind: ThingRow['kind']): Column<ThingRow>[] {
  const size = (title: string, of: (row: ThingRow) => number | null): Column<ThingRow> => ({
    title,
    value: of,
    shown: row => (of(row) === null ? '?' : formatBytes(of(row)!)),
    align: 'right',
  })
  const short = (text: string) => text.replace(/^(blob )?sha256:/, '$1').replace(/([0-9a-f]{12})[0-9a-f]{52}/g, '$1')
  const what = (row: ThingRow) => safe(kind === 'layer' ? row.id : row.name)
  const users = (row: ThingRow) => safe(row.users.join(', '))
  return [
    { title: 'ENGINE', value: row => safe(row.engine) },
    { title: headings[kind], value: what, shown: row => short(what(row)) },
    size(kind === 'image' ? 'UNIQUE' : 'SIZE', row => row.bytes),
    ...(kind === 'image' || kind === 'cache' ? [size('SHARED', row => row.shared)] : []),
    { title: 'STATE', value: row => row.note },
    ...(kind === 'layer' ? [{ title: 'MADE BY', value: (row: ThingRow) => safe(row.name), shown: madeBy }] : []),
    ...(kind === 'container' || kind === 'cache'
      ? []
      : [{ title: 'USED BY', value: users, shown: (row: ThingRow) => short(users(row)), cut: true }]),
  ]
}

/** Short enough that what uses it has room beside it. */
function madeBy({ name }: ThingRow): string {
  return cutEnd(safe(name), 40)
}

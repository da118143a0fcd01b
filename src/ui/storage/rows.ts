/** The rows of the Storage screen's views: which are shown, in what order. Pure. */
import { containerBytes, imageCosts, imageName, layerName } from '../../actions/disks.ts'
import type {
  CacheEntry,
  DiskUsage,
  StoredContainer,
  StoredImage,
  StoredLayer,
  StoredVolume,
} from '../../engine/usage.ts'
import type { ImageCost } from '../../engine/usage-sums.ts'
import type { EngineDisk } from '../../engine/usage-watch.ts'

export const views = ['images', 'layers', 'containers', 'volumes', 'cache'] as const
export type View = (typeof views)[number]

export const viewNames: Record<View, string> = {
  images: 'Images',
  layers: 'Layers',
  containers: 'Containers',
  volumes: 'Volumes',
  cache: 'Build cache',
}

/** What a row stands for, by its view. */
export type Thing =
  | { view: 'layers'; it: StoredLayer }
  | { view: 'images'; it: StoredImage; cost: ImageCost }
  | { view: 'containers'; it: StoredContainer }
  | { view: 'volumes'; it: StoredVolume }
  | { view: 'cache'; it: CacheEntry }

export type StorageRow = Thing & {
  /** Stays the same while the row means the same thing. */
  key: string
  engineId: string
  usage: DiskUsage
  /** Foreign text. */
  name: string
  /** By which it is sorted and its bar is drawn; null when it is not known. */
  bytes: number | null
  /** How many others have it or use it. */
  users: number
  /** What a filter is looked for in, in small letters. */
  text: string
}

export type SortBy = 'size' | 'users' | 'name' | 'engine'

export interface Order {
  by: SortBy
  turned: boolean
}

export const orders: readonly { by: SortBy; label: string; key: string }[] = [
  { by: 'size', label: 'size, largest first', key: 's' },
  { by: 'users', label: 'how many need it', key: 'u' },
  { by: 'name', label: 'name', key: 'n' },
  { by: 'engine', label: 'engine', key: 'e' },
]

/** Everything of every engine, view by view. */
export function allRows(disks: readonly EngineDisk[]): Record<View, StorageRow[]> {
  const rows: Record<View, StorageRow[]> = { layers: [], images: [], containers: [], volumes: [], cache: [] }
  for (const { id: engineId, usage } of disks) {
    if (usage === null) continue
    const costs = imageCosts(usage)
    const names = new Map(usage.images.map(one => [one.id, one.names.join(' ')]))
    const made = Map.groupBy(usage.containers, one => one.imageId)
    const add = (thing: Thing, name: string, bytes: number | null, users: number, id: string, words: string[]) => {
      const text = [name, engineId, ...words].join(' ').toLowerCase()
      const key = `${engineId} ${thing.view} ${id}`
      rows[thing.view].push({ ...thing, key, engineId, usage, name, bytes, users, text })
    }
    for (const it of usage.layers) {
      const images = it.images.map(id => names.get(id) ?? '')
      const users = it.images.length + it.containers.length
      add({ view: 'layers', it }, layerName(it), it.bytes, users, it.id, [it.digest, it.id, ...images])
    }
    for (const it of usage.images) {
      const cost = costs.get(it.id)!
      const users = (made.get(it.id)?.length ?? 0) + (it.lentTo?.length ?? 0)
      add({ view: 'images', it, cost }, imageName(it), cost.unique.bytes, users, it.id, [it.id, ...it.names])
    }
    for (const it of usage.containers) {
      const { bytes, atLeast } = containerBytes(it)
      const size = atLeast && bytes === 0 ? null : bytes
      add({ view: 'containers', it }, it.name, size, it.volumes.length, it.id, [it.image, it.state, it.id])
    }
    for (const it of usage.volumes) {
      const words = [it.anonymous ? 'anonymous' : '', it.driver]
      add({ view: 'volumes', it }, it.name, it.bytes, it.users.length, it.name, words)
    }
    for (const it of usage.cache)
      add({ view: 'cache', it }, it.description || it.id, it.bytes, Number(it.shared), it.id, [it.type, it.id])
  }
  return rows
}

/** Those that contain every word of the filter, in order; what is not known comes last either way. */
export function shownRows(rows: readonly StorageRow[], filter: string, { by, turned }: Order): StorageRow[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  const kept = rows.filter(row => words.every(word => row.text.includes(word)))
  const way = turned ? -1 : 1
  return kept.sort((a, b) => {
    const rest = compareText(a.name, b.name) || compareText(a.key, b.key)
    if (by === 'name') return way * rest
    if (by === 'engine') return way * compareText(a.engineId, b.engineId) || rest
    if (by === 'users') return way * (b.users - a.users) || rest
    if (a.bytes === null || b.bytes === null) return Number(a.bytes === null) - Number(b.bytes === null) || rest
    return way * (b.bytes - a.bytes) || rest
  })
}

/** The short form of a name that nobody gave. */
export function volumeName({ name, anonymous }: Pick<StoredVolume, 'name' | 'anonymous'>): string {
  return anonymous ? name.slice(0, 12) : name
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Sums over what an engine's disk holds: what things really cost, and what their removal would really free. Pure. */
import type { Digest } from '../image/types.ts'
import type { DiskUsage, StoredContainer, StoredLayer } from './usage.ts'

/** Bytes, and whether there is more that nobody knows the size of. */
export interface Sum {
  bytes: number
  atLeast: boolean
}

/** Things of one engine, by their ids. */
export interface Chosen {
  images: ReadonlySet<string>
  containers: ReadonlySet<string>
  volumes: ReadonlySet<string>
  cache: ReadonlySet<string>
  layers: ReadonlySet<string>
}

const none: ReadonlySet<string> = new Set()

/** What is chosen, where only some kinds are named. */
export function choose(some: Partial<Chosen>): Chosen {
  return { images: none, containers: none, volumes: none, cache: none, layers: none, ...some }
}

/** What is freed when these go, all together: a layer only when all that need it are among them, and once. */
export function freedBy(usage: DiskUsage, chosen: Chosen): Sum {
  return sum([
    ...freedLayers(usage, chosen).map(layer => layer.bytes),
    ...usage.containers.filter(one => chosen.containers.has(one.id)).flatMap(ownBytes),
    ...usage.volumes.filter(one => chosen.volumes.has(one.name)).map(one => one.bytes),
    ...usage.cache.filter(one => chosen.cache.has(one.id) && !one.shared).map(one => one.bytes),
  ])
}

/** The layers that nobody needs any more when these are gone. */
export function freedLayers({ layers }: DiskUsage, chosen: Chosen): StoredLayer[] {
  return layers.filter(one => {
    if (one.busy) return false
    const goes = holders(one) > 0 || chosen.layers.has(one.id)
    return (
      goes &&
      one.images.every(id => chosen.images.has(id)) &&
      one.containers.every(id => chosen.containers.has(id)) &&
      one.cache.every(id => chosen.cache.has(id))
    )
  })
}

/** Whether nothing at all needs it. */
export function isLoose(layer: StoredLayer): boolean {
  return !layer.busy && holders(layer) === 0
}

function holders({ images, containers, cache }: StoredLayer): number {
  return images.length + containers.length + cache.length
}

/** What of an image no other image has, whoever else needs it. */
export interface ImageCost {
  /** Of its layers in all. */
  total: Sum
  /** In no other image. */
  unique: Sum
  /** In other images too. */
  shared: Sum
  /** Ids of the other images that have some of it. */
  sharedWith: ReadonlySet<Digest>
  /** What its removal frees, when no container keeps it. */
  frees: Sum
}

/** Of every image of an engine. */
export function imageCosts(usage: DiskUsage): Map<Digest, ImageCost> {
  const layers = new Map(usage.layers.map(one => [one.id, one]))
  return new Map(
    usage.images.map(image => {
      const own = [...new Set(image.layers)].flatMap(id => layers.get(id) ?? [])
      const [unique, shared] = [own.filter(isUnique), own.filter(one => !isUnique(one))]
      const containers = new Set(own.flatMap(one => one.containers))
      const free = unique.filter(one => !one.busy && one.cache.length === 0 && containers.size === 0)
      const cost: ImageCost = {
        total: sumOf(own),
        unique: sumOf(unique),
        shared: sumOf(shared),
        sharedWith: new Set(shared.flatMap(one => one.images.filter(id => id !== image.id))),
        frees: sumOf(free),
      }
      return [image.id, cost]
    }),
  )
}

function isUnique(layer: StoredLayer): boolean {
  return layer.images.length <= 1
}

/** Bytes of a container alone: its upper layer, and its log as far as that is known. */
export function containerBytes(container: StoredContainer): Sum {
  return sum(ownBytes(container))
}

/** A log that can not be seen from here is nothing that could be told: it is left out, not unknown. */
function ownBytes({ upperBytes, logBytes }: StoredContainer): (number | null)[] {
  return logBytes === null ? [upperBytes] : [upperBytes, logBytes]
}

/** One line of `strata df`. */
export interface Total {
  kind: 'images' | 'containers' | 'volumes' | 'cache' | 'logs'
  count: number
  /** How many of them are in use. */
  active: number
  size: Sum
  /** What would be freed if everything went that is not in use. */
  reclaimable: Sum
}

/** The sums of an engine, kind by kind; no byte is in two of them. */
export function totals(usage: DiskUsage): Total[] {
  const { containers, volumes, cache } = usage
  const running = containers.filter(one => !isStopped(one))
  const used = new Set(containers.map(one => one.imageId))
  const idle = usage.images.filter(one => !used.has(one.id) && !one.lentTo?.length)
  const freed = freedLayers(
    usage,
    choose({
      images: new Set(idle.map(one => one.id)),
      layers: new Set(usage.layers.filter(isLoose).map(one => one.id)),
    }),
  )
  const layers = sumOf(usage.layers)
  const own = cache.filter(one => !one.shared)
  const unused = volumes.filter(one => one.users.length === 0 && !one.busy)
  const logs = containers.filter(one => one.logBytes !== null)
  const stopped = containers.filter(isStopped)
  return [
    {
      kind: 'images',
      count: usage.images.length,
      active: usage.images.length - idle.length,
      // What the engine sums up knows more than the layers that it tells of.
      size: usage.layerBytes === null ? layers : { bytes: Math.max(usage.layerBytes, layers.bytes), atLeast: false },
      reclaimable: sumOf(freed),
    },
    {
      kind: 'containers',
      count: containers.length,
      active: running.length,
      size: sum(containers.map(one => one.upperBytes)),
      reclaimable: sum(stopped.map(one => one.upperBytes)),
    },
    {
      kind: 'logs',
      count: logs.length,
      active: logs.filter(one => !isStopped(one)).length,
      size: sum(logs.map(one => one.logBytes)),
      reclaimable: sum(logs.filter(isStopped).map(one => one.logBytes)),
    },
    {
      kind: 'volumes',
      count: volumes.length,
      active: volumes.length - unused.length,
      size: sum(volumes.map(one => one.bytes)),
      reclaimable: sum(unused.map(one => one.bytes)),
    },
    {
      kind: 'cache',
      count: cache.length,
      active: cache.filter(one => one.inUse).length,
      size: sum(own.map(one => one.bytes)),
      reclaimable: sum(own.filter(one => !one.inUse).map(one => one.bytes)),
    },
  ]
}

/** Whether it has no process, and is not about to get one. */
export function isStopped({ state }: Pick<StoredContainer, 'state'>): boolean {
  return state === 'created' || state === 'exited' || state === 'dead' || state === 'lost'
}

/** Several sums as one. */
export function addSums(sums: readonly Sum[]): Sum {
  return { bytes: sums.reduce((all, one) => all + one.bytes, 0), atLeast: sums.some(one => one.atLeast) }
}

function sumOf(layers: readonly StoredLayer[]): Sum {
  return sum(layers.map(one => one.bytes))
}

function sum(sizes: readonly (number | null)[]): Sum {
  return { bytes: sizes.reduce<number>((all, one) => all + (one ?? 0), 0), atLeast: sizes.includes(null) }
}

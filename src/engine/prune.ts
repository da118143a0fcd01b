/**
 * What would go, exactly, what of it is really freed, and why the rest stays: of a prune by kinds, and of a removal of
 * things that were picked. Pure; `prune-carry.ts` does it.
 */
import type { CacheEntry, DiskUsage, StoredContainer, StoredImage, StoredVolume } from './usage.ts'
import { choose, containerBytes, freedBy, freedLayers, isLoose, isStopped, type Sum } from './usage-sums.ts'

/** What a prune is asked for. */
export interface PruneKinds {
  /** Those that do not run. */
  containers: boolean
  /** `dangling`: without a name; `unused`: all that no container is made of. */
  images: 'none' | 'dangling' | 'unused'
  volumes: 'none' | 'anonymous' | 'all'
  cache: boolean
  /** Of the native store, what no image, container or running Strata needs. */
  layers: boolean
}

export type PieceKind = 'container' | 'image' | 'volume' | 'cache' | 'layer'

export interface Victim {
  kind: PieceKind
  id: string
  /** As a person knows it; from the engine, unescaped. */
  name: string
  /** All names of an image. */
  names: readonly string[]
  /** Bytes that it alone frees; null when nobody tells. */
  bytes: number | null
}

export interface Staying {
  kind: PieceKind
  id: string
  name: string
  /** A sentence without its end: `web is made of it`; from the engine, unescaped. */
  why: string
}

export interface Plan {
  /** In the order in which they go. */
  victims: readonly Victim[]
  stays: readonly Staying[]
  /** All of them together, shared layers counted once. */
  frees: Sum
  /** Bytes of layers that several of the images share and nobody else: no victim's own, and freed even so. */
  together: number
  /** Bytes of the images' layers that stay, for others need them. */
  kept: number
}

/** The victims of a prune. */
export function planPrune(usage: DiskUsage, kinds: PruneKinds): Plan {
  const containers = kinds.containers ? usage.containers.filter(isStopped) : []
  const images = kinds.images === 'none' ? [] : usage.images.filter(one => kinds.images === 'unused' || isDangling(one))
  const volumes = kinds.volumes === 'none' ? [] : usage.volumes.filter(one => kinds.volumes === 'all' || one.anonymous)
  const layers = kinds.layers ? usage.layers.filter(isLoose) : []
  const plan = plansOf(usage, { containers, images, volumes, cache: kinds.cache ? usage.cache : [] }, ids(layers))
  const left: Staying[] = [
    ...(kinds.containers ? usage.containers : [])
      .filter(one => !isStopped(one))
      .map(one => stays('container', one.id, one.name, 'it runs')),
    ...(kinds.images === 'dangling' ? usage.images : [])
      .filter(one => !isDangling(one))
      .map(one => stays('image', one.id, nameOf(one), 'it has a name')),
    ...(kinds.volumes === 'anonymous' ? usage.volumes : [])
      .filter(one => !one.anonymous)
      .map(one => stays('volume', one.name, one.name, 'it has a name')),
  ]
  return { ...plan, stays: [...plan.stays, ...left] }
}

/** The removal of things that a person picked. */
export function planRemoval(usage: DiskUsage, picked: readonly { kind: PieceKind; id: string }[]): Plan {
  const chosen = (kind: PieceKind) => new Set(picked.filter(one => one.kind === kind).map(one => one.id))
  const [containers, images, volumes, cache] = [chosen('container'), chosen('image'), chosen('volume'), chosen('cache')]
  const layers = usage.layers.filter(one => chosen('layer').has(one.id))
  const wanted = usage.containers.filter(one => containers.has(one.id))
  const plan = plansOf(
    usage,
    {
      containers: wanted.filter(isStopped),
      images: usage.images.filter(one => images.has(one.id)),
      volumes: usage.volumes.filter(one => volumes.has(one.name)),
      cache: usage.cache.filter(one => cache.has(one.id)),
    },
    ids(layers.filter(isLoose)),
  )
  const left = [
    ...wanted.filter(one => !isStopped(one)).map(one => stays('container', one.id, one.name, 'it runs')),
    ...layers.filter(one => !isLoose(one)).map(one => stays('layer', one.id, one.digest, 'it is in use')),
  ]
  return { ...plan, stays: [...left, ...plan.stays] }
}

/** No name leads to it. */
export function isDangling({ names }: Pick<StoredImage, 'names'>): boolean {
  return names.length === 0
}

interface Wanted {
  containers: readonly StoredContainer[]
  images: readonly StoredImage[]
  volumes: readonly StoredVolume[]
  cache: readonly CacheEntry[]
}

/** Of what is wanted, what can go: things that only victims use are victims too. */
function plansOf(usage: DiskUsage, wanted: Wanted, layers: ReadonlySet<string>): Plan {
  const names = new Map(usage.containers.map(one => [one.id, one.name]))
  const containers = ids(wanted.containers)
  const made = new Map(usage.containers.filter(one => !containers.has(one.id)).map(one => [one.imageId, one]))
  const whyUsed = (image: StoredImage): string | null => {
    const [borrower] = image.lentTo ?? []
    if (borrower !== undefined) return `${borrower} of the native engine stands on it`
    const user = made.get(image.id)
    return user ? `${user.name} is made of it` : null
  }
  const images = wanted.images.filter(one => whyUsed(one) === null)
  const volumeUser = (volume: StoredVolume) => volume.users.find(id => !containers.has(id))
  const volumes = wanted.volumes.filter(one => !one.busy && volumeUser(one) === undefined)
  const whyKept = keptEntries(usage, wanted.cache, containers, ids(images))
  const cache = wanted.cache.filter(one => !whyKept.has(one.id))
  const chosen = choose({
    containers,
    images: ids(images),
    volumes: new Set(volumes.map(one => one.name)),
    cache: ids(cache),
    layers,
  })
  const freed = freedLayers(usage, chosen)
  const own = Map.groupBy(
    freed.filter(layer => layer.images.length === 1),
    layer => layer.images[0],
  )
  const bytesOf = (all: readonly { bytes: number | null }[]) => all.reduce((sum, one) => sum + (one.bytes ?? 0), 0)
  const loose = usage.layers.filter(one => layers.has(one.id))
  const gone = new Set(freed)
  const touched = new Set(images.flatMap(image => image.layers))
  return {
    victims: [
      ...wanted.containers.map(one => victim('container', one.id, one.name, known(containerBytes(one)))),
      ...images.map(one => {
        const layers = own.get(one.id) ?? []
        const bytes = layers.some(layer => layer.bytes === null) ? null : bytesOf(layers)
        return { ...victim('image', one.id, nameOf(one), bytes), names: one.names }
      }),
      ...volumes.map(one => victim('volume', one.name, one.name, one.bytes)),
      ...cache.map(one => victim('cache', one.id, one.description || one.id, one.shared ? 0 : one.bytes)),
      ...loose.map(one => victim('layer', one.id, one.digest, one.bytes)),
    ],
    stays: [
      ...wanted.images.flatMap(one => {
        const why = whyUsed(one)
        return why === null ? [] : [stays('image', one.id, nameOf(one), why)]
      }),
      ...wanted.volumes.flatMap(one => {
        const user = volumeUser(one)
        if (user !== undefined) return [stays('volume', one.name, one.name, `${names.get(user) ?? user} mounts it`)]
        return one.busy ? [stays('volume', one.name, one.name, 'something uses it')] : []
      }),
      ...wanted.cache.flatMap(one => {
        const why = whyKept.get(one.id)
        return why === undefined ? [] : [stays('cache', one.id, one.description || one.id, why)]
      }),
    ],
    frees: freedBy(usage, chosen),
    together: bytesOf(freed.filter(layer => layer.images.length > 1)),
    kept: bytesOf(usage.layers.filter(layer => touched.has(layer.id) && !gone.has(layer))),
  }
}

/**
 * Entries of the build cache that stay, and why. One that is a layer of an image which stays frees nothing: it is kept, and
 * all that it stands on.
 */
function keptEntries(
  usage: DiskUsage,
  wanted: readonly CacheEntry[],
  containers: ReadonlySet<string>,
  images: ReadonlySet<string>,
): Map<string, string> {
  const all = new Map(usage.cache.map(one => [one.id, one]))
  const held = new Map<string, boolean>()
  for (const layer of usage.layers) {
    const stays = layer.images.some(id => !images.has(id)) || layer.containers.some(id => !containers.has(id))
    for (const id of layer.cache) held.set(id, stays || held.get(id) === true)
  }
  const asked = ids(wanted)
  const kept = new Map<string, string>()
  const under: CacheEntry[] = []
  for (const one of usage.cache) {
    const inImage = one.shared && one.bytes > 0 && held.get(one.id) !== false
    const why = one.inUse ? 'a build needs it' : inImage ? 'it is a layer of an image' : null
    if (why === null && asked.has(one.id)) continue
    if (why !== null) kept.set(one.id, why)
    under.push(one)
  }
  for (let one = under.pop(); one !== undefined; one = under.pop()) {
    for (const id of one.parents) {
      const parent = all.get(id)
      if (parent === undefined || kept.has(id) || !asked.has(id)) continue
      kept.set(id, 'a part of the cache that stays stands on it')
      under.push(parent)
    }
  }
  return kept
}

function victim(kind: PieceKind, id: string, name: string, bytes: number | null): Victim {
  return { kind, id, name, names: [], bytes }
}

function stays(kind: PieceKind, id: string, name: string, why: string): Staying {
  return { kind, id, name, why }
}

function known({ bytes, atLeast }: Sum): number | null {
  return atLeast ? null : bytes
}

function nameOf({ names, id }: StoredImage): string {
  return names[0] ?? id.replace(/^sha256:/, '').slice(0, 12)
}

function ids(all: readonly { id: string }[]): Set<string> {
  return new Set(all.map(one => one.id))
}

/**
 * The disk of Docker or Podman, put together from what their API tells: layers by the diffIDs of each image with the sizes
 * of its history, upper layers, volumes and build cache by `system/df`, logs where their files can be seen from here.
 */
import { lstatSync, readdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { chainIds } from '../image/digest.ts'
import type { Digest } from '../image/types.ts'
import type { Client } from './client.ts'
import type { Container } from './containers.ts'
import { removePieces } from './daemon-remove.ts'
import type { Engine, EngineImage } from './engine.ts'
import { layerSizes, type SizedLayer } from './layer-sizes.ts'
import type { CacheEntry, DiskUsage, Storage, StoredContainer, StoredImage, StoredLayer } from './usage.ts'
import { diskShape, volumeNamesShape } from './usage-shapes.ts'

/** What is asked of an engine besides its disk. */
type Asked = Pick<Engine, 'images' | 'inspect' | 'history' | 'containers' | 'endpoint' | 'kind'>

/** More images or containers than that are not looked into one by one, nor images of more layers. */
const mostLooked = 1000
const mostLayers = 500

/** The disk of the engine that the client speaks with. What never changes of an image is asked for once. */
export function daemonStorage(client: Client, engine: Asked): Storage {
  const looks = new Map<Digest, Look>()
  const logs = new Map<string, string | null>()
  return {
    holds: { volumes: true, cache: engine.kind === 'docker', layers: false },
    async usage({ signal } = {}) {
      const [disk, images, containers] = await Promise.all([
        client.get('/system/df', diskShape, { signal, timeout: Number.POSITIVE_INFINITY }),
        engine.images({ signal }),
        engine.containers.list({ all: true, signal }),
      ])
      const ids = [...new Set([...images.map(one => one.id), ...containers.flatMap(one => one.imageId ?? [])])]
      forget(looks, new Set(ids))
      forget(logs, new Set(containers.map(one => one.id)))
      await eachOf(ids, signal, async id => {
        if (!looks.has(id)) looks.set(id, await look(engine, id, signal))
      })
      const local = engine.endpoint.address.kind === 'unix'
      await eachOf(local ? containers : [], signal, async ({ id }) => {
        if (!logs.has(id)) logs.set(id, (await engine.containers.inspect(id, { signal })).logPath)
      })
      return assemble({ ...disk, images, containers, looks, logOf: id => logBytes(id, logs.get(id) ?? null) })
    },
    async holders({ signal } = {}) {
      const [containers, images, volumes] = await Promise.all([
        engine.containers.list({ all: true, signal }),
        engine.images({ signal }),
        client.get('/volumes', volumeNamesShape, { signal }),
      ])
      return {
        containers: containers.map(one => ({ ...one, volumes: volumesOf(one) })),
        images,
        volumes,
      }
    },
    remove: (pieces, { signal } = {}) => removePieces(client, pieces, signal),
  }
}

/** What an engine tells of one image: nothing of it ever changes. */
export interface Look {
  /** Chain ids and diffIDs, bottom first. */
  chain: readonly Digest[]
  diffIds: readonly Digest[]
  sizes: readonly SizedLayer[]
}

async function look(engine: Asked, id: Digest, signal: AbortSignal | undefined): Promise<Look> {
  const [{ diffIds }, history] = await Promise.all([engine.inspect(id, { signal }), engine.history(id, { signal })])
  if (diffIds.length > mostLayers) return { chain: [], diffIds: [], sizes: [] }
  return { chain: chainIds(diffIds), diffIds, sizes: layerSizes(history, diffIds.length) }
}

/** A few at a time; one that fails, for it may be gone by now, is left out. */
async function eachOf<T>(all: readonly T[], signal: AbortSignal | undefined, act: (one: T) => Promise<void>) {
  const left = all.slice(0, mostLooked)
  const worker = async () => {
    for (let one = left.pop(); one !== undefined; one = left.pop()) {
      signal?.throwIfAborted()
      await act(one).catch(() => {})
    }
  }
  await Promise.all([worker(), worker(), worker(), worker()])
  signal?.throwIfAborted()
}

function forget(known: Map<string, unknown>, present: ReadonlySet<string>): void {
  for (const key of known.keys()) if (!present.has(key)) known.delete(key)
}

/** The answers of one engine. */
export interface Answers extends Pick<DiskUsage, 'layerBytes' | 'cache'> {
  upperBytes: ReadonlyMap<string, number>
  volumes: readonly {
    name: string
    driver: string
    anonymous: boolean
    bytes: number | null
    references: number
    created: number | null
  }[]
  images: readonly EngineImage[]
  containers: readonly Container[]
  looks: ReadonlyMap<Digest, Look>
  logOf(id: string): number | null
}

/** The one record of them. Pure but for `logOf`. */
export function assemble({ images, containers, looks, cache, ...told }: Answers): DiskUsage {
  const layers = new Map<string, StoredLayer & { images: Digest[]; containers: string[] }>()
  const take = (look: Look): string[] =>
    look.chain.map((chainId, at) => {
      const known = layers.get(chainId)
      const { bytes, createdBy } = look.sizes[at] ?? { bytes: null, createdBy: '' }
      if (known) {
        // What another image tells of the same layer is as true.
        if (known.bytes === null) known.bytes = bytes
        if (known.createdBy === '') known.createdBy = createdBy
      } else {
        const digest = look.diffIds[at]
        const held = { images: [], containers: [], cache: [], busy: false }
        layers.set(chainId, { id: chainId, kind: 'layer', digest, bytes, createdBy, ...held })
      }
      return chainId
    })
  const stored = images.map((image): StoredImage => {
    const found = looks.get(image.id)
    const own = found ? take(found) : []
    for (const id of new Set(own)) layers.get(id)!.images.push(image.id)
    return { id: image.id, names: image.names, created: image.created, bytes: image.size, layers: own }
  })
  const rows = containers.map((container): StoredContainer => {
    const found = container.imageId === null ? undefined : looks.get(container.imageId)
    const own = found ? take(found) : []
    for (const id of new Set(own)) layers.get(id)!.containers.push(container.id)
    const { id, name, image, imageId, state, status, created } = container
    return {
      ...{ id, name, image, imageId, state, status, created },
      upperBytes: told.upperBytes.get(id) ?? null,
      logBytes: told.logOf(id),
      layers: own,
      volumes: volumesOf(container),
    }
  })
  const all = [...layers.values()]
  const whole = inContentStore(all, stored)
  const users = Map.groupBy(
    rows.flatMap(({ id, volumes }) => volumes.map(name => ({ id, name }))),
    one => one.name,
  )
  const cached = cacheIndex(cache)
  return {
    layers: whole.map(layer => ({ ...layer, cache: cached(layer) })),
    images: stored,
    containers: rows,
    volumes: told.volumes.map(({ references, ...volume }) => {
      const own = (users.get(volume.name) ?? []).map(one => one.id)
      return { ...volume, users: own, busy: references > own.length }
    }),
    cache,
    layerBytes: told.layerBytes,
    unknown: unknownOf(whole, stored, told.layerBytes),
  }
}

/**
 * containerd's image store keeps the compressed layers too: an image is larger than its layers there. What of it is whose
 * is not told: it is known only of an image that shares nothing.
 */
function inContentStore(layers: StoredLayer[], images: StoredImage[]): StoredLayer[] {
  const byId = new Map(layers.map(one => [one.id, one]))
  const blobs: StoredLayer[] = []
  for (const image of images) {
    const own = image.layers.map(id => byId.get(id)!)
    const files = own.reduce((sum, one) => sum + (one.bytes ?? 0), 0)
    const more = (image.bytes ?? 0) - files
    // Podman counts an image's documents too: they are no layers, and too small to speak of.
    if (own.some(one => one.bytes === null) || own.length === 0 || more * 20 < files || more < 65_536) continue
    const alone = own.every(one => one.images.length === 1)
    const id = `blob ${image.id}`
    image.layers = [...image.layers, id]
    const held = { images: [image.id], containers: [], cache: [], busy: false }
    blobs.push({ id, kind: 'blob', digest: image.id, bytes: alone ? more : null, createdBy: '', ...held })
  }
  return [...layers, ...blobs]
}

/**
 * Tells the entries of the build cache that are a layer. Their ids say nothing of it: an entry that is shared and as large,
 * or made by the same command, is taken for it, so that no byte is promised to be freed that the cache keeps.
 */
function cacheIndex(cache: readonly CacheEntry[]): (layer: StoredLayer) => string[] {
  const shared = cache.filter(one => one.shared)
  const bySize = Map.groupBy(shared, one => one.bytes)
  const byCommand = Map.groupBy(shared, one => commandOf(one.description))
  return ({ kind, bytes, createdBy }) => {
    const command = commandOf(createdBy)
    if (kind === 'blob') return []
    const same = [...((bytes && bySize.get(bytes)) || []), ...((command && byCommand.get(command)) || [])]
    return [...new Set(same.map(one => one.id))].slice(0, mostLooked)
  }
}

/** `dd …` of `RUN |1 A=1 /bin/sh -c dd … # buildkit`, `mount / from exec /bin/sh -c dd …` and `[2/3] RUN dd …`. */
function commandOf(line: string): string {
  return line
    .replace(/ # buildkit$/, '')
    .replace(/^(?:mount \S+ from exec |\[[^\]]*\] )/, '')
    .replace(/^(?:RUN|COPY|ADD) /, '')
    .replace(/^(?:\|\d+ .*?)?\/bin\/sh -c /s, '')
    .trim()
}

function unknownOf(
  layers: readonly StoredLayer[],
  images: readonly StoredImage[],
  layerBytes: number | null,
): string[] {
  const closed = images.filter(one => one.layers.length === 0).length
  const open = layers.filter(one => one.bytes === null && one.kind === 'layer').length
  const blobs = layers.filter(one => one.bytes === null && one.kind === 'blob').length
  const known = layers.reduce((sum, one) => sum + (one.bytes ?? 0), 0)
  const missing = layerBytes === null ? 0 : layerBytes - known
  return [
    ...(closed > 0 ? [`The layers of ${some(closed, 'image')} are not told.`] : []),
    ...(open > 0 ? [`The history leaves the size of ${some(open, 'layer')} open.`] : []),
    ...(blobs > 0 ? [`How much of their compressed layers ${some(blobs, 'image')} share is not told.`] : []),
    ...(open + blobs + closed === 0 && missing > 65_536
      ? [`${missing} bytes of layers belong to no image of the list.`]
      : []),
  ]
}

function some(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function volumesOf({ mounts }: Container): string[] {
  return [...new Set(mounts.flatMap(mount => mount.name ?? []))]
}

/** Bytes of a log with what was rotated away from it; only files that are the container's own. */
function logBytes(id: string, path: string | null): number | null {
  if (path === null || !path.startsWith('/') || !path.includes(id)) return null
  try {
    const [folder, name] = [dirname(path), basename(path)]
    const files = readdirSync(folder).filter(one => one === name || one.startsWith(`${name}.`))
    const sizes = files.map(one => lstatSync(join(folder, one))).filter(stat => stat.isFile())
    return sizes.length === 0 ? null : sizes.reduce((sum, stat) => sum + stat.size, 0)
  } catch {
    return null
  }
}

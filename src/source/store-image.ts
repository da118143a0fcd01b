/**
 * The Image of a store whose layers are kept as tar-split with a directory of their files beside it. Indexes come from
 * the cache or from a worker thread; contents are opened when they are asked for. A layer that turns out to be damaged
 * is read from the next source, where there is one.
 */
import { Fault } from '../base/errors.ts'
import type { Work } from '../base/progress.ts'
import { chainIds, shortDigest } from '../image/digest.ts'
import { stepAnomalies, stepsOf } from '../image/steps.ts'
import type { Digest, ImageConfig, Step } from '../image/types.ts'
import type { Anomaly } from '../layer/entry.ts'
import type { LayerIndex } from '../layer/layer-index.ts'
import { controlOf } from './cancel.ts'
import { imageAnomaly } from './found.ts'
import { type CacheSlot, decodeKept, findIndex, openIndex } from './index-cache.ts'
import { createPool } from './pool.ts'
import { readStoreFile, storeFileAt } from './store-body.ts'
import { indexTarSplit, type TarSplitJob } from './store-index.ts'
import type { StoreOptions } from './store-types.ts'
import type { Image, LayerInfo, SourceKind } from './types.ts'

/** An image as a store's reader found it. Nothing of its layers has been read yet. */
export interface StoredImage {
  source: SourceKind
  names: string[]
  id: Digest
  digest: Digest | null
  config: ImageConfig
  rawConfig: unknown
  layers: StoredLayer[]
  anomalies: Anomaly[]
  /** Ids of the images that end at steps, by the step's position from 0; where an engine knows none, nothing. */
  stepIds?: (Digest | null)[]
}

export interface StoredLayer extends Pick<TarSplitJob, 'path' | 'witnesses' | 'tarBytes'> {
  diffId: Digest
  /** Digest and size of the compressed blob that it came from, where that is known. */
  digest: Digest | null
  compressed: number | null
  mediaType: string
  /** Bytes as the engine counts them. */
  roughBytes: number | null
  /** Where its files lie; null: nowhere that we can read. */
  directory: string | null
  /** Bytes of the tar-split: how much work it is. */
  weight: number
}

/** A packed index up to so many bytes is unpacked where the screen is drawn: sooner done than handed to a thread. */
const SMALL = 256 << 10
/** So is a tar-split of this many bytes indexed: two hundred entries, a millisecond or two. */
const TINY = 16 << 10
/** Bytes of tar-split that one thread reads as soon as two: thirty thousand entries. */
const ONE_THREAD = 2 << 20

/** What the index of a layer is kept as: apart from those of archives, whose contents are hashed in another way. */
export function indexKey(diffId: Digest): string {
  return `${diffId} of tar-split`
}

export function storeImage(stored: StoredImage, options: StoreOptions): Image {
  const { layers } = stored
  // A second thread costs more to start and to warm up than it saves on little work.
  const work = layers.reduce((sum, layer) => sum + layer.weight, 0)
  const pool = work > ONE_THREAD ? createPool() : createPool(1)
  const indexes: (LayerIndex | undefined)[] = []
  /** Layers that are read from the next source. */
  const elsewhere: (Image | undefined)[] = []
  let next: Promise<Image | null> | null = null

  async function indexLayer(layer: number, work: Work = {}): Promise<LayerIndex> {
    const known = indexes[layer]
    if (known !== undefined) return known
    try {
      const index = await readIndex(layer, work)
      return (indexes[layer] = { ...index, anomalies: index.anomalies.map(anomaly => ({ ...anomaly, layer })) })
    } catch (error) {
      if (error instanceof Fault && error.exitCode === 130) throw error
      return (indexes[layer] = await indexElsewhere(layer, work, error))
    }
  }

  async function readIndex(layer: number, work: Work): Promise<LayerIndex> {
    const { diffId, path, witnesses, tarBytes, weight } = layers[layer]!
    const name = nameOf(layer)
    const { cacheFolder } = options
    const key = indexKey(diffId)
    const slot = cacheFolder === null ? null : { folder: cacheFolder, identity: null, diffId: key, tarBytes }
    const kept = slot && (await load(slot, name))
    if (kept) return kept
    const keep = cacheFolder === null ? null : { folder: cacheFolder, key }
    const job = { name, layer, path, witnesses, tarBytes, keep }
    if (weight <= TINY) return indexTarSplit(job, controlOf(work.signal, work.onProgress))
    return pool.run({ kind: 'tar-split', ...job }, { ...work, weight })
  }

  async function load(slot: CacheSlot, name: string): Promise<LayerIndex | null> {
    const found = findIndex(slot)
    if (found === null) return null
    if (found.packed.length <= SMALL) return openIndex(found)?.index ?? null
    const loaded = await pool.run({ kind: 'load', name, slot }, { weight: Number.POSITIVE_INFINITY })
    return loaded === null ? null : (decodeKept(loaded.bytes, loaded)?.index ?? null)
  }

  async function indexElsewhere(layer: number, work: Work, error: unknown): Promise<LayerIndex> {
    next ??= options.next?.() ?? Promise.resolve(null)
    const other = await next.catch(() => null)
    if (other?.layers[layer]?.diffId !== layers[layer]!.diffId) throw broken(error, nameOf(layer))
    const index = await other.indexLayer(layer, work)
    elsewhere[layer] = other
    const reason = error instanceof Fault ? error.message : String(error)
    const told: Anomaly = { layer, path: null, kind: 'store-damaged', text: `It was read from elsewhere: ${reason}` }
    return { ...index, anomalies: [told, ...index.anomalies] }
  }

  function directoryOf(layer: number): string {
    const { directory } = layers[layer]!
    if (directory !== null) return directory
    throw new Fault(`The content of ${nameOf(layer)} can not be read: its storage driver keeps no files in the open.`)
  }

  function nameOf(layer: number): string {
    return `layer ${layer} (${shortDigest(layers[layer]!.diffId)}) of ${stored.names[0] ?? shortDigest(stored.id)}`
  }

  return {
    reference: options.reference,
    names: stored.names,
    source: stored.source,
    id: stored.id,
    digest: stored.digest,
    platform: stored.config.platform,
    config: stored.config,
    rawConfig: stored.rawConfig,
    steps: withIds(stepsOf(stored.config.history, layers.length), stored.stepIds ?? []),
    layers: infosOf(layers),
    anomalies: [
      ...stored.anomalies,
      ...stepAnomalies(stored.config.history, layers.length).map(text => imageAnomaly('history', text)),
    ],
    indexLayer,
    async *readFile(layer, entry, { start = 0, end = Number.MAX_SAFE_INTEGER, signal } = {}) {
      const index = await indexLayer(layer, { signal })
      const other = elsewhere[layer]
      if (other) return yield* other.readFile(layer, entry, { start, end, ...(signal ? { signal } : {}) })
      const file = storeFileAt(index, entry, nameOf(layer))
      if (file.size > 0) yield* readStoreFile(directoryOf(layer), file, { name: nameOf(layer), start, end, signal })
    },
    async hashFiles(layer, entries, work = {}) {
      const index = await indexLayer(layer, work)
      const other = elsewhere[layer]
      if (other) return other.hashFiles(layer, entries, work)
      const name = nameOf(layer)
      const files = Array.from(entries, entry => storeFileAt(index, entry, name))
      if (files.every(file => file.size === 0)) return new Uint32Array(files.length)
      return pool.run({ kind: 'store-hash', name, directory: directoryOf(layer), files }, { ...work, weight: 1 })
    },
    async close() {
      await pool.close()
      await (await next?.catch(() => null))?.close()
    },
  }
}

function infosOf(layers: StoredLayer[]): LayerInfo[] {
  const chain = chainIds(layers.map(layer => layer.diffId))
  return layers.map(({ diffId, digest, mediaType, compressed, roughBytes }, index) => ({
    index,
    diffId,
    chainId: chain[index]!,
    digest,
    mediaType,
    compressed,
    roughBytes,
  }))
}

function withIds(steps: Step[], ids: (Digest | null)[]): Step[] {
  return steps.map((step, at) => ({ ...step, imageId: ids[at] ?? null }))
}

function broken(error: unknown, name: string): Fault {
  const fault =
    error instanceof Fault ? error : new Fault(`${name} can not be read: ${String(error)}.`, { cause: error })
  return Object.assign(fault, { partial: null })
}

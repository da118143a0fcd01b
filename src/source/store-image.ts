/**
 * The Image of a store whose layers are kept as tar-split with a directory of their files beside it. Indexes come from
 * the cache or from a worker thread; contents are opened when they are asked for. A layer that turns out to be damaged
 * is read from the next source, where there is one.
 */
import { Fault, isAbort } from '../base/errors.ts'
import { equalBytes } from '../base/paths.ts'
import type { Work } from '../base/progress.ts'
import { chainIds, shortDigest } from '../image/digest.ts'
import { stepAnomalies, stepsOf } from '../image/steps.ts'
import type { Digest, ImageConfig, Step } from '../image/types.ts'
import type { Anomaly } from '../layer/entry.ts'
import type { LayerIndex } from '../layer/layer-index.ts'
import { pathOf } from '../layer/path-tree.ts'
import { controlOf } from './cancel.ts'
import { copyTar } from './copy-tar.ts'
import { imageAnomaly } from './found.ts'
import { loadIndex } from './index-cache.ts'
import { createPool } from './pool.ts'
import { hashWeight, readStoreFile, storeFileAt } from './store-body.ts'
import { indexTarSplit, type TarSplitJob } from './store-index.ts'
import { readStoreTar } from './store-tar.ts'
import type { StoreLocation, StoreOptions } from './store-types.ts'
import type { Image, LayerInfo, SourceKind } from './types.ts'

/** An image as a store's reader found it. Nothing of its layers has been read yet. */
export interface StoredImage {
  source: SourceKind
  location?: StoreLocation
  names: string[]
  id: Digest
  digest: Digest | null
  config: ImageConfig
  rawConfig: unknown
  configBytes: Uint8Array
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

/** A tar-split of so many bytes is indexed where the screen is drawn, sooner done than handed to a thread: two hundred entries, a millisecond or two. */
const TINY = 16 << 10
/** A byte of tar-split takes as long as so many of plain tar. */
const SPLIT_WEIGHT = 256

/** What the index of a layer is kept as: apart from those of archives, whose contents are hashed in another way. */
export function indexKey(diffId: Digest): string {
  return `${diffId} of tar-split`
}

export function storeImage(stored: StoredImage, options: StoreOptions): Image {
  const { layers } = stored
  const pool = createPool()
  const indexes: (LayerIndex | undefined)[] = []
  const running: (Promise<LayerIndex> | undefined)[] = []
  /** Layers that are read from the next source. */
  const elsewhere: (Image | undefined)[] = []
  let next: Promise<Image | null> | null = null

  /** Two who ask for one layer share the reading; when the one who began gives up, the other begins anew. */
  async function indexLayer(layer: number, work: Work = {}): Promise<LayerIndex> {
    for (;;) {
      const known = indexes[layer]
      if (known !== undefined) return known
      const shared = running[layer]
      if (shared === undefined) break
      const index = await shared.catch(error =>
        isCancelled(error) && !work.signal?.aborted ? null : Promise.reject(error),
      )
      if (index !== null) return index
    }
    const own = indexAnyhow(layer, work)
    running[layer] = own
    try {
      return (indexes[layer] = await own)
    } finally {
      running[layer] = undefined
    }
  }

  async function indexAnyhow(layer: number, work: Work): Promise<LayerIndex> {
    try {
      const index = await readIndex(layer, work)
      return { ...index, anomalies: index.anomalies.map(anomaly => ({ ...anomaly, layer })) }
    } catch (error) {
      if (isCancelled(error)) throw error
      return indexElsewhere(layer, work, error)
    }
  }

  async function readIndex(layer: number, work: Work): Promise<LayerIndex> {
    const { diffId, path, witnesses, tarBytes, weight } = layers[layer]!
    const name = nameOf(layer)
    const { cacheFolder } = options
    const key = indexKey(diffId)
    const slot = cacheFolder === null ? null : { folder: cacheFolder, identity: null, diffId: key, tarBytes }
    const kept = slot && (await loadIndex(slot))
    if (kept) return kept.index
    const keep = cacheFolder === null ? null : { folder: cacheFolder, key }
    const job = { name, layer, path, witnesses, tarBytes, keep }
    if (weight <= TINY) return indexTarSplit(job, controlOf(work.signal, work.onProgress))
    return pool.run({ kind: 'tar-split', ...job }, { ...work, weight: weight * SPLIT_WEIGHT })
  }

  /** The same layer of the next source; null where there is none. */
  async function otherOf(layer: number): Promise<Image | null> {
    next ??= options.next?.() ?? Promise.resolve(null)
    const other = await next.catch(() => null)
    return other?.layers[layer]?.diffId === layers[layer]!.diffId ? other : null
  }

  async function indexElsewhere(layer: number, work: Work, error: unknown): Promise<LayerIndex> {
    const other = await otherOf(layer)
    if (other === null) throw broken(error, nameOf(layer))
    const index = await other.indexLayer(layer, work)
    elsewhere[layer] = other
    const reason = error instanceof Fault ? error.message : String(error)
    const told: Anomaly = { layer, path: null, kind: 'store-damaged', text: `It was read from elsewhere: ${reason}` }
    return { ...index, anomalies: [told, ...index.anomalies] }
  }

  /** The next source, to read these files of a layer that can not be read here. @throws the error where it has others. */
  async function otherFor(layer: number, entries: Iterable<number>, error: unknown, work: Work): Promise<Image> {
    if (isCancelled(error)) throw error
    const other = await otherOf(layer)
    const [mine, theirs] = [indexes[layer]!, await other?.indexLayer(layer, work)]
    for (const entry of entries) if (!theirs || !isSameFile(mine, theirs, entry)) throw error
    return other!
  }

  async function* layerTar(layer: number, { signal }: Work = {}): AsyncGenerator<Uint8Array> {
    const { path } = layers[layer]!
    let given = 0
    try {
      const from = { path, directory: directoryOf(layer), name: nameOf(layer) }
      for await (const chunk of readStoreTar(from, pool, signal)) {
        given += chunk.length
        yield chunk
      }
    } catch (error) {
      if (isCancelled(error)) throw error
      const other = await otherOf(layer)
      if (other === null) throw error
      yield* behind(other.layerTar(layer, { signal }), given)
    }
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
    ...(stored.location ? { location: stored.location } : {}),
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
      const name = nameOf(layer)
      const file = storeFileAt(index, entry, name)
      if (file.size === 0) return
      let at = start
      try {
        for await (const chunk of readStoreFile(directoryOf(layer), file, { name, start, end, signal })) {
          at += chunk.length
          yield chunk
        }
      } catch (error) {
        const other = await otherFor(layer, [entry], error, { signal })
        yield* other.readFile(layer, entry, { start: at, end, ...(signal ? { signal } : {}) })
      }
    },
    layerTar,
    copyLayer: (layer, to, work = {}) => copyTar(layerTar(layer, work), to, work),
    documents: async () => ({ config: stored.configBytes, manifest: null }),
    async hashFiles(layer, entries, work = {}) {
      const index = await indexLayer(layer, work)
      const other = elsewhere[layer]
      if (other) return other.hashFiles(layer, entries, work)
      const name = nameOf(layer)
      const files = Array.from(entries, entry => storeFileAt(index, entry, name))
      if (files.every(file => file.size === 0)) return new Uint32Array(files.length)
      try {
        const job = { kind: 'store-hash', name, directory: directoryOf(layer), files } as const
        return await pool.run(job, { ...work, weight: hashWeight(files) })
      } catch (error) {
        return (await otherFor(layer, entries, error, work)).hashFiles(layer, entries, work)
      }
    },
    async close() {
      await pool.close()
      await (await next?.catch(() => null))?.close()
    },
  }
}

/** What comes after the first `given` bytes. */
async function* behind(chunks: AsyncIterable<Uint8Array>, given: number): AsyncGenerator<Uint8Array> {
  let skip = given
  for await (const chunk of chunks) {
    if (chunk.length > skip) yield chunk.subarray(skip)
    skip = Math.max(0, skip - chunk.length)
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

function isSameFile(one: LayerIndex, other: LayerIndex, entry: number): boolean {
  if (one.entries !== other.entries || one.size[entry] !== other.size[entry]) return false
  return equalBytes(pathOf(one, one.node[entry]!), pathOf(other, other.node[entry]!))
}

function isCancelled(error: unknown): boolean {
  return isAbort(error) || (error instanceof Fault && error.exitCode === 130)
}

function broken(error: unknown, name: string): Fault {
  const fault =
    error instanceof Fault ? error : new Fault(`${name} can not be read: ${String(error)}.`, { cause: error })
  return Object.assign(fault, { partial: null })
}

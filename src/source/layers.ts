/** The layers of an opened image: their indexes from the cache or a thread, their contents by position. */
import { setImmediate } from 'node:timers/promises'
import { Fault } from '../base/errors.ts'
import type { Work } from '../base/progress.ts'
import { safe } from '../base/text.ts'
import { shortDigest } from '../image/digest.ts'
import type { Digest } from '../image/types.ts'
import { type Anomaly, Kind } from '../layer/entry.ts'
import { IndexBuilder } from '../layer/index-builder.ts'
import type { LayerIndex } from '../layer/layer-index.ts'
import { pathOf } from '../layer/path-tree.ts'
import { cancelled, controlOf } from './cancel.ts'
import type { StoredFile } from './folder.ts'
import type { FoundLayer } from './found.ts'
import { hashRegion } from './hash-region.ts'
import { type CacheSlot, keepHashes, keepIndex, loadIndex } from './index-cache.ts'
import { brokenLayer, type IndexedLayer, indexRegion } from './index-region.ts'
import type { Job } from './jobs.ts'
import type { Pool } from './pool.ts'
import { poured } from './pour.ts'
import { readBody } from './read-body.ts'
import { headOf, type Region, readChunks } from './region.ts'
import { type Compression, compressionOf, SNIFF_BYTES } from './sniff.ts'
import { type Spool, spoolOf } from './spool.ts'
import type { BrokenLayer, Image } from './types.ts'

export interface LayerContext {
  /** What the image's file is called in errors. */
  where: string
  pool: Pool
  /** null: no cache. */
  cacheFolder: string | null
  /** Hash every layer and take none from the cache. */
  verify: boolean
  /** Hash none. */
  trust: boolean
}

/** A layer with what was seen of it when the image was opened. */
export interface OpenLayer {
  found: FoundLayer
  diffId: Digest
  /** null: its bytes are not here. */
  compression: Compression | null
}

export type LayerReader = Pick<Image, 'indexLayer' | 'readFile' | 'hashFiles' | 'layerTar' | 'copyLayer' | 'close'>

/** How a layer is compressed, by its first bytes; null when they are not here. */
export function compressionOfFile(file: StoredFile | null): Compression | null {
  if (file === null) return null
  if (file.passed !== null) return file.passed.layer?.compression ?? 'none'
  return compressionOf(headOf(file.region!, SNIFF_BYTES))
}

/** A plain layer or a packed index up to so many bytes is read on this thread: sooner done than handed to another. */
const SMALL = 256 << 10

export function readLayers(layers: OpenLayer[], context: LayerContext): LayerReader {
  const { pool, cacheFolder, where } = context
  const indexes: (LayerIndex | undefined)[] = []
  const running: (Promise<LayerIndex> | undefined)[] = []
  const spools: (Spool | undefined)[] = []

  /** Whoever asks while somebody else's reading is under way waits for that, unless it is cancelled. */
  async function indexLayer(layer: number, work: Work = {}): Promise<LayerIndex> {
    const known = indexes[layer]
    if (known !== undefined) return known
    const other = running[layer]
    if (other !== undefined) {
      const outcome = await other.catch((error: Fault) => error)
      if (!(outcome instanceof Fault)) return outcome
      if (outcome.exitCode !== 130) throw outcome
      if (work.signal?.aborted) throw cancelled()
      return indexLayer(layer, work)
    }
    const mine = makeIndex(layer, work)
    running[layer] = mine
    try {
      return await mine
    } finally {
      running[layer] = undefined
    }
  }

  async function makeIndex(layer: number, work: Work): Promise<LayerIndex> {
    try {
      const made = await readIndex(layer, work)
      const index = { ...made.index, anomalies: [...claims(layers[layer]!, layer, made), ...own(made.index, layer)] }
      indexes[layer] = index
      return index
    } catch (error) {
      const partial = (error as { partial?: LayerIndex | null }).partial
      if (partial) indexes[layer] ??= partial
      throw partial === undefined ? brokenLayer(error, nameOf(layer), null) : error
    }
  }

  async function readIndex(layer: number, work: Work): Promise<IndexedLayer> {
    const { found, compression, diffId } = layers[layer]!
    const { file } = found
    const name = nameOf(layer)
    if (file === null) throw new Fault(`${name} can not be read: ${found.missing}.`)
    if (file.passed !== null) return passedIndex(file, name, where)
    if (file.size === 0)
      return {
        index: new IndexBuilder({ layer }).finish({ tarBytes: 0, diffId: null }),
        compression: 'none',
        digest: null,
      }
    const verify = context.verify || diffId === ''
    const trust = context.trust && !verify
    const slot = slotOf(layers[layer]!, cacheFolder)
    const kept = slot === null || context.verify ? null : await loadIndex(slot)
    if (kept !== null) return kept
    const region = plain(file.region!)
    if (compression === 'none' && region.size <= SMALL) {
      await setImmediate()
      const made = await indexRegion({ region, name, layer, verify, trust }, controlOf(work.signal, work.onProgress))
      if (slot !== null) keepIndex({ ...slot, prune: takeTurn() }, made)
      return made
    }
    return pool.run(
      { kind: 'index', name, region, layer, verify, trust, slot: slot && { ...slot, prune: takeTurn() } },
      { ...work, weight: weightOf(region.size, compression) },
    )
  }

  /** The bytes of a layer as they are stored. @throws Fault when they are not here any more. */
  function storedOf(layer: number): Region {
    const { file, missing } = layers[layer]!.found
    if (file?.region) return file.region
    const why = file === null ? missing : 'it came in a stream that was not kept'
    throw new Fault(`The content of ${nameOf(layer)} can not be read: ${why}.`)
  }

  /** The plain bytes of a layer, by position. */
  function contentOf(layer: number): Region {
    const { compression } = layers[layer]!
    const region = storedOf(layer)
    if (compression === 'none' || compression === null) return region
    return (spools[layer] ??= spoolOf(region, compression, nameOf(layer), cacheFolder)).region
  }

  async function known(layer: number, work: Work): Promise<LayerIndex> {
    return indexes[layer] ?? (await indexLayer(layer, work).catch(error => indexes[layer] ?? Promise.reject(error)))
  }

  return {
    indexLayer,
    async *readFile(layer, entry, { start = 0, end = Number.MAX_SAFE_INTEGER, signal } = {}) {
      const index = await known(layer, { signal })
      const { path, offset } = fileAt(index, entry, nameOf(layer))
      if (index.size[entry] === 0) return
      yield* readBody(contentOf(layer), offset, path, { name: nameOf(layer), start, end, signal })
    },
    async hashFiles(layer, entries, work = {}) {
      const index = await known(layer, work)
      const sums = new Uint32Array(entries.length)
      const open: number[] = []
      for (let i = 0; i < entries.length; i++) {
        const entry = entries[i]!
        if (index.hashKind === 'crc32' && index.hashed?.[entry]) sums[i] = index.crc![entry]!
        else if (index.size[entry] !== 0) open.push(i)
      }
      if (open.length === 0) return sums
      const files = open.map(i => fileAt(index, entries[i]!, nameOf(layer)))
      const region = contentOf(layer)
      if (region.ready) await region.ready(index.tarBytes || Number.MAX_SAFE_INTEGER, work.signal)
      const job = {
        kind: 'hash' as const,
        name: nameOf(layer),
        region: plain(region),
        entries: Uint32Array.from(open, i => entries[i]!),
        offsets: Float64Array.from(files, one => one.offset),
        paths: files.map(one => one.path),
        slot: slotOf(layers[layer]!, cacheFolder),
      }
      const bytes = open.reduce((sum, i) => sum + index.size[entries[i]!]!, 0)
      const found = bytes <= SMALL ? hashHere(job, work) : await pool.run(job, { ...work, weight: bytes })
      open.forEach((i, at) => {
        sums[i] = found[at]!
      })
      return sums
    },
    layerTar(layer, { signal } = {}) {
      const region = storedOf(layer)
      const compression = layers[layer]!.compression ?? 'none'
      if (compression === 'none') return readChunks(region, 0, region.size, signal)
      return poured({ region, compression, name: nameOf(layer) }, pool, signal)
    },
    async copyLayer(layer, to, work = {}) {
      const region = storedOf(layer)
      const { found, compression } = layers[layer]!
      if (region.ready) await region.ready(region.size, work.signal)
      const job = {
        kind: 'copy',
        name: nameOf(layer),
        region: plain(region),
        compression: compression ?? 'none',
        to,
      } as const
      return {
        ...(await pool.run(job, { ...work, weight: weightOf(found.file!.size, compression) })),
        compression: job.compression,
      }
    },
    async close() {
      await pool.close()
      for (const spool of spools) await spool?.close()
    },
  }

  function nameOf(layer: number): string {
    const { diffId, found } = layers[layer]!
    const digest = diffId || found.digest
    return `layer ${layer}${digest ? ` (${shortDigest(digest)})` : ''} of ${where}`
  }
}

function hashHere(job: Extract<Job, { kind: 'hash' }>, work: Work): Uint32Array {
  const sums = hashRegion(job, controlOf(work.signal, work.onProgress))
  if (job.slot !== null) keepHashes(job.slot, job.entries, sums)
  return sums
}

/** Where the index of a layer is kept. The diffID is looked up as claimed, but nothing is ever kept under a claim. */
function slotOf({ found, diffId, compression }: OpenLayer, folder: string | null): CacheSlot | null {
  const { file } = found
  if (folder === null || file === null || file.identity === null) return null
  return {
    folder,
    prune: false,
    identity: file.identity,
    diffId: diffId || null,
    tarBytes: compression === 'none' ? file.size : null,
  }
}

let turnTaken = false

/** Whether this is the one layer of this run that looks after the cache. */
function takeTurn(): boolean {
  const mine = !turnTaken
  turnTaken = true
  return mine
}

/** Work by bytes: what has to be inflated takes ten times as long. */
function weightOf(size: number, compression: Compression | null): number {
  return compression === 'none' ? size : size * 10
}

/** Only what can go over to a thread. */
function plain({ fd, start, size }: Region): Region {
  return { fd, start, size }
}

/** In the stream nobody knew yet which layer of which image a file would be. */
function passedIndex({ passed, path }: StoredFile, name: string, where: string): IndexedLayer {
  const { layer, fault } = passed!
  if (layer !== null) return layer
  if (fault === null)
    throw new Fault(`${name} is broken at offset 0: it is neither a tar nor compressed in a known way.`)
  const inStream = `${safe(path)} of ${where}`
  const message = fault.message.startsWith(inStream) ? name + fault.message.slice(inStream.length) : fault.message
  throw brokenLayer(new Fault(message, { cause: fault }), name, (fault as Partial<BrokenLayer>).partial ?? null)
}

/** What was met in a layer that may have been read for another image, where it stood elsewhere. */
function own(index: LayerIndex, layer: number): Anomaly[] {
  return index.anomalies.map(anomaly => ({ ...anomaly, layer }))
}

/** What the image says of the layer's bytes and they are not. Only what is known: what was not hashed is not compared. */
function claims({ found, diffId }: OpenLayer, layer: number, { index, digest }: IndexedLayer): Anomaly[] {
  const wrong: Anomaly[] = []
  const tell = (kind: string, text: string) => wrong.push({ layer, path: null, kind, text })
  if (found.size !== null && found.file !== null && found.size !== found.file.size) {
    tell('size-mismatch', `the blob has ${found.file.size} bytes, its manifest says ${found.size}`)
  }
  if (digest && found.digest?.startsWith('sha256:') && digest !== found.digest) {
    tell('digest-mismatch', `the digest of the blob is ${digest}, its manifest says ${found.digest}`)
  }
  if (index.diffId !== null && diffId !== '' && index.diffId !== diffId) {
    tell('diffid-mismatch', `the diffID of the layer is ${index.diffId}, the config says ${diffId}`)
  }
  return wrong
}

function fileAt(index: LayerIndex, entry: number, name: string): { path: Uint8Array; offset: number } {
  const offset = index.offset?.[entry] ?? -1
  if (index.kind[entry] !== Kind.file || offset < 0) throw new Fault(`Entry ${entry} of ${name} is no regular file.`)
  return { path: pathOf(index, index.node[entry]!), offset }
}

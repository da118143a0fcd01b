/**
 * The layers of an image that stays in its registry. An index comes from the cache, else from the layer's own table of
 * contents, else the layer streams through the indexer. Contents come by part where there is a table, else the blob comes
 * as far as it has to.
 */
import { crc32 } from 'node:zlib'
import { Fault } from '../../base/errors.ts'
import type { Work } from '../../base/progress.ts'
import { shortDigest } from '../../image/digest.ts'
import type { Digest } from '../../image/types.ts'
import { type Anomaly, Kind } from '../../layer/entry.ts'
import { IndexBuilder } from '../../layer/index-builder.ts'
import type { LayerIndex } from '../../layer/layer-index.ts'
import { pathOf } from '../../layer/path-tree.ts'
import { findIndex, loadIndex } from '../index-cache.ts'
import type { LayerReader } from '../layers.ts'
import type { Pool } from '../pool.ts'
import { poured } from '../pour.ts'
import { readBody } from '../read-body.ts'
import { headOf, type Region, readChunks } from '../region.ts'
import { type Compression, compressionOf, SNIFF_BYTES } from '../sniff.ts'
import { type Spool, spoolOf } from '../spool.ts'
import type { Blobs } from './blobs.ts'
import type { Far } from './far.ts'
import { type FarBlob, farBlob, hasRoom, storedBlob } from './far-blob.ts'
import { type FarToc, farToc } from './far-toc.ts'
import { indexStream } from './layer-stream.ts'
import { isCancelled, sharedByNumber } from './shared.ts'
import type { TocClaim } from './toc-place.ts'

export interface FarLayer {
  digest: Digest
  /** Of the blob, bytes. */
  size: number
  /** '' where the config says nothing. */
  diffId: Digest
  /** The table of contents that the manifest promises; null: none that could be trusted. */
  claim: TocClaim | null
}

export interface FarContext {
  /** What the image is called in errors. */
  where: string
  blobs: Blobs
  pool: Pool
  /** null: no cache. */
  cacheFolder: string | null
  /** Believe only what was hashed: no index from the cache, none from a table of contents. */
  verify: boolean
  /** Where a blob is on this machine; null: nowhere. */
  localBlob?: ((digest: Digest) => string | null) | undefined
  /** Files will be read: keep what streams by in temporary files. */
  keep: boolean
}

/** So many bytes of all blobs are kept because somebody might read a file of them. */
const MOST_KEPT = 2 * 2 ** 30

export function farLayers(
  layers: readonly FarLayer[],
  context: FarContext,
): LayerReader & Pick<Far, 'toc' | 'cost' | 'contentCost'> {
  const { where, blobs, pool, cacheFolder, verify } = context
  const blobOf: (FarBlob | undefined)[] = []
  const spools: (Spool | undefined)[] = []
  let kept = 0
  const tocs = layers.map(({ claim, digest, size }, layer): FarToc | null => {
    // What is here whole is read whole: it tells more.
    if (claim === null || verify || pathOfBlob(layer) !== null) return null
    return farToc({ claim, blobs, digest, size, pool, name: nameOf(layer), layer, cacheFolder })
  })

  const indexes = sharedByNumber(async (layer, work): Promise<LayerIndex> => {
    const index = (await cachedIndex(layer)) ?? (await tocIndex(layer, work))
    if (index === null || 'told' in index) return streamedIndex(layer, work, index?.told ?? [])
    return { ...index, anomalies: index.anomalies.map(anomaly => ({ ...anomaly, layer })) }
  })

  function slotOf(layer: number) {
    const { diffId } = layers[layer]!
    if (cacheFolder === null || verify || diffId === '') return null
    return { folder: cacheFolder, identity: null, diffId, tarBytes: null }
  }

  async function cachedIndex(layer: number): Promise<LayerIndex | null> {
    const slot = slotOf(layer)
    return (slot && (await loadIndex(slot)))?.index ?? null
  }

  /** What is wrong with the table is told; the layer itself is right or wrong without it. */
  async function tocIndex(layer: number, work: Work): Promise<LayerIndex | { told: Anomaly[] } | null> {
    try {
      return (await tocs[layer]?.index(work)) ?? null
    } catch (error) {
      if (isCancelled(error) || !(error instanceof Fault)) throw error
      return { told: [{ layer, path: null, kind: 'toc-mismatch', text: error.message }] }
    }
  }

  async function streamedIndex(layer: number, work: Work, told: Anomaly[]): Promise<LayerIndex> {
    const { digest, size } = layers[layer]!
    if (size === 0) return new IndexBuilder({ layer }).finish({ tarBytes: 0, diffId: null })
    const of = { name: nameOf(layer), layer, digest, size, folder: cacheFolder }
    const blob = blobAt(layer)
    const { index } = await indexStream(signal => blob.chunks(signal), of, pool, work)
    return {
      ...index,
      anomalies: [
        ...told,
        ...claims(layers[layer]!, layer, index),
        ...index.anomalies.map(anomaly => ({ ...anomaly, layer })),
      ],
    }
  }

  function blobAt(layer: number): FarBlob {
    const { digest, size } = layers[layer]!
    const known = blobOf[layer]
    if (known) return known
    const keep = context.keep && kept + size <= MOST_KEPT && hasRoom(cacheFolder, size)
    if (keep) kept += size
    const path = pathOfBlob(layer)
    return (blobOf[layer] =
      path === null
        ? farBlob({ blobs, digest, size, name: nameOf(layer), folder: cacheFolder, keep })
        : storedBlob(path, size))
  }

  function pathOfBlob(layer: number): string | null {
    return context.localBlob?.(layers[layer]!.digest) ?? null
  }

  /** Bytes of a blob that would have to come for all of it. */
  function missing(layer: number): number {
    return blobOf[layer]?.missing() ?? (pathOfBlob(layer) === null ? layers[layer]!.size : 0)
  }

  async function compressionAt(region: Region, signal?: AbortSignal): Promise<Compression> {
    await region.ready?.(SNIFF_BYTES, signal)
    return compressionOf(headOf(region, SNIFF_BYTES))
  }

  /** The plain bytes of a layer, by position. */
  async function contentOf(layer: number, signal?: AbortSignal): Promise<Region> {
    const region = blobAt(layer).region()
    const compression = await compressionAt(region, signal)
    if (compression === 'none') return region
    return (spools[layer] ??= spoolOf(region, compression, nameOf(layer), cacheFolder)).region
  }

  async function* readFile(
    layer: number,
    entry: number,
    { start = 0, end = Number.MAX_SAFE_INTEGER, signal }: { start?: number; end?: number; signal?: AbortSignal } = {},
  ): AsyncGenerator<Uint8Array> {
    const index = await indexes.get(layer, { signal })
    if (index.kind[entry] !== Kind.file) throw new Fault(`Entry ${entry} of ${nameOf(layer)} is no regular file.`)
    const file = { path: pathOf(index, index.node[entry]!), size: index.size[entry]! }
    if (file.size === 0) return
    const offset = index.offset?.[entry] ?? -1
    const toc = tocs[layer]
    if (toc && (offset < 0 || blobAt(layer).missing() > 0)) yield* toc.readFile(file, { start, end, signal })
    else yield* readBody(await contentOf(layer, signal), offset, file.path, { name: nameOf(layer), start, end, signal })
  }

  async function crcOf(layer: number, entry: number, signal?: AbortSignal): Promise<number> {
    let crc = 0
    for await (const chunk of readFile(layer, entry, signal ? { signal } : {})) crc = crc32(chunk, crc)
    return crc
  }

  function nameOf(layer: number): string {
    return `layer ${layer} (${shortDigest(layers[layer]!.diffId || layers[layer]!.digest)}) of ${where}`
  }

  return {
    indexLayer: indexes.get,
    readFile,
    async hashFiles(layer, entries, work = {}) {
      const index = await indexes.get(layer, work)
      const sums = new Uint32Array(entries.length)
      for (const [at, entry] of entries.entries()) {
        const known = index.hashKind === 'crc32' && index.hashed?.[entry] === 1
        sums[at] = known ? index.crc![entry]! : await crcOf(layer, entry, work.signal)
      }
      return sums
    },
    async *layerTar(layer, { signal } = {}) {
      const region = blobAt(layer).region()
      const compression = await compressionAt(region, signal)
      if (compression === 'none') yield* readChunks(region, 0, region.size, signal)
      else yield* poured({ region, compression, name: nameOf(layer) }, pool, signal)
    },
    async copyLayer(layer, to, work = {}) {
      const region = blobAt(layer).region()
      await region.ready?.(region.size, work.signal)
      const compression = await compressionAt(region)
      const { fd, start, size } = region
      const job = { kind: 'copy', name: nameOf(layer), region: { fd, start, size }, compression, to } as const
      return { ...(await pool.run(job, { ...work, weight: size * 10 })), compression }
    },
    toc: layer => tocs[layer]?.claim.format ?? null,
    cost(layer) {
      const slot = slotOf(layer)
      if (indexes.known(layer) !== undefined || (slot && findIndex(slot) !== null)) return 0
      return Math.min(missing(layer), tocs[layer]?.cost() ?? Number.POSITIVE_INFINITY)
    },
    contentCost(layer, size) {
      return tocs[layer] ? Math.min(missing(layer), size) : missing(layer)
    },
    async close() {
      await pool.close()
      for (const spool of spools) await spool?.close()
      for (const blob of blobOf) await blob?.close()
    },
  }
}

/** What the manifest and the config say of a layer and it is not, or nobody can tell. */
function claims({ digest, diffId }: FarLayer, layer: number, index: LayerIndex): Anomaly[] {
  const odd: Anomaly[] = []
  const tell = (kind: string, text: string) => odd.push({ layer, path: null, kind, text })
  if (!digest.startsWith('sha256:')) tell('not-verified', 'its digest is no sha256, and was not compared')
  if (index.diffId !== null && diffId !== '' && index.diffId !== diffId)
    tell('diffid-mismatch', `the diffID of the layer is ${index.diffId}, the config says ${diffId}`)
  return odd
}

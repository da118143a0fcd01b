/** The table of contents of one layer, fetched by part when it is needed, once: for the index, and for contents. */
import { Fault } from '../../base/errors.ts'
import { normalisePath } from '../../base/paths.ts'
import type { Work } from '../../base/progress.ts'
import type { LayerIndex } from '../../layer/layer-index.ts'
import { pathOf } from '../../layer/path-tree.ts'
import type { TocChunk } from '../../layer/toc.ts'
import { controlOf } from '../cancel.ts'
import { findIndex, keepVouched, loadIndex } from '../index-cache.ts'
import type { Pool } from '../pool.ts'
import { type Blobs, gathered } from './blobs.ts'
import { sharedByNumber } from './shared.ts'
import { splitIndex } from './split-index.ts'
import { readTocFile, type TocFile, type TocReading } from './toc-content.ts'
import { indexToc, tocKey } from './toc-index.ts'
import { FOOTER, placeInFooter, sound, type TocClaim, type TocPlace } from './toc-place.ts'

export interface FarToc {
  claim: TocClaim
  /** null: the registry hands out no parts, or there is no table where it should be. @throws Fault when it is another. */
  index(work?: Work): Promise<LayerIndex | null>
  /** The content of a file by its path, of which the index says that it has so many bytes. */
  readFile(
    file: { path: Uint8Array; size: number },
    options: Pick<TocReading, 'start' | 'end' | 'signal'>,
  ): AsyncIterable<Uint8Array>
  /** Bytes that have to come before the index is there, about. */
  cost(): number
}

export interface FarTocOptions {
  claim: TocClaim
  blobs: Blobs
  digest: string
  size: number
  pool: Pool
  /** Of the layer, for errors. */
  name: string
  layer: number
  /** null: no cache. */
  cacheFolder: string | null
}

/** A packed table up to so many bytes is read on this thread: sooner done than handed to another. */
const SMALL = 1 << 20
/** A byte of a packed table takes as long as so many of plain tar. */
const WEIGHT = 1000
/** Unknown before the footer has been read; a table is about this share of its blob. */
const SHARE = 100

/** Where the pieces of a layer's files are. */
interface Places {
  /** Of each path the last regular file. */
  chunks: Map<string, TocChunk[]>
  /** Where pieces begin, in order. */
  offsets: Float64Array
}

export function farToc(options: FarTocOptions): FarToc {
  const { claim, blobs, digest, size, pool, name, layer, cacheFolder } = options
  const { format } = claim
  const slot = cacheFolder === null ? null : { folder: cacheFolder, identity: null, tarBytes: null }
  const kept = slot && { ...slot, diffId: tocKey(format, claim.digest) }
  const job = (packed: Uint8Array) => ({ name, layer, format, packed, digest: claim.digest, keep: cacheFolder })
  let place: TocPlace | null = claim.place

  const packed = sharedByNumber(async (_, { signal }: Work): Promise<{ bytes: Uint8Array | null }> => {
    place = sound(place ?? (await placeOf(signal)), size)
    const part = place && (await blobs.part(digest, place.offset, place.offset + place.bytes, signal))
    return { bytes: part && (await gathered(part)) }
  })

  async function placeOf(signal?: AbortSignal): Promise<TocPlace | null> {
    const from = Math.max(0, size - FOOTER)
    const end = await blobs.part(digest, from, size, signal)
    return end && placeInFooter(format, await gathered(end), size)
  }

  const places = sharedByNumber(async (_, work: Work): Promise<Places> => {
    const { bytes } = await packed.get(0, work)
    if (bytes === null) throw new Fault(`${name} can not be read in parts: its registry hands out none.`)
    const found: [number, TocChunk[]][] = []
    const offsets: number[] = []
    const made = await indexToc({ ...job(bytes), keep: null }, controlOf(work.signal), (entry, chunks) => {
      found.push([entry, chunks])
      for (const { offset } of chunks) offsets.push(offset)
    })
    const index = made.better === null ? made.index : await exactIndex(made.index, made.better, work)
    const chunks = new Map(found.map(([entry, all]) => [keyOf(pathOf(index, index.node[entry]!)), all]))
    return { chunks, offsets: Float64Array.from(offsets).sort() }
  })

  /** The same entries with the bytes of their names that the table has lost; those of the table where there is no way. */
  async function exactIndex(toc: LayerIndex, digestOfSplit: string, { signal }: Work): Promise<LayerIndex> {
    const at = sound(claim.split, size)
    const part = at && (await blobs.part(digest, at.offset, at.offset + at.bytes, signal))
    if (part === null) return toc
    return (await splitIndex(await gathered(part), { name, digest: digestOfSplit, toc })) ?? toc
  }

  return {
    claim,
    async index(work = {}) {
      const known = kept && (await loadIndex(kept))
      if (known) return known.index
      const { bytes } = await packed.get(0, work)
      if (bytes === null) return null
      const { index, better } =
        bytes.length <= SMALL
          ? await indexToc(job(bytes), controlOf(work.signal, work.onProgress))
          : await pool.run({ kind: 'toc', ...job(bytes) }, { ...work, weight: bytes.length * WEIGHT })
      if (better === null) return index
      const exact = await exactIndex(index, better, work)
      if (cacheFolder !== null) keepVouched(cacheFolder, tocKey(format, claim.digest), exact)
      return exact
    },
    async *readFile({ path, size: bytes }, { start, end, signal }) {
      const { chunks, offsets } = await places.get(0, { signal })
      const file: TocFile = { path, size: bytes, chunks: chunks.get(keyOf(path)) ?? [] }
      yield* readTocFile(file, {
        name,
        compression: format === 'estargz' ? 'gzip' : 'zstd',
        async part(from, to) {
          const part = await blobs.part(digest, from, Math.min(to, size), signal)
          if (part !== null) return part
          throw new Fault(`${name} can not be read in parts: its registry hands out none.`)
        },
        endOf: offset => next(offsets, offset) ?? place?.offset ?? size,
        start,
        end,
        signal,
      })
    },
    cost() {
      if (packed.known(0) !== undefined || (kept && findIndex(kept) !== null)) return 0
      return claim.place?.bytes ?? Math.ceil(size / SHARE)
    },
  }
}

function keyOf(path: Uint8Array): string {
  return Buffer.from(normalisePath(path)).toString('latin1')
}

/** The first number of a sorted list that is greater. */
function next(sorted: Float64Array, than: number): number | null {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! <= than) low = middle + 1
    else high = middle
  }
  return sorted[low] ?? null
}

/**
 * The index of a layer from its bytes. A plain tar is seeked through; what is compressed, or is to be verified, passes
 * by once, and its digests come with it. Contents are not hashed: the layer can be read again where that is asked for.
 */
import { Fault } from '../base/errors.ts'
import type { Digest } from '../image/types.ts'
import type { Anomaly, Entry } from '../layer/entry.ts'
import { IndexBuilder } from '../layer/index-builder.ts'
import type { LayerIndex } from '../layer/layer-index.ts'
import { type EntrySink, TarScanner } from '../layer/tar-scanner.ts'
import type { Control } from './cancel.ts'
import { layerDigests } from './digests.ts'
import { createInflate } from './inflate.ts'
import { headOf, type Region, readInto } from './region.ts'
import { scanRegion, WINDOW } from './scan.ts'
import { type Compression, compressionOf, looksLikeTar, SNIFF_BYTES } from './sniff.ts'
import { type SparseSum, sparseBodySum } from './sparse-sum.ts'

export interface IndexJob {
  region: Region
  /** For errors: "layer 3 (sha256:1234…) of app.tar". */
  name: string
  /** Index of the layer, for its anomalies. */
  layer: number
  /** Hash a plain tar too. */
  verify: boolean
  /** Hash nothing, not even what passes by. */
  trust?: boolean
}

export interface IndexedLayer {
  index: LayerIndex
  compression: Compression
  /** sha256 of the blob as it is stored; null when it was only seeked through. */
  digest: Digest | null
}

/** A fault of a layer with what could be read of it before. */
export function brokenLayer(
  error: unknown,
  name: string,
  partial: LayerIndex | null,
): Fault & { partial: LayerIndex | null } {
  const fault =
    error instanceof Fault
      ? error
      : new Fault(`${name} can not be read: ${String((error as Error)?.message ?? error)}.`, { cause: error })
  return Object.assign(fault, { partial })
}

/** No real layer has so many; an index of them would take a gigabyte. */
const MAX_ENTRIES = 10_000_000

/** A builder that refuses to grow without end. */
export class LayerSink extends IndexBuilder {
  #entries = 0
  readonly #name: string

  constructor(options: { name: string; hash: boolean; layer: number | null }) {
    super({ hash: options.hash, layer: options.layer })
    this.#name = options.name
  }

  override entry(entry: Entry): void {
    if (++this.#entries > MAX_ENTRIES) throw new Fault(`${this.#name} has more than ${MAX_ENTRIES} entries.`)
    super.entry(entry)
  }
}

/** Indexes a layer. Blocks; xz and bzip2 take turns. @throws Fault with `partial`, see `brokenLayer`. */
export async function indexRegion(job: IndexJob, control: Control): Promise<IndexedLayer> {
  const head = headOf(job.region, SNIFF_BYTES)
  const compression = compressionOf(head)
  if (compression === 'none') requireTar(head, job)
  // What one read takes in whole has passed by, and may as well be hashed.
  const seek = compression === 'none' && !job.verify && job.region.size > WINDOW
  const builder = new LayerSink({ name: job.name, hash: compression === 'none' && !seek, layer: job.layer })
  try {
    return seek ? seekThrough(job, builder, control) : await passThrough(job, compression, builder, control)
  } catch (error) {
    throw brokenLayer(error, job.name, builder.finish({ tarBytes: 0, diffId: null }))
  }
}

/** Of what is no tar the scanner would say that a header is wrong; that it is no tar at all is the clearer word. */
function requireTar(head: Uint8Array, { name, region }: IndexJob): void {
  if (region.size === 0 || looksLikeTar(head)) return
  throw brokenLayer(
    new Fault(`${name} is broken at offset 0: it is neither a tar nor compressed in a known way.`),
    name,
    new IndexBuilder().finish({ tarBytes: 0, diffId: null }),
  )
}

function seekThrough({ region, name }: IndexJob, builder: IndexBuilder, control: Control): IndexedLayer {
  const scanner = new TarScanner(builder, { name })
  for (const done of scanRegion(region, scanner)) {
    control.check()
    control.progress(done, region.size)
  }
  return { index: builder.finish({ tarBytes: region.size, diffId: null }), compression: 'none', digest: null }
}

const CHUNK = 256 << 10

async function passThrough(
  { region, name, trust }: IndexJob,
  compression: Compression,
  builder: IndexBuilder,
  control: Control,
): Promise<IndexedLayer> {
  const layer = openLayer(compression, builder, name, { digests: !trust })
  try {
    const chunk = new Uint8Array(new ArrayBuffer(CHUNK))
    for (let at = 0; ; ) {
      control.check()
      const got = readInto(region, at, chunk)
      if (got === 0) break
      const done = layer.push(chunk.subarray(0, got))
      if (done) await done
      at += got
      control.progress(at, region.size)
    }
    return await layer.end()
  } finally {
    layer.close()
  }
}

/** A layer whose bytes come by in pieces: blob digest, decompression, diffID, entries, all in one pass. */
export function openLayer(
  compression: Compression,
  builder: IndexBuilder,
  name: string,
  { digests = true }: { digests?: boolean } = {},
) {
  const sink: EntrySink = builder.body ? withSparseSums(builder, () => scanner) : builder
  const scanner: TarScanner = new TarScanner(sink, { name })
  const wrapped = compression !== 'none'
  const sums = digests ? layerDigests(wrapped) : null
  let tarBytes = 0
  const inflate = createInflate(
    compression,
    plain => {
      tarBytes += plain.length
      sums?.tar(plain)
      scanner.push(plain)
    },
    { name },
  )
  return {
    push(chunk: Uint8Array): void | Promise<void> {
      if (wrapped) sums?.blob(chunk)
      const done = inflate.push(chunk)
      if (done) return done.then(sums?.settle)
      sums?.settle()
    },
    async end(): Promise<IndexedLayer> {
      await inflate.end()
      scanner.end()
      if (inflate.garbage > 0) builder.anomaly(trailing(inflate.garbage))
      const { tar, blob } = sums?.end() ?? { tar: null, blob: null }
      return { index: builder.finish({ tarBytes, diffId: tar }), compression, digest: blob }
    },
    close: () => inflate.close(),
  }
}

/** The builder leaves the sums of sparse files out: what passes by is not their content as it is read. */
function withSparseSums(builder: IndexBuilder, scanner: () => TarScanner): EntrySink {
  let sum: SparseSum | null = null
  return {
    entry(entry) {
      builder.entry(entry)
      const { sparse, bodySize } = scanner()
      sum = sparse === null ? null : sparseBodySum(sparse, bodySize)
    },
    body(chunk, start, end) {
      if (sum === null) builder.body?.(chunk, start, end)
      else sum.push(chunk.subarray(start, end))
    },
    bodyEnd() {
      const crc = sum?.end() ?? null
      if (crc !== null) builder.setCrc32(crc)
      else builder.bodyEnd?.()
      sum = null
    },
    anomaly: anomaly => builder.anomaly(anomaly),
  }
}

function trailing(bytes: number): Pick<Anomaly, 'kind' | 'text' | 'path'> {
  return {
    kind: 'trailing-garbage',
    path: null,
    text: `${bytes} bytes of rubbish behind the end of the compressed layer`,
  }
}

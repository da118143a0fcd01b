/**
 * The index of a layer from its packed table of contents, and where the pieces of its files are. The table must have the
 * digest that the manifest names. Runs here or on a worker thread.
 */
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { Fault } from '../../base/errors.ts'
import type { Digest } from '../../image/types.ts'
import type { LayerIndex } from '../../layer/layer-index.ts'
import { TarScanner } from '../../layer/tar-scanner.ts'
import { type ChunkTaker, type TocFormat, tocReader } from '../../layer/toc.ts'
import type { Control } from '../cancel.ts'
import { keepVouched } from '../index-cache.ts'
import { LayerSink } from '../index-region.ts'
import { createInflate } from '../inflate.ts'

export interface TocJob {
  /** For errors: "layer 3 (1234…) of registry/name". */
  name: string
  /** Index of the layer, for its anomalies. */
  layer: number
  format: TocFormat
  /** The table as it is stored. */
  packed: Uint8Array
  digest: Digest
  /** Where to keep the index; null: nowhere. */
  keep: string | null
}

export interface TocIndex {
  index: LayerIndex
  /** Of the layer's tar-split, where the table has lost bytes of names and there is one that has them. */
  better: Digest | null
}

/** Plain, more than of any layer that could be shown: three million files. */
const MAX_PLAIN = 768 << 20
const PIECE = 32 << 10

/** What the index from a table is kept as: by what the table is, so that nobody who lies about a layer spoils another's. */
export function tocKey(format: TocFormat, digest: Digest): string {
  return `${digest} of ${format}`
}

/** @throws Fault when the table is not the one that the manifest names, or is broken. */
export async function indexToc(job: TocJob, control: Control, onChunks?: ChunkTaker): Promise<TocIndex> {
  const { name, layer, format, packed, digest, keep } = job
  const what = `The table of contents of ${name}`
  const builder = new LayerSink({ name, hash: false, layer })
  const reader = tocReader(format, builder, what, onChunks)
  const hash = createHash('sha256')
  let plainBytes = 0
  let found = false
  const plain = (chunk: Uint8Array) => {
    plainBytes += chunk.length
    if (plainBytes > MAX_PLAIN) throw new Fault(`${what} is larger than any that is read.`)
    if (format === 'estargz') hash.update(chunk)
    reader.push(chunk)
  }
  // In eStargz it is the one file of a tar.
  const scanner = new TarScanner(
    {
      entry(entry) {
        found = Buffer.from(entry.path).toString('latin1') === 'stargz.index.json'
      },
      body: (chunk, start, end) => found && plain(chunk.subarray(start, end)),
    },
    { name: what },
  )
  const sink = format === 'estargz' ? (chunk: Uint8Array) => scanner.push(chunk) : plain
  const compare = () => {
    const actual = `sha256:${hash.digest('hex')}`
    if (actual !== digest) throw new Fault(`${what} has the digest ${actual}; the manifest says ${digest}.`)
  }
  if (format === 'zstd-chunked') {
    hash.update(packed)
    compare()
  }
  const inflate = createInflate(format === 'estargz' ? 'gzip' : 'zstd', sink, { name: what })
  try {
    for (let at = 0; at < packed.length; at += PIECE) {
      control.check()
      const done = inflate.push(packed.subarray(at, at + PIECE))
      if (done) await done
      // Whoever draws on this thread gets a turn.
      if (at > 0) await setImmediate()
      control.progress(at, packed.length)
    }
    await inflate.end()
  } finally {
    inflate.close()
  }
  if (format === 'estargz') {
    scanner.end()
    compare()
  }
  const { lossy, tarSplitDigest } = reader.end()
  const better = lossy ? tarSplitDigest : null
  const index = builder.finish({ tarBytes: 0, diffId: null })
  if (keep !== null && better === null) keepVouched(keep, tocKey(format, digest), index, layer === 0)
  return { index, better }
}

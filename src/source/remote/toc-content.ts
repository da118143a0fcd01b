/**
 * The content of a file of a layer that carries a table of contents: only the pieces that hold what is asked for come
 * over the network, each compared with its digest before any of it is handed out (large ones behind it).
 */
import { createHash } from 'node:crypto'
import { Fault } from '../../base/errors.ts'
import { safeBytes } from '../../base/text.ts'
import type { TocChunk } from '../../layer/toc.ts'
import { cancelled } from '../cancel.ts'
import { createInflate } from '../inflate.ts'

export interface TocFile {
  path: Uint8Array
  size: number
  chunks: readonly TocChunk[]
}

export interface TocReading {
  /** Of the layer, for errors. */
  name: string
  compression: 'gzip' | 'zstd'
  /** Part of the blob. */
  part(from: number, to: number): Promise<AsyncIterable<Uint8Array>>
  /** Where the pieces that begin at these offsets of the blob end. */
  endOf(offset: number): number
  /** Bytes of the content. */
  start: number
  end: number
  signal?: AbortSignal | undefined
}

/** A piece up to so many bytes is compared before it is handed out. */
const MOST_HELD = 32 << 20
const ZEROS = 256 << 10
/** Pieces further apart than this are asked for by themselves. */
const GAP = 64 << 10

/** @throws Fault when the pieces do not make up the file, or one is not what its digest says. */
export async function* readTocFile(file: TocFile, reading: TocReading): AsyncGenerator<Uint8Array> {
  const { start, signal } = reading
  const end = Math.min(reading.end, file.size)
  const wanted = checked(file, reading.name).filter(one => one.start < end && one.start + one.size > start)
  for (const run of runsOf(wanted, reading)) {
    const stored = run.filter(one => !one.zeros)
    const from = stored[0]?.offset ?? 0
    const bytes =
      stored.length === 0 ? null : byteReader(await reading.part(from, endOf(stored.at(-1)!, reading)), from)
    try {
      for (const chunk of run) {
        const content = chunk.zeros ? zerosOf(chunk.size) : contentOf(chunk, bytes!, file, reading)
        let at = chunk.start
        for await (const piece of content) {
          if (signal?.aborted) throw cancelled()
          const first = Math.max(0, start - at)
          const last = Math.min(piece.length, end - at)
          if (last > first) yield piece.subarray(first, last)
          at += piece.length
        }
      }
    } finally {
      await bytes?.close()
    }
  }
}

/** The pieces, if they lie behind one another and make up the file. */
function checked({ path, size, chunks }: TocFile, name: string): readonly TocChunk[] {
  let at = 0
  for (const chunk of chunks) {
    if (chunk.start !== at || chunk.size <= 0) break
    at += chunk.size
  }
  if (at === size) return chunks
  throw new Fault(`${name}: the table of contents does not say where all of “${safeBytes(path)}” is.`)
}

/** Pieces whose bytes lie behind one another in the blob, and come in one answer. */
function* runsOf(chunks: readonly TocChunk[], reading: TocReading): Generator<TocChunk[]> {
  let run: TocChunk[] = []
  for (const chunk of chunks) {
    const last = run.at(-1)
    const gap = last === undefined ? 0 : chunk.offset - endOf(last, reading)
    if (last !== undefined && (gap < 0 || gap > GAP)) {
      yield run
      run = []
    }
    run.push(chunk)
  }
  if (run.length > 0) yield run
}

function endOf(chunk: TocChunk, { endOf }: TocReading): number {
  return chunk.end ?? endOf(chunk.offset)
}

async function* zerosOf(size: number): AsyncGenerator<Uint8Array> {
  for (let left = size; left > 0; left -= ZEROS) yield new Uint8Array(Math.min(left, ZEROS))
}

async function* contentOf(
  chunk: TocChunk,
  bytes: ByteReader,
  { path }: TocFile,
  reading: TocReading,
): AsyncGenerator<Uint8Array> {
  const { name, compression } = reading
  if (chunk.digest === null) throw new Fault(`${name}: nothing vouches for the content of “${safeBytes(path)}”.`)
  const hash = createHash('sha256')
  let skip = chunk.inner
  let left = chunk.size
  let plain: Uint8Array[] = []
  const inflate = createInflate(
    compression,
    piece => {
      const from = Math.min(skip, piece.length)
      const to = Math.min(piece.length, from + left)
      skip -= from
      left -= to - from
      if (to === from) return
      hash.update(piece.subarray(from, to))
      plain.push(new Uint8Array(piece.subarray(from, to)))
    },
    { name },
  )
  const broken = (why: string) => new Fault(`${name}: the content of “${safeBytes(path)}” ${why}.`)
  try {
    for await (const packed of bytes.between(chunk.offset, endOf(chunk, reading))) {
      await inflate.push(packed)
      if (left === 0) break
      if (chunk.size <= MOST_HELD) continue
      yield* plain
      plain = []
    }
  } finally {
    inflate.close()
  }
  if (left > 0) throw broken(`is ${left} bytes short`)
  if (`sha256:${hash.digest('hex')}` !== chunk.digest) throw broken('is not what its digest says')
  yield* plain
}

interface ByteReader {
  /** The bytes between two positions of the blob; those before the first are passed over. */
  between(from: number, to: number): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

/** A part of a blob that is read in order, in stretches. */
function byteReader(chunks: AsyncIterable<Uint8Array>, begin: number): ByteReader {
  const coming = chunks[Symbol.asyncIterator]()
  let at = begin
  let held: Uint8Array = new Uint8Array(0)
  return {
    async *between(from, to) {
      while (at < to) {
        if (held.length === 0) {
          const next = await coming.next()
          if (next.done) return
          held = next.value
        }
        const skipped = Math.min(held.length, Math.max(0, from - at))
        const taken = Math.min(held.length - skipped, Math.max(0, to - at - skipped))
        const piece = held.subarray(skipped, skipped + taken)
        held = held.subarray(skipped + taken)
        at += skipped + taken
        if (piece.length > 0) yield piece
      }
    },
    async close() {
      await coming.return?.(undefined)
    },
  }
}

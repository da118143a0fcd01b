/**
 * A blob into an open file, from where the file ends: what is cut is gone on with, what stalls is given up, and never more
 * is taken than the blob is to have.
 */
import { writev } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { Fault } from '../../base/errors.ts'
import { formatBytes, formatDuration } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { Digest } from '../../image/types.ts'
import { doneWith } from './collect.ts'
import { Lost } from './faults.ts'
import type { BlobStream, Limits, Registry } from './types.ts'

export interface BlobToFetch {
  digest: Digest
  size: number
  /** Open to be appended to. */
  to: number
  /** Bytes that it has already. */
  from: number
  limits: Limits
  signal?: AbortSignal | undefined
  /** So many bytes are in the file. */
  onBytes(done: number): void
  /** The transfer was cut, and will be gone on with in so many milliseconds. */
  onRetry?: ((why: string, pause: number) => void) | undefined
}

/** As much is written at once. */
const PIECE = 512 << 10

/** @throws Fault when it can not be had whole; what has come stays in the file. */
export async function fetchBlob(registry: Registry, blob: BlobToFetch): Promise<void> {
  const { digest, size, limits, signal } = blob
  let at = blob.from
  // What brings a good part of the blob each time may be cut as often as it likes: that has an end.
  const worth = Math.max(PIECE, size / 64)
  for (let tried = 1, before = at; at < size; ) {
    try {
      const stream = await registry.blob(digest, { from: at, signal })
      at = await take(stream, { ...blob, from: at }, done => {
        at = done
        blob.onBytes(done)
      })
    } catch (error) {
      if (!(error instanceof Lost) || signal?.aborted) throw error
      tried = at - before >= worth ? 1 : tried + 1
      before = at
      if (tried > limits.tries) throw error
      const pause = limits.pause * 2 ** (tried - 1)
      blob.onRetry?.(`${error.message.replace(/\.$/, '')}; going on in ${formatDuration(pause)}`, pause)
      await setTimeout(pause, undefined, { signal })
    }
  }
}

/** Gives how long the file has become. Of an answer that begins before it what is there already is passed over. */
async function take(stream: BlobStream, { size, to, from, digest }: BlobToFetch, onBytes: (done: number) => void) {
  const name = `The blob ${safe(digest)}`
  let over = from - stream.from
  let at = from
  let waiting: Uint8Array[] = []
  let bytes = 0
  let writing: Promise<void> = Promise.resolve()
  const flush = async () => {
    await writing
    const [pieces, end] = [waiting, at]
    waiting = []
    bytes = 0
    writing = writeAll(to, pieces).then(() => onBytes(end))
    writing.catch(() => {})
  }
  try {
    if (stream.size !== null && stream.size !== size)
      throw new Fault(
        `${name} is to have ${formatBytes(size)}, and the registry sends one of ${formatBytes(stream.size)} (${size} and ${stream.size} bytes).`,
      )
    for await (const batch of stream.batches()) {
      for (const chunk of batch) {
        const piece = over > 0 ? chunk.subarray(Math.min(over, chunk.length)) : chunk
        over -= chunk.length - piece.length
        if (at + piece.length > size)
          throw new Fault(`${name} is to have ${formatBytes(size)}, and the registry sends more.`)
        waiting.push(piece)
        at += piece.length
        bytes += piece.length
      }
      if (bytes >= PIECE) await flush()
    }
    if (at < size)
      throw new Lost(`The registry sent ${formatBytes(at)} of the ${formatBytes(size)} of ${name.toLowerCase()}.`)
    return at
  } finally {
    stream.close()
    // What has come is kept, whatever came after it.
    await flush()
    await writing
  }
}

async function writeAll(fd: number, pieces: Uint8Array[]): Promise<void> {
  let left = pieces
  while (left.length > 0) {
    const written = await new Promise<number>((resolve, reject) => {
      writev(fd, left, (error, bytes) => (error ? reject(error) : resolve(bytes)))
    })
    left = rest(left, written)
  }
  doneWith(pieces.reduce((sum, piece) => sum + piece.length, 0))
}

function rest(pieces: Uint8Array[], bytes: number): Uint8Array[] {
  let left = bytes
  for (const [at, piece] of pieces.entries()) {
    if (left < piece.length) return [piece.subarray(left), ...pieces.slice(at + 1)]
    left -= piece.length
  }
  return []
}

/**
 * One blob of a registry, read from its beginning and never further than somebody asks. Kept in a temporary file without
 * a name it can be read again by position, and what a broken off reading brought is not asked for twice.
 */
import { createHash, type Hash } from 'node:crypto'
import { closeSync, constants, existsSync, openSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { Fault } from '../../base/errors.ts'
import type { Digest } from '../../image/types.ts'
import { cancelled } from '../cancel.ts'
import { type Region, readChunks } from '../region.ts'
import { openSpool, spoolWriter } from '../spool-writer.ts'
import type { Blobs } from './blobs.ts'

export interface FarBlob {
  /** All of its bytes, in order: those that are kept already, then the rest as it comes. */
  chunks(signal?: AbortSignal): AsyncIterable<Uint8Array>
  /** Its bytes by position; keeps them. They come when they are waited for. */
  region(): Region
  /** Bytes that would have to come for all of it to be there. */
  missing(): number
  close(): Promise<void>
}

export interface FarBlobOptions {
  blobs: Blobs
  digest: Digest
  size: number
  /** Of the layer, for errors. */
  name: string
  /** Where the temporary file goes where that can be written. */
  folder: string | null
  /** Keep what passes by, so that it can be read again. */
  keep: boolean
}

interface Kept {
  fd: number
  write(chunk: Uint8Array): void
  have: number
  hash: Hash
}

/** Room that is left to others on the device. */
const RESERVE = 1 << 30

/** Whether so many bytes may be kept for the sake of what somebody might want to read. */
export function hasRoom(folder: string | null, bytes: number): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder !== null && existsSync(folder) ? folder : tmpdir())
    return bavail * bsize > bytes + RESERVE
  } catch {
    return false
  }
}

/** A blob that the native store has: the same without anything that comes. */
export function storedBlob(path: string, size: number): FarBlob {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW)
  const region = () => ({ fd, start: 0, size })
  return {
    chunks: signal => readChunks(region(), 0, size, signal),
    region,
    missing: () => 0,
    close: async () => closeSync(fd),
  }
}

export function farBlob({ blobs, digest, size, name, folder, keep }: FarBlobOptions): FarBlob {
  const stopped = new AbortController()
  let kept: Kept | null = null
  let coming: AsyncIterator<Uint8Array> | null = null
  let turn: Promise<void> = Promise.resolve()

  function keeping(): Kept {
    if (kept === null) {
      const fd = openSpool(folder)
      const writer = spoolWriter(fd, name)
      const write = (chunk: Uint8Array) => {
        writer.write(chunk)
        writer.end(kept!.have + chunk.length)
      }
      kept = { fd, write, have: 0, hash: createHash('sha256') }
    }
    return kept
  }

  /** Fetches until the bytes before `end` are kept. What all of it is must be what was asked for. */
  async function advance(end: number, signal?: AbortSignal): Promise<void> {
    const into = keeping()
    while (into.have < Math.min(end, size)) {
      if (signal?.aborted || stopped.signal.aborted) throw cancelled()
      coming ??= blobs.stream({ digest, size }, into.have, stopped.signal)[Symbol.asyncIterator]()
      const next = await coming.next().catch((error: unknown) => {
        coming = null
        throw error
      })
      if (next.done) throw new Fault(`${name} breaks off after ${into.have} of ${size} bytes.`)
      into.write(next.value)
      into.hash.update(next.value)
      into.have += next.value.length
      if (into.have === size) compare(into.hash)
    }
  }

  function compare(hash: Hash): void {
    coming = null
    if (!digest.startsWith('sha256:')) return
    const actual = `sha256:${hash.digest('hex')}`
    if (actual !== digest) throw new Fault(`${name} is not what the registry was asked for: its digest is ${actual}.`)
  }

  /** One at a time: whoever reads shares one stream. */
  function ready(end: number, signal?: AbortSignal): Promise<void> {
    const mine = turn.then(() => advance(end, signal))
    turn = mine.catch(() => {})
    return mine
  }

  const region = (): Region => ({ fd: keeping().fd, start: 0, size, ready })

  return {
    chunks(signal) {
      if (keep || kept !== null) return readChunks(region(), 0, size, signal)
      const both = signal ? AbortSignal.any([signal, stopped.signal]) : stopped.signal
      return blobs.stream({ digest, size }, 0, both)
    },
    region,
    missing: () => size - (kept?.have ?? 0),
    async close() {
      stopped.abort()
      await turn
      await coming?.return?.(undefined)
      if (kept !== null) closeSync(kept.fd)
      kept = null
    },
  }
}

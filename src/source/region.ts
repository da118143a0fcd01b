/**
 * A stretch of bytes in an open file: a whole archive, a blob in it, a layer. Files are opened once, by their owner;
 * everyone else reads by position, threads included, so that no path is ever resolved twice.
 */
import { read, readSync } from 'node:fs'
import { promisify } from 'node:util'
import { cancelled } from './cancel.ts'

export interface Region {
  fd: number
  /** Where it begins in the file, bytes. */
  start: number
  /** Its length, bytes; what is claimed, the file may be shorter. */
  size: number
  /**
   * Only where the bytes come into being on demand (a spool): resolves when those before `end` are there, or when there
   * are no more.
   */
  ready?: ((end: number, signal?: AbortSignal) => Promise<void>) | undefined
}

/** A part of a region, its bounds cut to it. */
export function part(region: Region, start: number, size: number): Region {
  const from = Math.min(start, region.size)
  const ready = region.ready
  return {
    fd: region.fd,
    start: region.start + from,
    size: Math.min(size, region.size - from),
    ...(ready ? { ready: (end: number, signal?: AbortSignal) => ready(from + end, signal) } : {}),
  }
}

/** Reads from `position` of the region into `into`; gives how many bytes there were, fewer only at the end. Blocks. */
export function readInto(region: Region, position: number, into: Uint8Array): number {
  const wanted = Math.min(into.length, region.size - position)
  let filled = 0
  while (filled < wanted) {
    const got = readSync(region.fd, into, filled, wanted - filled, region.start + position + filled)
    if (got === 0) break
    filled += got
  }
  return filled
}

/** The first `length` bytes of a region, fewer where it is shorter. Blocks. */
export function headOf(region: Region, length: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(0, Math.min(length, region.size)))
  return bytes.subarray(0, readInto(region, 0, bytes))
}

const CHUNK = 256 << 10
const readAsync = promisify(read)

/** The bytes from `start` to `end` of a region in chunks of their own, without blocking. Ends early where the file does. */
export async function* readChunks(
  region: Region,
  start = 0,
  end: number = region.size,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const stop = Math.min(end, region.size)
  for (let at = start; at < stop; ) {
    if (signal?.aborted) throw cancelled()
    const into = new Uint8Array(Math.min(CHUNK, stop - at))
    if (region.ready) await region.ready(at + into.length, signal)
    const { bytesRead } = await readAsync(region.fd, into, 0, into.length, region.start + at)
    if (bytesRead === 0) return
    yield into.subarray(0, bytesRead)
    at += bytesRead
  }
}

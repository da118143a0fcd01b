/**
 * A file of any size, of which one stretch is in memory: opened at once, read where it is looked at. Offsets are bytes
 * of the file's content.
 */
import { Buffer } from 'node:buffer'
import type { Stack } from '../../../layer/stack.ts'
import type { Image } from '../../../source/types.ts'

export interface FileWindow {
  readonly size: number
  /** Where the stretch in memory begins, and its bytes. */
  start(): number
  bytes(): Uint8Array
  /** Whether everything within reach of an offset is in memory. */
  near(offset: number): boolean
  /** Reads the stretch around an offset. */
  load(offset: number): Promise<void>
  /** Any stretch, not kept. */
  read(start: number, end: number, signal?: AbortSignal): AsyncIterable<Uint8Array>
}

/** A file up to this size is in memory as a whole. */
const WHOLE = 2 << 20
/** What has to be in memory on both sides of the place that is looked at. */
export const REACH = 256 << 10
const BEHIND = 512 << 10

export function fileWindow(image: Image, stack: Stack, inode: number, signal: AbortSignal): FileWindow {
  const layer = stack.layerOf(inode)
  const entry = stack.indexOf(inode)
  const size = stack.sizeOf(inode)
  let start = 0
  let bytes: Uint8Array = new Uint8Array(0)
  const read = (from: number, to: number, stop: AbortSignal = signal) =>
    image.readFile(layer, entry, { start: from, end: to, signal: stop })
  return {
    size,
    start: () => start,
    bytes: () => bytes,
    near(offset) {
      const low = Math.max(0, offset - REACH)
      const high = Math.min(size, offset + REACH)
      return size === 0 || (bytes.length > 0 && low >= start && high <= start + bytes.length)
    },
    async load(offset) {
      const from = size <= WHOLE ? 0 : Math.max(0, Math.min(offset - BEHIND, size - WHOLE))
      const to = Math.min(size, from + WHOLE)
      const chunks: Uint8Array[] = []
      for await (const chunk of read(from, to)) chunks.push(chunk)
      const read_ = Buffer.concat(chunks)
      start = from
      bytes = read_.subarray(0, to - from)
    },
    read,
  }
}

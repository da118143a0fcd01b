/** The CRC-32 of a sparse file's content from its stored pieces as they come by: holes are summed as zeros. */
import { crc32 } from 'node:zlib'
import { type SparseMap, sparseFromBody } from '../layer/sparse.ts'

/**
 * Holes are hashed as the zeros that they are read as, up to here: of a larger sparse file, what is stored and where it
 * belongs is hashed instead. Nobody waits for the sum of a terabyte of nothing.
 */
const MAX_HOLES = 4 * 2 ** 30

/** No map of a real file is longer; one that is gets no sum. */
const MAX_MAP = 1 << 20

const zeros = new Uint8Array(256 << 10)

export interface SparseSum {
  /** The next bytes that are stored. */
  push(bytes: Uint8Array): void
  /** The sum; null when the stored bytes were no whole file. */
  end(): number | null
}

/** For a file whose map is known. */
export function sparseSum(size: number, pieces: readonly number[]): SparseSum {
  const compact = size > MAX_HOLES
  let sum = compact ? crc32(new Uint8Array(Float64Array.from(pieces).buffer)) : 0
  let piece = 0
  let logical = 0
  let left = 0

  function hole(until: number): void {
    if (!compact)
      for (let gap = until - logical; gap > 0; gap -= zeros.length)
        sum = crc32(zeros.subarray(0, Math.min(gap, zeros.length)), sum)
    logical = until
  }
  function nextPiece(): boolean {
    while (left === 0 && piece < pieces.length) {
      hole(pieces[piece]!)
      left = pieces[piece + 1]!
      piece += 2
    }
    return left > 0
  }

  return {
    push(bytes) {
      for (let at = 0; at < bytes.length && nextPiece(); ) {
        const taken = Math.min(left, bytes.length - at)
        sum = crc32(bytes.subarray(at, at + taken), sum)
        at += taken
        left -= taken
        logical += taken
      }
    },
    end() {
      if (nextPiece()) return null
      hole(size)
      return sum
    },
  }
}

/** The same for a body as the scanner hands it out: of PAX format 1.0 the map stands at its start. */
export function sparseBodySum({ size, pieces }: SparseMap, stored: number): SparseSum {
  let head: Uint8Array | null = pieces === null ? new Uint8Array(0) : null
  let sum = pieces === null ? null : sparseSum(size, pieces)
  return {
    push(bytes) {
      if (sum !== null) return sum.push(bytes)
      if (head === null) return
      head = Buffer.concat([head, bytes])
      const map = sparseFromBody(head, size, stored)
      if (map === null) {
        if (head.length > MAX_MAP) head = null
        return
      }
      if (head.length < map.used) return
      sum = sparseSum(size, map.map.pieces!)
      sum.push(head.subarray(map.used))
      head = null
    },
    end: () => sum?.end() ?? null,
  }
}

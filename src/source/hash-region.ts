/** CRC-32 of the contents of some files of a plain layer tar, by offset. */
import { crc32 } from 'node:zlib'
import { Fault } from '../base/errors.ts'
import { safeBytes } from '../base/text.ts'
import type { Control } from './cancel.ts'
import { type Region, readInto } from './region.ts'
import { locateBody, stretches } from './tar-body.ts'

export interface HashJob {
  region: Region
  /** Where the entries' first headers stand in the tar, and the entries' paths. */
  offsets: Float64Array
  paths: Uint8Array[]
  name: string
}

const CHUNK = 256 << 10

/**
 * Holes are hashed as the zeros that they are read as, up to here: of a larger sparse file, what is stored and where it
 * belongs is hashed instead. Nobody waits for the sum of a terabyte of nothing.
 */
const MAX_HOLES = 4 * 2 ** 30

/** The sums, in the order of the offsets. Blocks. @throws Fault when the layer is not what was indexed any more. */
export function hashRegion({ region, offsets, paths, name }: HashJob, control: Control): Uint32Array {
  const sums = new Uint32Array(offsets.length)
  const chunk = new Uint8Array(CHUNK)
  const zeros = new Uint8Array(CHUNK)
  let done = 0
  for (let i = 0; i < offsets.length; i++) {
    const path = paths[i]!
    const truncated = () => new Fault(`${name} is truncated in “${safeBytes(path)}”.`)
    const body = locateBody(region, offsets[i]!, path, name)
    if (body === null) throw truncated()
    const compact = body.pieces !== null && body.size > MAX_HOLES
    let sum = compact ? crc32(new Uint8Array(Float64Array.from(body.pieces!).buffer)) : 0
    for (const stretch of stretches(body, 0, body.size)) {
      if ('zeros' in stretch) {
        if (compact) continue
        for (let left = stretch.zeros; left > 0; left -= CHUNK) {
          control.check()
          sum = crc32(zeros.subarray(0, Math.min(left, CHUNK)), sum)
        }
        continue
      }
      for (let at = stretch.at, end = at + stretch.length; at < end; ) {
        control.check()
        const piece = chunk.subarray(0, Math.min(end - at, CHUNK))
        if (readInto(region, at, piece) < piece.length) throw truncated()
        sum = crc32(piece, sum)
        at += piece.length
        done += piece.length
      }
    }
    sums[i] = sum
    control.progress(done, null)
  }
  return sums
}

/** CRC-32 of the contents of some files of a plain layer tar, by offset. */
import { crc32 } from 'node:zlib'
import { Fault } from '../base/errors.ts'
import { safeBytes } from '../base/text.ts'
import type { Control } from './cancel.ts'
import { type Region, readInto } from './region.ts'
import { sparseSum } from './sparse-sum.ts'
import { type Body, locateBody } from './tar-body.ts'

export interface HashJob {
  region: Region
  /** Where the entries' first headers stand in the tar, and the entries' paths. */
  offsets: Float64Array
  paths: Uint8Array[]
  name: string
}

const CHUNK = 256 << 10

/** The sums, in the order of the offsets. Blocks. @throws Fault when the layer is not what was indexed any more. */
export function hashRegion({ region, offsets, paths, name }: HashJob, control: Control): Uint32Array {
  const sums = new Uint32Array(offsets.length)
  const chunk = new Uint8Array(CHUNK)
  let done = 0
  for (let i = 0; i < offsets.length; i++) {
    const path = paths[i]!
    const truncated = () => new Fault(`${name} is truncated in “${safeBytes(path)}”.`)
    const body = locateBody(region, offsets[i]!, path, name)
    if (body === null) throw truncated()
    let crc = 0
    const sparse = body.pieces === null ? null : sparseSum(body.size, body.pieces)
    const end = body.start + storedBytes(body)
    for (let at = body.start; at < end; ) {
      control.check()
      const piece = chunk.subarray(0, Math.min(end - at, CHUNK))
      if (readInto(region, at, piece) < piece.length) throw truncated()
      if (sparse === null) crc = crc32(piece, crc)
      else sparse.push(piece)
      at += piece.length
      done += piece.length
    }
    const sum = sparse === null ? crc : sparse.end()
    if (sum === null) throw truncated()
    sums[i] = sum
    control.progress(done, null)
  }
  return sums
}

function storedBytes({ size, pieces }: Body): number {
  return pieces === null ? size : pieces.reduce((sum, length, at) => sum + (at % 2 === 1 ? length : 0), 0)
}

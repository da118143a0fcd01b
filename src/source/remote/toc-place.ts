/**
 * Where in a layer's blob its table of contents is, and what vouches for it: the annotations of the layer in the
 * manifest, and the footer of the blob where they do not say all. A table that the manifest names no digest of is not
 * looked for: nobody could tell whether it is the image's.
 */
import { isDigest } from '../../image/is-digest.ts'
import type { Digest } from '../../image/types.ts'
import type { TocFormat } from '../../layer/toc.ts'

/** A table of contents that the manifest promises. */
export interface TocClaim {
  format: TocFormat
  /** Of the table: of its plain bytes with eStargz, of its packed ones with zstd:chunked. */
  digest: Digest
  /** Where it is; null: the footer of the blob tells. */
  place: TocPlace | null
  /** Where the tar-split of the layer is, which the table names the digest of; null: there is none. */
  split: TocPlace | null
}

export interface TocPlace {
  offset: number
  /** Packed. */
  bytes: number
}

/** Packed, more than of any layer that could be shown. */
export const MAX_TOC = 128 << 20

/** So much of the end of a blob holds any footer. */
export const FOOTER = 72

/** null: the layer has none that could be trusted. */
export function tocClaim(annotations: Record<string, unknown>): TocClaim | null {
  const text = (name: string) => (typeof annotations[name] === 'string' ? (annotations[name] as string) : '')
  const stargz = text('containerd.io/snapshot/stargz/toc.digest')
  if (isSha256(stargz)) return { format: 'estargz', digest: stargz, place: null, split: null }
  for (const prefix of ['io.github.containers.zstd-chunked', 'io.containers.zstd-chunked']) {
    const digest = text(`${prefix}.manifest-checksum`)
    if (!isSha256(digest)) continue
    const position = /^(\d{1,15}):(\d{1,10}):\d{1,15}:1$/.exec(text(`${prefix}.manifest-position`))
    const split = /^(\d{1,15}):(\d{1,10}):\d{1,15}$/.exec(text(`${prefix}.tarsplit-position`))
    return { format: 'zstd-chunked', digest, place: placeIn(position), split: placeIn(split) }
  }
  return null
}

function placeIn(numbers: RegExpExecArray | null): TocPlace | null {
  return numbers && { offset: Number(numbers[1]), bytes: Number(numbers[2]) }
}

/** What the end of a blob of `size` bytes says; null: it has no footer of the format, or one that can not be. */
export function placeInFooter(format: TocFormat, end: Uint8Array, size: number): TocPlace | null {
  const bytes = Buffer.from(end.buffer, end.byteOffset, end.length)
  return sound(format === 'estargz' ? stargzFooter(bytes, size) : chunkedFooter(bytes), size)
}

/** The place, if it lies within a blob of `size` bytes and is of a size that is read. */
export function sound(place: TocPlace | null, size: number): TocPlace | null {
  return place && place.bytes > 0 && place.bytes <= MAX_TOC && place.offset + place.bytes <= size ? place : null
}

/** An empty gzip member with the offset in its extra field: 51 bytes, 47 in stargz before. */
function stargzFooter(end: Buffer, size: number): TocPlace | null {
  for (const [length, at, head] of [
    [51, 16, 'SG\x16\x00'],
    [47, 12, ''],
  ] as const) {
    const footer = end.subarray(-length)
    if (footer.length < length || footer.readUInt16BE(0) !== 0x1f8b) continue
    if (footer.toString('latin1', 12, 12 + head.length) !== head) continue
    const field = /^([0-9a-f]{16})STARGZ$/.exec(footer.toString('latin1', at, at + 22))
    if (field === null) continue
    const offset = Number.parseInt(field[1]!, 16)
    return { offset, bytes: size - length - offset }
  }
  return null
}

/** The last numbers of the blob, 40 bytes of them or 64, in a frame that decoders skip. Its magic was changed once. */
function chunkedFooter(end: Buffer): TocPlace | null {
  const magic = end.toString('latin1', end.length - 8)
  if (magic !== 'GnUlInUx' && magic !== 'GNUlInUx') return null
  for (const length of [64, 40]) {
    const frame = end.subarray(-length - 8)
    if (frame.length < length + 8 || frame.readUInt32LE(0) !== 0x184d2a50 || frame.readUInt32LE(4) !== length) continue
    const [offset, bytes, , type] = [0, 8, 16, 24].map(at => Number(frame.readBigUInt64LE(8 + at)))
    return type === 1 && Number.isSafeInteger(offset! + bytes!) ? { offset: offset!, bytes: bytes! } : null
  }
  return null
}

function isSha256(text: string): boolean {
  return text.startsWith('sha256:') && isDigest(text)
}

/** What some bytes are, told by the bytes themselves and never by a name or a media type. */
import { checkBlock } from '../layer/tar-numbers.ts'

export type Compression = 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2'

/** How many bytes `compressionOf` and `looksLikeTar` want to see: one tar block. */
export const SNIFF_BYTES = 512

/**
 * How the bytes that begin with `head` are compressed; `none` when no magic number is known. A valid tar header comes
 * first: a name may begin with any bytes.
 */
export function compressionOf(head: Uint8Array): Compression {
  if (looksLikeTar(head)) return 'none'
  if (begins(head, 0x1f, 0x8b, 0x08)) return 'gzip'
  if (begins(head, 0x28, 0xb5, 0x2f, 0xfd)) return 'zstd'
  // A skippable frame (RFC 8878, 3.1.2) may come before the first real one.
  if (head[0] !== undefined && (head[0] & 0xf0) === 0x50 && begins(head.subarray(1), 0x2a, 0x4d, 0x18)) return 'zstd'
  if (begins(head, 0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) return 'xz'
  if (begins(head, 0x42, 0x5a, 0x68) && head[3]! >= 0x31 && head[3]! <= 0x39) return 'bzip2'
  return 'none'
}

/** Whether a block is a tar header, or the zeros that an empty tar consists of. */
export function looksLikeTar(head: Uint8Array): boolean {
  return head.length >= SNIFF_BYTES && checkBlock(head, 0, null) >= 0
}

/** Whether the first byte that is no white space can begin a JSON text that concerns us: an object, an array, null. */
export function looksLikeJson(head: Uint8Array): boolean {
  const first = head.find(byte => byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d)
  return first === 0x7b || first === 0x5b || first === 0x6e
}

function begins(bytes: Uint8Array, ...magic: number[]): boolean {
  return magic.every((byte, at) => bytes[at] === byte)
}

/** Number fields of tar headers: octal text as POSIX has it, or GNU's base-256 for what does not fit. */

/**
 * The value of the field at `block[start, start + length)`; NaN when it is no number, negative when base-256 says so.
 * Values beyond 2^53 come out inexact, which callers refuse by their own bounds.
 */
export function tarNumber(block: Uint8Array, start: number, length: number): number {
  const first = block[start]!
  if (first & 0x80) return base256(block, start, length)
  const end = start + length
  let i = start
  while (i < end && (block[i] === 0x20 || block[i] === 0)) i++
  let value = 0
  for (; i < end; i++) {
    const digit = block[i]! - 0x30
    if (digit < 0 || digit > 7) break
    value = value * 8 + digit
  }
  for (; i < end; i++)
    if (block[i] !== 0x20 && block[i] !== 0) return blockIsBlankAfterNul(block, i, start) ? value : Number.NaN
  return value
}

/** Some writers leave rubbish behind the terminating NUL of a field; everyone reads up to it. */
function blockIsBlankAfterNul(block: Uint8Array, at: number, start: number): boolean {
  for (let i = at - 1; i > start; i--) if (block[i] === 0) return block[i - 1]! >= 0x30 && block[i - 1]! <= 0x37
  return false
}

function base256(block: Uint8Array, start: number, length: number): number {
  const negative = (block[start]! & 0x40) !== 0
  let value = negative ? -1 : 0
  for (let i = 0; i < length; i++) {
    let byte = block[start + i]!
    if (i === 0) byte = negative ? byte | 0x80 : byte & 0x7f
    value = i === 0 ? (negative ? byte - 256 : byte) : value * 256 + byte
  }
  return value
}

/**
 * The header's checksum as every tar writer counts it: the sum of all bytes with the checksum field as spaces. Some
 * old writers summed signed bytes; both are accepted. Returns 0 for a block of zeros only, so that the scanner learns
 * both from one look; else 1 when the stored sum agrees and -1 when it does not.
 */
export function checkBlock(block: Uint8Array, at: number, words: Int32Array | null): -1 | 0 | 1 {
  let sum = 0
  if (words !== null) {
    // Two bytes of a word go into each 16-bit half: 128 words x 2 x 255 stays below 65536, so halves never mix.
    let halves = 0
    const first = at >>> 2
    for (let i = first; i < first + 128; i++) {
      const word = words[i]!
      halves = (halves + (word & 0x00ff00ff) + ((word >>> 8) & 0x00ff00ff)) | 0
    }
    sum = (halves & 0xffff) + (halves >>> 16)
  } else for (let i = at; i < at + 512; i++) sum += block[i]!
  if (sum === 0) return 0
  for (let i = at + 148; i < at + 156; i++) sum += 0x20 - block[i]!
  const stored = tarNumber(block, at + 148, 8)
  if (stored === sum) return 1
  let signed = 0
  for (let i = at; i < at + 512; i++) signed += i >= at + 148 && i < at + 156 ? 0x20 : (block[i]! << 24) >> 24
  return stored === signed ? 1 : -1
}

/** Deflate streams (RFC 1951) written bit by bit: what no compressor writes. */

export interface Bits {
  /** A number, its lowest bit first: everything but codes. */
  number(value: number, bits: number): Bits
  /** A Huffman code, given as text, its first bit first. */
  code(code: string): Bits
  /** Zeros up to the next byte. */
  align(): Bits
  bytes(): Buffer
}

export function bits(): Bits {
  const out: number[] = []
  let filled = 0
  const put = (bit: number) => {
    if (filled % 8 === 0) out.push(0)
    out[out.length - 1]! |= bit << (filled % 8)
    filled++
  }
  const self: Bits = {
    number(value, count) {
      for (let i = 0; i < count; i++) put((value >>> i) & 1)
      return self
    },
    code(code) {
      for (const bit of code) put(Number(bit))
      return self
    },
    align() {
      while (filled % 8 !== 0) put(0)
      return self
    },
    bytes: () => Buffer.from(out),
  }
  return self
}

const order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

/**
 * The header of a dynamic block, the last one, whose code lengths are these. Each length is written as it is, with codes
 * of four or five bits.
 */
export function dynamicHeader(litlens: number[], offsets: number[]): Bits {
  const header = bits()
    .number(1, 1)
    .number(2, 2)
    .number(litlens.length - 257, 5)
    .number(offsets.length - 1, 5)
    .number(15, 4)
  // 13 lengths of four bits and 6 of five fill the code space: 0 to 12 and 13 to 18.
  for (const symbol of order) header.number(symbol < 13 ? 4 : 5, 3)
  for (const length of [...litlens, ...offsets]) header.code(lengthCode(length))
  return header
}

/** The code of a code length, or of a repetition (16, 17, 18), in `dynamicHeader`. */
export function lengthCode(symbol: number): string {
  return symbol < 13 ? symbol.toString(2).padStart(4, '0') : (symbol + 13).toString(2).padStart(5, '0')
}

/** The code of a literal or length in a block of fixed codes. */
export function fixedCode(symbol: number): string {
  if (symbol < 144) return (0x30 + symbol).toString(2).padStart(8, '0')
  if (symbol < 256) return (0x190 + symbol - 144).toString(2)
  if (symbol < 280) return (symbol - 256).toString(2).padStart(7, '0')
  return (0xc0 + symbol - 280).toString(2)
}

/** A block of fixed codes, the last one, begun. */
export function fixedBlock(): Bits {
  return bits().number(1, 1).number(1, 2)
}

/** CRC-64/GO-ISO, which tar-split keeps of every file's content: polynomial 0xD800000000000000, reflected, inverted. */

/** A running CRC-64; `folded` is its two halves in one, as an index keeps it. */
export class Crc64 {
  #high = 0xffffffff
  #low = 0xffffffff

  constructor() {
    makeTables()
  }

  update(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
    let high = this.#high
    let low = this.#low
    let at = start
    // Four bytes a turn: they are xored into the low half at once, and the high half moves down by 32 bits.
    for (; at + 4 <= end; at += 4) {
      low ^= bytes[at] | (bytes[at + 1] << 8) | (bytes[at + 2] << 16) | (bytes[at + 3] << 24)
      const a = low & 255
      const b = 256 + ((low >>> 8) & 255)
      const c = 512 + ((low >>> 16) & 255)
      const d = 768 + (low >>> 24)
      low = high ^ lows[d] ^ lows[c] ^ lows[b] ^ lows[a]
      high = highs[d] ^ highs[c] ^ highs[b] ^ highs[a]
    }
    for (; at < end; at++) {
      const entry = 768 + ((low ^ bytes[at]) & 255)
      low = ((low >>> 8) | (high << 24)) ^ lows[entry]
      high = (high >>> 8) ^ highs[entry]
    }
    this.#high = high
    this.#low = low
  }

  /** The value as two unsigned halves. */
  get value(): { high: number; low: number } {
    return { high: ~this.#high >>> 0, low: ~this.#low >>> 0 }
  }

  get folded(): number {
    return (this.#high ^ this.#low) >>> 0
  }
}

/** Tables for the first to the last of four bytes: what a byte becomes on its way through those behind it. */
const highs = new Int32Array(1024)
const lows = new Int32Array(1024)

let made = false

/** They are made when they are first needed, which is seldom. */
function makeTables(): void {
  if (made) return
  made = true
  for (let byte = 0; byte < 256; byte++) {
    let high = 0
    let low = byte
    for (let table = 768; table >= 0; table -= 256) {
      for (let bit = 0; bit < 8; bit++) {
        const odd = low & 1
        low = (low >>> 1) | (high << 31)
        high = (high >>> 1) ^ (odd ? 0xd8000000 : 0)
      }
      highs[table + byte] = high
      lows[table + byte] = low
    }
  }
}

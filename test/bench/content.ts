/** Bytes and names for the bench: the same on every machine, and about as compressible as an ordinary image. */
import { Buffer } from 'node:buffer'

/** Numbers in 0..1, always the same for a seed (mulberry32). */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Longer than the window of every compressor, so that what is cut from it does not repeat within one. */
const POOL_BYTES = 48 << 20
const WORDS = 4096

/** Text and binary stretches in turns: gzip makes a bit more than two fifths of it. */
export function makePool(seed = 1): Buffer {
  const random = randomNumbers(seed)
  const pool = Buffer.allocUnsafe(POOL_BYTES)
  const words = Array.from({ length: WORDS }, () => {
    const length = 2 + Math.floor(random() ** 2 * 10)
    return Buffer.from(Array.from({ length }, () => 97 + Math.floor(random() ** 1.5 * 26)))
  })
  let at = 0
  while (at < POOL_BYTES) {
    const end = Math.min(at + 2000 + Math.floor(random() * 30_000), POOL_BYTES)
    if (random() < 0.12) {
      while (at < end) pool[at++] = Math.floor(random() * 256)
      continue
    }
    while (at < end) {
      const word = words[Math.floor(random() ** 2 * WORDS)]
      at += word.copy(pool, at, 0, Math.min(word.length, end - at))
      if (at < end) pool[at++] = random() < 0.12 ? 10 : 32
    }
  }
  return pool
}

/** A path some folders deep, the same for the same number; `spread` numbers share a folder. */
export function pathOf(number: number, spread = 10): string {
  const folder = Math.floor(number / spread)
  const top = ['usr', 'opt', 'srv', 'var'][folder % 4]
  return `${top}/lib/package-${folder % 331}/module${Math.floor(folder / 331)}/part-${(number * 7919) % 100_003}.js`
}

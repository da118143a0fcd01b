/** Searching in the content of a file as it streams by: memory does not grow with the file. */
import { Buffer } from 'node:buffer'

export interface Needle {
  bytes: Buffer
  /** Capital letters matter. */
  exact: boolean
  /** As it was typed. */
  text: string
}

/** `0x7f45` are bytes; anything else is text, exact when it has a capital letter. null for nothing to look for. */
export function parseNeedle(text: string): Needle | null {
  if (text === '') return null
  const hex = /^0x((?:[0-9a-f]{2})+)$/i.exec(text)
  if (hex) return { bytes: Buffer.from(hex[1]!, 'hex'), exact: true, text }
  const exact = text !== text.toLowerCase()
  return { bytes: Buffer.from(text, 'utf8'), exact, text }
}

/** The offset of the first place from `offset` on, -1 when there is none. Offsets count from the stream's beginning. */
export async function firstIn(
  stream: AsyncIterable<Uint8Array>,
  needle: Needle,
  onProgress: (bytes: number) => void = () => {},
): Promise<number> {
  for await (const at of placesIn(stream, needle, onProgress)) return at
  return -1
}

/** The last place in a stream, -1 when there is none. */
export async function lastIn(
  stream: AsyncIterable<Uint8Array>,
  needle: Needle,
  onProgress: (bytes: number) => void = () => {},
): Promise<number> {
  let last = -1
  for await (const at of placesIn(stream, needle, onProgress)) last = at
  return last
}

async function* placesIn(
  stream: AsyncIterable<Uint8Array>,
  { bytes, exact }: Needle,
  onProgress: (bytes: number) => void,
): AsyncGenerator<number> {
  const wanted = exact ? bytes : lowered(bytes)
  let tail: Buffer = Buffer.alloc(0)
  let base = 0
  for await (const chunk of stream) {
    const joined = Buffer.concat([tail, exact ? chunk : lowered(chunk)])
    for (let at = joined.indexOf(wanted); at >= 0; at = joined.indexOf(wanted, at + 1)) yield base + at
    const keep = Math.min(joined.length, wanted.length - 1)
    tail = joined.subarray(joined.length - keep)
    base += joined.length - keep
    onProgress(base + keep)
  }
}

/** ASCII letters in small. */
function lowered(bytes: Uint8Array): Buffer {
  const copy = Buffer.from(bytes)
  for (let at = 0; at < copy.length; at++) if (copy[at]! >= 0x41 && copy[at]! <= 0x5a) copy[at]! += 32
  return copy
}

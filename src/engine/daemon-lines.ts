/** A stream of JSON values, one a line, as engines tell events and samples. */
import type { Readable } from 'node:stream'

/** The values as they come. A line that is no JSON, or longer than `most` bytes, is passed over: it never fills memory. */
export async function* jsonLines(stream: Readable, most = 1 << 20): AsyncGenerator<unknown> {
  let parts: Buffer[] = []
  let bytes = 0
  const take = () => {
    const line = bytes <= most ? Buffer.concat(parts).toString('utf8') : ''
    parts = []
    bytes = 0
    return valueIn(line)
  }
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let from = 0
    for (;;) {
      const end = chunk.indexOf(lineEnd, from)
      const part = chunk.subarray(from, end < 0 ? chunk.length : end)
      bytes += part.length
      if (bytes <= most) parts.push(part)
      else parts = []
      if (end < 0) break
      const value = take()
      if (value !== undefined) yield value
      from = end + 1
    }
  }
  const last = take()
  if (last !== undefined) yield last
}

const lineEnd = 10

function valueIn(line: string): unknown {
  if (line.trim() === '') return undefined
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

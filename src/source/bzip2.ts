/** bzip2 streams, by way of the block decoder of unbzip2-stream: its own stream gathers whole blocks byte by byte. */
import bitIterator from 'unbzip2-stream/lib/bit_iterator.js'
import decoder from 'unbzip2-stream/lib/bzip2.js'
import type { Inflate, Sink } from './inflate.ts'

/** A block's tables on top of its data, at most: the decoder pulls its input and can not wait for more. */
const SLACK = 25_000
const OUTPUT = 64 << 10

export function bunzip2(sink: Sink): Inflate {
  const queue: Uint8Array[] = []
  const out = new Uint8Array(OUTPUT)
  let filled = 0
  let pushed = 0
  let streams = 0
  let garbage = 0
  let level = 0
  let streamCrc: number | null = 0
  let table = new Int32Array(0)
  const bits = lazily(() =>
    bitIterator(() => {
      const next = queue.shift()
      if (next === undefined) throw new Error('it is truncated')
      return next
    }),
  )

  function emit(byte: number): void {
    out[filled++] = byte
    if (filled < OUTPUT) return
    filled = 0
    sink(out)
  }
  function flush(): void {
    if (filled > 0) sink(out.subarray(0, filled))
    filled = 0
  }
  /** A stream's header, one block, or a stream's end. */
  function step(): void {
    if (level === 0) {
      const at = bits().bytesRead
      try {
        level = decoder.header(bits())
      } catch (error) {
        if (streams === 0) throw error
        garbage = pushed - at
        queue.length = 0
        return
      }
      streamCrc = 0
      if (table.length < level * 100_000) table = new Int32Array(level * 100_000)
      return
    }
    streamCrc = decoder.decompress(bits(), emit, table, level * 100_000, streamCrc ?? 0)
    if (streamCrc !== null) return
    level = 0
    streams++
  }

  return {
    push(chunk) {
      pushed += chunk.length
      if (garbage > 0) garbage += chunk.length
      if (garbage > 0 || chunk.length === 0) return
      queue.push(chunk.slice())
      while (garbage === 0 && pushed - bits().bytesRead > SLACK + level * 100_000) step()
      flush()
    },
    end() {
      while (garbage === 0 && pushed > bits().bytesRead) step()
      flush()
      if (level !== 0 || streams === 0) throw new Error('it is truncated')
    },
    close() {
      queue.length = 0
    },
    get garbage() {
      return garbage
    },
  }
}

function lazily<T>(make: () => T): () => T {
  let made: T | undefined
  return () => (made ??= make())
}

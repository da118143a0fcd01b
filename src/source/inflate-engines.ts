/** The ways to decode the data of a gzip member or of zstd frames: our addon, and two with Node's zlib. */
import { createInflateRaw, createZstdDecompress } from 'node:zlib'
import type { Span } from './frames.ts'
import type { Sink } from './inflate.ts'
import type { NativeInflate } from './native-inflate.ts'

export interface Engine {
  /** Decodes a span; gives how many of its bytes it took. Fewer than all: the deflate stream ended there. */
  write(span: Span): number | Promise<number>
  /** Makes ready for the next gzip member. */
  reset(): void
  close(): void
}

/** Output comes in pieces of at most so many bytes: what fits the cache, measured. */
const OUTPUT = 256 << 10

/** Gzip members by the addon, on the calling thread. */
export function addonEngine(addon: NativeInflate, sink: Sink): Engine {
  const state = new Uint8Array(addon.decoderBytes)
  const counts = new Uint32Array(state.buffer, 0, 2)
  const window = addon.windowBytes
  const out = new Uint8Array(window + OUTPUT)
  return {
    write({ bytes, start, end }) {
      let at = start
      for (;;) {
        const why = addon.inflate(state, bytes, at, end, out)
        if (why !== undefined) throw new Error(why)
        at += counts[0]!
        const made = counts[1]!
        if (made > 0) sink(out.subarray(window, window + made))
        if (made < OUTPUT) return at - start
      }
    },
    reset: () => void state.fill(0),
    close() {},
  }
}

/** The parts of a zlib stream that are not public: the handle of the binding, and what it left of input and output. */
interface Innards {
  _handle: {
    writeSync(flush: 0, from: Uint8Array, at: number, length: number, to: Uint8Array, toAt: number, room: number): void
    reset(): void
    onerror: (message: string, errno: number, code: string) => void
  }
  /** Room left in the output, bytes left of the input. */
  _writeState: Uint32Array
}

/** Drives the binding of zlib without streams, on the calling thread. */
export function bindingEngine(format: 'gzip' | 'zstd', sink: Sink): Engine {
  const stream = format === 'gzip' ? createInflateRaw() : createZstdDecompress()
  const { _handle: handle, _writeState: state } = stream as unknown as Innards
  const out = new Uint8Array(new ArrayBuffer(OUTPUT))
  let failure: string | null = null
  handle.onerror = message => {
    failure = message
  }
  return {
    write({ bytes, start, end }) {
      let at = start
      for (;;) {
        handle.writeSync(0, bytes, at, end - at, out, 0, OUTPUT)
        if (failure !== null) throw new Error(failure)
        const room = state[0]!
        at = end - state[1]!
        if (room < OUTPUT) sink(room === 0 ? out : out.subarray(0, OUTPUT - room))
        if (room > 0) return at - start
      }
    },
    reset: () => handle.reset(),
    close: () => stream.close(),
  }
}

/** The same with public streams: slower, off the calling thread, and there in every Node. */
export function streamEngine(format: 'gzip' | 'zstd', sink: Sink): Engine {
  let failure: Error | null = null
  let stream = open()

  function open() {
    const made =
      format === 'gzip' ? createInflateRaw({ chunkSize: OUTPUT }) : createZstdDecompress({ chunkSize: OUTPUT })
    made.on('error', error => {
      failure ??= error
    })
    made.on('data', (chunk: Uint8Array) => {
      try {
        if (failure === null) sink(chunk)
      } catch (error) {
        failure = error as Error
      }
    })
    return made
  }

  return {
    async write({ bytes, start, end }) {
      const before = stream.bytesWritten
      const current = stream
      await new Promise<void>(resolve => {
        current.once('close', resolve)
        // The decoder keeps the buffer until it is done with it, and then everything it made has been handed out.
        current.write(bytes.subarray(start, end), () => {
          current.off('close', resolve)
          setImmediate(resolve)
        })
      })
      while (failure === null && current.readableLength > 0) await new Promise(resolve => setImmediate(resolve))
      if (failure !== null) throw failure
      return current.bytesWritten - before
    },
    reset() {
      stream.destroy()
      stream = open()
    },
    close: () => void stream.destroy(),
  }
}

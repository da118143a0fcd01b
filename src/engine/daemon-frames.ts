/**
 * Several streams in one connection, as Docker multiplexes a container's output without a terminal: frames of
 * `[stream, 0, 0, 0, length (4 bytes, big endian)]` and that many bytes. Nothing is kept but an unfinished header.
 */
import { Fault } from '../base/errors.ts'

export type FrameStream = 'stdout' | 'stderr'

export interface FrameSink {
  /** A frame begins. */
  start?(stream: FrameStream): void
  /** Some bytes of it. */
  bytes(stream: FrameStream, chunk: Buffer): void
}

/**
 * A function that takes the connection's bytes in any pieces. It throws a Fault where there is no frame, and where the
 * engine tells an error of its own instead of output.
 */
export function frameReader(sink: FrameSink): (chunk: Buffer) => void {
  const header = Buffer.alloc(8)
  let headerBytes = 0
  let stream: FrameStream | 'error' = 'stdout'
  let left = 0
  let error = ''
  return chunk => {
    let at = 0
    while (at < chunk.length) {
      if (left === 0) {
        const taken = Math.min(8 - headerBytes, chunk.length - at)
        chunk.copy(header, headerBytes, at, at + taken)
        headerBytes += taken
        at += taken
        if (headerBytes < 8) return
        headerBytes = 0
        stream = streamOf(header)
        left = header.readUInt32BE(4)
        if (stream === 'error') error = ''
        else sink.start?.(stream)
        continue
      }
      const piece = chunk.subarray(at, at + left)
      at += piece.length
      left -= piece.length
      if (stream !== 'error') sink.bytes(stream, piece)
      else {
        error = (error + piece.toString('utf8')).slice(0, 1000)
        if (left === 0 || error.length === 1000)
          throw new Fault('The engine stopped the output.', { hint: error.trim() })
      }
    }
  }
}

/** 0 is standard input, which Docker shows as output; 3 is the engine itself. */
function streamOf(header: Buffer): FrameStream | 'error' {
  const [kind, ...zeros] = header.subarray(0, 4)
  if (kind > 3 || zeros.some(byte => byte !== 0)) throw new Fault('The engine sent output that can not be read.')
  return kind === 3 ? 'error' : kind === 2 ? 'stderr' : 'stdout'
}

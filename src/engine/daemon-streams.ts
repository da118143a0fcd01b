/** A connection that was taken over, as a program's standard streams. Closing them closes it; nothing is left of it. */
import { type Duplex, Readable, Writable } from 'node:stream'
import { asFault } from '../base/errors.ts'
import { type FrameStream, frameReader } from './daemon-frames.ts'

export interface Streams {
  input: Writable | null
  output: Readable
  errors: Readable | null
  close(): void
  /** Resolves when the streams have ended; true: because they were closed here. */
  ended: Promise<boolean>
}

export interface StreamOptions {
  tty: boolean
  stdin: boolean
  /** What is given out before anything of the connection. */
  before?: AsyncIterable<{ stream: FrameStream; bytes: Buffer }> | null
}

/**
 * The streams. With a terminal all comes as `output`. Who reads slowly slows the program; both outputs want to be read.
 * A connection that is cut ends them with a Fault on `output`.
 */
export function openStreams(connection: Duplex, { tty, stdin, before = null }: StreamOptions): Streams {
  const full = new Set<Readable>()
  let goOn = () => {}
  const room = (stream: Readable) => {
    full.delete(stream)
    if (full.size === 0) goOn()
  }
  const reader = () => {
    const stream = new Readable({
      read: () => room(stream),
      destroy(error, done) {
        // One who wants no more of it does not hold up the other one.
        room(stream)
        done(error)
      },
    })
    return stream
  }
  const output = reader()
  const errors = tty ? null : reader()
  const input = stdin ? writerTo(connection) : null
  const give = (to: Readable, chunk: Buffer) => {
    if (to.destroyed || to.push(chunk)) return
    full.add(to)
    connection.pause()
  }
  const frames = frameReader({
    bytes: (stream: FrameStream, chunk) => give(stream === 'stderr' && errors ? errors : output, chunk),
  })
  const { promise: ended, resolve } = Promise.withResolvers<boolean>()
  let over = false
  const finish = (own: boolean, failure?: unknown) => {
    if (over) return
    over = true
    goOn()
    if (failure === undefined) output.push(null)
    else output.destroy(asFault(failure, 'The connection to the program was lost'))
    errors?.push(null)
    input?.destroy()
    connection.destroy()
    resolve(own)
  }
  const replay = async (lines: NonNullable<typeof before>) => {
    for await (const { stream, bytes } of lines) {
      if (over) return
      give(stream === 'stderr' && errors ? errors : output, bytes)
      if (full.size > 0) await new Promise<void>(resume => (goOn = resume))
    }
  }
  const live = () => {
    goOn = () => connection.resume()
    connection.on('data', chunk => {
      try {
        if (tty) give(output, chunk)
        else frames(chunk)
      } catch (error) {
        finish(false, error)
      }
    })
  }
  if (before === null) live()
  else replay(before).then(live, error => finish(false, error))
  connection.on('end', () => finish(false))
  connection.on('error', error => finish(false, error))
  connection.on('close', () => finish(false))
  // One that nobody listens to must not end this program.
  output.on('error', () => {})
  return { input, output, errors, ended, close: () => finish(true) }
}

/** Its end is the end of the program's input, and not of its output. */
function writerTo(connection: Duplex): Writable {
  const writer = new Writable({
    write: (chunk, _, done) => void connection.write(chunk, done),
    final: done => void connection.end(() => done()),
  })
  writer.on('error', () => {})
  return writer
}

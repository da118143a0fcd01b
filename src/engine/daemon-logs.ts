/** The log of a container of Docker or Podman, line by line. */
import { PassThrough, type Readable } from 'node:stream'
import { asFault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import type { Client } from './client.ts'
import type { LogLine, LogQuery } from './containers.ts'
import { containerPath } from './daemon-actions.ts'
import { frameReader } from './daemon-frames.ts'
import { type LogCutter, logCutter } from './daemon-log-lines.ts'
import { containerFactsShape } from './daemon-shapes.ts'

/**
 * Lines, oldest first. With `follow` until the container stops or the signal. With a terminal a line keeps its `\r`.
 * Podman leaves lines out of a flood that is followed (its own command line too), not at thousands a second.
 * Throws a Fault where the engine has no log of it (log driver `none`), and when the connection is lost.
 */
export async function* containerLogs(client: Client, id: string, query: LogQuery = {}): AsyncGenerator<LogLine> {
  const { follow = false, signal } = query
  const left = new AbortController()
  const name = containerPath(id)
  try {
    const both = signal ? AbortSignal.any([signal, left.signal]) : left.signal
    const tty = await hasTerminal(client, name, both)
    if (!follow || query.until !== undefined) return yield* linesOf(await logStream(client, name, query, both), tty)
    const told = lastMoment()
    for await (const line of linesOf(await logStream(client, name, query, both), tty)) {
      told.add(line)
      yield line
    }
    // Engines end the stream with the container, and not always after the last that it said.
    const since = told.time()
    if (since === null) return
    for await (const line of linesOf(await logStream(client, name, { since }, both), tty))
      if (!told.has(line)) yield line
  } catch (error) {
    if (signal?.aborted) return
    throw asFault(error, `${safe(client.endpoint.name)} stopped telling the log of ${name}`)
  } finally {
    left.abort()
  }
}

/** The lines of a log with times, as an engine sends it. */
export async function* linesOf(stream: Readable, tty: boolean): AsyncGenerator<LogLine> {
  const cutter = logCutter(tty)
  const frames = frameReader({ start: cutter.entry, bytes: cutter.bytes })
  const read = tty ? pieces(cutter) : frames
  // Podman cuts a terminal's lines anywhere and gives each part a time: where, only the pieces tell that it sends.
  const apart = tty ? stream.compose(new PassThrough({ objectMode: true })) : stream
  try {
    for await (const chunk of apart as AsyncIterable<Buffer>) {
      read(chunk)
      yield* cutter.take()
    }
  } catch (error) {
    // What came before the failure is true.
    yield* cutter.rest()
    throw error
  }
  yield* cutter.rest()
}

function pieces(cutter: LogCutter): (chunk: Buffer) => void {
  return chunk => {
    cutter.mayBegin('stdout')
    cutter.bytes('stdout', chunk)
  }
}

function logStream(
  client: Client,
  name: string,
  { follow, tail, since, until }: Omit<LogQuery, 'since' | 'signal'> & { since?: number | bigint | undefined },
  signal: AbortSignal,
): Promise<Readable> {
  return client.stream(`/containers/${name}/logs`, {
    query: {
      stdout: 1,
      stderr: 1,
      timestamps: 1,
      follow: follow ? 1 : 0,
      tail: tail === undefined ? 'all' : Math.max(0, Math.floor(tail)),
      since: typeof since === 'bigint' ? nanoseconds(since) : since?.toFixed(9),
      until: until?.toFixed(9),
    },
    signal,
  })
}

/** The lines of the last moment that an engine tells apart: with Podman that is a second. */
function lastMoment() {
  const lines = new Map<string, number>()
  let last: bigint | null = null
  const keyOf = ({ stream, bytes }: LogLine) =>
    stream + Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
  return {
    time: () => last,
    add(line: LogLine): void {
      if (line.time === null || (last !== null && line.time < last)) return
      if (line.time !== last) lines.clear()
      last = line.time
      const key = keyOf(line)
      if (lines.size < momentMost) lines.set(key, (lines.get(key) ?? 0) + 1)
    },
    /** Each line that was added once: it was told already. */
    has(line: LogLine): boolean {
      const key = keyOf(line)
      const count = line.time === last ? (lines.get(key) ?? 0) : 0
      if (count > 0) lines.set(key, count - 1)
      return count > 0
    },
  }
}

/** Lines of one moment that are remembered. */
const momentMost = 50_000

function nanoseconds(time: bigint): string {
  return `${time / 1_000_000_000n}.${String(time % 1_000_000_000n).padStart(9, '0')}`
}

/** Whether it has a terminal: then its output comes as it is, in one stream. */
export async function hasTerminal(client: Client, name: string, signal?: AbortSignal): Promise<boolean> {
  return (await client.get(`/containers/${name}/json`, containerFactsShape, { signal })).tty
}

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
 * Throws a Fault where the engine has no log of it (log driver `none`), and when the connection is lost.
 */
export async function* containerLogs(client: Client, id: string, query: LogQuery = {}): AsyncGenerator<LogLine> {
  const { follow = false, signal } = query
  const left = new AbortController()
  const name = containerPath(id)
  try {
    const both = signal ? AbortSignal.any([signal, left.signal]) : left.signal
    const tty = await hasTerminal(client, name, both)
    let last: bigint | null = null
    for await (const line of linesOf(await logStream(client, name, query, both), tty)) {
      if (line.time !== null && (last === null || line.time > last)) last = line.time
      yield line
    }
    // Docker sometimes ends the stream before it has sent what a container said at its very end.
    if (!follow || last === null || query.until !== undefined || client.kind === 'podman') return
    const after = { since: last + 1n }
    yield* linesOf(await logStream(client, name, after, both), tty)
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

function nanoseconds(time: bigint): string {
  return `${time / 1_000_000_000n}.${String(time % 1_000_000_000n).padStart(9, '0')}`
}

/** Whether it has a terminal: then its output comes as it is, in one stream. */
export async function hasTerminal(client: Client, name: string, signal?: AbortSignal): Promise<boolean> {
  return (await client.get(`/containers/${name}/json`, containerFactsShape, { signal })).tty
}

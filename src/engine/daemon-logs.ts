/** The log of a container of Docker or Podman, line by line. */
import type { Readable } from 'node:stream'
import { asFault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import type { Client } from './client.ts'
import type { LogLine, LogQuery } from './containers.ts'
import { containerPath } from './daemon-actions.ts'
import { frameReader } from './daemon-frames.ts'
import { logCutter } from './daemon-log-lines.ts'
import { containerFactsShape } from './daemon-shapes.ts'

/**
 * Lines, oldest first. With `follow` until the container stops or the signal. With a terminal a line keeps its `\r`.
 * Throws a Fault where the engine has no log of it (log driver `none`), and when the connection is lost.
 */
export async function* containerLogs(client: Client, id: string, query: LogQuery = {}): AsyncGenerator<LogLine> {
  const { follow = false, tail, since, until, signal } = query
  const left = new AbortController()
  const name = containerPath(id)
  try {
    const both = signal ? AbortSignal.any([signal, left.signal]) : left.signal
    const tty = await hasTerminal(client, name, both)
    const stream = await client.stream(`/containers/${name}/logs`, {
      query: {
        stdout: 1,
        stderr: 1,
        timestamps: 1,
        follow: follow ? 1 : 0,
        tail: tail === undefined ? 'all' : Math.max(0, Math.floor(tail)),
        since: since?.toFixed(9),
        until: until?.toFixed(9),
      },
      signal: both,
    })
    yield* linesOf(stream, tty)
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
  const read = tty ? (chunk: Buffer) => cutter.bytes('stdout', chunk) : frames
  try {
    for await (const chunk of stream as AsyncIterable<Buffer>) {
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

/** Whether it has a terminal: then its output comes as it is, in one stream. */
export async function hasTerminal(client: Client, name: string, signal?: AbortSignal): Promise<boolean> {
  return (await client.get(`/containers/${name}/json`, containerFactsShape, { signal })).tty
}

/** The body of an answer as chunks that come in bounded time and memory. */
import type { IncomingMessage } from 'node:http'
import { Fault } from '../../base/errors.ts'
import { formatBytes, formatDuration } from '../../base/sizes.ts'
import { Lost } from './faults.ts'
import type { Limits } from './types.ts'

/** More than that is not taken in before somebody takes it over. */
const AHEAD = 256 << 10

/** The chunks of an answer, as many as have come. Time counts only while somebody waits for the next ones. */
export async function* watched(
  response: IncomingMessage,
  name: string,
  limits: Limits,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array[]> {
  let batch: Uint8Array[] = []
  let bytes = 0
  let failure: unknown = null
  let ended = false
  let wake = () => {}
  response.on('data', (chunk: Buffer) => {
    batch.push(chunk)
    bytes += chunk.length
    if (bytes >= AHEAD) response.pause()
    wake()
  })
  response.on('end', () => {
    ended = true
    wake()
  })
  const cut = (error?: Error) => {
    const lost = () => new Lost(`The connection to ${name} was cut.`, { cause: error })
    failure ??= signal?.aborted ? signal.reason : error instanceof Fault ? error : lost()
    wake()
  }
  response.on('error', cut)
  response.on('close', () => ended || cut())
  let waiting = false
  let waited = 0
  let came = 0
  const late = () =>
    waiting && response.destroy(new Lost(`${name} has sent nothing for ${formatDuration(limits.idle)}.`))
  const timer = setTimeout(late, limits.idle)
  try {
    for (;;) {
      if (bytes === 0 && !ended && failure === null) {
        waiting = true
        timer.refresh()
        const start = performance.now()
        await new Promise<void>(resolve => {
          wake = resolve
        })
        waiting = false
        waited += performance.now() - start
      }
      if (bytes === 0 && failure !== null) throw failure
      if (bytes === 0 && ended) return
      came += bytes
      if (waited > limits.idle) {
        if (came < limits.slowest)
          throw new Lost(`${name} sends too slowly: ${formatBytes(came)} in ${formatDuration(waited)}.`)
        waited = 0
        came = 0
      }
      const taken = batch
      batch = []
      bytes = 0
      if (response.isPaused()) response.resume()
      if (taken.length > 0) yield taken
    }
  } finally {
    clearTimeout(timer)
    if (!response.complete) response.destroy()
  }
}

/** One container's log, read for as long as somebody wants it: through its ends, its starts and the loss of its engine. */
import { setTimeout as delay } from 'node:timers/promises'
import { reasonOf } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { ContainerEngine, LogLine } from '../../engine/containers.ts'

/** Whose log. */
export interface LogTarget {
  id: string
  name: string
  /** null while there is no connection. */
  engine(): ContainerEngine | null
  /** Whether it runs, as far as is known; without it a log that ends has ended for good. */
  runs?(): boolean
  /** Calls when one of these may have changed; gives the function that ends it. */
  onChange?(changed: () => void): () => void
}

/** Where a log begins: with its last lines, at a moment (seconds since 1970), or with its first line. */
export interface LogBegin {
  tail?: number
  since?: number
}

/** `reading`: the first lines are on their way. `following`: more may come. `ended`: it does not run. Else why not, a sentence. */
export type LogState = 'reading' | 'following' | 'ended' | { trouble: string }

export interface LogEars {
  /** Awaited, where it gives a promise: nothing more is read before. */
  line(line: LogLine): void | Promise<void>
  state(state: LogState): void
  signal: AbortSignal
}

/** Milliseconds until a log that ended is tried again while its container is said to run. */
const FIRST_RETRY = 1_000
const LAST_RETRY = 30_000

/** Reads until the signal, or until the end where no `onChange` could tell that it goes on. Never rejects. */
export async function readLog(target: LogTarget, begin: LogBegin, ears: LogEars): Promise<void> {
  const { signal } = ears
  const told = lastTold()
  let retryIn = FIRST_RETRY
  while (!signal.aborted) {
    const engine = target.engine()
    let state: LogState = { trouble: 'Its engine is lost.' }
    if (engine) {
      try {
        for await (const line of engine.containers.logs(target.id, { follow: true, signal, ...told.query(begin) })) {
          if (signal.aborted) return
          if (told.has(line)) continue
          retryIn = FIRST_RETRY
          const taken = ears.line(line)
          if (taken) await taken
        }
        state = 'ended'
      } catch (error) {
        state = { trouble: safe(reasonOf(error)) }
      }
    }
    if (signal.aborted) return
    ears.state(state)
    if (!target.onChange) return
    await goesOn(target, engine, retryIn, signal)
    retryIn = Math.min(retryIn * 2, LAST_RETRY)
    if (!signal.aborted) ears.state('following')
  }
}

/** Until there is reason to read on: another engine, or one that runs. */
async function goesOn(target: LogTarget, engine: ContainerEngine | null, retryIn: number, signal: AbortSignal) {
  const runs = () => target.runs?.() ?? false
  const wait = new AbortController()
  const both = AbortSignal.any([signal, wait.signal])
  const stopped = !runs()
  const deaf = target.onChange?.(() => {
    const now = target.engine()
    if (now !== null && (now !== engine || (stopped && runs()))) wait.abort()
  })
  try {
    const now = target.engine()
    if (now !== null && now !== engine) return
    // It was started again so fast that nobody saw it stand still; or its end has not been told yet.
    while (!both.aborted) {
      await delay(retryIn, undefined, { signal: both }).catch(() => {})
      if (runs() && target.engine() !== null) return
    }
  } finally {
    deaf?.()
  }
}

/** What has been told of a log, so that reading on repeats nothing. */
function lastTold() {
  let last: bigint | null = null
  /** Lines of that very moment: Podman tells no more than seconds. */
  let count = 0
  let again = 0
  return {
    query(begin: LogBegin): LogBegin {
      again = count
      // A microsecond early: a number of seconds is not as fine as the engines' times.
      return last === null ? begin : { since: Number(last) / 1e9 - 1e-6 }
    },
    has({ time }: LogLine): boolean {
      if (time === null) return false
      if (last !== null && time < last && again > 0) return true
      if (time === last && again > 0) {
        again--
        return true
      }
      again = 0
      if (time !== last) count = 0
      last = time
      count++
      return false
    },
  }
}

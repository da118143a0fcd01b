/**
 * Several logs as one, by time. A line waits until every other log has said something later, has been silent for a while,
 * or has ended; so what comes late by less than that is still put in its place, and no log holds up the others for longer.
 */

/** What is merged. */
export interface Timed {
  source: number
  /** null: as late as the line before it. */
  time: number | null
}

export interface Merge<T extends Timed> {
  /** A promise where enough is waiting already: of the same log nothing more should come before it resolves. */
  add(line: T): void | Promise<void>
  /** Nothing of this one is waited for, until it says something. */
  rest(source: number): void
  close(): void
}

export interface MergeOptions<T> {
  sources: number
  emit(line: T): void
  /** Milliseconds of silence after which a log is not waited for. */
  window?: number
  /** The same for one that has said nothing at all yet. */
  patience?: number
  /** Lines of one log that may wait. */
  most?: number
  now?(): number
}

interface Queue<T> {
  waiting: T[]
  /** How many of them are gone already. */
  taken: number
  /** When it spoke last; Infinity: nothing is waited for. */
  heard: number
  /** Milliseconds of silence that it is given. */
  patience: number
  last: number
  wake: (() => void) | null
}

export function createMerge<T extends Timed>(options: MergeOptions<T>): Merge<T> {
  const { sources, emit, window = 150, patience = 1_000, most = 4_000, now = () => performance.now() } = options
  const queues = Array.from(
    { length: sources },
    (): Queue<T> => ({
      waiting: [],
      taken: 0,
      heard: now(),
      patience,
      last: Number.NEGATIVE_INFINITY,
      wake: null,
    }),
  )
  let timer: NodeJS.Timeout | null = null
  let closed = false

  const flush = () => {
    if (closed) return
    if (timer) clearTimeout(timer)
    timer = null
    for (;;) {
      const next = earliest()
      if (!next) return
      const silence = blockedFor()
      if (silence > 0) {
        timer = setTimeout(flush, silence)
        return
      }
      take(next)
    }
  }
  const earliest = (): Queue<T> | null => {
    let found: Queue<T> | null = null
    for (const queue of queues) {
      if (queue.taken === queue.waiting.length) continue
      if (!found || timeOf(queue) < timeOf(found)) found = queue
    }
    return found
  }
  const timeOf = (queue: Queue<T>) => queue.waiting[queue.taken]!.time ?? queue.last
  /** Milliseconds until nobody who has nothing waiting is waited for. */
  const blockedFor = () => {
    const moment = now()
    let longest = 0
    for (const queue of queues) {
      if (queue.taken < queue.waiting.length || queue.heard === Number.POSITIVE_INFINITY) continue
      longest = Math.max(longest, queue.heard + queue.patience - moment)
    }
    return longest
  }
  const take = (queue: Queue<T>) => {
    const line = queue.waiting[queue.taken]!
    queue.taken++
    queue.last = line.time ?? queue.last
    if (queue.taken === queue.waiting.length || queue.taken > 1024) {
      queue.waiting = queue.waiting.slice(queue.taken)
      queue.taken = 0
    }
    if (queue.wake && queue.waiting.length - queue.taken < most / 2) {
      queue.wake()
      queue.wake = null
    }
    emit(line)
  }

  return {
    add(line) {
      const queue = queues[line.source]!
      queue.waiting.push(line)
      queue.heard = now()
      queue.patience = window
      if (!timer) timer = setTimeout(flush, 0)
      if (queue.waiting.length - queue.taken < most) return
      flush()
      if (queue.waiting.length - queue.taken < most) return
      return new Promise<void>(resolve => {
        queue.wake = resolve
      })
    },
    rest(source) {
      queues[source]!.heard = Number.POSITIVE_INFINITY
      flush()
    },
    close() {
      closed = true
      if (timer) clearTimeout(timer)
      for (const queue of queues) queue.wake?.()
    },
  }
}

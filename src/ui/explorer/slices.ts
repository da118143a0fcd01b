/**
 * Long pure work on the thread that draws, in slices: a generator yields often, and whoever drives it stops at a yield
 * when its time is over, so that a key never waits for the rest. Small work is finished within the first slice.
 */

/** A computation that may be left and taken up again at every `yield`. */
export type Sliced<T> = Generator<void, T, void>

/** Runs a sliced computation to its end at once: for tests and for what is known to be small. */
export function runNow<T>(work: Sliced<T>): T {
  for (;;) {
    const step = work.next()
    if (step.done) return step.value
  }
}

/** What the driver needs of the world; tests hand in their own. */
export interface Slicer {
  /** Milliseconds of a clock that never jumps. */
  now(): number
  /** Calls back after the events that wait have been handled. */
  later(callback: () => void): void
}

export const realSlicer: Slicer = {
  now: () => performance.now(),
  later: callback => void setImmediate(callback),
}

/**
 * Runs the work, the first slice at once: `done` is called before this returns when that was enough. Each slice takes
 * about `budget` milliseconds. The returned function drops the work: neither `done` nor `failed` is called after it.
 */
export function runSliced<T>(
  work: Sliced<T>,
  done: (result: T) => void,
  options: { failed?: (error: unknown) => void; budget?: number; slicer?: Slicer } = {},
): () => void {
  const { budget = 6, slicer = realSlicer } = options
  let dropped = false
  const slice = () => {
    if (dropped) return
    const until = slicer.now() + budget
    try {
      do {
        const step = work.next()
        if (!step.done) continue
        dropped = true
        done(step.value)
        return
      } while (slicer.now() < until)
    } catch (error) {
      dropped = true
      if (!options.failed) throw error
      options.failed(error)
      return
    }
    slicer.later(slice)
  }
  slice()
  return () => {
    dropped = true
  }
}

/** Stopping work that runs on another thread: a flag in shared memory that it looks at between two chunks. */
import { Fault } from '../base/errors.ts'

/** What a job on any thread sees of the one who wants its result. */
export interface Control {
  /** @throws Fault when nobody wants the result any more. */
  check(): void
  /** Tells how far it is, in bytes. */
  progress(done: number, total: number | null): void
}

export function cancelled(): Fault {
  return new Fault('Cancelled.', { exitCode: 130 })
}

/** For work on the same thread. */
export function controlOf(
  signal?: AbortSignal,
  onProgress?: (progress: { done: number; total: number | null }) => void,
): Control {
  return {
    check() {
      if (signal?.aborted) throw cancelled()
    },
    progress: (done, total) => onProgress?.({ done, total }),
  }
}

/** For work on another thread: `flag` is shared memory of four bytes. */
export function flagControl(flag: SharedArrayBuffer, progress: Control['progress']): Control {
  const view = new Int32Array(flag)
  return {
    check() {
      if (Atomics.load(view, 0) !== 0) throw cancelled()
    },
    progress,
  }
}

/** Calls `stop` when the signal is given; `dispose` stops listening. */
export function onAbort(signal: AbortSignal | undefined, stop: () => void): { dispose(): void } {
  if (signal?.aborted) stop()
  signal?.addEventListener('abort', stop, { once: true })
  return { dispose: () => signal?.removeEventListener('abort', stop) }
}

/** Long work that the person may watch and cancel: its progress on the bottom line, its failure in a dialog. */
import type { StoreApi } from 'zustand/vanilla'
import { isAbort } from '../base/errors.ts'
import type { Progress, Work } from '../base/progress.ts'
import type { UiState } from './ui.ts'

export interface Tasks {
  work<T>(title: string, run: (work: Required<Work>) => Promise<T>): Promise<T | undefined>
  /** Aborts the newest; false when there is none. */
  cancel(): boolean
  cancelAll(): void
}

/** Progress is shown so often at most; milliseconds. */
const PACE = 100
/** How fast a rate follows: the share of the newest measurement. */
const SMOOTHING = 0.3

/** Keeps the tasks in the store; what fails goes to `fail`. */
export function createTasks(store: StoreApi<UiState>, fail: (error: unknown, doing: string) => void): Tasks {
  const running = new Map<number, AbortController>()
  let ids = 0

  const update = (id: number, change: Partial<Progress & { rate: number }>) =>
    store.setState(state => ({ tasks: state.tasks.map(task => (task.id === id ? { ...task, ...change } : task)) }))

  return {
    async work(title, run) {
      const id = ++ids
      const abort = new AbortController()
      running.set(id, abort)
      store.setState(state => ({ tasks: [...state.tasks, { id, title, done: 0, total: null, rate: 0 }] }))
      const pace = paced(change => update(id, change))
      try {
        const aborted = new Promise<never>((_, reject) => {
          abort.signal.addEventListener('abort', () => reject(abort.signal.reason), { once: true })
        })
        return await Promise.race([run({ signal: abort.signal, onProgress: pace.report }), aborted])
      } catch (error) {
        fail(abort.signal.aborted && !isAbort(error) ? abort.signal.reason : error, `${title} failed`)
        return undefined
      } finally {
        pace.stop()
        running.delete(id)
        store.setState(state => ({ tasks: state.tasks.filter(task => task.id !== id) }))
      }
    },
    cancel() {
      const newest = [...running.values()].at(-1)
      newest?.abort()
      return newest !== undefined
    },
    cancelAll() {
      for (const abort of running.values()) abort.abort()
    },
  }
}

/** Hands progress on at a bounded pace, the newest always in the end, with the rate that follows from it. */
function paced(show: (change: Progress & { rate: number }) => void): Pace {
  let shown: { at: number; done: number; rate: number } | null = null
  let newest: Progress | null = null
  let timer: NodeJS.Timeout | undefined
  const flush = () => {
    timer = undefined
    if (!newest) return
    const at = performance.now()
    const rate = shown ? follow(shown.rate, Math.max(0, ((newest.done - shown.done) / (at - shown.at)) * 1000)) : 0
    shown = { at, done: newest.done, rate }
    show({ ...newest, rate })
    newest = null
  }
  return {
    report(progress) {
      newest = progress
      if (shown) timer ??= setTimeout(flush, Math.max(1, shown.at + PACE - performance.now()))
      else flush()
    },
    stop: () => clearTimeout(timer),
  }
}

interface Pace {
  report(progress: Progress): void
  stop(): void
}

function follow(rate: number, measured: number): number {
  return rate === 0 ? measured : rate + SMOOTHING * (measured - rate)
}

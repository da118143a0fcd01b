/**
 * Worker threads for work that would block the thread that draws. They start when there is work, at most one a core and
 * no more than pay, take the largest job first, and end with their owner; an idle one never keeps the process alive.
 */
import { availableParallelism } from 'node:os'
import { type Transferable, Worker } from 'node:worker_threads'
import { Fault, reasonOf } from '../base/errors.ts'
import type { Work } from '../base/progress.ts'
import type { LayerIndex } from '../layer/layer-index.ts'
import { cancelled, onAbort } from './cancel.ts'
import type { Answer, Job, Result } from './jobs.ts'

export interface Pool {
  /**
   * Does a job on some thread. `weight` is how many bytes of plain tar it takes as long as; larger ones go first.
   * @throws what the job throws, as a Fault.
   */
  run<K extends Job['kind']>(
    job: Extract<Job, { kind: K }>,
    work?: Work & { weight?: number; transfer?: Transferable[] },
  ): Promise<Result[K]>
  /** Stops everything: running jobs fail as cancelled. Resolves when the threads are gone. */
  close(): Promise<void>
}

interface Task {
  job: Job
  weight: number
  work: Work
  transfer: Transferable[]
  flag: SharedArrayBuffer
  resolve(value: never): void
  reject(error: unknown): void
}

/**
 * A thread more is started for so much waiting work. Starting one and warming its code up costs 120 ms of CPU; on less
 * the first is done nearly as soon alone.
 */
const WORTH_A_THREAD = 768 << 20

/** Milliseconds that a thread stays when it has nothing to do: idle it holds 30 MB, starting another takes 30 ms. */
const LINGER = 100

export function createPool(threads: number = availableParallelism()): Pool {
  const queue: Task[] = []
  const idle: Worker[] = []
  const busy = new Map<Worker, Task>()
  let closed = false
  const endIdle = setTimeout(() => {
    for (const worker of idle.splice(0)) void worker.terminate()
  }, LINGER).unref()

  function next(): void {
    while (queue.length > 0 && (idle.length > 0 || mayHire())) start(idle.pop() ?? hire(), queue.shift()!)
  }

  function mayHire(): boolean {
    if (busy.size === 0 || busy.size >= threads) return busy.size === 0
    return queue.reduce((sum, task) => sum + task.weight, 0) > WORTH_A_THREAD
  }

  function start(worker: Worker, task: Task): void {
    busy.set(worker, task)
    worker.ref()
    worker.postMessage({ job: task.job, flag: task.flag }, task.transfer)
  }

  function hire(): Worker {
    // Its own source in the checkout, its own bundle beside main.js.
    const file = import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.js'
    const worker = new Worker(new URL(file, import.meta.url), {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      // What lives in a thread are columns outside its heap; a large nursery would only be resident memory.
      resourceLimits: { maxYoungGenerationSizeMb: 6 },
    })
    worker.on('message', (answer: Answer) => {
      const task = busy.get(worker)
      if (task === undefined) return
      if (answer.type === 'progress') return task.work.onProgress?.({ done: answer.done, total: answer.total })
      busy.delete(worker)
      worker.unref()
      idle.push(worker)
      endIdle.refresh()
      if (answer.type === 'done') task.resolve(answer.value as never)
      else task.reject(faultOf(answer))
      next()
    })
    worker.on('messageerror', error => dismiss(worker, reasonOf(error)))
    worker.on('error', error => dismiss(worker, reasonOf(error)))
    worker.on('exit', code => dismiss(worker, `it ended with ${code}`))
    return worker
  }

  /** A thread that died takes its job with it, and nothing else. */
  function dismiss(worker: Worker, reason: string): void {
    const task = busy.get(worker)
    busy.delete(worker)
    const at = idle.indexOf(worker)
    if (at >= 0) idle.splice(at, 1)
    task?.reject(closed ? cancelled() : new Fault(`${task.job.name} could not be read: its thread failed (${reason}).`))
    if (!closed) next()
  }

  return {
    run(job, { weight = 0, transfer = [], ...work } = {}) {
      const flag = new SharedArrayBuffer(4)
      return new Promise<never>((resolve, reject) => {
        if (closed || work.signal?.aborted) return reject(cancelled())
        const task: Task = { job, weight, work, transfer, flag, resolve, reject }
        const listening = onAbort(work.signal, () => stop(task))
        task.resolve = value => {
          listening.dispose()
          resolve(value)
        }
        task.reject = error => {
          listening.dispose()
          reject(error)
        }
        const at = queue.findIndex(other => other.weight < weight)
        queue.splice(at < 0 ? queue.length : at, 0, task)
        // Jobs that are asked for in one go are ordered before the first of them starts.
        queueMicrotask(next)
      })
    },
    async close() {
      closed = true
      clearTimeout(endIdle)
      for (const task of [...queue, ...busy.values()]) stop(task)
      await Promise.all([...idle, ...busy.keys()].map(worker => worker.terminate()))
    },
  }

  /** A queued job fails at once, a running one when its thread sees the flag. */
  function stop(task: Task): void {
    Atomics.store(new Int32Array(task.flag), 0, 1)
    const at = queue.indexOf(task)
    if (at < 0) return
    queue.splice(at, 1)
    task.reject(cancelled())
  }
}

function faultOf(answer: Extract<Answer, { type: 'failed' }>): Fault & { partial?: LayerIndex | null } {
  const { message, hint, exitCode, partial } = answer
  return Object.assign(new Fault(message, { exitCode, ...(hint === undefined ? {} : { hint }) }), { partial })
}

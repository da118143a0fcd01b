/** A thread that looks after blobs while they come: `openChecker` on the one side, `runChecks` on the other. */
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import { Fault, reasonOf } from '../base/errors.ts'
import { type Control, cancelled } from './cancel.ts'
import { type BlobToCheck, type Check, type CheckedBlob, checkBlob } from './check-blob.ts'
import { type Growth, growthOf, ring } from './growth.ts'
import type { Job } from './jobs.ts'
import type { Pool } from './pool.ts'

export interface Checker {
  /** Looks after one more blob from now on: whoever writes it says in `growth` how far it is, and when it ends. */
  check(blob: BlobToCheck): { growth: Growth; checked: Promise<CheckedBlob> }
  /** Gives up what is not ended. */
  close(): Promise<void>
}

type Task = BlobToCheck & { id: number; shared: SharedArrayBuffer }
type Answer = { id: number; value: CheckedBlob } | { id: number; message: string; exitCode: number }

export function openChecker(pool: Pool): Checker {
  const { port1, port2 } = new MessageChannel()
  const bell = new Int32Array(new SharedArrayBuffer(4))
  const waiting = new Map<number, { resolve(value: CheckedBlob): void; reject(error: unknown): void }>()
  const failAll = (error: unknown) => {
    for (const one of waiting.values()) one.reject(error)
    waiting.clear()
  }
  const stop = new AbortController()
  const job = { kind: 'checks', name: 'the layers', port: port2, bell: bell.buffer as SharedArrayBuffer } as const
  const running = pool.run(job, { transfer: [port2], weight: Number.POSITIVE_INFINITY, signal: stop.signal })
  running.catch(failAll)
  port1.on('message', (answer: Answer) => {
    const one = waiting.get(answer.id)
    waiting.delete(answer.id)
    if ('value' in answer) one?.resolve(answer.value)
    else one?.reject(new Fault(answer.message, { exitCode: answer.exitCode }))
  })
  let begun = 0
  return {
    check(blob) {
      const id = begun++
      const growth = growthOf(bell)
      const checked = new Promise<CheckedBlob>((resolve, reject) => waiting.set(id, { resolve, reject }))
      checked.catch(() => {})
      port1.postMessage({ ...blob, id, shared: growth.shared } satisfies Task)
      ring(bell)
      return { growth, checked }
    },
    async close() {
      stop.abort()
      ring(bell)
      failAll(cancelled())
      await running.catch(() => {})
      port1.close()
    },
  }
}

/** Milliseconds after which a thread that waits looks whether anybody still wants to know. */
const LOOK = 100

/** The thread's side: each blob has its turn with what has come of it. Blocks until nobody wants more. */
export async function runChecks(
  { port, bell: shared }: Extract<Job, { kind: 'checks' }>,
  control: Control,
): Promise<null> {
  const bell = new Int32Array(shared)
  const open = new Map<number, Check>()
  try {
    for (;;) {
      control.check()
      const rung = Atomics.load(bell, 0)
      takeTasks(port, bell, open)
      let moved = false
      for (const [id, check] of open) {
        const answer = await stepOf(id, check)
        moved ||= answer !== null
        if (answer === null || answer === 'more') continue
        check.close()
        open.delete(id)
        port.postMessage(answer)
      }
      if (!moved) Atomics.wait(bell, 0, rung, LOOK)
    }
  } finally {
    for (const check of open.values()) check.close()
    port.close()
  }
}

function takeTasks(port: MessagePort, bell: Int32Array, open: Map<number, Check>): void {
  for (let next = receiveMessageOnPort(port); next !== undefined; next = receiveMessageOnPort(port)) {
    const { id, shared, ...blob } = next.message as Task
    open.set(id, checkBlob(blob, growthOf(bell, shared)))
  }
}

async function stepOf(id: number, check: Check): Promise<Answer | 'more' | null> {
  try {
    const value = await check.step()
    return value === null || value === 'more' ? value : { id, value }
  } catch (error) {
    const { message, exitCode } = error instanceof Fault ? error : new Fault(`It can not be read: ${reasonOf(error)}.`)
    return { id, message, exitCode }
  }
}

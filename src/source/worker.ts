/** A worker thread: one job at a time, its answer back. Started by pool.ts; bundled beside main.js. */
import { parentPort } from 'node:worker_threads'
import { Fault, isAbort, reasonOf } from '../base/errors.ts'
import type { LayerIndex } from '../layer/layer-index.ts'
import { type Control, flagControl } from './cancel.ts'
import { runChecks } from './checker.ts'
import { copyLayer } from './copy-layer.ts'
import { hashRegion } from './hash-region.ts'
import { keepHashes, keepIndex } from './index-cache.ts'
import { indexRegion } from './index-region.ts'
import { type Answer, type Job, transferable } from './jobs.ts'
import { pour } from './pour.ts'
import { receiveLayer } from './remote/layer-stream.ts'
import { indexToc } from './remote/toc-index.ts'
import { hashStoreFiles } from './store-body.ts'
import { indexTarSplit } from './store-index.ts'
import { readStream } from './stream-job.ts'

/** Told at most so often, in bytes: the one who draws has other things to do. */
const PROGRESS_STEP = 8 << 20

parentPort!.on('message', async ({ job, flag }: { job: Job; flag: SharedArrayBuffer }) => {
  let told = 0
  const control = flagControl(flag, (done, total) => {
    if (done - told < PROGRESS_STEP && done !== total) return
    told = done
    answer({ type: 'progress', done, total })
  })
  try {
    const { value, buffers } = await run(job, control)
    answer({ type: 'done', value }, buffers)
  } catch (error) {
    fail(error, job.name)
  }
})

async function run(job: Job, control: Control): Promise<{ value: unknown; buffers: ArrayBuffer[] }> {
  switch (job.kind) {
    case 'index': {
      const made = await indexRegion(job, control)
      if (job.slot !== null) keepIndex(job.slot, made)
      const { index, buffers } = transferable(made.index)
      return { value: { ...made, index }, buffers }
    }
    case 'hash': {
      const sums = hashRegion(job, control)
      if (job.slot !== null) keepHashes(job.slot, job.entries, sums)
      return { value: sums, buffers: [sums.buffer as ArrayBuffer] }
    }
    case 'layer-stream': {
      const made = await receiveLayer(job, control)
      const { index, buffers } = transferable(made.index)
      return { value: { ...made, index }, buffers }
    }
    case 'toc': {
      const made = await indexToc(job, control)
      const { index, buffers } = transferable(made.index)
      return { value: { ...made, index }, buffers }
    }
    case 'tar-split': {
      const { index, buffers } = transferable(await indexTarSplit(job, control))
      return { value: index, buffers }
    }
    case 'store-hash': {
      const sums = await hashStoreFiles(job, control)
      return { value: sums, buffers: [sums.buffer as ArrayBuffer] }
    }
    case 'pour':
      await pour(job, control)
      return { value: null, buffers: [] }
    case 'copy':
      return { value: await copyLayer(job, control), buffers: [] }
    case 'checks':
      return { value: await runChecks(job, control), buffers: [] }
    case 'stream':
      return { value: await readStream(job, control), buffers: [] }
  }
}

function fail(error: unknown, name: string): void {
  const fault =
    error instanceof Fault
      ? error
      : new Fault(`${name} could not be read: ${isAbort(error) ? 'cancelled' : reasonOf(error)}.`, { cause: error })
  const partial = (error as { partial?: LayerIndex | null }).partial
  const moved = partial ? transferable(partial) : null
  const { message, hint, exitCode } = fault
  answer({ type: 'failed', message, hint, exitCode, partial: moved?.index ?? partial }, moved?.buffers)
}

function answer(message: Answer, transfer: ArrayBuffer[] = []): void {
  parentPort!.postMessage(message, transfer)
}

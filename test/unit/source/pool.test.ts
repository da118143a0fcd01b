/** Threads: one job each, cancelled when nobody wants it, and no process that waits for an idle one. */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, onTestFinished, test } from 'vitest'
import { createPool } from '../../../src/source/pool.ts'
import { tar } from '../../harness/tar.ts'
import { regionOf } from './regions.ts'

const layer = tar('dir a', 'file a/b 100')
const job = (bytes: Uint8Array = layer, name = 'layer 0 of x') => ({
  kind: 'index' as const,
  name,
  region: regionOf(bytes),
  layer: 0,
  verify: true,
  slot: null,
})

function pool(threads: number) {
  const made = createPool(threads)
  onTestFinished(() => made.close())
  return made
}

test('the largest job goes first', async () => {
  const threads = pool(1)
  const order: number[] = []
  await Promise.all([1, 3, 2].map(weight => threads.run(job(), { weight }).then(() => order.push(weight))))
  expect(order).toEqual([3, 2, 1])
})

test('another thread is started only for work that pays for it', async () => {
  const started = async (weight: number) => {
    const threads = pool(2)
    let count = 0
    const counting = () => count++
    process.on('worker', counting)
    await Promise.all([1, 2, 3].map(() => threads.run(job(), { weight })))
    process.off('worker', counting)
    return count
  }
  expect(await started(100 << 20)).toBe(1)
  expect(await started(1 << 30)).toBe(2)
})

test('a thread that dies takes only its own job with it', async () => {
  const threads = pool(1)
  process.once('worker', worker => setImmediate(() => worker.terminate()))
  const dying = threads.run(job(tar('file big 60000000'), 'layer 7 of x'), { weight: 2 })
  const other = threads.run(job())
  await expect(dying).rejects.toMatchObject({
    name: 'Fault',
    message: expect.stringMatching(/^layer 7 of x could not be read: its thread failed/),
  })
  expect((await other).index.entries).toBe(2)
})

test('an error that nobody thought of is a fault of its own job', async () => {
  const threads = pool(1)
  const broken = {
    ...job(layer, 'layer 8 of x'),
    region: { fd: 'nonsense' as unknown as number, start: 0, size: 4096 },
  }
  const results = await Promise.allSettled([threads.run(broken), threads.run(job())])
  expect(results.map(one => one.status)).toEqual(['rejected', 'fulfilled'])
  expect((results[0] as PromiseRejectedResult).reason).toMatchObject({
    name: 'Fault',
    message: expect.stringMatching(/^layer 8 of x /),
  })
})

test('cancelled jobs fail at once when they wait, soon when they run', async () => {
  const threads = pool(1)
  const stop = new AbortController()
  const running = threads.run(job(tar('file big 60000000')), { signal: stop.signal, weight: 2 })
  const waiting = threads.run(job(), { signal: stop.signal })
  const other = threads.run(job())
  setImmediate(() => stop.abort())
  const ended = await Promise.allSettled([running, waiting])
  expect(ended).toMatchObject([{ reason: { exitCode: 130 } }, { reason: { exitCode: 130 } }])
  expect((await other).index.entries).toBe(2)
  await expect(threads.run(job(), { signal: stop.signal })).rejects.toMatchObject({ exitCode: 130 })
})

test('a closed pool takes no more, and what ran is cancelled', async () => {
  const threads = createPool(1)
  const running = threads.run(job(tar('file big 60000000')))
  const failed = expect(running).rejects.toMatchObject({ exitCode: 130 })
  await threads.close()
  await failed
  await expect(threads.run(job())).rejects.toMatchObject({ exitCode: 130 })
})

test('an idle thread does not keep the process alive', async () => {
  const script = `
    import { openSync, writeFileSync } from 'node:fs'
    import { createPool } from ${JSON.stringify(join(import.meta.dirname, '../../../src/source/pool.ts'))}
    const threads = createPool(1)
    const region = { fd: openSync(process.execPath), start: 0, size: 0 }
    await threads.run({ kind: 'index', name: 'x', region, layer: 0, verify: true, slot: null }).catch(() => {})
    console.log('over')
  `
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
    timeout: 20_000,
  })
  expect(stdout).toBe('over\n')
})

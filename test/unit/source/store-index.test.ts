/** The index of a layer in a store counts only when what says which layer that is has not changed meanwhile. */
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { Fault } from '../../../src/base/errors.ts'
import { pathOf } from '../../../src/layer/path-tree.ts'
import { controlOf } from '../../../src/source/cancel.ts'
import { findIndex, openIndex } from '../../../src/source/index-cache.ts'
import { indexTarSplit, type TarSplitJob } from '../../../src/source/store-index.ts'
import { scratch } from '../../harness/scratch.ts'
import { tar } from '../../harness/tar.ts'
import { tarSplit } from '../../harness/tar-split.ts'

const one = tar('file one 700', 'file x 5')
const two = tar('file two 700', 'file y 5', 'dir z')

test('an index is made and kept', async () => {
  const { job, path } = store()
  const keep = { folder: join(path, 'cache'), key: 'sha256:1 of tar-split' }
  const index = await indexTarSplit({ ...job, keep, tarBytes: one.length }, controlOf())
  expect(names(index)).toEqual(['one', 'x'])
  const kept = findIndex({ folder: keep.folder, identity: null, diffId: keep.key, tarBytes: one.length })
  expect(openIndex(kept!)?.index.hashKind).toBe('crc64')
})

describe('a tar-split that is replaced while it is read', () => {
  test('is read again', async () => {
    const { job, replace } = store()
    let checks = 0
    const index = await indexTarSplit(job, {
      check: () => (++checks === 1 ? replace(two) : undefined),
      progress() {},
    })
    expect(names(index)).toEqual(['two', 'y', 'z'])
  })

  test('is given up when that has no end', async () => {
    const { job, replace } = store()
    const control = { check: () => replace(two), progress() {} }
    await expect(indexTarSplit(job, control)).rejects.toThrow('the engine changes it all the time')
  })
})

test.each([
  ['says something else', (file: string) => writeFileSync(file, 'sha256:2')],
  ['is gone', (file: string) => renameSync(file, `${file}.away`)],
])('a witness that %s: no index', async (_, change) => {
  const { job } = store()
  change(job.witnesses[0].path)
  await expect(indexTarSplit(job, controlOf())).rejects.toThrow('the engine changes it all the time')
})

describe('what is no whole tar-split of this layer', () => {
  test.each([
    ['cut', (split: Uint8Array) => split.subarray(0, -9), /tar-split of layer 0 .*truncated/],
    ['empty, as a power cut leaves it', () => new Uint8Array(0), /is empty or damaged/],
    ['zeros', () => new Uint8Array(4096), /is empty or damaged/],
    ['nothing, compressed', () => gzipSync(''), /it is empty/],
    ['text', () => gzipSync('hello\n'), /is no tar-split/],
    ['of another length', () => tarSplit(two), /the store says that they are/],
  ])('%s', async (_, change, message) => {
    const { job } = store()
    writeFileSync(job.path, change(tarSplit(one)))
    const reading = indexTarSplit({ ...job, tarBytes: 512 }, controlOf())
    await expect(reading).rejects.toThrow(message)
    await expect(reading).rejects.toBeInstanceOf(Fault)
  })

  test('not there, or no file', async () => {
    const { job, path } = store()
    await expect(indexTarSplit({ ...job, path: join(path, 'none') }, controlOf())).rejects.toThrow(
      'not in the engine’s store any more',
    )
    await expect(indexTarSplit({ ...job, path }, controlOf())).rejects.toThrow('is no file')
  })

  test('cancelled', async () => {
    const { job } = store()
    await expect(indexTarSplit(job, controlOf(AbortSignal.abort()))).rejects.toMatchObject({ exitCode: 130 })
  })
})

function store() {
  const { path, put } = scratch()
  const job: TarSplitJob = {
    name: 'layer 0 (abc) of x',
    layer: 0,
    path: put('split', tarSplit(one)),
    witnesses: [{ path: put('diff', Buffer.from('sha256:1\n')), text: 'sha256:1' }],
    tarBytes: null,
    keep: null,
  }
  let times = 0
  const replace = (layer: Uint8Array) => renameSync(put(`new${times++}`, tarSplit(layer)), job.path)
  return { path, job, replace }
}

function names(index: Awaited<ReturnType<typeof indexTarSplit>>): string[] {
  return Array.from(index.node, node => Buffer.from(pathOf(index, node)).toString())
}

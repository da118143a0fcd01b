/**
 * The index of a layer from the tar-split that an engine's store keeps of it, without its tar. It counts only when what
 * says which layer that is has not changed meanwhile. Runs on a worker thread.
 */
import { type BigIntStats, closeSync, constants, fstatSync, openSync, statSync } from 'node:fs'
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import type { LayerIndex } from '../layer/layer-index.ts'
import { TarScanner } from '../layer/tar-scanner.ts'
import { TarSplitReader } from '../layer/tar-split.ts'
import type { Control } from './cancel.ts'
import { keepVouched } from './index-cache.ts'
import { LayerSink } from './index-region.ts'
import { createInflate } from './inflate.ts'
import { headOf, type Region, readInto } from './region.ts'
import { compressionOf, SNIFF_BYTES } from './sniff.ts'
import { readWord } from './store-files.ts'

export interface TarSplitJob {
  /** For errors: "layer 3 (1234…) of myapp:1". */
  name: string
  /** Index of the layer, for its anomalies. */
  layer: number
  /** The tar-split, compressed as it lies there. */
  path: string
  /** Small files that say which layer it is, with what they said. */
  witnesses: { path: string; text: string }[]
  /** Bytes of the layer's tar where the store knows them, else null. */
  tarBytes: number | null
  /** Where to keep the index, and as what; null: nowhere. */
  keep: { folder: string; key: string } | null
}

/** How often a file is read that is replaced meanwhile. */
const TRIES = 3

/** @throws Fault when the tar-split is damaged, is not that of the layer, or changes all the time. */
export async function indexTarSplit(job: TarSplitJob, control: Control): Promise<LayerIndex> {
  for (let tries = 1; ; tries++) {
    const fd = openSplit(job)
    try {
      const before = fstatSync(fd, { bigint: true })
      const read = await readSplit(fd, before, job, control).catch((error: unknown) => error as Error)
      if (!isSame(before, job)) {
        if (tries < TRIES) continue
        throw new Fault(`${job.name} can not be read: the engine changes it all the time.`)
      }
      if (read instanceof Error) throw read
      if (job.keep) keepVouched(job.keep.folder, job.keep.key, read)
      return read
    } finally {
      closeSync(fd)
    }
  }
}

function openSplit({ path, name }: TarSplitJob): number {
  try {
    const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
    if (fstatSync(fd).isFile()) return fd
    closeSync(fd)
    throw new Fault(`${safe(path)} is no file.`)
  } catch (error) {
    if (error instanceof Fault) throw error
    throw new Fault(`${name} can not be read: it is not in the engine’s store any more.`, { cause: error })
  }
}

/** Whether path and witnesses still are what they were. */
function isSame(before: BigIntStats, { path, witnesses }: TarSplitJob): boolean {
  try {
    const now = statSync(path, { bigint: true })
    const file = (['dev', 'ino', 'size', 'mtimeNs'] as const).every(field => now[field] === before[field])
    return file && witnesses.every(one => readWord(one.path) === one.text)
  } catch {
    return false
  }
}

const CHUNK = 256 << 10

async function readSplit(fd: number, stat: BigIntStats, job: TarSplitJob, control: Control): Promise<LayerIndex> {
  const { name, layer } = job
  const region: Region = { fd, start: 0, size: Number(stat.size) }
  const compression = compressionOf(headOf(region, SNIFF_BYTES))
  // What a power cut leaves behind is empty or zeros; no engine keeps tar-split plain.
  if (compression === 'none') throw new Fault(`The tar-split of ${name} is empty or damaged.`)
  const builder = new LayerSink({ name, hash: false, layer })
  const scanner = new TarScanner(builder, { name, checked: true })
  const reader = new TarSplitReader(scanner, builder, name)
  const inflate = createInflate(compression, chunk => reader.push(chunk), {
    name: `the tar-split of ${name}`,
  })
  try {
    const chunk = new Uint8Array(new ArrayBuffer(Math.min(CHUNK, Math.max(1, region.size))))
    for (let at = 0; at < region.size; ) {
      control.check()
      const got = readInto(region, at, chunk)
      if (got === 0) break
      await inflate.push(chunk.subarray(0, got))
      at += got
      control.progress(at, region.size)
    }
    await inflate.end()
    reader.end()
  } finally {
    inflate.close()
  }
  if (job.tarBytes !== null && scanner.position !== job.tarBytes) {
    throw new Fault(
      `The tar-split of ${name} stands for ${scanner.position} bytes of tar, and the store says that they are ${job.tarBytes}.`,
    )
  }
  return builder.finish({ tarBytes: scanner.position, diffId: null })
}

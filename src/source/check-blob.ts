/**
 * The digest of a blob that is still being written into a file, and of the tar in it: read as it grows, so that they are
 * there when its last byte is. Runs on a worker thread; the one who writes says how far the file is.
 *
 * To inflate gzip takes five times as long as to hash it, and whoever unpacks or indexes the layer does it again and
 * compares the diffID then: where not all is wanted at once, the tar in a gzip blob is only measured, by its trailer.
 */
import { createHash } from 'node:crypto'
import { Fault } from '../base/errors.ts'
import type { Digest } from '../image/types.ts'
import { type Control, cancelled } from './cancel.ts'
import { layerDigests } from './digests.ts'
import { createInflate } from './inflate.ts'
import type { Job } from './jobs.ts'
import { readInto } from './region.ts'
import { type Compression, compressionOf, SNIFF_BYTES } from './sniff.ts'

/** How far a file that grows is; shared between threads. */
export interface Growth {
  /** Three numbers: bytes that are there, whether more will come, and how often one of both has changed. */
  shared: SharedArrayBuffer
  /** So many bytes are there now. */
  grow(bytes: number): void
  /** No more will come: it is whole, or (false) it never will be. */
  end(whole: boolean): void
}

const GOING = 0n
const WHOLE = 1n
const BROKEN = 2n

export function growth(): Growth {
  const shared = new SharedArrayBuffer(24)
  const state = new BigInt64Array(shared)
  const set = (which: 0 | 1, value: bigint) => {
    Atomics.store(state, which, value)
    Atomics.add(state, 2, 1n)
    Atomics.notify(state, 2)
  }
  return {
    shared,
    grow: bytes => set(0, BigInt(bytes)),
    end: whole => set(1, whole ? WHOLE : BROKEN),
  }
}

export interface CheckedBlob {
  digest: Digest
  /** null: not made. */
  diffId: Digest | null
  bytes: number
  /** Of the tar; as the trailer says where there is no diffID. */
  tarBytes: number
  compression: Compression
}

const CHUNK = 256 << 10
/** Milliseconds after which a thread that waits looks whether anybody still wants to know. */
const LOOK = 100

/** Blocks. @throws Fault when what came can not be inflated. */
export async function checkBlob(job: Extract<Job, { kind: 'check' }>, control: Control): Promise<CheckedBlob> {
  const { fd, name } = job
  const state = new BigInt64Array(job.growth)
  const head = new Uint8Array(SNIFF_BYTES)
  const headBytes = Math.min(waitFor(state, SNIFF_BYTES, control), SNIFF_BYTES)
  const region = { fd, start: 0, size: Number.MAX_SAFE_INTEGER }
  const compression = compressionOf(head.subarray(0, readInto({ ...region, size: headBytes }, 0, head)))
  if (compression === 'gzip' && !job.whole) {
    const measured = hashOnly(fd, state, control)
    if (measured !== null) return measured
  }
  const wrapped = compression !== 'none'
  const sums = layerDigests(wrapped)
  const chunk = new Uint8Array(new ArrayBuffer(CHUNK))
  let tarBytes = 0
  let at = 0
  const take = (plain: Uint8Array) => {
    control.check()
    tarBytes += plain.length
    sums.tar(plain)
  }
  const inflate = wrapped ? createInflate(compression, take, { name }) : null
  try {
    for (;;) {
      const there = waitFor(state, at + 1, control)
      if (there <= at) break
      const got = readInto({ ...region, size: there }, at, chunk)
      if (got === 0) throw new Fault(`${name} was taken away while it was read.`)
      const piece = chunk.subarray(0, got)
      at += got
      if (inflate === null) take(piece)
      else {
        sums.blob(piece)
        await inflate.push(piece)
      }
      sums.settle()
      control.progress(at, null)
    }
    await inflate?.end()
  } finally {
    inflate?.close()
  }
  const { blob, tar } = sums.end()
  return { digest: blob, diffId: tar, bytes: at, tarBytes, compression }
}

/** More than 4 GiB may be in a longer one, and then the trailer does not tell how much. */
const MOST_MEASURED = 256 << 20

/**
 * null when the trailer (RFC 1952, ISIZE) can not be that of one tar: several members, one of them empty as in eStargz, or
 * too long a blob.
 */
function hashOnly(fd: number, state: BigInt64Array, control: Control): CheckedBlob | null {
  const hash = createHash('sha256')
  const chunk = new Uint8Array(new ArrayBuffer(CHUNK))
  let at = 0
  for (;;) {
    const there = waitFor(state, at + 1, control)
    if (there <= at) break
    const got = readInto({ fd, start: 0, size: there }, at, chunk)
    if (got === 0) return null
    hash.update(chunk.subarray(0, got))
    at += got
    control.progress(at, null)
  }
  const trailer = Buffer.alloc(4)
  if (at < 18 || at > MOST_MEASURED || readInto({ fd, start: at - 4, size: 4 }, 0, trailer) < 4) return null
  const tarBytes = trailer.readUInt32LE(0)
  if (tarBytes % 512 !== 0 || tarBytes < at) return null
  return { digest: `sha256:${hash.digest('hex')}`, diffId: null, bytes: at, tarBytes, compression: 'gzip' }
}

/** How many bytes there are, once there are so many or there will be no more. */
function waitFor(state: BigInt64Array, bytes: number, control: Control): number {
  for (;;) {
    control.check()
    const changes = Atomics.load(state, 2)
    const end = Atomics.load(state, 1)
    const there = Atomics.load(state, 0)
    if (end === BROKEN) throw cancelled()
    if (there >= BigInt(bytes) || end !== GOING) return Number(there)
    Atomics.wait(state, 2, changes, LOOK)
  }
}

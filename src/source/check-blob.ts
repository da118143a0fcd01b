/**
 * The digest of a blob that is still being written into a file, and of the tar in it: read as it grows, so that they are
 * there when its last byte is. One thread looks after all blobs that come at once, for they come in no order.
 *
 * To inflate gzip takes five times as long as to hash it, and whoever unpacks or indexes the layer does it again and
 * compares the diffID then: where not all is wanted at once, the tar in a gzip blob is only measured, by its trailer.
 */
import { createHash } from 'node:crypto'
import { Fault } from '../base/errors.ts'
import type { Digest } from '../image/types.ts'
import { cancelled } from './cancel.ts'
import { layerDigests } from './digests.ts'
import type { Growth } from './growth.ts'
import { createInflate } from './inflate.ts'
import { readInto } from './region.ts'
import { type Compression, compressionOf, SNIFF_BYTES } from './sniff.ts'

export interface BlobToCheck {
  /** Of the layer, for errors. */
  name: string
  fd: number
  /** `false`: of a gzip blob its digest is enough. */
  whole: boolean
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

/** A blob that is looked at in slices. */
export interface Check {
  /** Takes what is there, up to a slice. null: there is nothing new; `more`: there may be. @throws Fault when it is broken. */
  step(): Promise<CheckedBlob | 'more' | null>
  close(): void
}

const CHUNK = 256 << 10
/** So many chunks before another blob has its turn. */
const SLICE = 16

/** More than 4 GiB may be in a longer one, and then the trailer does not tell how much. */
const MOST_MEASURED = 256 << 20

const chunk = new Uint8Array(new ArrayBuffer(CHUNK))

export function checkBlob({ name, fd, whole }: BlobToCheck, growth: Pick<Growth, 'state'>): Check {
  let at = 0
  let way: Way | null = null
  return {
    async step() {
      const { bytes, end } = growth.state()
      if (end === 'broken') throw cancelled()
      if (way === null) {
        if (bytes < SNIFF_BYTES && end === null) return null
        way = wayOf(fd, Math.min(bytes, SNIFF_BYTES), name, whole)
      }
      if (bytes <= at && end === null) return null
      for (let slice = 0; slice < SLICE && at < bytes; slice++) {
        const got = readInto({ fd, start: 0, size: bytes }, at, chunk)
        if (got === 0) throw new Fault(`${name} was taken away while it was read.`)
        await way.take(chunk.subarray(0, got))
        at += got
      }
      if (at < bytes || end === null) return 'more'
      const made = await way.end(at)
      if (made !== null) return made
      // The trailer does not tell: all of it is read once more.
      way.close()
      way = inflating(compressionOf(headOf(fd, Math.min(at, SNIFF_BYTES))), name)
      at = 0
      return 'more'
    },
    close: () => way?.close(),
  }
}

interface Way {
  take(piece: Uint8Array): void | Promise<void>
  /** null: this way does not tell. */
  end(bytes: number): Promise<CheckedBlob | null>
  close(): void
}

function wayOf(fd: number, headBytes: number, name: string, whole: boolean): Way {
  const compression = compressionOf(headOf(fd, headBytes))
  return compression === 'gzip' && !whole ? hashing(fd) : inflating(compression, name)
}

function headOf(fd: number, bytes: number): Uint8Array {
  const head = new Uint8Array(bytes)
  return head.subarray(0, readInto({ fd, start: 0, size: bytes }, 0, head))
}

/**
 * It does not tell when the trailer (RFC 1952, ISIZE) can not be that of one tar: of several members, one of them empty as
 * in eStargz, or of too long a blob.
 */
function hashing(fd: number): Way {
  const hash = createHash('sha256')
  return {
    take: piece => void hash.update(piece),
    async end(bytes) {
      const trailer = Buffer.alloc(4)
      if (bytes < 18 || bytes > MOST_MEASURED || readInto({ fd, start: bytes - 4, size: 4 }, 0, trailer) < 4)
        return null
      const tarBytes = trailer.readUInt32LE(0)
      if (tarBytes % 512 !== 0 || tarBytes < bytes) return null
      return { digest: `sha256:${hash.digest('hex')}`, diffId: null, bytes, tarBytes, compression: 'gzip' }
    },
    close() {},
  }
}

function inflating(compression: Compression, name: string): Way {
  const wrapped = compression !== 'none'
  const sums = layerDigests(wrapped)
  let tarBytes = 0
  const plain = (piece: Uint8Array) => {
    tarBytes += piece.length
    sums.tar(piece)
  }
  const inflate = wrapped ? createInflate(compression, plain, { name }) : null
  return {
    async take(piece) {
      if (inflate === null) plain(piece)
      else {
        sums.blob(piece)
        await inflate.push(piece)
      }
      sums.settle()
    },
    async end(bytes) {
      await inflate?.end()
      const { blob, tar } = sums.end()
      return { digest: blob, diffId: tar, bytes, tarBytes, compression }
    },
    close: () => inflate?.close(),
  }
}

/** A layer written into a file as it is, hashed on its way, and so is the tar in it. Runs on a worker thread. */
import { createHash } from 'node:crypto'
import { writeSync } from 'node:fs'
import { Fault, reasonOf } from '../base/errors.ts'
import type { Digest } from '../image/types.ts'
import type { Control } from './cancel.ts'
import { createInflate } from './inflate.ts'
import type { Job } from './jobs.ts'
import { readInto } from './region.ts'

const CHUNK = 256 << 10

/** @throws Fault when the layer can not be inflated, or not be written. */
export async function copyLayer(
  { region, compression, name, to }: Extract<Job, { kind: 'copy' }>,
  control: Control,
): Promise<{ digest: Digest; diffId: Digest; bytes: number; tarBytes: number }> {
  const blob = createHash('sha256')
  let tarBytes = 0
  const tar = compression === 'none' ? blob : createHash('sha256')
  const inflate =
    compression === 'none'
      ? null
      : createInflate(
          compression,
          chunk => {
            control.check()
            tar.update(chunk)
            tarBytes += chunk.length
          },
          { name },
        )
  const chunk = new Uint8Array(new ArrayBuffer(CHUNK))
  let bytes = 0
  try {
    while (bytes < region.size) {
      control.check()
      const got = readInto(region, bytes, chunk)
      if (got === 0) break
      const piece = chunk.subarray(0, got)
      blob.update(piece)
      writeWhole(to, piece, name)
      await inflate?.push(piece)
      bytes += got
      control.progress(bytes, region.size)
    }
    await inflate?.end()
  } finally {
    inflate?.close()
  }
  const digest = `sha256:${blob.digest('hex')}`
  if (inflate === null) return { digest, diffId: digest, bytes, tarBytes: bytes }
  return { digest, diffId: `sha256:${tar.digest('hex')}`, bytes, tarBytes }
}

function writeWhole(fd: number, bytes: Uint8Array, name: string): void {
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at)
  } catch (error) {
    throw new Fault(`${name} can not be written: ${reasonOf(error)}.`, { cause: error })
  }
}

/** The content-addressed part of the store: files that are named by their digest, and are what their name says. */
import { closeSync, fsync, fsyncSync, openSync, renameSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Fault, reasonOf } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { digestOf } from '../../image/digest.ts'
import type { Digest } from '../../image/types.ts'
import type { StoreFolder, Workplace } from './folder.ts'

const fsyncAsync = promisify(fsync)

/** Whether the store can name something by this digest: sha256 alone, and nothing that could be a path (CVE-2024-3727). */
export function isStorable(digest: string): boolean {
  return /^sha256:[0-9a-f]{64}$/.test(digest)
}

/** Where the blob is if it is there. @throws Fault when the digest is none. */
export function blobPath({ blobs }: StoreFolder, digest: Digest): string {
  if (!isStorable(digest)) throw new Fault(`“${safe(digest)}” is no digest that the store names blobs by.`)
  return join(blobs, digest.slice('sha256:'.length))
}

/** Bytes of a blob; null when it is not there. */
export function blobBytes(folder: StoreFolder, digest: Digest): number | null {
  const stat = statSync(blobPath(folder, digest), { throwIfNoEntry: false })
  return stat?.isFile() ? stat.size : null
}

export interface Written {
  digest: Digest
  bytes: number
}

let blobsBegun = 0

/**
 * Keeps what `write` writes into an open file, under the digest that it says it has: wholly, on the disk, or not at all.
 * Its result comes back. `wanted`: the digest that it must have; null: any.
 */
export async function keepBlob<T extends Written>(
  folder: StoreFolder,
  { path, use }: Workplace,
  wanted: Digest | null,
  write: (to: number) => T | Promise<T>,
): Promise<T> {
  const unfinished = join(path, `blob-${blobsBegun++}`)
  try {
    const fd = openSync(unfinished, 'wx', 0o600)
    let written: T
    try {
      written = await write(fd)
      await fsyncAsync(fd)
    } finally {
      closeSync(fd)
    }
    const { digest } = written
    if (wanted !== null && digest !== wanted)
      throw new Fault(`A blob does not have its digest: it should be ${wanted}, and is ${digest}.`)
    await use([digest])
    renameSync(unfinished, blobPath(folder, digest))
    syncFolder(folder.blobs)
    return written
  } catch (error) {
    throw storeFault(folder, error)
  }
}

/** The same for a document that is in memory. */
export function keepDocument(folder: StoreFolder, place: Workplace, bytes: Uint8Array): Promise<Written> {
  return keepBlob(folder, place, null, to => {
    for (let at = 0; at < bytes.length; ) at += writeSync(to, bytes, at)
    return { digest: digestOf(bytes), bytes: bytes.length }
  })
}

/** Makes sure that what was renamed into a folder, or out of it, is so after a crash too. */
export function syncFolder(path: string): void {
  const fd = openSync(path, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/** What writing to the store failed of, in a sentence. */
export function storeFault({ root }: StoreFolder, error: unknown): Fault {
  if (error instanceof Fault) return error
  const full = (error as { code?: unknown }).code === 'ENOSPC'
  return new Fault(`The store ${safe(root)} can not be written to: ${reasonOf(error)}.`, {
    cause: error,
    hint: full ? '`strata prune --dry-run` tells what could be freed.' : 'STRATA_ROOT names another place for it.',
  })
}

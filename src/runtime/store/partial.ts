/**
 * Blobs that are on their way: `partial/HEX` in the store, gone on with by whoever wants the same blob next. What is there is
 * no blob yet; it becomes one by rename, when all of it has come and has its digest. One process at a time is at each.
 */
import {
  closeSync,
  fstatSync,
  fsync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Digest } from '../../image/types.ts'
import { blobPath, storeFault, syncFolder } from './blobs.ts'
import type { StoreFolder, Workplace } from './folder.ts'
import { lock, tryLock } from './lock.ts'

const fsyncAsync = promisify(fsync)

export interface Partial {
  /** Open to be read and written. */
  fd: number
  /** Bytes that were there already. */
  bytes: number
  /** Begins anew. */
  empty(): void
  /** It is whole and has its digest: it becomes the blob. */
  keep(place: Workplace): Promise<void>
  /** Takes it away. */
  discard(): void
  /** Leaves it for the next time, unless it was kept or discarded. */
  close(): void
}

/** Waits while another process is at the same one. */
export async function openPartial(
  folder: StoreFolder,
  digest: Digest,
  signal: AbortSignal | undefined,
): Promise<Partial> {
  const path = join(placeOf(folder), blobPath(folder, digest).slice(folder.blobs.length + 1))
  try {
    mkdirSync(placeOf(folder), { recursive: true, mode: 0o700 })
    const own = await lock(`${path}.lock`, { signal })
    let fd: number
    try {
      fd = openSync(path, 'a+', 0o600)
    } catch (error) {
      own.release()
      throw error
    }
    let open = true
    const end = () => {
      if (!open) return
      open = false
      if (fstatSync(fd).size === 0) rmSync(path, { force: true })
      closeSync(fd)
      // While it is ours: whoever waits for it sees that it is another one then.
      rmSync(`${path}.lock`, { force: true })
      own.release()
    }
    return {
      fd,
      bytes: statSync(path).size,
      empty: () => ftruncateSync(fd, 0),
      async keep(place) {
        try {
          await fsyncAsync(fd)
          await place.use([digest])
          renameSync(path, blobPath(folder, digest))
          syncFolder(folder.blobs)
        } catch (error) {
          throw storeFault(folder, error)
        } finally {
          end()
        }
      },
      discard() {
        if (open) rmSync(path, { force: true })
        end()
      },
      close: end,
    }
  } catch (error) {
    throw signal?.aborted ? error : storeFault(folder, error)
  }
}

/** A blob that nobody is fetching. */
export interface LeftPartial {
  digest: Digest
  path: string
  bytes: number
}

/** Those that nobody has gone on with for so many milliseconds. */
export async function leftPartials(folder: StoreFolder, olderThan: number): Promise<LeftPartial[]> {
  const left: LeftPartial[] = []
  for (const name of namesIn(placeOf(folder))) {
    const path = join(placeOf(folder), name)
    const stat = statSync(path, { throwIfNoEntry: false })
    if (!/^[0-9a-f]{64}$/.test(name) || !stat || Date.now() - stat.mtimeMs < olderThan) continue
    const own = await tryLock(`${path}.lock`).catch(() => null)
    if (own === null) continue
    rmSync(`${path}.lock`, { force: true })
    own.release()
    left.push({ digest: `sha256:${name}`, path, bytes: stat.blocks * 512 })
  }
  return left
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path).sort()
  } catch {
    return []
  }
}

function placeOf({ root }: StoreFolder): string {
  return join(root, 'partial')
}

/** How much lies in what a container has mounted, on this machine: bounded, for a bind mount may be all of a disk. */
import { lstat, opendir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Mount } from './live-view.ts'

/** Files that are looked at in one mount; then it is `at least`. */
const MOST = 50_000

export interface Measured {
  bytes: number
  /** There is more than was looked at. */
  atLeast: boolean
}

/** null: it can not be told from here. `pid`: the container's first process, 0 when it does not run. */
export async function measureMount(mount: Mount, pid: number, signal: AbortSignal): Promise<Measured | null> {
  try {
    if (mount.kind === 'log') return { bytes: (await lstat(mount.source)).size, atLeast: false }
    if (mount.kind === 'tmpfs') {
      if (pid <= 0) return null
      const { blocks, bfree, bsize } = await statfs(`/proc/${pid}/root${mount.destination}`)
      return { bytes: (blocks - bfree) * bsize, atLeast: false }
    }
    return mount.source === '' ? null : await sizeOf(mount.source, signal)
  } catch {
    return null
  }
}

/** What `du` would say, a name of each file; links are not followed. */
async function sizeOf(path: string, signal: AbortSignal): Promise<Measured> {
  const top = await lstat(path)
  if (!top.isDirectory()) return { bytes: top.blocks * 512, atLeast: false }
  const found = { bytes: 0, atLeast: false }
  const seen = new Set<number>()
  const todo = [path]
  let looked = 0
  for (let folder = todo.pop(); folder !== undefined; folder = todo.pop()) {
    const entries = await opendir(folder).catch(() => null)
    if (entries === null) {
      found.atLeast = true
      continue
    }
    for await (const entry of entries) {
      signal.throwIfAborted()
      if (++looked > MOST) return { ...found, atLeast: true }
      const place = join(folder, entry.name)
      const { blocks, ino, nlink, dev } = await lstat(place).catch(() => ({
        blocks: 0,
        ino: 0,
        nlink: 1,
        dev: top.dev,
      }))
      // Another file system is another mount.
      if (dev !== top.dev || (nlink > 1 && !entry.isDirectory() && seen.has(ino))) continue
      if (nlink > 1 && !entry.isDirectory()) seen.add(ino)
      found.bytes += blocks * 512
      if (entry.isDirectory()) todo.push(place)
    }
  }
  return found
}

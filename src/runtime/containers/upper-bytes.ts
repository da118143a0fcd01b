/** How much a container has written, from outside. */
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/** Bytes of an upper directory: files once, whatever their names; null where some of it is closed to us. */
export function bytesOf(upper: string): number | null {
  const seen = new Set<bigint>()
  let bytes = 0
  const folders = [upper]
  try {
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        const path = join(folder, entry.name)
        if (entry.isDirectory()) folders.push(path)
        else {
          const stat = lstatSync(path, { bigint: true, throwIfNoEntry: false })
          if (!stat || seen.has(stat.ino)) continue
          if (stat.nlink > 1n) seen.add(stat.ino)
          bytes += Number(stat.size)
        }
      }
    }
    return bytes
  } catch {
    return null
  }
}

/** Sockets that come and go after the start: the folders that they would lie in are watched, nothing is asked. */
import { existsSync, type FSWatcher, watch } from 'node:fs'
import { basename, dirname } from 'node:path'

/** Milliseconds that a folder has to be quiet before it is told: an engine makes its socket in several steps. */
const SETTLE = 150
/** Folders that are watched at most. */
const MOST = 64

/**
 * Calls when at one of these paths something may have come or gone. A `*` stands for anything in one name. Where a
 * folder is not there yet, the nearest one above it is watched. Gives the function that ends it.
 */
export function watchSockets(paths: readonly string[], told: () => void): () => void {
  const watchers = new Map<string, { watcher: FSWatcher; names: Set<string> }>()
  let timer: NodeJS.Timeout | null = null
  let closed = false

  const arm = () => {
    const wanted = placesOf(paths)
    for (const [folder, { watcher }] of watchers) {
      if (wanted.has(folder)) continue
      watcher.close()
      watchers.delete(folder)
    }
    for (const [folder, names] of [...wanted].slice(0, MOST)) {
      const known = watchers.get(folder)
      if (known) known.names = names
      else begin(folder, names)
    }
  }
  const begin = (folder: string, names: Set<string>) => {
    try {
      const watcher = watch(folder, { persistent: false }, (_, name) => {
        const wanted = watchers.get(folder)?.names
        if (name === null || wanted?.has('*') || wanted?.has(name)) changed()
      })
      watcher.on('error', () => {
        watcher.close()
        watchers.delete(folder)
        changed()
      })
      watchers.set(folder, { watcher, names })
    } catch {} // not ours to look into, or gone meanwhile
  }
  const changed = () => {
    timer ??= setTimeout(() => {
      timer = null
      if (closed) return
      arm()
      told()
    }, SETTLE)
  }

  arm()
  return () => {
    closed = true
    if (timer) clearTimeout(timer)
    for (const { watcher } of watchers.values()) watcher.close()
    watchers.clear()
  }
}

/** The folders to watch, and the names in each that matter. */
function placesOf(paths: readonly string[]): Map<string, Set<string>> {
  const places = new Map<string, Set<string>>()
  for (const path of paths) {
    let at = path
    let folder = dirname(at)
    while (folder !== dirname(folder) && (folder.includes('*') || !existsSync(folder))) {
      at = folder
      folder = dirname(at)
    }
    const name = basename(at)
    // The root of the machine: nobody puts a socket there.
    if (folder === dirname(folder)) continue
    const names = places.get(folder) ?? new Set()
    places.set(folder, names.add(name.includes('*') ? '*' : name))
  }
  return places
}

/** One container's state folder, watched: it ends when the exit file is written. */
import { type FSWatcher, watch } from 'node:fs'
import { join } from 'node:path'
import type { Places } from '../../runtime/places.ts'

/** Calls when something of the state changes; gives a function that ends it. */
export function watchState(places: Places, id: string, changed: () => void): () => void {
  let watcher: FSWatcher | null = null
  try {
    watcher = watch(join(places.state, id), changed)
    watcher.on('error', changed)
  } catch {} // it does not run
  return () => watcher?.close()
}

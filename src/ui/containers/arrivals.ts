/** Engines that come while somebody looks: those that were not there at first, and those that were lost. */
import type { WatchedEngine } from '../../engine/watching.ts'

/** Gives, for each new state of the engines, what there is to say of it; null for nothing. */
export function createArrivals(): (engines: readonly WatchedEngine[]) => string | null {
  /** What each was that is not well now; null: it is well. */
  const known = new Map<string, 'first' | 'late' | 'lost' | null>()
  return engines => {
    const isFirst = known.size === 0
    const said: string[] = []
    for (const { id, health } of engines) {
      const before = known.get(id)
      if (before === undefined) known.set(id, isFirst ? 'first' : 'late')
      if (health.state === 'lost' && before === null) known.set(id, 'lost')
      if (health.state !== 'ok') continue
      if (before === 'lost') said.push(`${id} is back.`)
      else if (known.get(id) === 'late') said.push(`${id} is there now.`)
      known.set(id, null)
    }
    return said.length === 0 ? null : said.join('  ')
  }
}

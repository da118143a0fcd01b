/** What a list does not tell of its containers: asked once for those on the screen, and again when something happens to one. */
import type { ContainerEngine } from '../../engine/containers.ts'
import type { ContainerRow } from './rows.ts'
import type { MoreFacts } from './words.ts'

export interface FactsCache {
  /** Asks for those that are not known; for the sizes of their upper layers too, one by one when all else is known. */
  want(rows: readonly ContainerRow[]): void
  /** Asks for one with the size of its upper layer. */
  wantSize(row: ContainerRow): void
  get(row: ContainerRow): MoreFacts | undefined
  /** Something happened to it. */
  forget(engine: string, id: string): void
  close(): void
}

/** Questions under way at once. */
const AT_ONCE = 4
/** Milliseconds between two sizes that nobody waits for: an engine counts files for each. */
const SIZE_GAP = 1_200

export function createFacts(changed: () => void): FactsCache {
  const known = new Map<string, { state: string; facts: MoreFacts }>()
  /** What was asked for, so that no failure is asked for again and again. */
  const asked = new Map<string, { engine: ContainerEngine; state: string; sizes: boolean }>()
  const queue: { row: ContainerRow; engine: ContainerEngine; sizes: boolean }[] = []
  const over = new AbortController()
  let wanted: readonly ContainerRow[] = []
  let slow: NodeJS.Timeout | null = null
  let busy = 0

  const work = async () => {
    busy++
    for (let next = queue.shift(); next && !over.signal.aborted; next = queue.shift()) {
      const { row, engine, sizes } = next
      const { key, container } = row
      try {
        const { signal } = over
        const facts = await engine.containers.inspect(container.id, { sizes, signal })
        if (over.signal.aborted) break
        const before = known.get(key)?.facts.upperBytes ?? null
        const { startedAt, finishedAt, oomKilled, exitCode, error, restarts, restartPolicy, upperBytes } = facts
        const told = { startedAt, finishedAt, oomKilled, exitCode, error, restarts, restartPolicy }
        const more = { ...told, upperBytes: upperBytes ?? before }
        known.set(key, { state: container.state, facts: more })
        changed()
      } catch {} // gone, or its engine is: the list tells
    }
    busy--
    if (busy === 0) goOn()
  }
  /** The next size, in a while. */
  const goOn = () => {
    if (slow || over.signal.aborted || !wanted.some(row => mayAsk(row, true))) return
    slow = setTimeout(() => {
      slow = null
      const row = wanted.find(row => mayAsk(row, true))
      if (row) ask(row, true)
    }, SIZE_GAP)
  }
  const mayAsk = ({ key, engine, stale, container }: ContainerRow, sizes: boolean): boolean => {
    if (engine === null || stale) return false
    const before = asked.get(key)
    // An engine that came back may say other things than before it went.
    const same = before?.engine === engine && before.state === container.state
    return !(same && (before.sizes || !sizes))
  }
  const ask = (row: ContainerRow, sizes: boolean) => {
    const { key, engine, container } = row
    if (engine === null || !mayAsk(row, sizes)) return
    asked.set(key, { engine, state: container.state, sizes })
    queue.push({ row, engine, sizes })
    while (busy < AT_ONCE && queue.length > busy) void work()
    if (busy === 0) void work()
  }

  return {
    want(rows) {
      wanted = rows
      for (const row of rows) ask(row, false)
      if (busy === 0) goOn()
    },
    wantSize: row => ask(row, true),
    get(row) {
      const found = known.get(row.key)
      return found?.state === row.container.state ? found.facts : undefined
    },
    forget(engine, id) {
      asked.delete(`${engine} ${id}`)
    },
    close() {
      over.abort()
      queue.length = 0
      if (slow) clearTimeout(slow)
    },
  }
}

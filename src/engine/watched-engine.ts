/** One engine under watch: connect, follow its events, list when they say so, notice its loss, come back. */
import { setTimeout as delay } from 'node:timers/promises'
import { asFault, type Fault } from '../base/errors.ts'
import type { Container, ContainerEngine, EngineEvent } from './containers.ts'
import type { EngineHealth, EngineSource, WatchedEngine, WatchingPace } from './watching.ts'

export interface EngineWatch {
  state(): WatchedEngine
  start(): void
  refresh(): void
  close(): void
}

export interface Tell {
  changed(): void
  happened(event: EngineEvent): void
}

/** Watches one engine, as `watchEngines` says it. */
export function watchEngine(source: EngineSource, pace: WatchingPace, tell: Tell): EngineWatch {
  const over = new AbortController()
  let known: WatchedEngine = {
    id: source.id,
    health: { state: 'connecting', since: Date.now() },
    engine: null,
    containers: [],
    stale: true,
  }
  let lastEvent = 0
  let wake = () => {}

  const set = (change: Partial<WatchedEngine>) => {
    if (over.signal.aborted) return
    known = { ...known, ...change }
    tell.changed()
  }
  const lost = (fault: Fault, retryIn: number) => {
    const since = known.health.state === 'lost' ? known.health.since : Date.now()
    set({ engine: null, stale: true, health: { state: 'lost', since, fault, retryAt: Date.now() + retryIn } })
  }
  const listed = (containers: Container[]) => {
    const kept = unchanged(known.containers, containers)
    const health: EngineHealth = known.health.state === 'ok' ? known.health : { state: 'ok', since: Date.now() }
    if (kept !== known.containers || known.stale || health !== known.health)
      set({ containers: kept, stale: false, health })
  }

  const run = async () => {
    let retryIn = pace.firstRetry
    while (!over.signal.aborted) {
      let engine: ContainerEngine | null = null
      try {
        engine = await source.open(over.signal)
        set({ engine })
        await live(engine)
      } catch (error) {
        const { health } = known
        // One that comes only to go again at once is not asked any faster for it.
        if (health.state === 'ok' && Date.now() - health.since > pace.lastRetry) retryIn = pace.firstRetry
        lost(asFault(error, `${source.id} can not be reached`), retryIn)
      }
      engine?.close()
      if (over.signal.aborted) return
      // Who is woken has reason to believe that it is there, or is about to be.
      retryIn = (await pause(retryIn)) ? pace.firstRetry : Math.min(retryIn * 2, pace.lastRetry)
    }
  }

  /** Until it is lost: then it throws. */
  const live = async (engine: ContainerEngine): Promise<void> => {
    const gone = new AbortController()
    const signal = AbortSignal.any([over.signal, gone.signal])
    const lister = listing(engine, signal, pace.gap, listed)
    wake = lister.look
    lister.look()
    try {
      await Promise.race([lister.failed, follow(engine, lister.look, signal), noticeSilence(engine, signal)])
    } finally {
      wake = () => {}
      gone.abort()
    }
  }

  /** Some engines end the stream of their events now and then, and are well: it is begun again where it ended. */
  const follow = async (engine: ContainerEngine, look: () => void, signal: AbortSignal): Promise<void> => {
    let again = pace.gap
    while (!signal.aborted) {
      const begun = Date.now()
      try {
        const told = lastEvent
        const since = told > 0 ? { since: told / 1000 } : {}
        for await (const event of engine.containers.events({ signal, ...since, onOpen: look })) {
          if (event.time <= told) continue
          lastEvent = Math.max(lastEvent, event.time)
          if (changesList(event)) look()
          tell.happened(event)
        }
      } catch {
        const fault = await engine.health()
        if (fault !== null) throw fault
      }
      if (Date.now() - begun > pace.lastRetry) again = pace.gap
      await delay(again, undefined, { signal }).catch(() => {})
      if (!signal.aborted) look()
      again = Math.min(again * 2, pace.lastRetry)
    }
  }

  /** A cable that was pulled says nothing: after a while without an event the engine is asked. */
  const noticeSilence = async (engine: ContainerEngine, signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      const before = lastEvent
      await delay(pace.quiet, undefined, { signal, ref: false }).catch(() => {})
      if (signal.aborted || lastEvent !== before) continue
      const fault = await engine.health()
      if (fault !== null) throw fault
    }
  }

  /** Until the time is over, or somebody wants it now: then true. */
  const pause = async (time: number): Promise<boolean> => {
    const now = new AbortController()
    wake = () => now.abort()
    await delay(time, undefined, { signal: AbortSignal.any([over.signal, now.signal]) }).catch(() => {})
    wake = () => {}
    return now.signal.aborted
  }

  return {
    state: () => known,
    start: () => void run(),
    refresh: () => wake(),
    close: () => over.abort(),
  }
}

interface Lister {
  /** Something has changed: list, at once or as soon as it is time again. */
  look(): void
  /** Rejects when listing fails. */
  failed: Promise<never>
}

/** Lists at most once every `gap` milliseconds, and never for longer than it rests; a burst of wishes is one. */
function listing(
  engine: ContainerEngine,
  signal: AbortSignal,
  gap: number,
  listed: (containers: Container[]) => void,
): Lister {
  const { promise: failed, reject } = Promise.withResolvers<never>()
  failed.catch(() => {})
  let wanted = false
  let busy = false
  const work = async () => {
    busy = true
    try {
      while (wanted && !signal.aborted) {
        wanted = false
        const begun = performance.now()
        const containers = await engine.containers.list({ all: true, signal })
        if (signal.aborted) return
        listed(containers)
        const took = performance.now() - begun
        await delay(Math.max(gap - took, Math.min(took, 5_000)), undefined, { signal })
      }
    } catch (error) {
      reject(error)
    } finally {
      busy = false
    }
  }
  return {
    look() {
      wanted = true
      if (!busy) void work()
    },
    failed,
  }
}

/** What is told of a container while nothing of its row changes. */
const rowless = new Set([
  'attach',
  'detach',
  'top',
  'resize',
  'export',
  'copy',
  'archive-path',
  'extract-to-dir',
  'init',
])

function changesList({ kind, action }: EngineEvent): boolean {
  if (kind === 'container') return !rowless.has(action)
  if (kind === 'network') return action === 'connect' || action === 'disconnect'
  return kind === 'image' && (action === 'tag' || action === 'untag' || action === 'delete')
}

/** The new list with the old objects where nothing has changed; the old list where nothing has at all. */
function unchanged(before: readonly Container[], now: readonly Container[]): readonly Container[] {
  const old = new Map(before.map(container => [container.id, container]))
  const kept = now.map(container => {
    const known = old.get(container.id)
    return known && JSON.stringify(known) === JSON.stringify(container) ? known : container
  })
  const same = kept.length === before.length && kept.every((container, at) => container === before[at])
  return same ? before : kept
}

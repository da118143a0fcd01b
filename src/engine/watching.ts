/**
 * Several engines watched at once: their containers, their health, what happens on them. Events say when to look again;
 * nothing is asked that an event tells. A lost engine is a state: its last containers stay and are marked as stale, and
 * it comes back by itself.
 */
import type { Fault } from '../base/errors.ts'
import { formatAddress } from './address.ts'
import type { ClientOptions } from './client.ts'
import type { Container, ContainerEngine, EngineEvent } from './containers.ts'
import type { Endpoint } from './endpoints.ts'
import { openEngine } from './engine.ts'
import { type EngineWatch, watchEngine } from './watched-engine.ts'

/** A place that may have an engine, now or later. */
export interface EngineSource {
  /** The id of the engine that is there. */
  id: string
  /** Where it is; two with the same one are the same. */
  place?: string
  /** Connects. Called again after each loss, with a new signal each time. */
  open(signal: AbortSignal): Promise<ContainerEngine>
}

export type EngineHealth =
  | { state: 'connecting'; since: number }
  | { state: 'ok'; since: number }
  /** `fault` says why; it is tried again at `retryAt`. */
  | { state: 'lost'; since: number; fault: Fault; retryAt: number }

/** What is known of one engine. Times are milliseconds since 1970. A new object whenever something of it changes. */
export interface WatchedEngine {
  id: string
  health: EngineHealth
  /** To act on; null while there is no connection. */
  engine: ContainerEngine | null
  /** All of them, those that do not run too. One that has not changed is the same object as before. */
  containers: readonly Container[]
  /** Whether they may be other than this by now. */
  stale: boolean
}

export interface Watching {
  /** In the order of the sources. The same array until something changes. */
  snapshot(): readonly WatchedEngine[]
  /** Calls after each change; gives the function that ends it. */
  subscribe(listener: () => void): () => void
  /** Tells every event of every engine, those that change no list too. */
  onEvent(listener: (engine: string, event: EngineEvent) => void): () => void
  /** Lists again, or tries again to connect, at once: one engine or all. */
  refresh(id?: string): void
  /** Ends it all and closes the engines. */
  close(): void
}

/** Milliseconds. */
export interface WatchingPace {
  /** Between two lists. */
  gap: number
  /** Without an event, until an engine is asked whether it is there. */
  quiet: number
  /** Until the first and between the later tries to connect. */
  firstRetry: number
  lastRetry: number
}

const usualPace: WatchingPace = { gap: 250, quiet: 15_000, firstRetry: 500, lastRetry: 10_000 }

/** Engines that may come later. */
export interface Coming {
  /** All that are there now, known ones too. */
  find(): Promise<readonly EngineSource[]>
  /** Calls when it is worth finding again; gives the function that ends it. */
  onChange(told: () => void): () => void
}

/** Watches them until `close`, and those that come. */
export function watchEngines(
  sources: readonly EngineSource[],
  pace: Partial<WatchingPace> = {},
  coming?: Coming,
): Watching {
  const listeners = new Set<() => void>()
  const eventListeners = new Set<(engine: string, event: EngineEvent) => void>()
  let current: readonly WatchedEngine[] = []
  let announced = false
  let closed = false
  const watches: { source: EngineSource; watch: EngineWatch }[] = []
  const changed = () => {
    current = watches.map(({ watch }) => watch.state())
    // Several changes of one moment are one.
    if (announced) return
    announced = true
    queueMicrotask(() => {
      announced = false
      for (const listener of listeners) listener()
    })
  }
  const add = (source: EngineSource) => {
    const happened = (event: EngineEvent) => {
      for (const listener of eventListeners) listener(source.id, event)
    }
    watches.push({ source, watch: watchEngine(source, { ...usualPace, ...pace }, { changed, happened }) })
  }
  /** Those that are new are watched; one that was lost, and whose place has changed, is tried at once. */
  const look = async (find: Coming['find']) => {
    const found = await find().catch(() => [])
    for (const source of found) {
      if (closed) return
      const known = watches.find(one => (one.source.place ?? one.source.id) === (source.place ?? source.id))
      if (known) {
        if (known.watch.state().health.state === 'lost') known.watch.refresh()
        continue
      }
      add({
        ...source,
        id: freeName(
          source.id,
          watches.map(one => one.source.id),
        ),
      })
      watches.at(-1)!.watch.start()
      changed()
    }
  }
  for (const source of sources) add(source)
  current = watches.map(({ watch }) => watch.state())
  for (const { watch } of watches) watch.start()
  const deaf = coming?.onChange(() => void look(coming.find))
  return {
    snapshot: () => current,
    subscribe: listener => added(listeners, listener),
    onEvent: listener => added(eventListeners, listener),
    refresh(id) {
      for (const { source, watch } of watches) if (id === undefined || source.id === id) watch.refresh()
    },
    close() {
      closed = true
      deaf?.()
      listeners.clear()
      eventListeners.clear()
      for (const { watch } of watches) watch.close()
    },
  }
}

/** Docker or Podman at an endpoint, whether something listens there now or not. */
export function daemonSource(endpoint: Endpoint, options: Omit<ClientOptions, 'signal'>): EngineSource {
  const place = formatAddress(endpoint.address)
  return { id: endpoint.name, place, open: signal => openEngine(endpoint, { ...options, signal }) }
}

function freeName(id: string, taken: readonly string[]): string {
  let name = id
  for (let count = 2; taken.includes(name); count++) name = `${id}-${count}`
  return name
}

function added<T>(set: Set<T>, one: T): () => void {
  set.add(one)
  return () => set.delete(one)
}

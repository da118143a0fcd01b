/** What happens to native containers: the kernel tells when a file of theirs changes, and what is different then is what happened. */
import { existsSync, type FSWatcher, mkdirSync, readdirSync, watch } from 'node:fs'
import { join } from 'node:path'
import { type HealthStatus, readHealth } from '../../runtime/containers/health.ts'
import { allRecords, type ContainerRecord, isId } from '../../runtime/containers/record.ts'
import { allStates, conditionOf, type RuntimeState } from '../../runtime/containers/states.ts'
import type { Places } from '../../runtime/places.ts'
import type { EngineEvent } from '../containers.ts'

/** Changes that come so close together (in milliseconds) are looked at once. */
const calm = 25

/** Ends with the signal. */
export async function* nativeEvents(
  places: Places,
  { signal, onOpen }: { signal: AbortSignal; onOpen?: (() => void) | undefined },
): AsyncGenerator<EngineEvent> {
  const watcher = watchPlaces(places)
  try {
    let before = await look(places)
    onOpen?.()
    while (await watcher.next(signal)) {
      const now = await look(places)
      yield* differences(before, now)
      before = now
    }
  } finally {
    watcher.close()
  }
}

/** Calls on any change of any container. */
export function watchPlaces(places: Places): { next(signal: AbortSignal): Promise<boolean>; close(): void } {
  for (const path of [places.containers, places.state]) mkdirSync(path, { recursive: true, mode: 0o700 })
  const watchers = new Map<string, FSWatcher>()
  let changed = false
  let wake = () => {}
  const told = () => {
    changed = true
    wake()
  }
  const add = (path: string) => {
    if (watchers.has(path)) return
    try {
      const watcher = watch(path, told)
      watcher.on('error', () => {
        watcher.close()
        watchers.delete(path)
      })
      watchers.set(path, watcher)
    } catch {} // gone meanwhile
  }
  const renew = () => {
    for (const path of watchers.keys()) {
      if (existsSync(path)) continue
      watchers.get(path)!.close()
      watchers.delete(path)
    }
    for (const path of [places.containers, places.state]) {
      add(path)
      for (const name of readdirSync(path).filter(isId)) add(join(path, name))
    }
  }
  renew()
  return {
    async next(signal) {
      const stop = () => wake()
      signal.addEventListener('abort', stop, { once: true })
      while (!changed && !signal.aborted) {
        await new Promise<void>(resolve => {
          wake = resolve
        })
      }
      signal.removeEventListener('abort', stop)
      if (signal.aborted) return false
      await new Promise(resolve => setTimeout(resolve, calm))
      changed = false
      renew()
      return true
    },
    close() {
      for (const watcher of watchers.values()) watcher.close()
    },
  }
}

interface Seen {
  record: ContainerRecord
  state: RuntimeState | null
  condition: string
  health: HealthStatus | null
}

async function look(places: Places): Promise<Map<string, Seen>> {
  const [records, states] = [await allRecords(places.containers), await allStates(places)]
  return new Map(
    records.map(record => {
      const state = states.get(record.id) ?? null
      const health = record.health && state ? (readHealth(places, record.id)?.status ?? null) : null
      return [record.id, { record, state, condition: conditionOf(places, record, state), health }]
    }),
  )
}

function* differences(before: Map<string, Seen>, now: Map<string, Seen>): Generator<EngineEvent> {
  for (const [id, seen] of before) if (!now.has(id)) yield* ended(seen)
  for (const [id, seen] of now) {
    const old = before.get(id)
    if (!old) yield event('create', seen)
    if (old && old.record.name !== seen.record.name) yield event('rename', seen, { oldName: old.record.name })
    yield* turns(old, seen)
  }
}

function* turns(old: Seen | undefined, now: Seen): Generator<EngineEvent> {
  const [was, is] = [old?.condition ?? 'created', now.condition]
  const begun = now.state?.startedAt ?? null
  const again = begun !== null && begun !== (old?.state?.startedAt ?? null)
  if (runs(was) && (again || !runs(is))) yield* died(again ? old! : now, again)
  if (again && is !== 'created') yield event('start', now)
  if (!runs(was) && again && !runs(is)) yield* died(now, false)
  if (runs(is) && runs(was) && !again && was !== is) yield event(is === 'paused' ? 'pause' : 'unpause', now)
  const judged = now.health !== 'starting' && now.health !== (again ? 'starting' : (old?.health ?? null))
  if (runs(is) && now.health && judged) yield event('health_status', now, { health_status: now.health })
}

function runs(condition: string): boolean {
  return condition === 'running' || condition === 'paused'
}

function* died(seen: Seen, unknown: boolean): Generator<EngineEvent> {
  if (seen.state?.oomKilled) yield event('oom', seen)
  const code = unknown ? null : seen.state?.exitCode
  yield event('die', seen, code === null || code === undefined ? {} : { exitCode: String(code) })
}

function* ended(seen: Seen): Generator<EngineEvent> {
  if (runs(seen.condition)) yield event('die', seen)
  yield event('destroy', seen)
}

function event(action: string, { record }: Seen, more: Record<string, string> = {}): EngineEvent {
  const attributes = { ...record.labels, image: record.image, name: record.name, ...more }
  return { kind: 'container', action, id: record.id, name: record.name, time: Date.now(), attributes }
}

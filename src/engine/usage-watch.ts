/**
 * The disks of the engines that are watched. An engine adds its disk up when somebody asks, which may take it long: it is
 * asked when the screen is shown, when a person wants it, and after events, but then never in a row: what happens while it
 * answers is one more question, asked after it has rested for a while that its answer's cost decides.
 */
import { asFault, type Fault } from '../base/errors.ts'
import type { ContainerEngine, EngineEvent } from './containers.ts'
import type { DiskUsage } from './usage.ts'
import { withLent } from './usage-lent.ts'
import type { Watching } from './watching.ts'

/** What is known of the disk of one engine. A new object whenever something of it changes. */
export interface EngineDisk {
  id: string
  /** To act on; null while there is no connection. */
  engine: ContainerEngine | null
  /** Why there is none, or none any more; null while it is tried for the first time. */
  lost: Fault | null
  /** What it said last; null before the first answer. */
  usage: DiskUsage | null
  asking: boolean
  /** Why there is no (newer) answer. */
  fault: Fault | null
  /** Milliseconds since 1970 of the last answer; 0 before. */
  asOf: number
  /** Something has happened since. */
  outdated: boolean
}

export interface DiskWatch {
  /** Engines that can tell of their disk. The same array until something changes. */
  snapshot(): readonly EngineDisk[]
  subscribe(listener: () => void): () => void
  /** Asks at once: one engine or all. */
  refresh(id?: string): void
  /** While nobody looks nothing is asked; who looks again gets what has changed meanwhile. */
  look(visible: boolean): void
  close(): void
}

export interface DiskPace {
  /** Milliseconds of rest after an answer before events lead to the next question. */
  rest: number
  /** Or as many times what the answer took, if that is more. */
  times: number
}

/** How many times the rest is doubled. */
const MOST_DOUBLED = 6

const usualPace: DiskPace = { rest: 1_000, times: 10 }

interface Watch {
  disk: EngineDisk
  timer: NodeJS.Timeout | null
  /** When it may be asked again without a person wanting it, on the clock of `performance`. */
  rested: number
  /** In a row. */
  failures: number
  again: boolean
}

/** Watches until it is closed; the watching of the engines stays the caller's. */
export function watchDisks(
  watching: Watching,
  { now, pace = usualPace }: { now: () => number; pace?: DiskPace },
): DiskWatch {
  const listeners = new Set<() => void>()
  const over = new AbortController()
  const watches = new Map<string, Watch>()
  let current: readonly EngineDisk[] = []
  let visible = false
  const lent = rememberLent()

  const tell = () => {
    current = lent(watching.snapshot().flatMap(({ id }) => watches.get(id)?.disk ?? []))
    for (const listener of listeners) listener()
  }
  const set = (id: string, change: Partial<EngineDisk>) => {
    const watch = watches.get(id)
    if (!watch || over.signal.aborted) return
    watch.disk = { ...watch.disk, ...change }
    tell()
  }
  const ask = async (id: string) => {
    const watch = watches.get(id)
    const engine = watch?.disk.engine
    if (!watch || !engine?.storage || over.signal.aborted) return
    if (watch.disk.asking) {
      watch.again = true
      return
    }
    if (watch.timer) clearTimeout(watch.timer)
    watch.timer = null
    watch.again = false
    const begun = performance.now()
    set(id, { asking: true, outdated: false })
    try {
      const usage = await engine.storage.usage({ signal: over.signal })
      watch.failures = 0
      set(id, { usage, fault: null, asOf: now() })
    } catch (error) {
      // Docker answers one question of this kind at a time, whoever asks: it is tried again, and ever less often.
      watch.failures = Math.min(watch.failures + 1, MOST_DOUBLED)
      set(id, { fault: asFault(error, `${id} does not tell of its disk`) })
    }
    const rest = Math.max(pace.rest, pace.times * (performance.now() - begun)) * 2 ** watch.failures
    watch.rested = performance.now() + rest
    set(id, { asking: false })
    if (watch.again || watch.disk.outdated || watch.failures > 0) later(id)
  }
  /** As soon as it has rested. */
  const later = (id: string) => {
    const watch = watches.get(id)
    if (!watch || !visible || watch.timer || watch.disk.asking) return
    watch.timer = setTimeout(
      () => {
        watch.timer = null
        if (visible) void ask(id)
      },
      Math.max(pace.rest / 4, watch.rested - performance.now()),
    )
  }
  const changed = () => {
    for (const { id, engine, health } of watching.snapshot()) {
      const known = watches.get(id)
      const lost = health.state === 'lost' ? health.fault : null
      if (known && known.disk.lost !== lost) known.disk = { ...known.disk, lost }
      if (!known) {
        if (engine !== null && !engine.storage) continue
        const disk = { id, engine, lost, usage: null, asking: false, fault: null, asOf: 0, outdated: false }
        watches.set(id, { disk, timer: null, rested: 0, failures: 0, again: false })
        if (engine && visible) void ask(id)
      } else if (known.disk.engine !== engine) {
        known.disk = { ...known.disk, engine }
        if (engine && visible) void ask(id)
        else if (engine) known.disk = { ...known.disk, outdated: true }
      }
    }
    tell()
  }
  const happened = (id: string, event: EngineEvent) => {
    const watch = watches.get(id)
    if (!watch || !changesDisk(event)) return
    if (!watch.disk.outdated) set(id, { outdated: true })
    later(id)
  }
  const deaf = [watching.subscribe(changed), watching.onEvent(happened)]
  changed()
  return {
    snapshot: () => current,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    refresh(id) {
      for (const one of watches.keys()) if (id === undefined || one === id) void ask(one)
    },
    look(now) {
      if (now === visible) return
      visible = now
      for (const [id, { disk }] of watches)
        if (now && (disk.outdated || disk.fault || (disk.usage === null && !disk.asking))) void ask(id)
    },
    close() {
      over.abort()
      listeners.clear()
      for (const stop of deaf) stop()
      for (const { timer } of watches.values()) if (timer) clearTimeout(timer)
    },
  }
}

/** What makes the disk hold something else, or lets something be freed or not. */
function changesDisk({ kind, action }: EngineEvent): boolean {
  if (kind === 'image') return !['save', 'push', 'mount', 'unmount'].includes(action)
  if (kind === 'volume') return action === 'create' || action === 'destroy' || action === 'remove' || action === 'prune'
  return kind === 'container' && containerActions.has(action)
}

const containerActions = new Set(['create', 'start', 'die', 'died', 'destroy', 'remove', 'commit', 'rename', 'prune'])

/** What is lent, worked out again only when some disk has changed: who shows them looks whether they are the same. */
function rememberLent(): (disks: readonly EngineDisk[]) => readonly EngineDisk[] {
  let last: { before: readonly (DiskUsage | null)[]; after: readonly (DiskUsage | null)[] } = { before: [], after: [] }
  return disks => {
    const before = disks.map(one => one.usage)
    const same = before.length === last.before.length && before.every((one, at) => one === last.before[at])
    if (!same) last = { before, after: withLent(disks).map(one => one.usage) }
    return disks.map((disk, at) => (disk.usage === last.after[at] ? disk : { ...disk, usage: last.after[at] ?? null }))
  }
}

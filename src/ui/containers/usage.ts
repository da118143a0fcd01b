/** What the running containers on the screen use: a stream each, begun when it comes into view and ended when it leaves. */
import type { ContainerEngine, Stats } from '../../engine/containers.ts'
import type { Pace } from './pace.ts'

export interface Usage {
  last: Stats
  /** CPU percentages, oldest first, at most `HISTORY`. */
  cpu: readonly number[]
}

export interface UsageTarget {
  key: string
  engine: ContainerEngine
  id: string
}

export interface UsageWatch {
  /** Watches these and no others. */
  want(targets: readonly UsageTarget[]): void
  /** As it was told last. */
  get(key: string): Usage | undefined
  /** It runs anew: what is known of it is over. */
  forget(key: string): void
}

export interface UsageOptions {
  pace: Pace
  /** Bytes that it takes to show one in place of the other. */
  cost(before: Usage | undefined, now: Usage | undefined): number
  /** Called about once a second, or as often as the pace allows, with everything that came meanwhile. */
  changed(): void
}

/** Samples that a sparkline shows. */
export const HISTORY = 8
/** Milliseconds between two times that new samples are told. */
const GAP = 1000

export function watchUsage({ pace, cost, changed }: UsageOptions): UsageWatch {
  const known = new Map<string, Usage>()
  /** What has been told. */
  const shown = new Map<string, Usage>()
  const running = new Map<string, { engine: ContainerEngine; stop: AbortController }>()
  let timer: NodeJS.Timeout | null = null
  let told = 0

  const tell = () => {
    timer ??= setTimeout(publish, Math.max(50, told + GAP - performance.now(), pace.wait()))
  }
  const publish = () => {
    timer = null
    told = performance.now()
    let bytes = 0
    for (const key of new Set([...known.keys(), ...shown.keys()])) {
      const now = known.get(key)
      bytes += cost(shown.get(key), now)
      if (now) shown.set(key, now)
      else shown.delete(key)
    }
    if (bytes === 0) return
    pace.spend(bytes)
    changed()
  }
  const follow = async ({ key, engine, id }: UsageTarget, stop: AbortController) => {
    try {
      for await (const last of engine.containers.stats(id, { signal: stop.signal })) {
        if (stop.signal.aborted) break
        const before = known.get(key)?.cpu ?? []
        const cpu = last.cpuPercent === null ? before : [...before, last.cpuPercent].slice(-HISTORY)
        known.set(key, { last, cpu })
        tell()
      }
    } catch {} // the list tells what became of it
    if (running.get(key)?.stop !== stop) return
    // It is not asked again before it leaves the screen, or runs anew.
    known.delete(key)
    tell()
  }
  const drop = (key: string) => {
    running.get(key)?.stop.abort()
    running.delete(key)
    known.delete(key)
    shown.delete(key)
  }

  return {
    want(targets) {
      const wanted = new Map(targets.map(target => [target.key, target]))
      for (const [key, { engine }] of running) if (wanted.get(key)?.engine !== engine) drop(key)
      for (const target of targets) {
        if (running.has(target.key)) continue
        const stop = new AbortController()
        running.set(target.key, { engine: target.engine, stop })
        void follow(target, stop)
      }
      if (running.size > 0 || timer === null) return
      clearTimeout(timer)
      timer = null
    },
    get: key => shown.get(key),
    forget: drop,
  }
}

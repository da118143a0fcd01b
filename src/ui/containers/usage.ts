/** What the running containers on the screen use: a stream each, begun when it comes into view and ended when it leaves. */
import type { ContainerEngine, Stats } from '../../engine/containers.ts'

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
  get(key: string): Usage | undefined
  /** It runs anew: what is known of it is over. */
  forget(key: string): void
}

/** Samples that a sparkline shows. */
export const HISTORY = 8
/** Milliseconds between two times that new samples are told, and what each stream adds: a slow line carries them all. */
const GAP = 1000
const GAP_EACH = 125

/** `changed` is called about once a second, with everything that came meanwhile. */
export function watchUsage(changed: () => void): UsageWatch {
  const known = new Map<string, Usage>()
  const running = new Map<string, { engine: ContainerEngine; stop: AbortController }>()
  let timer: NodeJS.Timeout | null = null
  let told = 0

  const tell = () => {
    timer ??= setTimeout(
      () => {
        timer = null
        told = performance.now()
        changed()
      },
      Math.max(50, told + Math.max(GAP, GAP_EACH * running.size) - performance.now()),
    )
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

  return {
    want(targets) {
      const wanted = new Map(targets.map(target => [target.key, target]))
      for (const [key, { engine, stop }] of running) {
        if (wanted.get(key)?.engine === engine) continue
        stop.abort()
        running.delete(key)
        known.delete(key)
      }
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
    get: key => known.get(key),
    forget(key) {
      running.get(key)?.stop.abort()
      running.delete(key)
      known.delete(key)
    },
  }
}

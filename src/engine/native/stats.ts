/** About one sample a second of what a container uses. */
import { setTimeout } from 'node:timers/promises'
import { stateOf } from '../../runtime/containers/states.ts'
import { usageOf } from '../../runtime/containers/usage.ts'
import type { Places } from '../../runtime/places.ts'
import type { Stats } from '../containers.ts'

/** Ends with the signal, and when the container does not run (any more). */
export async function* nativeStats(places: Places, id: string, signal: AbortSignal): AsyncGenerator<Stats> {
  let before: { time: number; cpu: number } | null = null
  for (;;) {
    const state = await stateOf(places, id)
    if (signal.aborted || state === null || state.status === 'stopped') return
    const { cpu, ...usage } = usageOf(state)
    const elapsed = before ? (usage.time - before.time) / 1000 : 0
    yield { ...usage, cpuPercent: before && elapsed > 0 ? Math.max(0, (100 * (cpu - before.cpu)) / elapsed) : null }
    before = { time: usage.time, cpu }
    await setTimeout(1000, undefined, { signal }).catch(() => {})
  }
}

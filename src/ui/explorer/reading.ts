/** How fast the layers come in, from what they say of themselves. */
import type { Loading } from './loading.ts'

export interface Reading {
  now(): { done: number; total: number; rate: number; left: number | null; layers: string }
  /** `42 %`, or how many layers there are yet where sizes are not known. */
  percent(): string
  /** To be called when something has arrived. */
  tick(): void
}

/** Before that nobody can say how long it will take, milliseconds. */
const SURE = 1000
/** Measures at most this often, milliseconds. */
const PACE = 200

export function measureReading(loading: () => Loading, clock: () => number): Reading {
  const started = clock()
  let at = started
  let last = 0
  let rate = 0
  const sums = () => {
    let done = 0
    let total = 0
    for (const layer of loading().layers) {
      done += Math.min(layer.done, layer.total ?? layer.done)
      total += layer.total ?? layer.done
    }
    return { done, total }
  }
  return {
    now() {
      const { done, total } = sums()
      const { layers } = loading()
      const left = rate > 0 && total > done && clock() - started > SURE ? ((total - done) / rate) * 1000 : null
      return { done, total, rate, left, layers: `${loading().laid()} of ${layers.length} layers` }
    },
    percent() {
      const { done, total } = sums()
      if (total === 0) return `${loading().laid()} of ${loading().layers.length}`
      return `${Math.min(99, Math.floor((done / total) * 100))} %`
    },
    tick() {
      const now = clock()
      if (now - at < PACE) return
      const { done } = sums()
      const measured = Math.max(0, ((done - last) / (now - at)) * 1000)
      rate = rate === 0 ? measured : rate + 0.3 * (measured - rate)
      at = now
      last = done
    },
  }
}

/**
 * How often what changes by itself may be drawn, so that a slow line carries it: bytes that may be written come in
 * evenly and are spent. What is rare is shown at once, what never stops as often as there are bytes for it.
 */

export interface Pace {
  /** Milliseconds until something may be drawn again. */
  wait(): number
  /** So many bytes are about to be written. */
  spend(bytes: number): void
}

/** Bytes a second, how many may have gathered, and how many may be owed at most: nothing stands still for longer. */
const RATE = 200
const MOST = 2_400
const OWED = 2_000

export function createPace(now: () => number = () => performance.now()): Pace {
  let saved = MOST
  let at = now()
  const gather = () => {
    const moment = now()
    saved = Math.min(MOST, saved + ((moment - at) / 1000) * RATE)
    at = moment
  }
  return {
    wait() {
      gather()
      return saved >= 0 ? 0 : Math.ceil((-saved / RATE) * 1000)
    },
    spend(bytes) {
      gather()
      saved = Math.max(-OWED, saved - bytes)
    },
  }
}

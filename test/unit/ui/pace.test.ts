/** How often what changes by itself is drawn: what is rare at once, what never stops as often as a slow line carries. */
import { expect, it } from 'vitest'
import { createPace } from '../../../src/ui/containers/pace.ts'

it('what is rare never waits', () => {
  let now = 0
  const pace = createPace(() => now)
  for (let at = 0; at < 100; at++) {
    expect(pace.wait()).toBe(0)
    pace.spend(500)
    now += 5_000
  }
})

it('what never stops is drawn as often as its bytes come in', () => {
  let now = 0
  let written = 0
  const pace = createPace(() => now)
  while (now < 600_000) {
    now += Math.max(pace.wait(), 100)
    if (pace.wait() > 0) continue
    pace.spend(900)
    written += 900
  }
  expect(written / 600).toBeLessThan(215)
  expect(written / 600).toBeGreaterThan(150)
})

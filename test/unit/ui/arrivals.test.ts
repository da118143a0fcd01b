/** Engines that come while somebody looks are told of once. */
import { expect, test } from 'vitest'
import { Fault } from '../../../src/base/errors.ts'
import type { WatchedEngine } from '../../../src/engine/watching.ts'
import { createArrivals } from '../../../src/ui/containers/arrivals.ts'

const engine = (id: string, state: 'connecting' | 'ok' | 'lost'): WatchedEngine => ({
  id,
  health: state === 'lost' ? { state, since: 0, fault: new Fault('gone'), retryAt: 0 } : { state, since: 0 },
  engine: null,
  containers: [],
  stale: state !== 'ok',
})

test('what is there at first is no news; what comes later and what comes back is', () => {
  const say = createArrivals()
  expect(say([])).toBeNull()
  expect(say([engine('docker', 'connecting')])).toBeNull()
  expect(say([engine('docker', 'ok')])).toBeNull()
  expect(say([engine('docker', 'ok'), engine('podman', 'connecting')])).toBeNull()
  expect(say([engine('docker', 'ok'), engine('podman', 'ok')])).toBe('podman is there now.')
  expect(say([engine('docker', 'ok'), engine('podman', 'ok')])).toBeNull()
  expect(say([engine('docker', 'lost'), engine('podman', 'ok')])).toBeNull()
  expect(say([engine('docker', 'lost'), engine('podman', 'ok')])).toBeNull()
  expect(say([engine('docker', 'ok'), engine('podman', 'ok')])).toBe('docker is back.')
})

test('one that could not be reached at first is none that was lost', () => {
  const say = createArrivals()
  say([engine('docker', 'lost')])
  expect(say([engine('docker', 'ok')])).toBeNull()
})

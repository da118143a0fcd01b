/** A store that its engine changes while it is read is read again or left alone: never shown wrong. */
import { expect, test } from 'vitest'
import { openContainersStorage } from '../../src/source/containers-storage.ts'
import { openDockerStore } from '../../src/source/docker-store.ts'
import { readWhileBusy } from '../harness/busy-store.ts'
import { startDocker, startPodman } from '../harness/engines.ts'

test.each(['overlay2', 'vfs'] as const)('Docker’s, with %s', async driver => {
  const engine = await startDocker({ driver })
  try {
    const location = { kind: 'docker-store', root: engine.dataRoot, driver: null, also: [] } as const
    const outcome = await readWhileBusy({ engine, location, open: openDockerStore })
    expect(outcome.right).toBeGreaterThan(0)
    expect(outcome.absent).toBeGreaterThan(0)
  } finally {
    await engine.stop()
  }
})

test('Podman’s', async () => {
  const engine = await startPodman()
  try {
    const location = { kind: 'containers-storage', root: engine.dataRoot, driver: null, also: [] } as const
    const outcome = await readWhileBusy({ engine, location, open: openContainersStorage })
    expect(outcome.right).toBeGreaterThan(0)
    expect(outcome.absent).toBeGreaterThan(0)
  } finally {
    await engine.stop()
  }
})

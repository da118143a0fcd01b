/** A bare name that no image has may be a container's. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { containerNamed, mayBeContainer } from '../../../src/cli/meant.ts'
import { fakeEngine, refuse } from '../../harness/fake-engine.ts'
import { scratch } from '../../harness/scratch.ts'

const id = 'a'.repeat(64)
const answer = { Id: id, Name: '/web', Created: '2026-01-02T03:04:05Z', State: { Status: 'running' }, Config: {} }

beforeEach(() => void vi.stubEnv('STRATA_ROOT', scratch().path))
afterEach(() => void vi.unstubAllEnvs())

test('the container of that name, by the engine that has it', async () => {
  const none = refuse(404, { message: 'No such container: api' })
  const engine = await fakeEngine({ routes: { '/containers/web/json': answer, '/containers/api/json': none } })
  vi.stubEnv('DOCKER_HOST', `unix://${engine.socket}`)
  expect(await containerNamed('web', { engine: 'docker' })).toBe('container:docker/web')
  expect(await containerNamed('api', { engine: 'docker' })).toBeNull()
})

test('what can not be the name of one asks nobody', async () => {
  const engine = await fakeEngine({})
  vi.stubEnv('DOCKER_HOST', `unix://${engine.socket}`)
  for (const text of ['web:1', './web', 'a/b', 'web@2', 'docker://web', '-', '', 'x'.repeat(300)]) {
    expect(mayBeContainer(text)).toBe(false)
    expect(await containerNamed(text, { engine: 'docker' })).toBeNull()
  }
  expect(engine.asked).toEqual([])
})

/** Engines that answer with errors, break off, or have very many containers: the screen is usable, and says nothing that is not known. */
import { describe, expect, it } from 'vitest'
import { Fault } from '../../../src/base/errors.ts'
import { createContainers } from '../../../src/ui/containers/containers.ts'
import { container, type FakeEngine, fakeContainers } from '../../harness/fake-containers.ts'
import { mountScreen } from '../../harness/mount.tsx'

async function shown(engine: Partial<FakeEngine>) {
  const fake = fakeContainers([{ id: 'docker', ...engine }])
  const app = await mountScreen(createContainers, { columns: 120, rows: 30, services: { containers: fake.service } })
  return { ...app, fake }
}

describe('an engine in trouble', () => {
  it('that inspects nothing: the list is there, and what it does not tell is left out', async () => {
    const containers = [container('web'), container('done', { state: 'exited', status: 'Exited (3) 1 hour ago' })]
    const app = await shown({ containers, failures: { inspect: new Fault('broken') } })
    await app.until('exited 3')
    await app.press('j')
    await app.until(/▸ {2}done/)
    expect(app.text()).not.toMatch(/just now|ago/)
    await app.press('i')
    await app.until('broken')
  })

  it('whose measuring breaks off: the row has no numbers any more, and it is not asked again and again', async () => {
    const samples = [1, 2, 3].map(cpuPercent => ({ cpuPercent, memory: 84e6 }))
    const failures = { 'stats web': new Fault('cut') }
    const app = await shown({ containers: [container('web')], stats: { web: samples }, failures })
    await app.until('running')
    await app.until(() => !app.fake.open.has('stats web'))
    await app.press('j', 'k')
    expect(app.text()).not.toContain('84 MB')
    expect(app.fake.open.has('stats web')).toBe(false)
  })

  it('whose log breaks off: what came is shown, and that it is lost', async () => {
    const failures = { 'logs web': new Fault('The connection was cut.') }
    const app = await shown({ containers: [container('web')], logs: { web: ['first', 'last'] }, failures })
    await app.until(/Logs ─+ lost/)
    expect(app.text()).toContain('last')
    await app.press('l')
    await app.until(/▸ web logs +lost/)
    await app.until('last')
  })

  it('without a log of it: says why', async () => {
    const failures = { 'logs web': new Fault('The log driver none keeps nothing.') }
    const app = await shown({ containers: [container('web')], failures })
    await app.press('l')
    await app.until('The log driver none keeps nothing')
  })
})

it('500 containers: sorted, filtered, marked and left within few frames, and only those in view are asked about', async () => {
  const containers = Array.from({ length: 500 }, (_, at) =>
    container(`c${String(at).padStart(3, '0')}`, { state: at % 2 === 0 ? 'running' : 'exited' }),
  )
  const app = await shown({ containers })
  await app.until('1 of 500')
  await app.press('o', 'n', 'G')
  await app.until('500 of 500')
  await app.until('c499')
  await app.press('space', 'g', 'space')
  await app.until('2 marked')
  await app.press('/')
  await app.type('c25')
  await app.until('10 of 500')
  await app.press('enter')
  expect(app.fake.open.size).toBeLessThan(60)
})

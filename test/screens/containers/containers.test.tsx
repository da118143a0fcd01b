/** The Containers screen: what it shows, what its keys do to which containers, and that nothing runs on for nobody. */
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { Fault } from '../../../src/base/errors.ts'
import { createContainers } from '../../../src/ui/containers/containers.ts'
import { createImages } from '../../../src/ui/images/images.ts'
import type { Screen } from '../../../src/ui/screen.ts'
import { container, type FakeEngine, fakeContainers } from '../../harness/fake-containers.ts'
import { expectFrame } from '../../harness/frames.ts'
import { type MountOptions, mountScreen } from '../../harness/mount.tsx'

beforeAll(() => {
  process.env.TZ = 'UTC'
})

const now = Date.UTC(2026, 0, 2, 3, 4, 5)
const ago = (minutes: number) => new Date(now - minutes * 60_000).toISOString()
const samples = (...cpu: number[]) => cpu.map(cpuPercent => ({ cpuPercent, memory: 84_300_000, memoryLimit: 512e6 }))

const docker: Partial<FakeEngine> & { id: string } = {
  id: 'docker',
  containers: [
    container('web', {
      health: 'healthy',
      ports: [
        { host: '0.0.0.0', hostPort: 8080, port: 80, protocol: 'tcp' },
        { host: '::', hostPort: 8080, port: 80, protocol: 'tcp' },
      ],
      mounts: [{ kind: 'volume', name: 'weblog', source: '/v', destination: '/var/log', readOnly: false }],
    }),
    container('database', { image: 'postgres:17', command: 'postgres', created: 1_767_200_000 }),
    container('worker', { state: 'exited', status: 'Exited (137) 5 minutes ago', image: 'myapp:1' }),
    container('hungry', { state: 'exited', status: 'Exited (137) 2 hours ago', image: 'myapp:1' }),
    container('done', { state: 'exited', status: 'Exited (0) 3 hours ago', image: 'myapp:1' }),
    container('batch', { state: 'paused', status: 'Up 2 hours (Paused)' }),
  ],
  facts: {
    web: { startedAt: ago(200), upperBytes: 18_400_000, restarts: 2 },
    database: { startedAt: ago(3 * 24 * 60) },
    worker: { finishedAt: ago(5), exitCode: 137 },
    hungry: { finishedAt: ago(120), exitCode: 137, oomKilled: true },
    done: { finishedAt: ago(180), exitCode: 0 },
    batch: { startedAt: ago(130) },
  },
  stats: { web: samples(0, 4, 9, 22, 35, 12.5), database: samples(0.2, 0.1, 0.3) },
  logs: {
    web: ['GET / 200 3 ms', '\x1b[32mGET\x1b[0m /evil\x1b]0;title\x07 200', '!upstream took 1 204 ms', '\tindented'],
  },
}

const podman: Partial<FakeEngine> & { id: string } = {
  id: 'podman',
  kind: 'podman',
  version: '5.4.1',
  containers: [
    container('团队-缓存', { image: 'registry.example.com/缓存:稳定版', state: 'created', status: 'Created' }),
  ],
}

async function shown(engines = [docker, podman], options: MountOptions & { readOnly?: boolean } = {}) {
  const fake = fakeContainers(engines, options)
  const app = await mountScreen(createContainers, {
    ...options,
    explorer: (ui, reference): Screen => ({
      id: 'explorer',
      title: () => reference,
      scopes: () => [],
      actions: [],
      draw: () => [`exploring ${reference}`.padEnd(ui.size().columns)],
      subscribe: () => () => {},
    }),
    services: { containers: fake.service },
  })
  return { ...app, fake }
}

const sizes = [
  [40, 12],
  [60, 20],
  [80, 24],
  [120, 36],
  [200, 60],
] as const

describe('the list of containers', () => {
  it.each(sizes)('at %ix%i', async (columns, rows) => {
    const app = await shown([docker, podman], { columns, rows })
    if (rows >= 20) await app.until('indented')
    await app.until('OOM killed')
    if (columns >= 60) await app.until('13 %')
    if (columns >= 120) await app.until('18.4 MB')
    await expectFrame(app, 'containers/list')
  })

  it.each(['none', '16'] as const)('in colours: %s', async level => {
    const app = await shown([docker, podman], { columns: 120, rows: 14, level })
    await app.until('18.4 MB')
    await app.until('indented')
    await app.until(' 13 %')
    await app.until('indented')
    await app.press('space')
    await expectFrame(app, `containers/colours-${level}`, { styles: true })
  })

  it('says the state in words, with code and reason', async () => {
    const app = await shown()
    await app.until('OOM killed')
    for (const words of ['running (healthy)', 'exited 137 killed', 'exited 0', 'paused', 'created'])
      expect(app.text()).toContain(words)
  })

  it('shows lost engines as a state: a banner, rows as they were, and no dialog', async () => {
    const app = await shown([docker, podman], { columns: 80, rows: 24 })
    await app.until('OOM killed')
    await app.until('indented')
    app.fake.lose('docker', Date.UTC(2026, 0, 2, 3, 2), 'The connection to docker was cut.')
    await app.until('lost since 03:02')
    await app.until(() => !app.fake.open.has('stats web'))
    await expectFrame(app, 'containers/lost', { styles: true })
    await app.press('S')
    expect(app.fake.asked).toEqual([])
  })

  it.each([
    [80, 24],
    [120, 36],
  ])('moves the cursor with few bytes at %ix%i', async (columns, rows) => {
    const app = await shown([docker, podman], { columns, rows })
    await app.until(' 13 %')
    await app.until('indented')
    if (columns === 120) await app.until('18.4 MB')
    app.written()
    await app.press('j')
    expect(Buffer.byteLength(app.written())).toBeLessThanOrEqual(600)
  })

  it('keeps the cursor on its container when others come and go', async () => {
    const app = await shown()
    await app.press('j')
    await app.until('2 of 7')
    const on = () => app.text().match(/▸[ ●] (\S+)/)?.[1]
    const here = on()
    app.fake.change('podman', { containers: [container('a-new-one'), container('another')] })
    await app.until('of 8')
    expect(on()).toBe(here)
  })

  it('filters by words, and shows only those that run', async () => {
    const app = await shown()
    await app.press('a')
    await app.until('of 3')
    await app.press('a', '/')
    await app.type('postgres')
    await app.until('1 of 1')
    await app.press('enter', 'esc')
    await app.until('of 7')
  })

  it('sorts by what is measured, the most first, and the cursor stays on its container', async () => {
    const app = await shown()
    await app.until(' 13 %')
    await app.press('j', 'j')
    await app.until(/▸ {2}batch/)
    const names = () => [...app.text().matchAll(/^│[▸ ] {2}(\S+)/gm)].map(([, name]) => name).slice(1)
    await app.press('o', 'r')
    await app.until(() => names()[0] === 'web')
    await app.press('o', 't')
    await app.until(() => names().slice(0, 3).join() === 'worker,hungry,batch')
    await app.press('o', 'c')
    await app.until(() => names().slice(0, 2).join() === 'web,database')
    await app.press('o', 'c')
    await app.until(() => names().slice(0, 2).join() === 'database,web')
    expect(app.text()).toMatch(/▸ {2}batch/)
  })

  it('neither shows nor asks for what they use when that is not wanted', async () => {
    const app = await shown()
    await app.until(' 13 %')
    await app.press('u')
    await app.until(() => !app.text().includes('MEMORY') && !app.text().includes('cpu '))
    expect([...app.fake.open]).toEqual(['logs web'])
    await app.press('u')
    await app.until(' 13 %')
  })

  it('sorts by what is chosen', async () => {
    const app = await shown()
    const names = () => [...app.text().matchAll(/^│[▸ ][ ●] (\S+)/gm)].map(match => match[1]).slice(1)
    await app.press('o', 'n')
    await app.until(() => names()[0] === 'batch')
    expect(names().slice(0, 3)).toEqual(['batch', 'database', 'done'])
  })

  it('tells how long ago something ended though nothing happens any more', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
    onTestFinished(() => void vi.useRealTimers())
    let later = 0
    const done = container('done', { state: 'exited', status: 'Exited (0)' })
    const fake = fakeContainers([{ id: 'docker', containers: [done], facts: { done: { finishedAt: ago(0) } } }])
    const services = { containers: fake.service, now: () => now + later }
    const app = await mountScreen(createContainers, { services })
    await app.until('just now')
    later = 61_000
    vi.advanceTimersByTime(15_000)
    await app.until('1 min ago')
  })

  it('opens the explorer on the container under the cursor', async () => {
    const app = await shown()
    await app.press('enter')
    await app.until('exploring container:docker/web')
  })

  it('shows hostile words harmlessly', async () => {
    const app = await shown([{ id: 'docker', containers: [container('evil\x1b[2J', { image: 'a\u202eb' })] }])
    await app.until('evil\\x1b[2J')
    expect(app.text()).toContain('a\\u{202e}b')
  })

  it.each([
    [40, 12],
    [80, 24],
  ])('without a container at %ix%i', async (columns, rows) => {
    const app = await shown([{ id: 'docker' }], { columns, rows })
    await app.until('No containers')
    await expectFrame(app, 'containers/empty')
  })
})

describe('streams', () => {
  it('run for what is on the screen and end when it is covered', async () => {
    const app = await shown()
    await app.until('indented')
    expect([...app.fake.open].sort()).toEqual(['logs web', 'stats database', 'stats web'])
    await app.press('enter')
    await app.until('exploring')
    await app.until(() => app.fake.open.size === 0)
    await app.press('esc')
    await app.until(() => app.fake.open.has('logs web'))
  })

  it('write nothing while nothing changes', async () => {
    const app = await shown()
    await app.until(' 13 %')
    await app.until('18.4 MB')
    await app.until('indented')
    app.written()
    await new Promise(resolve => setTimeout(resolve, 1200))
    expect(app.written()).toBe('')
  })

  it('all end with the program, the watch too', async () => {
    const app = await shown()
    await app.until('indented')
    await app.press('q')
    await app.ended
    expect(app.fake.open.size).toBe(0)
    expect(app.fake.closed).toBe(true)
  })
})

describe('what is done with containers', () => {
  it('is done with the one under the cursor', async () => {
    const app = await shown()
    await app.press('S')
    await app.until('stopped web')
    await app.press('r')
    await app.until('restarted web')
    await app.press('p')
    await app.until('paused web')
    expect(app.fake.asked).toEqual(['stop web', 'restart web', 'pause web'])
  })

  it('starts what does not run', async () => {
    const app = await shown()
    await app.press('/')
    await app.type('worker')
    await app.press('enter', 'r')
    await app.until('started worker')
    expect(app.fake.asked).toEqual(['start worker'])
  })

  it('is done with exactly what is marked, after a question that names it', async () => {
    const app = await shown()
    await app.press('space', 'space')
    await app.until('2 marked')
    await app.press('S')
    await app.until('Stop 2 containers?')
    await app.press('y')
    await app.until('stopped 2 containers')
    expect(app.fake.asked.sort()).toEqual(['stop database', 'stop web'])
  })

  it('removes only what was named with its size, and enter alone does nothing', async () => {
    const app = await shown()
    await app.until('indented')
    await app.until(' 13 %')
    await app.press('D')
    await app.until('Remove 1 container?')
    await app.until('18.4 MB are freed')
    await expectFrame(app, 'containers/remove')
    await app.press('enter')
    expect(app.fake.asked).toEqual([])
    await app.press('D')
    await app.until('Remove 1 container?')
    await app.press('y')
    await app.until('removed web')
    expect(app.fake.asked).toEqual(['remove web'])
  })

  it('sends the signal that is chosen, and asks once more before it kills', async () => {
    const app = await shown()
    await app.press('K')
    await app.until('A signal to 1 container')
    await app.press('9')
    await app.until('Kill 1 container?')
    await app.until('docker kill web')
    await app.press('n')
    expect(app.fake.asked).toEqual([])
    await app.press('K', '1')
    await app.until('signalled web')
    expect(app.fake.asked).toEqual(['kill web HUP'])
  })

  it('tells of several what came of each, the raw error one key away', async () => {
    const app = await shown([{ ...docker, failures: { 'stop web': new Fault('docker says: no, not now.') } }])
    await app.press('space', 'space', 'S')
    await app.until('docker stop web database')
    await app.press('y')
    await app.until('1 container stopped, 1 failed:')
    await app.until('web: docker says: no, not now.')
    await app.press('d')
    await app.until('caused by')
  })

  it('acts on what is marked though a filter hides it, after a question', async () => {
    const app = await shown()
    await app.press('space', '/')
    await app.type('database')
    await app.press('enter', 'S')
    await app.until('Stop 1 container?')
    await app.until('docker stop web')
    await app.press('y')
    await app.until('stopped web')
    expect(app.fake.asked).toEqual(['stop web'])
  })

  it('removes nameless volumes only when that is asked for, and names them', async () => {
    const nameless = {
      kind: 'volume',
      name: 'ab'.repeat(32),
      source: '/v',
      destination: '/data',
      readOnly: false,
    } as const
    const app = await shown([{ id: 'docker', containers: [container('web', { mounts: [nameless] })] }])
    await app.until('It has said nothing yet.')
    await app.press('D')
    await app.until('[ ] 1 nameless volume too')
    await app.press('v')
    await app.until('/data  abababababab')
    await app.until('docker rm -f -v web')
    await expectFrame(app, 'containers/remove-volumes')
    await app.press('y')
    await app.until('removed web')
    expect(app.fake.removed).toEqual([{ force: true, volumes: true }])
  })

  it("shows the engine's own sentence when it refuses", async () => {
    const app = await shown([{ ...docker, failures: { stop: new Fault('docker says: no, not now.') } }])
    await app.press('S')
    await app.until('docker says: no, not now.')
  })

  it('renames', async () => {
    const app = await shown()
    await app.press('R')
    await app.until('rename web to')
    await app.type('2')
    await app.press('enter')
    await app.until('web is web2 now')
    expect(app.fake.asked).toEqual(['rename web web2'])
  })

  it('hands the terminal to a shell', async () => {
    const app = await shown()
    await app.press('s')
    await app.until(() => app.fake.asked.length > 0)
    expect(app.fake.asked).toEqual(['shell docker web'])
  })

  it('does nothing of it in read-only mode', async () => {
    const app = await shown([docker, podman], { readOnly: true })
    await app.press('S', 'r', 'p', 'K', 'D', 'R', 's')
    expect(app.fake.asked).toEqual([])
    expect(app.line(35)).not.toContain('stop')
  })
})

describe('the outermost screens', () => {
  it('are reached by their numbers, and stay as they were', async () => {
    const fake = fakeContainers([docker, podman])
    const homes = [
      { title: 'Images', make: createImages },
      { title: 'Containers', make: createContainers },
    ]
    const app = await mountScreen(createImages, { homes, services: { containers: fake.service } })
    expect(app.line(0)).toContain('strata  1 Images  2 Containers')
    await app.press('2', 'j')
    await app.until('2 of 7')
    await app.until(() => fake.open.has('stats web'))
    await app.press('1')
    await app.until('No images here yet')
    await app.until(() => fake.open.size === 0)
    await app.press('2')
    await app.until('2 of 7')
    await app.press('q')
    await app.ended
    expect(fake.closed).toBe(true)
  })
})

it('500 containers: a key is on the screen at once', async () => {
  const containers = Array.from({ length: 500 }, (_, at) =>
    container(`c${at}`, { state: at % 3 === 0 ? 'running' : 'exited' }),
  )
  const app = await shown([{ id: 'docker', containers }])
  await app.until('1 of 500')
  const began = performance.now()
  for (let at = 0; at < 20; at++) await app.press('j')
  expect((performance.now() - began) / 20).toBeLessThan(100)
  await app.until('21 of 500')
  expect([...app.fake.open].filter(one => one.startsWith('stats')).length).toBeLessThan(40)
})

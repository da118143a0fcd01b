/** The log of a container on the whole screen, and what its engine says of it. */
import { beforeAll, describe, expect, it } from 'vitest'
import { createContainers } from '../../../src/ui/containers/containers.ts'
import { container, type FakeEngine, fakeContainers } from '../../harness/fake-containers.ts'
import { expectFrame } from '../../harness/frames.ts'
import { type MountOptions, mountScreen } from '../../harness/mount.tsx'

beforeAll(() => {
  process.env.TZ = 'UTC'
})

const some = [
  'ready on port 8080',
  '\x1b[33mGET\x1b[0m /\t200',
  '!a warning that is long enough to need more than one line of a narrow screen, and then some more of it: 团队',
  '{"level":"info","request":"/health"}',
  'evil \x1b]0;title\x07\x1b[2J\u202e',
]

async function opened(key: string, engine: Partial<FakeEngine> = {}, options: MountOptions = {}) {
  const fake = fakeContainers([{ id: 'docker', containers: [container('web')], logs: { web: some }, ...engine }])
  const app = await mountScreen(createContainers, {
    columns: 80,
    rows: 24,
    ...options,
    services: { containers: fake.service },
  })
  await app.press(key)
  return { ...app, fake }
}

const many = Array.from({ length: 300 }, (_, at) => `line ${at}${at % 100 === 7 ? ' needle' : ''}`)

describe('the log on the whole screen', () => {
  it.each([
    [40, 12],
    [80, 24],
    [120, 36],
  ])('at %ix%i, wrapped, with times', async (columns, rows) => {
    const app = await opened('l', {}, { columns, rows })
    await app.until('/health')
    await expectFrame(app, 'containers/logs')
    await app.press('w', 't')
    await app.until('03:04:05.006')
    await expectFrame(app, 'containers/logs-wrapped')
  })

  it('follows what comes, and stays where it is when somebody scrolls', async () => {
    const app = await opened('l', { logs: { web: many } })
    await app.until('line 299')
    app.fake.say('web', 'something new')
    await app.until('something new')
    await app.press('k')
    await app.until('f follows')
    app.fake.say('web', 'something newer')
    await app.until('302 lines')
    expect(app.text()).not.toContain('something newer')
    await app.press('G')
    await app.until('something newer')
    await app.until('following')
  })

  it('finds a text upwards and downwards and counts the lines that have it', async () => {
    const app = await opened('l', { logs: { web: many } })
    await app.until('line 299')
    await app.press('/')
    await app.type('needle')
    await app.press('enter')
    await app.until('3 lines with needle')
    await app.until('line 207')
    await app.press('N')
    await app.until('line 107')
    await app.press('N', 'N')
    await app.until('No more above.')
    expect(app.text()).toContain('line 7 needle')
    await app.press('n')
    await app.until('line 107')
  })

  it('is read while it is on the screen and no longer', async () => {
    const app = await opened('l')
    await app.until('/health')
    expect([...app.fake.open]).toEqual(['logs web'])
    await app.press('esc')
    await app.until('NAME')
    await app.press('q')
    await app.ended
    expect(app.fake.open.size).toBe(0)
  })

  it('is saved to a file', async () => {
    const app = await opened('l')
    await app.until('/health')
    await app.press('s', 'enter')
    await app.until('saved 5 lines to web.log')
    expect(app.fake.asked).toEqual(['save web.log 5'])
  })

  it('keeps up with a flood and keeps 100 000 lines of it', async () => {
    const flood = Array.from({ length: 130_000 }, (_, at) => `flood ${at}`)
    const app = await opened('l', { logs: { web: flood } })
    await app.until('flood 129999')
    await app.press('g')
    await app.until(/flood [12]\d{4} /)
    expect(app.text()).not.toContain('flood 0 ')
  })
})

describe('what the engine says of a container', () => {
  const raw = {
    Name: '/web',
    Config: {
      Env: ['PATH=/bin', 'DB_PASSWORD=hunter2', 'URL=https://me:hunter3@host/'],
      Labels: { 'api-key': 'hunter4' },
    },
  }

  it('has its secrets masked until somebody asks', async () => {
    const app = await opened('i', { facts: { web: { raw } } })
    await app.until('DB_PASSWORD=••••••')
    expect(app.text()).not.toContain('hunter')
    await expectFrame(app, 'containers/inspect')
    await app.press('x')
    await app.until('hunter2')
    for (const secret of ['hunter3', 'hunter4']) expect(app.text()).toContain(secret)
    await app.press('/')
    await app.type('password')
    await app.press('enter')
    await app.until('1 line with password')
  })
})

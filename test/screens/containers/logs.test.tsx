/** The logs of containers on the whole screen. */
import { beforeAll, describe, expect, it } from 'vitest'
import type { Container } from '../../../src/engine/containers.ts'
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

async function opened(
  key: string,
  engine: Partial<FakeEngine> = {},
  options: MountOptions = {},
  files: ReadonlySet<string> = new Set(),
) {
  const fake = fakeContainers([{ id: 'docker', containers: [container('web')], logs: { web: some }, ...engine }], {
    files,
  })
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
    await app.press('s')
    await app.until('all of it')
    await app.press('enter')
    await app.until('web.log')
    await app.press('enter')
    await app.until('saved 5 lines to web.log')
    expect(app.fake.asked).toEqual(['save web.log 5'])
  })

  it('is written over a file only after a question', async () => {
    const app = await opened('l', {}, {}, new Set(['web.log']))
    await app.until('/health')
    await app.press('s', 'w', 'enter')
    await app.until('Write over web.log?')
    await app.press('esc')
    expect(app.fake.asked).toEqual(['save web.log 5'])
    await app.press('s', 'a', 'enter')
    await app.until('Write over web.log?')
    await app.press('y')
    await app.until('saved 5 lines')
    expect(app.fake.asked.slice(1)).toEqual(['save web.log 5', 'save web.log 5 over'])
  })

  it('shows only lines with some text, with as many around as wanted', async () => {
    const app = await opened('l', { logs: { web: many } })
    await app.until('line 299')
    await app.press('&')
    await app.type('needle')
    await app.until('3 lines')
    await app.press('enter')
    await app.until('3 of 300 lines')
    expect(app.text()).not.toContain('line 206')
    await app.press('+')
    await app.until('line 206')
    await app.until('with needle and 1 around')
    await expectFrame(app, 'containers/logs-filtered')
    app.fake.say('web', 'another needle')
    await app.until('4 of 301 lines')
    await app.press('-', 'esc')
    await app.until('301 lines')
    expect(app.text()).not.toContain('with needle')
  })

  it('begins where it is told to, without leaving the screen', async () => {
    const app = await opened('l', { logs: { web: many } })
    await app.until('the last 10 000 lines')
    await app.press('r')
    await app.until('since a time')
    await expectFrame(app, 'containers/logs-range')
    await app.press('1')
    await app.until('the last 100 lines')
    await app.press('r', 'h')
    await app.until('since 1 h ago')
    await app.press('r', 't')
    await app.type('nonsense')
    await app.press('enter')
    await app.until('is no time')
    await app.press('r', 't')
    await app.type('10m')
    await app.press('enter')
    await app.until('since 10m')
    expect(app.fake.queries.slice(1)).toEqual([
      'web tail=10000',
      'web tail=100',
      `web since=${Date.UTC(2026, 0, 2, 2, 4, 5) / 1000}`,
      `web since=${Date.UTC(2026, 0, 2, 2, 54, 5) / 1000}`,
    ])
  })

  it('shows JSON as it is read by people, and opened as it is', async () => {
    const records = [
      '{"level":"info","time":"2026-01-02T03:04:05.006Z","msg":"request done","path":"/health","status":200}',
      '{"level":"error","time":"2026-01-02T03:04:06Z","msg":"\\u001b[2Jno database","err":{"code":"ECONNREFUSED"}}',
      '{"level": malformed',
    ]
    const app = await opened('l', { logs: { web: records } }, { columns: 80, rows: 20, level: '16' })
    await app.until('INFO  03:04:05.006 request done path=/health status=200')
    await app.until('{"level": malformed')
    await app.press('enter', 'k', 'enter')
    await app.until('"code": "ECONNREFUSED"')
    await expectFrame(app, 'containers/logs-json', { styles: true })
    await app.press('/')
    await app.type('status=200')
    await app.press('enter')
    await app.until('1 line with status=200')
    await app.press('p')
    await app.until('{"level":"info","time"')
  })

  it('has the colours of the container, re-based, or none', async () => {
    const app = await opened('l', {}, { level: 'truecolour' })
    await app.until('/health')
    const { x, y } = app.find('GET')
    expect(app.style(x, y)).toBe('yellow')
    await app.press('c')
    await app.until(() => app.style(x, y) === '')
  })
})

describe('several logs at once', () => {
  const containers = ['web', 'api', 'database-with-a-long-name'].map(name => container(name))
  const at = (second: number, text: string) => ({ time: BigInt(Date.UTC(2026, 0, 2, 3, 4, second)) * 1_000_000n, text })
  const timed = {
    web: [at(1, 'GET /'), at(4, 'GET / 200')],
    api: [at(2, 'asked'), at(3, 'answered')],
    'database-with-a-long-name': [at(2, '!slow query')],
  }

  it.each([
    [60, 20],
    [120, 36],
  ])('are one by time at %ix%i, each with its name', async (columns, rows) => {
    const app = await opened('o', { containers, logs: {}, timed }, { columns, rows, level: '16' })
    await app.press('n', 'space', 'space', 'space', 'l')
    await app.until('GET / 200')
    await app.press('t')
    await app.until('03:04:04')
    const shown = app.text()
    const order = ['GET /', 'asked', 'slow query', 'answered', 'GET / 200']
    const places = order.map(text => shown.indexOf(text))
    expect(places).toEqual([...places].sort((a, b) => a - b))
    await expectFrame(app, 'containers/logs-several', { styles: true })
  })

  it('go on when one of them ends, and when it starts again', async () => {
    const app = await opened('o', { containers, logs: {}, timed })
    await app.press('n', 'space', 'space', 'l')
    await app.until('logs of 2')
    app.fake.end('api')
    app.fake.change('docker', { containers: containers.map(one => (one.name === 'api' ? stopped(one) : one)) })
    await app.until('api ended')
    app.fake.change('docker', { containers })
    await app.until(() => !app.text().includes('api ended'))
    app.fake.say('api', 'back again')
    await app.until('back again')
  })

  const stopped = (one: Container): Container => ({ ...one, state: 'exited', status: 'Exited (0) now' })

  it('keeps up with a flood and keeps 50 000 lines of it', async () => {
    const flood = Array.from({ length: 130_000 }, (_, at) => `flood ${at}`)
    const app = await opened('l', { logs: { web: flood } })
    await app.until('flood 129999')
    await app.press('g')
    await app.until('flood 80000 ')
    expect(app.text()).not.toContain('flood 0 ')
  })
})

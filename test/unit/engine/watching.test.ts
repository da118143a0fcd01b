/** Engines under watch that fail in every way: what is known, what is stale, and how often they are asked. */
import type { ServerResponse } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import { daemonSource, type Watching, type WatchingPace, watchEngines } from '../../../src/engine/watching.ts'
import { until } from '../../harness/command.ts'
import { type FakeEngine, fakeEngine, type Handler, refuse } from '../../harness/fake-engine.ts'

test('what is there is listed, what happens is listed again', async () => {
  const engine = await daemon()
  engine.rows = [row('one', 'running')]
  const watching = watch([engine])
  expect(states(watching)).toEqual(['docker connecting, stale:'])
  await until(() => states(watching)[0] === 'docker ok: one running')
  engine.rows = [row('one', 'exited'), row('two', 'created')]
  engine.happens('die')
  await until(() => states(watching)[0] === 'docker ok: one exited, two created')
})

test('an event is told, and one that changes no row asks for no list', async () => {
  const engine = await daemon()
  const watching = watch([engine])
  const told: string[] = []
  watching.onEvent((id, event) => told.push(`${id} ${event.kind} ${event.action}`))
  await until(() => engine.listening() && engine.lists() > 0 && states(watching)[0].startsWith('docker ok'))
  await settled(engine)
  const before = engine.lists()
  for (const action of ['attach', 'top', 'exec_create: x', 'exec_die', 'resize']) engine.happens(action)
  engine.happens('rename')
  await until(() => told.includes('docker container rename'))
  expect(told).toEqual(['attach', 'top', 'resize', 'rename'].map(action => `docker container ${action}`))
  await until(() => engine.lists() > before)
  await settled(engine)
  expect(engine.lists()).toBe(before + 1)
})

test('a burst of events is a few lists, and the last one is true', async () => {
  const engine = await daemon()
  const watching = watch([engine], { gap: 100 })
  await until(() => engine.listening() && states(watching)[0].startsWith('docker ok'))
  const before = engine.lists()
  const begun = performance.now()
  for (let at = 0; at < 500; at++) {
    engine.rows = [row(`number-${at}`, 'running')]
    engine.happens('start')
    if (at % 50 === 0) await new Promise(resolve => setImmediate(resolve))
  }
  await until(() => states(watching)[0] === 'docker ok: number-499 running')
  expect(engine.lists() - before).toBeLessThanOrEqual(2 + (performance.now() - begun) / 100)
})

test('an engine at rest is not asked at all', async () => {
  const engine = await daemon()
  engine.rows = Array.from({ length: 20 }, (_, at) => row(`web-${at}`, 'running'))
  const watching = watch([engine])
  await until(() => states(watching)[0].startsWith('docker ok'))
  await settled(engine)
  const before = engine.fake.asked.length
  await new Promise(resolve => setTimeout(resolve, 1_000))
  expect(engine.fake.asked.slice(before)).toEqual([])
})

test('rows that have not changed are the same objects, and nothing new is told when nothing is', async () => {
  const engine = await daemon()
  engine.rows = Array.from({ length: 500 }, (_, at) => row(`web-${at}`, 'running'))
  const watching = watch([engine])
  await until(() => watching.snapshot()[0].containers.length === 500)
  await settled(engine)
  const before = watching.snapshot()
  let told = 0
  watching.subscribe(() => told++)
  const lists = engine.lists()
  engine.happens('start')
  await until(() => engine.lists() > lists)
  await settled(engine)
  expect(watching.snapshot()).toBe(before)
  expect(told).toBe(0)
  engine.rows = engine.rows.map((one, at) => (at === 7 ? { ...one, State: 'exited' } : one))
  engine.happens('die')
  await until(() => watching.snapshot() !== before)
  const now = watching.snapshot()[0].containers
  expect(now.filter((one, at) => one !== before[0].containers[at]).map(one => `${one.name} ${one.state}`)).toEqual([
    'web-7 exited',
  ])
})

test('a lost engine is a state: its rows stay and are stale; it comes back by itself', async () => {
  const engine = await daemon()
  engine.rows = [row('one', 'running')]
  const watching = watch([engine])
  await until(() => states(watching)[0] === 'docker ok: one running')
  engine.down = true
  engine.cut()
  await until(() => states(watching)[0] === 'docker lost, stale: one running')
  const [{ health, engine: none }] = watching.snapshot()
  expect(none).toBe(null)
  expect(health).toMatchObject({ fault: { message: expect.stringContaining('docker') } })
  const since = health.since
  await until(() => engine.refused > 3)
  expect(watching.snapshot()[0].health.since).toBe(since)
  engine.rows = [row('two', 'running')]
  engine.down = false
  await until(() => states(watching)[0] === 'docker ok: two running')
  expect(watching.snapshot()[0].engine).not.toBe(null)
})

test('tries to come back grow rare, and one is made at once when somebody wants it', async () => {
  const engine = await daemon()
  engine.down = true
  const watching = watch([engine], { firstRetry: 20, lastRetry: 100_000 })
  await until(() => engine.refused >= 4)
  const { health } = watching.snapshot()[0]
  expect(health.state === 'lost' && health.retryAt - Date.now()).toBeGreaterThan(50)
  engine.down = false
  watching.refresh('docker')
  await until(() => states(watching)[0].startsWith('docker ok'))
})

test('an engine that refuses to list is lost, with its own words', async () => {
  const engine = await daemon()
  engine.rows = [row('one', 'running')]
  const watching = watch([engine])
  await until(() => states(watching)[0] === 'docker ok: one running')
  engine.list = refuse(500, { message: 'broken' })
  engine.happens('start')
  await until(() => states(watching)[0] === 'docker lost, stale: one running')
  expect(watching.snapshot()[0].health).toMatchObject({ fault: { message: 'The engine refused: broken.' } })
  engine.list = null
  await until(() => states(watching)[0] === 'docker ok: one running')
})

test('an engine that ends its events again and again, and is well, stays well and is not stormed', async () => {
  const engine = await daemon()
  const watching = watch([engine], { gap: 50, lastRetry: 400 })
  await until(() => engine.listening() && states(watching)[0].startsWith('docker ok'))
  let lost = 0
  watching.subscribe(() => (lost += watching.snapshot()[0].health.state === 'ok' ? 0 : 1))
  const before = engine.fake.asked.length
  const timer = setInterval(() => engine.endEvents(), 5)
  onTestFinished(() => clearInterval(timer))
  await new Promise(resolve => setTimeout(resolve, 2_000))
  expect(engine.fake.asked.length - before).toBeLessThan(60)
  expect(lost).toBe(0)
  clearInterval(timer)
  engine.rows = [row('after', 'running')]
  await until(() => states(watching)[0] === 'docker ok: after running')
})

test('an engine that says nothing any more, not even that it goes, is noticed', async () => {
  const engine = await daemon()
  const watching = watch([engine], { quiet: 50 })
  await until(() => states(watching)[0].startsWith('docker ok'))
  engine.ping = refuse(503, 'gateway')
  await until(() => states(watching)[0].startsWith('docker lost'))
})

test('a slow engine holds up no other one, nor is it asked twice at a time', async () => {
  const [slow, quick] = [await daemon(), await daemon()]
  let running = 0
  let most = 0
  slow.list = (_, response) => {
    most = Math.max(most, ++running)
    setTimeout(() => {
      running--
      response.end(JSON.stringify([row('slow', 'running')]))
    }, 300)
  }
  quick.rows = [row('quick', 'running')]
  const watching = watch([slow, quick])
  await until(() => states(watching)[1] === 'docker ok: quick running')
  expect(states(watching)[0]).toMatch(/connecting/)
  for (let at = 0; at < 20; at++) slow.happens('start')
  await until(() => states(watching)[0] === 'docker ok: slow running')
  expect(most).toBe(1)
})

test('closing leaves nothing open and tells nothing more', async () => {
  const [well, gone] = [await daemon(), await daemon()]
  gone.down = true
  const watching = watch([well, gone])
  await until(() => states(watching)[0].startsWith('docker ok'))
  let told = 0
  watching.subscribe(() => told++)
  watching.close()
  await until(() => well.fake.open() === 0)
  const asked = gone.refused
  await new Promise(resolve => setTimeout(resolve, 200))
  expect([told, gone.refused]).toEqual([0, asked])
})

interface Daemon {
  fake: FakeEngine
  rows: { State: string; Id: string }[]
  /** Answers a list instead. */
  list: Handler | null
  ping: Handler | null
  /** Cuts every connection that asks for anything. */
  down: boolean
  refused: number
  lists(): number
  listening(): boolean
  happens(action: string): void
  endEvents(): void
  /** Cuts the events. */
  cut(): void
}

async function daemon(): Promise<Daemon> {
  const listeners = new Set<ServerResponse>()
  let time = 1e18
  const unlessDown =
    (handler: Handler): Handler =>
    (request, response) => {
      if (!state.down) return handler(request, response)
      state.refused++
      request.socket.destroy()
    }
  const fake = await fakeEngine({
    routes: {
      '/_ping': unlessDown((request, response) => (state.ping ? state.ping(request, response) : response.end('OK'))),
      '/containers/json': unlessDown((request, response) =>
        state.list ? state.list(request, response) : response.end(JSON.stringify(state.rows)),
      ),
      '/events': unlessDown((_, response) => {
        response.writeHead(200)
        response.flushHeaders()
        listeners.add(response)
        response.on('close', () => listeners.delete(response))
      }),
    },
  })
  const state: Daemon = {
    fake,
    rows: [],
    list: null,
    ping: null,
    down: false,
    refused: 0,
    lists: () => fake.asked.filter(one => one.includes('/containers/json')).length,
    listening: () => listeners.size > 0,
    happens(action) {
      const event = { Type: 'container', Action: action, Actor: { ID: 'x', Attributes: {} }, timeNano: (time += 1e6) }
      for (const response of listeners) response.write(`${JSON.stringify(event)}\n`)
    },
    endEvents() {
      for (const response of listeners) response.end()
    },
    cut() {
      for (const response of listeners) response.socket?.destroy()
    },
  }
  return state
}

function watch(engines: Daemon[], pace: Partial<WatchingPace> = {}): Watching {
  const sources = engines.map(one => daemonSource(one.fake.endpoint, { env: {} }))
  const watching = watchEngines(sources, { gap: 20, firstRetry: 20, lastRetry: 100, ...pace })
  onTestFinished(() => watching.close())
  return watching
}

/** No list has been asked for in a while. */
async function settled(engine: Daemon): Promise<void> {
  let seen = -1
  await until(
    () => {
      const same = seen === engine.lists()
      seen = engine.lists()
      return same
    },
    { every: 100 },
  )
}

function row(name: string, state: string) {
  return { Id: Buffer.from(name.padEnd(32)).toString('hex'), Names: [`/${name}`], State: state }
}

/** `docker ok: web running, db exited` */
function states(watching: Watching): string[] {
  return watching.snapshot().map(({ id, health, stale, containers }) => {
    const rows = containers.map(one => ` ${one.name} ${one.state}`).join(',')
    return `${id} ${health.state}${stale ? ', stale' : ''}:${rows}`
  })
}

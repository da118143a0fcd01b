/** Engines that cut, stall, refuse, flood or lie, asked for containers: an error with a sentence, never more. */
import type { ServerResponse } from 'node:http'
import { expect, onTestFinished, test } from 'vitest'
import type { Containers, LogLine } from '../../../src/engine/containers.ts'
import { openEngine } from '../../../src/engine/engine.ts'
import { until } from '../../harness/command.ts'
import { type FakeEngine, fakeEngine, type Handler, json, refuse, silent } from '../../harness/fake-engine.ts'

const facts = { Id: 'a'.repeat(64), Name: '/web', Config: { Tty: false }, State: { Status: 'running' } }

test('a list that is none, and one that is refused', async () => {
  const { containers } = await opened({ '/containers/json': 'x' })
  await expect(containers.list()).rejects.toThrow('docker answered /containers/json with something unexpected.')
  const refusing = await opened({ '/containers/json': refuse(500, { message: 'disk \x1b[2J full' }) })
  await expect(refusing.containers.list()).rejects.toMatchObject({
    status: 500,
    message: 'The engine refused: disk \\x1b[2J full.',
  })
})

test('a wish that is done already is no failure', async () => {
  const { containers } = await opened({
    '/containers/web/start': ((_, response) => response.writeHead(304).end()) as Handler,
  })
  await containers.start('web')
})

test('events that are cut are a fault, and no events are lost before it', async () => {
  const event = { Type: 'container', Action: 'start', Actor: { ID: 'x', Attributes: {} }, timeNano: 1e18 }
  const lines = `${JSON.stringify(event)}\nno json\n[]\n{"Type":"container"}\n${JSON.stringify(event)}`
  for (const end of [cutting(lines), whole(lines)]) {
    const { containers } = await opened({ '/events': end })
    const told: string[] = []
    const all = async () => {
      for await (const one of containers.events({ signal: new AbortController().signal })) told.push(one.action)
    }
    await expect(all()).rejects.toThrow(/docker stopped telling what happens/)
    expect(told[0]).toBe('start')
  }
})

test('an event without an end is passed over and takes no memory', async () => {
  const event = JSON.stringify({ Type: 'image', Action: 'tag', Actor: { ID: 'x' }, time: 1 })
  const { containers } = await opened({
    '/events': ((_, response) => flood(response, 256, 1 << 20, () => response.end(`\n${event}\n`))) as Handler,
  })
  const stop = new AbortController()
  const before = process.memoryUsage().rss
  for await (const one of containers.events({ signal: stop.signal })) {
    expect(one.action).toBe('tag')
    stop.abort()
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(128 << 20)
})

test('a signal ends events and logs of an engine that says nothing, and nothing stays open', async () => {
  const { containers, fake } = await opened({
    '/events': open,
    '/containers/web/json': facts,
    '/containers/web/logs': open,
    '/containers/web/stats': open,
  })
  const stop = new AbortController()
  const { signal } = stop
  const ends = [
    drained(containers.events({ signal })),
    drained(containers.logs('web', { follow: true, signal })),
    drained(containers.stats('web', { signal })),
  ]
  await until(() => fake.asked.length >= 5)
  stop.abort()
  expect(await Promise.all(ends)).toEqual([0, 0, 0])
  await until(() => fake.open() <= 1)
})

test('a log that is cut gives what came, and then says so', async () => {
  const frame = Buffer.concat([
    Buffer.from([1, 0, 0, 0, 0, 0, 0, 35]),
    Buffer.from('2023-11-14T22:13:20.000000001Z one\n'),
  ])
  const { containers } = await opened({
    '/containers/web/json': facts,
    '/containers/web/logs': cutting(Buffer.concat([frame, frame.subarray(0, 42)])),
  })
  const lines: LogLine[] = []
  const read = async () => {
    for await (const line of containers.logs('web')) lines.push(line)
  }
  await expect(read()).rejects.toThrow('docker stopped telling the log of web')
  expect(lines.map(line => `${Buffer.from(line.bytes)}${line.partial ? '…' : ''}`)).toEqual(['one', 'one…'])
})

test('a log without a line end takes no memory', async () => {
  const { containers } = await opened({
    '/containers/web/json': { ...facts, Config: { Tty: true } },
    '/containers/web/logs': ((_, response) => flood(response, 256, 1 << 20, () => response.end())) as Handler,
  })
  const before = process.memoryUsage().rss
  let bytes = 0
  for await (const line of containers.logs('web')) bytes += line.bytes.length
  expect(bytes).toBe(256 << 20)
  expect(process.memoryUsage().rss - before).toBeLessThan(128 << 20)
})

test('a log of a hundred thousand lines', async () => {
  const text = '2023-11-14T22:13:20.000000001Z a line of a log that says this and that\n'
  const header = Buffer.from([1, 0, 0, 0, 0, 0, 0, text.length])
  const chunk = Buffer.concat(Array(1000).fill(Buffer.concat([header, Buffer.from(text)])))
  const { containers } = await opened({
    '/containers/web/json': facts,
    '/containers/web/logs': ((_, response) => {
      response.end(Buffer.concat(Array(100).fill(chunk)))
    }) as Handler,
  })
  const begun = performance.now()
  expect(await drained(containers.logs('web'))).toBe(100_000)
  expect(performance.now() - begun).toBeLessThan(5_000)
})

test('a program’s connection that a proxy does not hand over, and one that is refused', async () => {
  const routes = (start: Handler) => ({ '/containers/web/exec': json({ Id: 'abc' }), '/exec/abc/start': start })
  const plain = await opened(routes(open))
  await expect(plain.containers.exec('web', { command: ['x'] })).rejects.toMatchObject({
    message: 'The engine did not hand its connection over.',
  })
  const refused = await opened(routes(refuse(409, { message: 'not running' })))
  await expect(refused.containers.exec('web', { command: ['x'] })).rejects.toThrow('The engine refused: not running.')
  const odd = await opened({ '/containers/web/exec': json({ Id: '../../images' }) })
  await expect(odd.containers.exec('web', { command: ['x'] })).rejects.toThrow('named a program that can not be')
})

test('no name leads to another call', async () => {
  const { containers, fake } = await opened({})
  for (const name of ['', '.', '..', 'a/b', '../x', 'a?b', 'a%2fb', 'x'.repeat(300)])
    await expect(containers.start(name)).rejects.toThrow('is no name of a container')
  expect(fake.asked).toEqual(['GET /_ping'])
})

test('headers without an end, and an answer that never comes', async () => {
  const { containers } = await opened({
    '/containers/json': ((_, response) => {
      const socket = response.socket!
      socket.write('HTTP/1.1 200 OK\r\n')
      const more = () => {
        while (!socket.destroyed && socket.write(`X-${Math.random()}: ${'x'.repeat(1000)}\r\n`));
        if (!socket.destroyed) socket.once('drain', more)
      }
      more()
    }) as Handler,
    '/containers/web/json': silent,
  })
  await expect(containers.list()).rejects.toThrow(/docker at unix:/)
  await expect(containers.inspect('web', { signal: AbortSignal.timeout(50) })).rejects.toThrow('Cancelled.')
})

async function opened(routes: Record<string, unknown>): Promise<{ containers: Containers; fake: FakeEngine }> {
  const fake = await fakeEngine({ routes })
  const engine = await openEngine(fake.endpoint, { env: {} })
  onTestFinished(() => engine.close())
  return { containers: engine.containers, fake }
}

/** Begins to answer, and says nothing. */
const open: Handler = (_, response) => {
  response.writeHead(200)
  response.flushHeaders()
}

/** Says this, whole. */
function whole(text: string): Handler {
  return (_, response) => response.end(text)
}

/** Says this and cuts the connection. */
function cutting(body: string | Buffer): Handler {
  return (_, response) => {
    response.writeHead(200)
    response.write(body, () => response.socket?.destroySoon())
  }
}

/** So many pieces of `x`, as fast as they are taken. */
function flood(response: ServerResponse, pieces: number, size: number, done: () => void): void {
  const piece = Buffer.alloc(size, 'x')
  const next = (left: number): void => {
    if (left === 0) done()
    else response.write(piece, () => next(left - 1))
  }
  next(pieces)
}

async function drained(values: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  for await (const _ of values) count++
  return count
}

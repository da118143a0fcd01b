import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type Engine, findEngines, openEngine } from '../../../src/engine/engine.ts'
import {
  cutAfter,
  type FakeEngine,
  type FakeOptions,
  fakeEngine,
  json,
  refuse,
  silent,
} from '../../harness/fake-engine.ts'
import { scratch } from '../../harness/scratch.ts'

test.each([
  [null, '1.24'],
  ['1.24', '1.24'],
  ['1.30', '1.30'],
  ['1.41', '1.41'],
  ['1.51', '1.51'],
  ['1.55', '1.51'],
  ['9.99', '1.51'],
  ['\u00ff', '1.24'],
])('an engine that offers API %s is spoken to in %s', async (api, spoken) => {
  const { engine, fake } = await open({ api, routes: { '/images/json': [] } })
  expect(engine.api).toBe(spoken)
  await engine.images()
  expect(fake.asked).toEqual(['GET /_ping', `GET /v${spoken}/images/json?all=0`])
})

test('an engine that speaks less than 1.24 is refused with a sentence', async () => {
  await expect(open({ api: '1.12' })).rejects.toThrow('docker is too old: it speaks API 1.12, and 1.24 is needed.')
})

test('DOCKER_API_VERSION sets the version', async () => {
  const { engine } = await open({ api: '1.41' }, { env: { DOCKER_API_VERSION: '1.30' } })
  expect(engine.api).toBe('1.30')
})

test('podman is known by its ping', async () => {
  const { engine } = await open({ podman: true })
  expect([engine.kind, engine.version]).toEqual(['podman', '4.3.1'])
})

test('null where a list is expected is an empty list', async () => {
  const { engine } = await open({ routes: { '/images/json': json(null), '/images/x/history': json(null) } })
  expect(await engine.images()).toEqual([])
  expect(await engine.history('x')).toEqual([])
})

test('fields that are null, missing or of another type become their defaults', async () => {
  const list = [
    null,
    7,
    { Id: 'a'.repeat(64), RepoTags: null, Labels: null, Created: -62135596800, SharedSize: -1, Size: 'x' },
  ]
  const { engine } = await open({ routes: { '/images/json': list } })
  const nothing = {
    id: '',
    names: [],
    digests: [],
    parent: null,
    created: null,
    size: 0,
    shared: null,
    containers: null,
    labels: {},
  }
  expect(await engine.images()).toEqual([nothing, nothing, { ...nothing, id: `sha256:${'a'.repeat(64)}` }])
})

test('a label named __proto__ is a label, and changes nothing else', async () => {
  const list = '[{"Id":"x","Labels":{"__proto__":"evil","a":"b"}}]'
  const { engine } = await open({
    routes: { '/images/json': (_: unknown, response: { end(text: string): void }) => response.end(list) },
  })
  const [image] = await engine.images()
  expect(Object.entries(image.labels)).toEqual([
    ['__proto__', 'evil'],
    ['a', 'b'],
  ])
  expect(({} as Record<string, unknown>).a).toBe(undefined)
})

test('rows without an id of their own have none; podman leaves the prefix out', async () => {
  const id = 'b'.repeat(64)
  const rows = [
    { Id: id, Created: 5, CreatedBy: 'CMD x', Size: 0 },
    { Id: '<missing>', Size: 7 },
  ]
  const { engine } = await open({ routes: { '/images/x/history': rows } })
  expect(await engine.history('x')).toEqual([
    { imageId: null, created: null, createdBy: '', size: 7, comment: null },
    { imageId: `sha256:${id}`, created: 5, createdBy: 'CMD x', size: 0, comment: null },
  ])
})

test('a refusal is told in the engine’s own words, harmless', async () => {
  const { engine } = await open({
    routes: {
      '/images/x/json': refuse(500, { message: 'disk\x1b[31m full.' }),
      '/images/y/json': refuse(502, '<html>'),
    },
  })
  await expect(engine.inspect('x')).rejects.toMatchObject({
    message: 'The engine refused: disk\\x1b[31m full.',
    status: 500,
  })
  await expect(engine.inspect('y')).rejects.toMatchObject({ message: 'The engine refused: <html>.', status: 502 })
  await expect(engine.inspect('z')).rejects.toMatchObject({ status: 404 })
})

test('an answer that is no JSON is refused', async () => {
  const { engine } = await open({ routes: { '/images/json': refuse(200, '[{"Id":'), '/images/x/json': json('text') } })
  await expect(engine.images()).rejects.toThrow('docker answered /images/json with something unexpected.')
  await expect(engine.inspect('x')).rejects.toThrow('docker answered /images/x/json with something unexpected.')
})

test('a body without end is cut off at the bound', async () => {
  const endless = (_: unknown, response: NodeJS.WritableStream) => {
    const chunk = Buffer.alloc(1 << 16, 0x20)
    const more = () => {
      while (response.writable && response.write(chunk));
    }
    response.on('drain', more).on('error', () => {})
    more()
  }
  const { engine } = await open({ routes: { '/images/json': endless } }, { mostBytes: 4 << 20 })
  await expect(engine.images()).rejects.toThrow('more than 4 MiB')
})

test('an error without end is cut off too', async () => {
  const endless = (_: unknown, response: NodeJS.WritableStream & { writeHead(status: number): void }) => {
    response.writeHead(500)
    const more = () => {
      while (response.writable && response.write('x'.repeat(1 << 16)));
    }
    response.on('drain', more).on('error', () => {})
    more()
  }
  const { engine } = await open({ routes: { '/images/json': endless } })
  await expect(engine.images()).rejects.toMatchObject({ status: 500 })
})

test('text of several bytes is whole wherever the chunks are cut', async () => {
  const body = Buffer.from(JSON.stringify([{ Id: 'x', RepoTags: ['名前:最新'] }]))
  const { engine } = await open({
    routes: {
      '/images/json': (_: unknown, response: NodeJS.WritableStream) => {
        for (const byte of body) response.write(Buffer.from([byte]))
        response.end()
      },
    },
  })
  expect((await engine.images())[0].names).toEqual(['名前:最新'])
})

test('an engine that takes the call and says nothing is given up', async () => {
  const { engine } = await open({ routes: { '/images/json': silent } }, { callTimeout: 50 })
  await expect(engine.images()).rejects.toThrow('docker gave no answer within 0.05 s.')
  const dripping = (_: unknown, response: NodeJS.WritableStream) => response.write('O')
  await expect(open({ routes: { '/_ping': dripping } }, { connectTimeout: 50 })).rejects.toThrow(
    'no answer within 0.05 s.',
  )
  await expect(open({ routes: { '/_ping': silent } }, { connectTimeout: 50 })).rejects.toThrow(
    'docker gave no answer within 0.05 s.',
  )
})

test('a call that is cancelled ends at once, also while its body comes', async () => {
  const { engine } = await open({
    routes: {
      '/images/json': silent,
      '/images/get': (_: unknown, response: NodeJS.WritableStream) => response.write('x'),
    },
  })
  const stop = new AbortController()
  const asked = engine.images({ signal: stop.signal })
  stop.abort()
  await expect(asked).rejects.toMatchObject({ message: 'Cancelled.', exitCode: 130 })
  const { stream, abort } = await engine.save(['x'])
  const read = (async () => {
    for await (const _ of stream) abort()
  })()
  await expect(read).rejects.toMatchObject({ name: 'AbortError' })
})

test('an export that is cut off half way is an error, never a short export', async () => {
  const { engine } = await open({ routes: { '/images/get': cutAfter(700, Buffer.alloc(1024)) } })
  const { stream } = await engine.save(['x'])
  const read = (async () => {
    for await (const _ of stream);
  })()
  await expect(read).rejects.toThrow('aborted')
})

test('one connection serves call after call', async () => {
  const { engine, fake } = await open({ routes: { '/images/json': [] } })
  await engine.images()
  await engine.images()
  expect(fake.connections).toBe(1)
})

test('an idle connection that the engine closed is replaced', async () => {
  let calls = 0
  const routes = {
    '/images/json': (request: { socket: { destroy(): void } }, response: { end(text: string): void }) => {
      if (++calls === 2) request.socket.destroy()
      else response.end('[]')
    },
  }
  const { engine } = await open({ routes })
  await engine.images()
  expect(await engine.images()).toEqual([])
  expect(calls).toBe(3)
})

test.each([
  '../containers/json',
  'a/../b',
  '',
  'a//b',
  './a',
  'a b',
  'a?b',
  'a#b',
  'a\r\nHost: x',
  'a%2e',
  'a\x1b',
])('the name %j never becomes another call', async name => {
  const { engine, fake } = await open({})
  const asked = [engine.inspect(name), engine.history(name), engine.save([name])].map(one =>
    Promise.resolve(one).catch(error => error.message),
  )
  await expect(Promise.all(asked)).resolves.toEqual(Array(3).fill('That is no name of an image.'))
  expect(fake.asked).toEqual(['GET /_ping'])
})

test('names with registries, ports, tags and digests are asked for as they are', async () => {
  const { engine, fake } = await open({})
  await engine.inspect('[::1]:5000/team/app:1.0_x@sha256:ab').catch(() => {})
  await engine.save(['a:1', 'b/c']).catch(() => {})
  expect(fake.asked.slice(1)).toEqual([
    'GET /v1.41/images/%5B::1%5D:5000/team/app:1.0_x@sha256:ab/json',
    'GET /v1.41/images/get?names=a%3A1&names=b%2Fc',
  ])
})

test('a platform is asked for where the engine can choose, and only there', async () => {
  const platform = { os: 'linux', architecture: 'arm64', variant: null }
  const newer = await open({ api: '1.51' })
  await newer.engine.history('x', { platform }).catch(() => {})
  expect(decodeURIComponent(newer.fake.asked[1])).toBe(
    'GET /v1.51/images/x/history?platform={"os":"linux","architecture":"arm64"}',
  )
  const older = await open({ api: '1.47' })
  await older.engine.history('x', { platform }).catch(() => {})
  expect(older.fake.asked[1]).toBe('GET /v1.47/images/x/history')
})

test('all that answer are found; of the others is told why', async () => {
  const fake = await fakeEngine({ api: '1.41' })
  const { path } = scratch()
  const env = { DOCKER_HOST: `unix://${fake.socket}`, CONTAINER_HOST: 'unix:///nowhere/podman.sock' }
  const { engines, failures } = await findEngines({ env, home: path, uid: 1, root: path })
  onTestFinished(() => closeAll(engines))
  expect(engines.map(one => `${one.id} ${one.kind} ${one.version}`)).toEqual(['docker docker 99.1'])
  expect(failures).toMatchObject([
    { name: 'podman', origin: 'CONTAINER_HOST', address: 'unix:///nowhere/podman.sock', asked: true },
  ])
  expect(failures[0].fault.message).toBe('podman at unix:///nowhere/podman.sock: no such file or directory.')
  expect(failures[0].fault.hint).toContain('systemctl')
})

test('--engine leaves the others out', async () => {
  const docker = await fakeEngine()
  const podman = await fakeEngine({ podman: true })
  const { path } = scratch()
  const around = {
    env: { DOCKER_HOST: `unix://${docker.socket}`, CONTAINER_HOST: `unix://${podman.socket}` },
    home: path,
    uid: 1,
    root: path,
  }
  const ids = async (engine?: string) => {
    const { engines } = await findEngines(around, { engine })
    closeAll(engines)
    return engines.map(one => one.id)
  }
  expect(await ids()).toEqual(['docker', 'podman'])
  expect(await ids('podman')).toEqual(['podman'])
})

test('a peer that accepts and never speaks does not hold up the others', async () => {
  const { path } = scratch()
  const fake = await fakeEngine()
  const dead = createServer(peer => peer.resume()).listen(join(path, 'dead.sock'))
  onTestFinished(() => new Promise(resolve => dead.close(() => resolve())))
  const env = { DOCKER_HOST: `unix://${path}/dead.sock`, CONTAINER_HOST: `unix://${fake.socket}` }
  const { engines, failures } = await findEngines({ env, home: path, uid: 1, root: path }, { timeout: 100 })
  closeAll(engines)
  expect(engines).toHaveLength(1)
  expect(failures[0].fault.message).toBe('docker gave no answer within 0.1 s.')
})

async function open(options: FakeOptions, client = {}): Promise<{ engine: Engine; fake: FakeEngine }> {
  const fake = await fakeEngine(options)
  const engine = await openEngine(fake.endpoint, { env: {}, ...client })
  onTestFinished(() => engine.close())
  return { engine, fake }
}

function closeAll(engines: Engine[]): void {
  for (const engine of engines) engine.close()
}

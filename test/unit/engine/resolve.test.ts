import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { engineResolver } from '../../../src/engine/resolve.ts'
import { openImage } from '../../../src/source/open.ts'
import { dockerArchive } from '../../harness/docker-archives.ts'
import { writeDockerStore } from '../../harness/docker-stores.ts'
import { type FakeEngine, fakeEngine, refuse, silent } from '../../harness/fake-engine.ts'
import { makeImage } from '../../harness/images.ts'
import { scratch } from '../../harness/scratch.ts'
import { tar } from '../../harness/tar.ts'

const spec = { layers: [tar('file a 10'), tar('file b 20', 'gone a')], names: ['app:1'] }
const made = makeImage(spec)
const facts = {
  Id: made.id,
  RepoTags: ['app:1'],
  Os: 'linux',
  Architecture: 'amd64',
  RootFS: { Layers: made.layers.map(layer => layer.diffId) },
}
const rows = [
  { Id: '<missing>', CreatedBy: 'RUN rm a', Size: 20 },
  { Id: '<missing>', CreatedBy: 'ADD a', Size: 10 },
]
const archive = Buffer.from(dockerArchive([spec], 'docker-1.10'))
const routes = {
  '/images/app:1/json': facts,
  '/images/app:1/history': rows,
  '/images/get': (_: unknown, response: { end(bytes: Uint8Array): void }) => response.end(archive),
}

test('the image is opened from inspect and history alone', async () => {
  const docker = await fakeEngine({ routes })
  const image = await open(docker, null)
  expect(image.steps.map(step => [step.createdBy, step.layer])).toEqual([
    ['ADD a', 0],
    ['RUN rm a', 1],
  ])
  expect(image.layers.map(layer => layer.roughBytes)).toEqual([10, 20])
  expect(docker.asked.filter(one => one.includes('get'))).toEqual([])
})

test('one export serves all layers, and its config takes the place of the first sight', async () => {
  const docker = await fakeEngine({ routes })
  const image = await open(docker, null)
  const indexes = await Promise.all([image.indexLayer(0), image.indexLayer(1), image.indexLayer(1)])
  expect(indexes.map(index => index.entries)).toEqual([1, 2, 2])
  expect(image.steps[0].createdBy).toBe('layer 0')
  expect(docker.asked.filter(one => one.includes('/images/get'))).toHaveLength(1)
})

test('docker comes before podman; podman is not waited for', async () => {
  const docker = await fakeEngine({ routes })
  const podman = await fakeEngine({ podman: true, routes: { ...routes, '/images/app:1/json': silent } })
  expect((await open(docker, podman)).source).toBe('docker-save')
})

test('podman has what docker has not', async () => {
  const docker = await fakeEngine({ routes: { '/images/app:1/json': refuse(404, { message: 'no such image' }) } })
  const podman = await fakeEngine({ podman: true, routes: { ...routes, '/images/json': [] } })
  expect((await open(docker, podman)).source).toBe('podman-save')
})

test('nobody has it', async () => {
  const docker = await fakeEngine()
  await expect(open(docker, null)).rejects.toThrow('There is no image “app:1” here.')
})

test('an engine that fails is told, unless another one has the image', async () => {
  const broken = await fakeEngine({ routes: { '/images/app:1/json': refuse(500, { message: 'disk on fire' }) } })
  await expect(open(broken, null)).rejects.toThrow('The engine refused: disk on fire.')
  const podman = await fakeEngine({ podman: true, routes: { ...routes, '/images/json': [] } })
  expect((await open(broken, podman)).source).toBe('podman-save')
})

test('no engine at all', async () => {
  const engines = engineResolver({ env: {}, home: '/nonexistent', uid: 1, root: '/nonexistent' })
  await expect(openImage('app:1', { engines })).rejects.toMatchObject({
    message: 'Neither Docker nor Podman answers, so the image “app:1” can not be looked up.',
    hint: expect.stringContaining('strata doctor'),
  })
  await expect(openImage('podman:app:1', { engines })).rejects.toThrow('No engine “podman” answers')
})

test('an engine that was named and does not answer is the reason', async () => {
  const engines = engineResolver({
    env: { DOCKER_HOST: 'unix:///nonexistent/d.sock' },
    home: '/nonexistent',
    uid: 1,
    root: '/nonexistent',
  })
  await expect(openImage('app:1', { engines })).rejects.toThrow(
    'docker at unix:///nonexistent/d.sock: no such file or directory.',
  )
})

test('a store that lies here speaks for no engine that was named', async () => {
  const here = scratch()
  writeDockerStore(join(here.path, 'var/lib/docker'), [made])
  const find = (env: Record<string, string>) => {
    const engines = engineResolver({ env, home: here.path, uid: 0, root: here.path })
    return openImage('app:1', { engines, cache: false })
  }
  const image = await find({})
  expect(image.source).toBe('docker-store')
  await image.close()
  const docker = await fakeEngine()
  await expect(find({ DOCKER_HOST: `unix://${docker.socket}` })).rejects.toThrow('There is no image “app:1” here.')
})

test('an export of another image is refused', async () => {
  const bytes = Buffer.from(dockerArchive([{ layers: [tar('file x 1')], names: ['app:1'] }], 'docker-1.10'))
  const docker = await fakeEngine({
    routes: {
      ...routes,
      '/images/get': (_: unknown, response: { end(bytes: Uint8Array): void }) => response.end(bytes),
    },
  })
  await expect((await open(docker, null)).indexLayer(0)).rejects.toThrow('holds another image than the engine told of.')
})

test('layers that have landed stay when the export breaks off behind them', async () => {
  const cut = archive.subarray(0, archive.length - 4096)
  const docker = await fakeEngine({
    routes: { ...routes, '/images/get': (_: unknown, response: { end(bytes: Uint8Array): void }) => response.end(cut) },
  })
  const image = await open(docker, null)
  const results = await Promise.allSettled([image.indexLayer(0), image.indexLayer(1)])
  expect(results.map(one => one.status)).toContain('fulfilled')
})

test('closing the image closes its connections', async () => {
  const docker = await fakeEngine({ routes })
  const { path } = scratch()
  const engines = engineResolver(around(docker, null))
  const image = await openImage('app:1', { engines, cacheDir: path, needContent: true })
  const index = await image.indexLayer(0)
  const chunks: Uint8Array[] = []
  for await (const chunk of image.readFile(0, index.kind.indexOf(0))) chunks.push(chunk)
  expect(Buffer.concat(chunks)).toHaveLength(10)
  await image.close()
  await expect.poll(() => docker.open()).toBe(0)
})

function around(docker: FakeEngine | null, podman: FakeEngine | null) {
  const env = {
    ...(docker && { DOCKER_HOST: `unix://${docker.socket}` }),
    ...(podman && { CONTAINER_HOST: `unix://${podman.socket}` }),
  }
  return { env, home: '/nonexistent', uid: 1, root: '/nonexistent' }
}

async function open(docker: FakeEngine | null, podman: FakeEngine | null) {
  const image = await openImage('app:1', { engines: engineResolver(around(docker, podman)), cache: false })
  onTestFinished(() => image.close())
  return image
}

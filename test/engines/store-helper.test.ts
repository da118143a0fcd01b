/** Through a helper container: the same image with nothing but the socket, and nothing left on the engine. */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import * as z from 'zod'
import { connectEngine } from '../../src/engine/client.ts'
import { type Engine, openEngine } from '../../src/engine/engine.ts'
import { openEngineImage } from '../../src/engine/engine-image.ts'
import { openThroughHelper } from '../../src/engine/fast-remote.ts'
import { createHelper, sweepHelpers } from '../../src/engine/helper-container.ts'
import { openImage } from '../../src/source/open.ts'
import type { Image } from '../../src/source/types.ts'
import { type Builder, buildImage, importBusybox } from '../harness/engine-images.ts'
import { startDocker, startPodman, type TestEngine } from '../harness/engines.ts'
import { contents, expectSameImage, files } from '../harness/same-image.ts'

const base = (builder: Builder) => (builder === 'podman' ? 'localhost/busybox:test' : 'busybox:test')
const dockerfile = (builder: Builder) => `FROM ${base(builder)}
VOLUME /data
RUN mkdir -p /d/sub /gone && echo hello > /d/a && echo world > "/d/a b" && ln -s a /d/sym
RUN rm -rf /gone && dd if=/dev/urandom of=/d/large bs=1k count=700 && touch /etc/passwd
COPY Dockerfile /etc/
`

describe.each([
  ['docker with overlay2', 'classic', () => startDocker()],
  ['docker with vfs', 'buildkit', () => startDocker({ driver: 'vfs' })],
  ['podman', 'podman', () => startPodman()],
] as const)('%s', (name, builder, start) => {
  let real: TestEngine
  let engine: Engine
  let archive: string

  beforeAll(async () => {
    real = await start()
    await importBusybox(real)
    await buildImage(real, { tag: 'app:built', builder, dockerfile: dockerfile(builder) })
    engine = await openEngine(endpoint(), { env: {} })
    archive = join(real.scratch.path, 'app.tar')
    await real.cli('save', '-o', archive, 'app:built')
  })
  afterAll(async () => {
    engine?.close()
    await real?.stop()
  })

  function endpoint() {
    return { name: 'tested', origin: 'test', asked: true, address: { kind: 'unix', path: real.socket } } as const
  }

  async function opened(options: { cacheFolder?: string; next?: () => Promise<Image> } = {}): Promise<Image> {
    const facts = await engine.inspect('app:built')
    const common = { env: {}, reference: 'app:built', platform: null, cacheFolder: null, ...options }
    const image = await openThroughHelper(engine, facts, common)
    if (image === null) throw new Error('no way through a helper')
    onTestFinished(() => image.close())
    return image
  }

  async function left(): Promise<string> {
    return `${await real.cli('ps', '-aq')}${await real.cli('volume', 'ls', '-q')}`
  }

  test('the image is the one that is saved, and nothing is left', async () => {
    const image = await opened({ next: () => openImage(archive, { cache: false }) })
    expect(image.source).toBe(builder === 'podman' ? 'podman-helper' : 'docker-helper')
    expect(await left()).toBe('')
    const saved = await openImage(archive, { cache: false })
    onTestFinished(() => saved.close())
    await expectSameImage(image, saved)
  })

  test('a few files come one by one, without an export', async () => {
    const image = await opened()
    const saved = await openImage(archive, { cache: false })
    onTestFinished(() => saved.close())
    const top = image.layers.length - 1
    if (name.includes('vfs'))
      return void (await expect(contents(image, top)).rejects.toThrow('only be read from an export'))
    for (const layer of [1, 2, top].slice(-2))
      expect(await contents(image, layer)).toEqual(await contents(saved, layer))
    const index = await image.indexLayer(top)
    const [entry] = files(index)
    const some = image.readFile(top, entry, { start: 5, end: 12 })
    expect(await bytes(some)).toEqual(await bytes(saved.readFile(top, entry, { start: 5, end: 12 })))
    for await (const _ of image.readFile(top, entry)) break
    expect(await left()).toBe('')
  })

  test('an engine’s image is opened like that only where it was asked for', async () => {
    const common = { reference: 'x', cacheFolder: null, around: { env: {}, home: '/', uid: null } }
    for (const fastRemote of [true, false]) {
      const image = await openEngineImage(engine, 'app:built', { ...common, fastRemote })
      expect(image.source.endsWith('-helper')).toBe(fastRemote)
      await image.close()
    }
    expect(await left()).toBe('')
  })

  test('a second time all comes from the cache but the config', async () => {
    const cacheFolder = real.scratch.folder('cache')
    const first = await opened({ cacheFolder })
    const before = await Promise.all(first.layers.map(layer => first.indexLayer(layer.index)))
    const second = await opened({ cacheFolder })
    const after = await Promise.all(second.layers.map(layer => second.indexLayer(layer.index)))
    expect(after.map(index => [index.entries, index.stored])).toEqual(
      before.map(index => [index.entries, index.stored]),
    )
  })

  test('what a killed run left behind is swept, what another one is using is not', async () => {
    const client = await connectEngine(endpoint(), { env: {} })
    onTestFinished(() => client.close())
    const { id } = await engine.inspect('app:built')
    const young = await createHelper(client, id, [])
    const old = { Image: id, Cmd: ['x'], Labels: { 'strata.helper': String(Date.now() - 3_600_000) } }
    const create = (body: object) => client.send('POST', '/containers/create', z.unknown(), { body })
    await create(old)
    await create({ Image: id, Cmd: ['x'], Labels: { other: 'label' } })
    await sweepHelpers(client)
    expect((await real.cli('ps', '-aq')).split('\n')).toHaveLength(2)
    await young.remove()
    await real.cli('rm', '-f', '-v', ...(await real.cli('ps', '-aq')).split('\n'))
    expect(await left()).toBe('')
  })

  test('cancelled on the way, it leaves nothing either', async () => {
    const facts = await engine.inspect('app:built')
    const stop = new AbortController()
    const options = { env: {}, reference: 'x', platform: null, cacheFolder: null, signal: stop.signal }
    const opening = openThroughHelper(engine, facts, options)
    stop.abort()
    await expect(opening).rejects.toMatchObject({ exitCode: 130 })
    const client = await connectEngine(endpoint(), { env: {} })
    onTestFinished(() => client.close())
    const late = new AbortController()
    const making = createHelper(client, facts.id, [], late.signal)
    late.abort()
    await expect(making).rejects.toMatchObject({ exitCode: 130 })
    expect(await left()).toBe('')
  })

  test('an engine that does not have what it should have: no image, nothing made', async () => {
    const facts = await engine.inspect('app:built')
    const odd = { ...facts, diffIds: facts.diffIds.map(() => `sha256:${'0'.repeat(64)}`) }
    const options = { env: {}, reference: 'x', platform: null, cacheFolder: null }
    expect(await openThroughHelper(engine, odd, options)).toBeNull()
    expect(await left()).toBe('')
  })
})

async function bytes(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}

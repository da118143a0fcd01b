/** The stores of newer engines: containerd's image store under Docker 28, its graph drivers, Podman 5. */
import { readdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { openEngine } from '../../src/engine/engine.ts'
import { openEngineImage } from '../../src/engine/engine-image.ts'
import { parseImageName } from '../../src/image/image-name.ts'
import { Kind } from '../../src/layer/entry.ts'
import { pathOf } from '../../src/layer/path-tree.ts'
import { listContainerdStore, openContainerdStore } from '../../src/source/containerd-store.ts'
import { openContainersStorage } from '../../src/source/containers-storage.ts'
import { openDockerStore } from '../../src/source/docker-store.ts'
import { findLocalStores, openFromStores } from '../../src/source/local-stores.ts'
import { openImage } from '../../src/source/open.ts'
import type { StoreAnswer, StoreLocation } from '../../src/source/store-types.ts'
import type { Image } from '../../src/source/types.ts'
import { readWhileBusy } from '../harness/busy-store.ts'
import { buildImage, importBusybox } from '../harness/engine-images.ts'
import { startDocker, startPodman, type TestEngine } from '../harness/engines.ts'
import { newerRoot } from '../harness/newer-roots.ts'
import { expectSameImage } from '../harness/same-image.ts'

const dockerfile = (base: string) => `FROM ${base}
ENV A=1
RUN mkdir -p /d/sub /gone && echo hello > /d/a && echo world > /d/sub/b && ln /d/a /d/hard && ln -s ../etc/passwd /d/sym
RUN dd if=/dev/zero of=/d/zeros bs=1k count=300 && chmod 4755 /d/a && chown 5:6 /d/sub && chmod 600 /d/sub/b
WORKDIR /new/dir
RUN rm -rf /d/sub /gone && mkdir /d/sub && echo again > /d/sub/c && chmod 700 /d/zeros && touch /etc/passwd
COPY Dockerfile /etc/
CMD ["sh"]
`
const options = { reference: 'x', platform: null, cacheFolder: null }

async function opened(answer: Promise<StoreAnswer>): Promise<Image> {
  const { image, reason } = await answer
  if (image === null) throw new Error(`the store does not have it: ${JSON.stringify(reason)}`)
  onTestFinished(() => image.close())
  return image
}

async function exported(engine: TestEngine, name: string): Promise<Image> {
  const path = join(engine.scratch.path, `${name.replace(/\W/g, '-')}-${Math.random()}.tar`)
  await engine.cli('save', '-o', path, name)
  const image = await openImage(path, { cache: false })
  onTestFinished(() => image.close())
  return image
}

describe('Docker 28 with containerd’s image store', () => {
  let docker: TestEngine
  let location: StoreLocation

  beforeAll(async () => {
    docker = await startDocker({ root: await newerRoot('sid'), driver: 'containerd' })
    location = { kind: 'containerd-store', root: join(docker.dataRoot, 'containerd/daemon'), driver: null, also: [] }
    await importBusybox(docker)
    await buildImage(docker, { tag: 'app:built', builder: 'buildkit', dockerfile: dockerfile('busybox:test') })
    await docker.cli('tag', 'app:built', 'registry.example:5000/some/where:v1')
  })
  afterAll(() => docker?.stop())

  function endpoint() {
    return { name: 'tested', origin: 'test', asked: true, address: { kind: 'unix', path: docker.socket } } as const
  }

  test.each(['busybox:test', 'app:built'])('%s is the image that docker save exports', async name => {
    const store = await opened(openContainerdStore(location, parseImageName(name), options))
    await expectSameImage(store, await exported(docker, name))
  })

  test('names and ids mean what they mean to docker; the config’s digest too', async () => {
    const id = await docker.cli('inspect', '--format', '{{.Id}}', 'app:built')
    const config = (await opened(openContainerdStore(location, parseImageName('app:built'), options))).id
    const spellings = ['app:built', 'docker.io/library/app:built', 'registry.example:5000/some/where:v1']
    for (const spelling of [...spellings, id, id.slice(7, 19), config, config.slice(7, 19)]) {
      const image = await opened(openContainerdStore(location, parseImageName(spelling), options))
      expect([image.id, image.names], spelling).toEqual([config, ['app:built', 'registry.example:5000/some/where:v1']])
    }
    const absent = await openContainerdStore(location, parseImageName('app:other'), options)
    expect(absent).toEqual({ image: null, reason: null })
  })

  test('the list is that of docker images', async () => {
    const { images } = await listContainerdStore(location)
    const rows = images.flatMap(image => image.names.map(name => `${name} ${image.id}`)).sort()
    const lines = await docker.cli('images', '--no-trunc', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}')
    expect(rows).toEqual(lines.split('\n').sort())
  })

  test('it is found from what the engine says of itself', async () => {
    const hint = { engine: 'docker', root: docker.dataRoot, driver: 'overlayfs', containerdStore: true } as const
    const stores = findLocalStores({ env: {}, home: '/nowhere', uid: 0, root: '/nowhere' }, [hint])
    expect(stores).toEqual([location])
    const image = await openFromStores('app:built', { ...options, stores })
    await image!.close()
  })

  test('files are read from the directory of the layer, and from its blob where that was changed', async () => {
    const image = await opened(openContainerdStore(location, parseImageName('app:built'), options))
    const snapshots = join(location.root, 'io.containerd.snapshotter.v1.overlayfs/snapshots')
    const file = readdirSync(snapshots)
      .map(id => join(snapshots, id, 'fs/d/sub/c'))
      .find(path => statSync(path, { throwIfNoEntry: false })?.isFile())!
    const { atime, mtime } = statSync(file)
    onTestFinished(() => {
      writeFileSync(file, 'again\n')
      utimesSync(file, atime, mtime)
    })
    writeFileSync(file, 'other\n')
    expect(await read(image, 'd/sub/c')).toBe('again\n')
    utimesSync(file, atime, mtime)
    expect(await read(image, 'd/sub/c')).toBe('other\n')
  })

  test('without its blobs an image is left to the next source, which says why', async () => {
    const image = await opened(openContainerdStore(location, parseImageName('app:built'), options))
    const blob = join(location.root, 'io.containerd.content.v1.content/blobs/sha256', image.layers[1].digest!.slice(7))
    renameSync(blob, `${blob}.away`)
    onTestFinished(() => renameSync(`${blob}.away`, blob))
    const { image: none, reason } = await openContainerdStore(location, parseImageName('app:built'), options)
    expect([none, reason?.kind]).toEqual([null, 'incomplete'])
    expect(reason?.text).toContain('does not keep the compressed layers')
    expect(reason?.hint).toContain('discard_unpacked_layers = false')
    const { images, reason: listed } = await listContainerdStore(location)
    expect(listed?.text).toContain(`layers of 1 of its ${images.length} images`)
    const engine = await openEngine(endpoint(), { env: {} })
    const around = { env: {}, home: '/nowhere', uid: 0 }
    const exported = await openEngineImage(engine, 'app:built', { reference: 'x', cacheFolder: null, around })
    expect(exported.source).toBe('docker-save')
    expect(exported.anomalies).toContainEqual(
      expect.objectContaining({ kind: 'store-passed-over', text: reason!.text }),
    )
    await exported.close()
    engine.close()
  })

  test('a store that changes while it is read is read again or left alone: never shown wrong', async () => {
    const outcome = await readWhileBusy({ engine: docker, location, open: openContainerdStore })
    expect(outcome.right).toBeGreaterThan(0)
    expect(outcome.absent).toBeGreaterThan(0)
  })

  test('a database that is cut is refused', async () => {
    const db = join(location.root, 'io.containerd.metadata.v1.bolt/meta.db')
    const copy = join(docker.scratch.path, 'copy/io.containerd.metadata.v1.bolt')
    docker.scratch.folder('copy/io.containerd.metadata.v1.bolt')
    writeFileSync(join(copy, 'meta.db'), readFileSync(db).subarray(0, 8192))
    const cut = { ...location, root: join(docker.scratch.path, 'copy') }
    expect((await openContainerdStore(cut, parseImageName('app:built'), options)).reason?.text).toContain('is damaged')
  })
})

describe.each(['sid', 'trixie'] as const)('Docker of %s with its graph driver', suite => {
  let docker: TestEngine

  beforeAll(async () => {
    docker = await startDocker({ root: await newerRoot(suite) })
    await importBusybox(docker)
    await buildImage(docker, { tag: 'app:classic', builder: 'classic', dockerfile: dockerfile('busybox:test') })
  })
  afterAll(() => docker?.stop())

  test.each(['busybox:test', 'app:classic'])('%s is the image that docker save exports', async name => {
    const location = { kind: 'docker-store', root: docker.dataRoot, driver: null, also: [] } as const
    await expectSameImage(
      await opened(openDockerStore(location, parseImageName(name), options)),
      await exported(docker, name),
    )
  })
})

describe.each(['sid', 'trixie'] as const)('Podman of %s', suite => {
  let podman: TestEngine

  beforeAll(async () => {
    podman = await startPodman({ root: await newerRoot(suite) })
    await importBusybox(podman)
    await buildImage(podman, { tag: 'app:built', builder: 'podman', dockerfile: dockerfile('localhost/busybox:test') })
  })
  afterAll(() => podman?.stop())

  test.each(['busybox:test', 'app:built'])('%s is the image that podman save exports', async name => {
    const location = { kind: 'containers-storage', root: podman.dataRoot, driver: null, also: [] } as const
    const store = await opened(openContainersStorage(location, parseImageName(name), options))
    await expectSameImage(store, await exported(podman, name))
  })
})

async function read(image: Image, path: string): Promise<string> {
  let text = ''
  for (const layer of image.layers) {
    const index = await image.indexLayer(layer.index)
    for (let entry = 0; entry < index.entries; entry++) {
      if (index.kind[entry] !== Kind.file || Buffer.from(pathOf(index, index.node[entry])).toString() !== path) continue
      text = ''
      for await (const chunk of image.readFile(layer.index, entry)) text += Buffer.from(chunk).toString()
    }
  }
  return text
}

/** Podman's own store gives the very images that `podman save` exports, as root and of an ordinary user. */
import { existsSync, readFileSync, renameSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { engineResolver } from '../../src/engine/resolve.ts'
import { parseImageName } from '../../src/image/image-name.ts'
import { parseReference } from '../../src/image/reference.ts'
import { Kind } from '../../src/layer/entry.ts'
import { pathOf } from '../../src/layer/path-tree.ts'
import { openContainersStorage } from '../../src/source/containers-storage.ts'
import { findLocalStores, listStoreImages, openFromStores } from '../../src/source/local-stores.ts'
import { openImage } from '../../src/source/open.ts'
import type { StoreLocation } from '../../src/source/store-types.ts'
import type { Image } from '../../src/source/types.ts'
import { asUser } from '../harness/as-user.ts'
import { buildImage, importBusybox } from '../harness/engine-images.ts'
import { startPodman, type TestEngine } from '../harness/engines.ts'
import { contents, expectSameImage } from '../harness/same-image.ts'
import { tar } from '../harness/tar.ts'

const dockerfile = `FROM localhost/busybox:test
ENV A=1
RUN mkdir -p /d/sub /gone /kept && echo hello > /d/a && echo world > /d/sub/b && ln /d/a /d/hard && ln -s ../etc/passwd /d/sym
RUN dd if=/dev/zero of=/d/zeros bs=1k count=300 && mkfifo /d/fifo && chmod 4755 /d/a && chmod 600 /d/sub/b && chown 5:6 /d/sub /d/sub/b
WORKDIR /new/dir
RUN rm -rf /d/sub /gone && mkdir /d/sub && echo again > /d/sub/c && chmod 700 /d/zeros && touch /etc/passwd && echo x > "/d/a b"
COPY long/ /long/
CMD ["sh"]
`
const long = `long/${'x'.repeat(90)}/${'y'.repeat(90)}/file`
const options = { reference: 'x', platform: null, cacheFolder: null }

describe.each([
  ['podman as root', false],
  ['podman of a user', true],
] as const)('%s', (_, rootless) => {
  let podman: TestEngine
  let location: StoreLocation

  beforeAll(async () => {
    podman = await startPodman({ rootless })
    location = { kind: 'containers-storage', root: podman.dataRoot, driver: null, also: [] }
    await importBusybox(podman)
    await buildImage(podman, { tag: 'app:built', builder: 'podman', dockerfile, files: { [long]: 'far down\n' } })
    const saved = await archiveOf('app:built')
    await podman.cli('rmi', '-a', '-f')
    await podman.cli('load', '-i', saved)
    await podman.cli('tag', 'app:built', 'quay.io/some/where:v1')
    await importBusybox(podman)
    await buildImage(podman, {
      tag: 'app:again',
      builder: 'podman',
      dockerfile: `${dockerfile}RUN rm /d/zeros\n`,
      files: { [long]: 'far down again\n' },
    })
  })
  afterAll(() => podman?.stop())

  async function archiveOf(name: string): Promise<string> {
    const path = join(podman.scratch.path, 'home', `${name.replace(/\W/g, '-')}.tar`)
    if (!existsSync(path)) await podman.cli('save', '-o', path, name)
    return path
  }

  async function fromStore(name: string): Promise<Image> {
    const { image, reason } = await openContainersStorage(location, parseImageName(name), options)
    if (image === null) throw new Error(`the store has no ${name}: ${JSON.stringify(reason)}`)
    onTestFinished(() => image.close())
    return image
  }

  async function fromArchive(name: string): Promise<Image> {
    const image = await openImage(await archiveOf(name), { cache: false })
    onTestFinished(() => image.close())
    return image
  }

  test.each(['busybox:test', 'app:built', 'app:again'])('%s is the image that podman save exports', async name => {
    const [store, archive] = [await fromStore(name), await fromArchive(name)]
    expect(store.names).toEqual(expect.arrayContaining(archive.names))
    await expectSameImage(store, archive)
  })

  test('names, ids and digests mean what they mean to podman', async () => {
    const id = await idOf('app:built')
    const digest = await podman.cli('inspect', '--format', '{{.Digest}}', 'app:built')
    const spellings = [
      'app:built',
      'localhost/app:built',
      'quay.io/some/where:v1',
      'some/where:v1',
      'where:v1',
      id,
      id.slice(0, 12),
    ]
    spellings.push(`sha256:${id}`, `quay.io/some/where@${digest}`)
    for (const spelling of spellings) {
      expect(await idOf(spelling.replace('sha256:', spelling.startsWith('sha') ? '' : 'sha256:')), spelling).toBe(id)
      expect((await fromStore(spelling)).id, spelling).toBe(`sha256:${id}`)
    }
    for (const absent of ['app', 'app:other', 'docker.io/library/app:built', 'here:v1', '0000deadbeef']) {
      expect(await openContainersStorage(location, parseImageName(absent), options), absent).toEqual({
        image: null,
        reason: null,
      })
    }
  })

  test.each([false, true])('the list is that of podman images, all of them: %s', async all => {
    const { images, reasons } = await listStoreImages([location], { all })
    expect(reasons).toEqual([])
    const rows = images.flatMap(image =>
      (image.names.length > 0 ? image.names : ['']).map(name => `${name} ${image.id}`),
    )
    const lines = await podman.cli(
      'images',
      ...(all ? ['-a'] : []),
      '--no-trunc',
      '--format',
      '{{.Repository}}:{{.Tag}} {{.Id}}',
    )
    const expected = lines
      .split('\n')
      .map(line => line.replace('<none>:<none>', '').replace(/ (?!sha256:)/, ' sha256:'))
    expect(rows.sort()).toEqual(expected.sort())
  })

  test('found through storage.conf, also for the user whose store it is', async () => {
    const { uid, gid } = statSync(podman.dataRoot)
    const env = { CONTAINERS_STORAGE_CONF: join(podman.scratch.path, 'storage.conf') }
    const back = rootless ? asUser(uid, gid) : () => {}
    try {
      const stores = findLocalStores({ env, home: '/nowhere', uid, root: podman.scratch.path })
      expect(stores.map(({ kind, root }) => [kind, root])).toEqual([['containers-storage', podman.dataRoot]])
      const image = await openFromStores('app:built', { ...options, stores })
      onTestFinished(() => image!.close())
      for (const layer of image!.layers) expect((await image!.indexLayer(layer.index)).entries).toBeGreaterThan(0)
      expect(Object.keys(await contents(image!, 0)).length).toBeGreaterThan(0)
      if (!rootless) return
      // Files of other ids are listed with everything but their content: that is for those who may read it.
      const index = await image!.indexLayer(2)
      const secret = Array.from(index.kind.keys()).find(
        entry =>
          index.kind[entry] === Kind.file && Buffer.from(pathOf(index, index.node[entry])).toString() === 'd/sub/b',
      )!
      const reading = image!.readFile(2, secret)[Symbol.asyncIterator]().next()
      await expect(reading).rejects.toMatchObject({
        message: expect.stringContaining('permission denied'),
        hint: expect.any(String),
      })
    } finally {
      back()
    }
  })

  test('JSON that is half written is read again until it is whole, and never believed', async () => {
    const file = join(podman.dataRoot, 'overlay-images/images.json')
    const whole = readFileSync(file)
    onTestFinished(() => writeFileSync(file, whole))
    writeFileSync(file, whole.subarray(0, whole.length / 2))
    const opening = openContainersStorage(location, parseImageName('app:built'), options)
    writeFileSync(file, whole)
    const { image } = await opening
    await image!.close()
    writeFileSync(file, whole.subarray(0, whole.length / 2))
    expect(await openContainersStorage(location, parseImageName('app:built'), options)).toMatchObject({
      image: null,
      reason: { kind: 'foreign' },
    })
  })

  test('a layer that is not there, or has no tar-split, leaves the image to the next source', async () => {
    const layers = join(podman.dataRoot, 'overlay-layers/layers.json')
    const whole = readFileSync(layers)
    onTestFinished(() => writeFileSync(layers, whole))
    const kept = (JSON.parse(whole.toString()) as { parent?: string }[]).filter(layer => layer.parent)
    writeFileSync(layers, JSON.stringify(kept))
    expect(await openContainersStorage(location, parseImageName('app:built'), options)).toMatchObject({
      image: null,
      reason: { kind: 'unsettled' },
    })
    writeFileSync(layers, whole)
    const image = await fromStore('app:built')
    const split = join(podman.dataRoot, `overlay-layers/${image.layers[0].diffId.slice(7)}.tar-split.gz`)
    renameSync(split, `${split}.away`)
    onTestFinished(() => renameSync(`${split}.away`, split))
    expect(await openContainersStorage(location, parseImageName('app:built'), options)).toMatchObject({
      image: null,
      reason: { kind: 'incomplete' },
    })
    const env = { CONTAINERS_STORAGE_CONF: join(podman.scratch.path, 'storage.conf') }
    const resolve = engineResolver({ env, home: '/nowhere', uid: 0, root: podman.scratch.path })
    await expect(resolve(parseReference('podman:app:built'), {})).rejects.toThrow('keeps no tar-split of a layer')
    await expect(image.indexLayer(0)).rejects.toThrow('not in the engine’s store any more')
  })

  test('a tar-split of another layer is not taken for this one’s', async () => {
    const image = await fromStore('app:built')
    const path = (layer: number) => join(podman.dataRoot, `overlay-layers/${ids[layer]}.tar-split.gz`)
    const ids = chainOf(podman, image)
    const [bottom, top] = [readFileSync(path(0)), readFileSync(path(1))]
    onTestFinished(() => writeFileSync(path(0), bottom))
    unlinkSync(path(0))
    writeFileSync(path(0), top)
    await expect(image.indexLayer(0)).rejects.toThrow('the store says that they are')
  })

  test('an import of a tar is read too', async () => {
    const path = join(podman.scratch.path, 'home/tiny.tar')
    writeFileSync(path, tar('file a 700', 'dir d', 'hard d/b -> a'))
    await podman.cli('import', path, 'localhost/tiny:1')
    await expectSameImage(await fromStore('tiny:1'), await fromArchive('tiny:1'))
  })

  async function idOf(name: string): Promise<string> {
    return podman.cli('inspect', '--type', 'image', '--format', '{{.Id}}', name)
  }
})

/** The ids of an image's layers in the store, bottom first. */
function chainOf(podman: TestEngine, image: Image): string[] {
  const layers = JSON.parse(readFileSync(join(podman.dataRoot, 'overlay-layers/layers.json'), 'utf8')) as {
    id: string
    parent?: string
    'diff-digest': string
  }[]
  let parent: string | undefined
  return image.layers.map(({ diffId }) => {
    const found = layers.find(layer => layer['diff-digest'] === diffId && layer.parent === parent)!
    parent = found.id
    return found.id
  })
}

/** Where stores are looked for, and what a store may hold that no daemon would leave behind. */
import { mkdirSync, readFileSync, symlinkSync, unlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseImageName } from '../../../src/image/image-name.ts'
import { openDockerStore } from '../../../src/source/docker-store.ts'
import { findLocalStores, listStoreImages, openFromStores } from '../../../src/source/local-stores.ts'
import type { StoreLocation, StoreReason } from '../../../src/source/store-types.ts'
import { writeDockerStore } from '../../harness/docker-stores.ts'
import { hex, makeImage } from '../../harness/images.ts'
import { contents } from '../../harness/same-image.ts'
import { scratch } from '../../harness/scratch.ts'
import { tar } from '../../harness/tar.ts'

const options = { reference: 'x', platform: null, cacheFolder: null }

describe('places', () => {
  test('nothing there, nothing found; and nothing where users have no number', () => {
    const { path: root } = scratch()
    mkdirSync(join(root, 'var/lib/docker/image'), { recursive: true })
    expect(findLocalStores({ env: {}, home: join(root, 'home'), uid: null, root })).toEqual([])
    expect(findLocalStores({ env: {}, home: join(root, 'home'), uid: 1000, root: join(root, 'other') })).toEqual([])
  })

  test('the usual ones of Docker, podman and containerd, of the machine and of the person', () => {
    const found = places([
      'var/lib/docker/image',
      'var/lib/docker/231072.231072/image',
      'var/lib/containers/storage',
      'var/lib/containerd/io.containerd.content.v1.content',
      'home/.local/share/docker/image',
      'home/.local/share/containers/storage',
    ])
    expect(found({}).sort()).toEqual([
      'containerd-store var/lib/containerd',
      'containers-storage home/.local/share/containers/storage',
      'containers-storage var/lib/containers/storage',
      'docker-store home/.local/share/docker',
      'docker-store var/lib/docker',
      'docker-store var/lib/docker/231072.231072',
    ])
  })

  test('where daemon.json and storage.conf say', () => {
    const root = scratch().path
    const found = places(['data/docker/image', 'data/images', 'var/lib/docker/image'], root)
    put(root, 'etc/docker/daemon.json', JSON.stringify({ 'data-root': join(root, 'data/docker') }))
    put(root, 'etc/containers/storage.conf', '[storage]\ngraphroot = "/data/images"\n')
    expect(found({})).toEqual([
      'docker-store data/docker',
      'docker-store var/lib/docker',
      'containers-storage data/images',
    ])
  })

  test('where the person’s own settings say', () => {
    const root = scratch().path
    const found = places(['elsewhere/docker/image', 'elsewhere/podman'], root)
    put(root, 'config/containers/storage.conf', `[storage]\ngraphroot = "${root}/elsewhere/podman"\n`)
    const env = { XDG_DATA_HOME: join(root, 'elsewhere'), XDG_CONFIG_HOME: join(root, 'config') }
    expect(found(env).sort()).toEqual(['containers-storage elsewhere/podman', 'docker-store elsewhere/docker'])
  })

  test.each([
    '{',
    'null',
    '[]',
    '{"data-root": 5}',
    '{"data-root": "relative"}',
  ])('a daemon.json of %s says nothing', text => {
    const root = scratch().path
    put(root, 'etc/docker/daemon.json', text)
    expect(places(['var/lib/docker/image'], root)({})).toEqual(['docker-store var/lib/docker'])
  })

  test('of two ways of storing in one data root, the one that was written last comes first', () => {
    const root = scratch().path
    const content = 'var/lib/docker/containerd/daemon/io.containerd.content.v1.content'
    const db = 'var/lib/docker/containerd/daemon/io.containerd.metadata.v1.bolt/meta.db'
    const found = places(['var/lib/docker/image/overlay2', content], root)
    put(root, db, '')
    put(root, 'var/lib/docker/image/overlay2/repositories.json', '{}')
    const kinds = () => found({}).map(one => one.split(' ')[0])
    utimesSync(join(root, db), 1000, 1000)
    expect(kinds()).toEqual(['docker-store', 'containerd-store'])
    utimesSync(join(root, 'var/lib/docker/image/overlay2/repositories.json'), 500, 500)
    expect(kinds()).toEqual(['containerd-store', 'docker-store'])
  })

  test('what an engine says of itself comes first, and each place only once', () => {
    const root = scratch().path
    const found = places(['var/lib/docker/image', 'mnt/storage'], root)
    const hints = [
      { engine: 'podman', root: join(root, 'mnt/storage'), driver: 'overlay', containerdStore: false } as const,
      { engine: 'docker', root: join(root, 'var/lib/docker'), driver: 'overlay2', containerdStore: false } as const,
    ]
    expect(found({}, hints)).toEqual(['containers-storage mnt/storage', 'docker-store var/lib/docker'])
  })
})

describe('a store of files', () => {
  const app = makeImage({ layers: [tar('dir d', 'file d/a 700'), tar('file d/b 5')], names: ['app:1'] })
  const other = makeImage({ layers: [tar('dir d', 'file d/a 700')], names: ['example.org/other:2', 'other:3'] })

  test('serves its images with their files', async () => {
    const { location } = store()
    const image = await openFromStores('app:1', { ...options, stores: [location] })
    onTestFinished(() => image!.close())
    expect([image!.id, image!.names, image!.layers.length]).toEqual([app.id, ['app:1'], 2])
    expect(Object.keys(await contents(image!, 0))).toEqual(['d/a'])
    const { images } = await listStoreImages([location])
    expect(images.map(one => one.names).sort()).toEqual([['app:1'], ['example.org/other:2', 'other:3']])
  })

  test('an image for another platform is not taken', async () => {
    const { location } = store()
    const platform = { os: 'linux', architecture: 'arm64', variant: null }
    expect(await openFromStores('app:1', { ...options, platform, stores: [location] })).toBeNull()
  })

  const chain = hex(app.layers[0].diffId)
  test.each([
    ['a cache-id that leads out of the store', `layerdb/sha256/${chain}/cache-id`, '../../../../etc', 'unsettled'],
    ['a cache-id that is empty', `layerdb/sha256/${chain}/cache-id`, '', 'unsettled'],
    ['another diffID', `layerdb/sha256/${chain}/diff`, other.id, 'unsettled'],
    ['a parent where there is none', `layerdb/sha256/${chain}/parent`, app.id, 'unsettled'],
    ['a config with another digest', `imagedb/content/sha256/${hex(app.id)}`, '{}', 'unsettled'],
    ['repositories.json that is no JSON', 'repositories.json', '{"Repositories":', 'foreign'],
    ['repositories.json of another shape', 'repositories.json', '{"Repositories":{"app":{"app:1":5}}}', 'foreign'],
  ])('%s: no image, and a reason', async (_, file, text, kind) => {
    const { location, path } = store()
    put(path, join('image/overlay2', file), text)
    const { image, reason } = await openDockerStore(location, parseImageName('app:1'), options)
    expect([image, reason?.kind]).toEqual([null, kind])
    const reasons: StoreReason[] = []
    expect(
      await openFromStores('app:1', { ...options, stores: [location], onReason: one => reasons.push(one) }),
    ).toBeNull()
    expect(reasons).toEqual([reason])
  })

  test.each([
    '{}',
    '{"Repositories":null}',
    '{"Repositories":{"app":{"app:1":"../../x"}}}',
    '{"Repositories":{"__proto__":{"a:1":"b"}}}',
  ])('repositories.json of %s has no such image', async text => {
    const { location, path } = store()
    put(path, 'image/overlay2/repositories.json', text)
    expect(await openDockerStore(location, parseImageName('app:1'), options)).toEqual({ image: null, reason: null })
  })

  test('parents that go in circles end', async () => {
    const { location, path } = store()
    const metadata = (id: string) => `image/overlay2/imagedb/metadata/sha256/${hex(id)}/parent`
    put(path, metadata(app.id), other.id)
    put(path, metadata(other.id), app.id)
    const { image } = await openDockerStore(location, parseImageName('app:1'), options)
    onTestFinished(() => image!.close())
    expect(image!.steps.map(step => step.imageId)).toEqual([other.id, app.id])
  })

  test('a file of the store that is a link is not followed', async () => {
    const { location, path } = store()
    const file = join(path, 'image/overlay2/repositories.json')
    const copy = join(path, 'copy.json')
    writeFileSync(copy, readFileSync(file))
    unlinkSync(file)
    symlinkSync(copy, file)
    expect((await openDockerStore(location, parseImageName('app:1'), options)).image).toBeNull()
  })

  function store(): { path: string; location: StoreLocation } {
    const { path } = scratch()
    writeDockerStore(path, [app, other])
    return { path, location: { kind: 'docker-store', root: path, driver: null, also: [] } }
  }
})

/** Makes folders; what comes back finds the stores, as `kind place`. */
function places(folders: string[], root = scratch().path) {
  for (const folder of folders) mkdirSync(join(root, folder), { recursive: true })
  return (env: Record<string, string>, hints: Parameters<typeof findLocalStores>[1] = []) =>
    findLocalStores({ env, home: join(root, 'home'), uid: 1000, root }, hints).map(
      one => `${one.kind} ${one.root.slice(root.length + 1)}`,
    )
}

function put(root: string, name: string, text: string): void {
  mkdirSync(dirname(join(root, name)), { recursive: true })
  writeFileSync(join(root, name), text)
}

/** Docker's own store gives the very images that `docker save` exports, with any builder and driver. */
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { chainIds } from '../../src/image/digest.ts'
import { parseImageName } from '../../src/image/image-name.ts'
import { listDockerStore, openDockerStore } from '../../src/source/docker-store.ts'
import { findLocalStores, listStoreImages, openFromStores } from '../../src/source/local-stores.ts'
import { openImage } from '../../src/source/open.ts'
import type { StoreLocation, StoreReason } from '../../src/source/store-types.ts'
import type { Image } from '../../src/source/types.ts'
import { asUser } from '../harness/as-user.ts'
import { buildImage, importBusybox } from '../harness/engine-images.ts'
import { startDocker, type TestEngine } from '../harness/engines.ts'
import { contents, expectSameImage, files } from '../harness/same-image.ts'
import { tar } from '../harness/tar.ts'

/** Files, links, devices, odd owners and modes; deleted, rewritten, made opaque, touched, in directories of their own. */
const dockerfile = `FROM busybox:test
ENV A=1
RUN mkdir -p /d/sub /gone /kept && echo hello > /d/a && echo world > /d/sub/b && ln /d/a /d/hard && ln -s ../etc/passwd /d/sym
RUN dd if=/dev/zero of=/d/zeros bs=1k count=300 && mkfifo /d/fifo && chmod 4755 /d/a && chown 5:6 /d/sub && chmod 600 /d/sub/b
WORKDIR /new/dir
RUN rm -rf /d/sub /gone && mkdir /d/sub && echo again > /d/sub/c && chmod 700 /d/zeros && touch /etc/passwd && echo x > "/d/a b"
COPY long/ /long/
CMD ["sh"]
`
const long = `long/${'x'.repeat(90)}/${'y'.repeat(90)}/file`

describe.each(['overlay2', 'vfs'] as const)('docker with %s', driver => {
  let docker: TestEngine
  let location: StoreLocation

  beforeAll(async () => {
    docker = await startDocker({ driver })
    location = { kind: 'docker-store', root: docker.dataRoot, driver: null, also: [] }
    await importBusybox(docker)
    for (const builder of ['classic', 'buildkit'] as const) {
      await buildImage(docker, { tag: `app:${builder}`, builder, dockerfile, files: { [long]: 'far down\n' } })
    }
    await docker.cli('tag', 'busybox:test', 'registry.example:5000/some/where:v1')
  })
  afterAll(() => docker?.stop())

  async function fromStore(name: string, store = location): Promise<Image> {
    const { image, reason } = await openDockerStore(store, parseImageName(name), options)
    if (image === null) throw new Error(`the store has no ${name}: ${JSON.stringify(reason)}`)
    onTestFinished(() => image.close())
    return image
  }

  async function fromArchive(name: string): Promise<Image> {
    const path = join(docker.scratch.path, `${name.replace(/\W/g, '-')}.tar`)
    await docker.cli('save', '-o', path, name)
    const image = await openImage(path, { cache: false })
    onTestFinished(() => image.close())
    return image
  }

  test.each(['busybox:test', 'app:classic', 'app:buildkit'])('%s is the image that docker save exports', async name => {
    const [store, archive] = [await fromStore(name), await fromArchive(name)]
    expect(store.names).toEqual(name === 'busybox:test' ? [name, 'registry.example:5000/some/where:v1'] : archive.names)
    await expectSameImage(store, archive)
  })

  test('contents can be read in part, and hashed', async () => {
    const [store, archive] = [await fromStore('app:buildkit'), await fromArchive('app:buildkit')]
    const index = await store.indexLayer(0)
    const entry = files(index).reduce((a, b) => (index.size[a] > index.size[b] ? a : b))
    const range = { start: 1000, end: 400_000 }
    expect(await bytes(store.readFile(0, entry, range))).toEqual(await bytes(archive.readFile(0, entry, range)))
    const all = Uint32Array.from(files(index))
    expect(await store.hashFiles(0, all)).toEqual(await archive.hashFiles(0, all))
  })

  test('names, tags, ids and their first digits mean what they mean to docker', async () => {
    const id = (await docker.cli('inspect', '--format', '{{.Id}}', 'busybox:test')).trim()
    const spellings = [
      'busybox:test',
      'library/busybox:test',
      'docker.io/library/busybox:test',
      id,
      id.slice(7, 19),
      id.slice(0, 15),
    ]
    spellings.push('registry.example:5000/some/where:v1')
    for (const spelling of spellings) expect((await fromStore(spelling)).id, spelling).toBe(id)
    for (const absent of ['busybox', 'busybox:other', 'where:v1', 'example.org/busybox:test', '0000deadbeef']) {
      expect(await openDockerStore(location, parseImageName(absent), options), absent).toEqual({
        image: null,
        reason: null,
      })
    }
  })

  test('the images that the classic builder left at the steps are those of docker history', async () => {
    const { steps } = await fromStore('app:classic')
    const rows = (await docker.cli('history', '-q', '--no-trunc', 'app:classic')).split('\n').reverse()
    expect(steps.map(step => step.imageId ?? '<missing>')).toEqual(rows)
  })

  test('the list is that of docker images', async () => {
    const { images, reason } = await listDockerStore(location)
    expect(reason).toBeNull()
    const rows = images.flatMap(image => image.names.map(name => `${name} ${image.id} ${image.size}`)).sort()
    const lines = (await docker.cli('images', '--no-trunc', '--format', '{{.Repository}}:{{.Tag}} {{.ID}}')).split('\n')
    const sized = lines.map(async line => {
      return `${line} ${(await docker.cli('inspect', '--format', '{{.Size}}', line.split(' ')[1])).trim()}`
    })
    expect(rows).toEqual((await Promise.all(sized)).sort())
    const all = (await docker.cli('images', '-aq', '--no-trunc')).split('\n')
    expect(images.map(image => image.id).sort()).toEqual([...new Set(all)].sort())
    const shown = (await docker.cli('images', '-q', '--no-trunc')).split('\n')
    const { images: ends } = await listStoreImages([location])
    expect(ends.map(image => image.id).sort()).toEqual([...new Set(shown)].sort())
  })

  test('an image that is removed meanwhile is a clear error, and then it is not there', async () => {
    await docker.cli('import', '--change', 'CMD ["x"]', await tinyTar(docker), 'gone:1')
    const image = await fromStore('gone:1')
    await docker.cli('rmi', 'gone:1')
    await expect(image.indexLayer(0)).rejects.toThrow('is not in the engine’s store any more')
    expect(await openDockerStore(location, parseImageName('gone:1'), options)).toEqual({ image: null, reason: null })
  })

  test('a layer whose tar-split is damaged comes from the next source', async () => {
    await docker.cli('import', await tinyTar(docker), 'broken:1')
    const whole = await contents(await fromArchive('broken:1'), 0)
    const split = splitOf(docker, driver, (await fromStore('broken:1')).layers[0].diffId)
    writeFileSync(split, readFileSync(split).subarray(0, -20))
    const alone = await fromStore('broken:1')
    await expect(alone.indexLayer(0)).rejects.toThrow(/tar-split of layer 0 .* truncated/)
    const { image } = await openDockerStore(location, parseImageName('broken:1'), {
      ...options,
      next: () => openImage(join(docker.scratch.path, 'broken-1.tar'), { cache: false }),
    })
    onTestFinished(() => image!.close())
    const index = await image!.indexLayer(0)
    expect(index.anomalies.map(one => one.kind)).toEqual(['store-damaged'])
    expect(await contents(image!, 0)).toEqual(whole)
  })

  test('a file that is not what it was comes from the next source', async () => {
    await docker.cli('import', await tinyTar(docker, 'swapped'), 'swapped:1')
    const whole = await contents(await fromArchive('swapped:1'), 0)
    const next = () => openImage(join(docker.scratch.path, 'swapped-1.tar'), { cache: false })
    const { image } = await openDockerStore(location, parseImageName('swapped:1'), { ...options, next })
    onTestFinished(() => image!.close())
    const chain = image!.layers[0].chainId
    const id = readFileSync(join(splitOf(docker, driver, chain), '../cache-id'), 'utf8')
    const folder = driver === 'vfs' ? `vfs/dir/${id}` : `overlay2/${id}/diff`
    writeFileSync(join(docker.dataRoot, folder, 'swapped'), 'another content')
    writeFileSync(join(docker.dataRoot, folder, 'd/x'), 'other')
    expect(await contents(image!, 0)).toEqual(whole)
    const entries = Uint32Array.from(files(await image!.indexLayer(0)))
    const archive = await next()
    onTestFinished(() => archive.close())
    expect(await image!.hashFiles(0, entries)).toEqual(await archive.hashFiles(0, entries))
    const alone = await fromStore('swapped:1')
    await expect(contents(alone, 0)).rejects.toThrow('is not what the layer holds')
  })

  test('two who ask for a layer share the reading; one may give up', async () => {
    const image = await fromStore('busybox:test')
    const stop = new AbortController()
    const asked = [image.indexLayer(0, { signal: stop.signal }), image.indexLayer(0), image.indexLayer(0)]
    stop.abort()
    const [first, second, third] = await Promise.allSettled(asked)
    expect(second).toMatchObject({ status: 'fulfilled' })
    expect(third).toEqual(second)
    if (first.status === 'rejected') expect(first.reason).toMatchObject({ exitCode: 130 })
  })

  test('a store that says something else than the image is left alone, with a reason', async () => {
    await docker.cli('import', '--change', 'LABEL a=b', await tinyTar(docker, 'other'), 'odd:1')
    const chain = chainIds((await fromStore('odd:1')).config.diffIds)[0].slice(7)
    const diff = join(docker.dataRoot, 'image', driver, 'layerdb/sha256', chain, 'diff')
    writeFileSync(diff, `sha256:${'0'.repeat(64)}`)
    const { image, reason } = await openDockerStore(location, parseImageName('odd:1'), options)
    expect([image, reason?.kind]).toEqual([null, 'unsettled'])
  })

  test('found at its usual place, it serves by name and by id; an ordinary user learns what would help', async () => {
    const root = join(docker.scratch.path, 'machine')
    mkdirSync(join(root, 'var/lib'), { recursive: true })
    symlinkSync(docker.dataRoot, join(root, 'var/lib/docker'))
    const stores = findLocalStores({ env: {}, home: join(root, 'home'), uid: 0, root })
    expect(stores.map(store => store.kind).sort()).toEqual(['containerd-store', 'docker-store'])
    const image = await openFromStores('app:classic', { ...options, stores })
    onTestFinished(() => image!.close())
    expect(image!.source).toBe('docker-store')

    const reasons: StoreReason[] = []
    chmodSync(docker.scratch.path, 0o755)
    const back = asUser()
    try {
      expect(findLocalStores({ env: {}, home: root, uid: 65534, root })).toEqual([
        stores.find(one => one.kind === 'docker-store'),
      ])
      expect(await openFromStores('app:classic', { ...options, stores, onReason: one => reasons.push(one) })).toBeNull()
    } finally {
      back()
    }
    const told = reasons.map(({ location, kind, hint }) => [location.kind, kind, hint])
    expect(told[0]).toEqual(['docker-store', 'permission', expect.stringContaining('sudo strata')])
  })

  test('repositories.json that is half written is read again until it is whole', async () => {
    const file = join(docker.dataRoot, 'image', driver, 'repositories.json')
    const whole = readFileSync(file)
    writeFileSync(file, whole.subarray(0, whole.length / 2))
    onTestFinished(() => writeFileSync(file, whole))
    const opening = openDockerStore(location, parseImageName('busybox:test'), options)
    writeFileSync(file, whole)
    const { image } = await opening
    onTestFinished(() => image!.close())
    expect(image!.names).toContain('busybox:test')
    writeFileSync(file, whole.subarray(0, whole.length / 2))
    expect((await openDockerStore(location, parseImageName('busybox:test'), options)).reason?.kind).toBe('foreign')
  })
})

const options = { reference: 'x', platform: null, cacheFolder: null }

async function bytes(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}

async function tinyTar(docker: TestEngine, name = 'file'): Promise<string> {
  const path = join(docker.scratch.path, `${name}.tar`)
  writeFileSync(path, tar(`file ${name} 700`, 'dir d', 'file d/x 5'))
  return path
}

function splitOf(docker: TestEngine, driver: string, chainId: string): string {
  return join(docker.dataRoot, 'image', driver, 'layerdb/sha256', chainId.slice(7), 'tar-split.json.gz')
}

/** The native store's files: what comes in whole, what goes out, and who has to wait. */
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { parseImageName } from '../../../src/image/image-name.ts'
import { type Places, placesOf } from '../../../src/runtime/places.ts'
import { blobBytes, blobPath, keepBlob, keepDocument } from '../../../src/runtime/store/blobs.ts'
import {
  makeStore,
  type StoreFolder,
  storeFolder,
  type Workplace,
  workplace,
} from '../../../src/runtime/store/folder.ts'
import { thingsOf } from '../../../src/runtime/store/garbage.ts'
import { keepImage, nameImage } from '../../../src/runtime/store/images.ts'
import { type KeptImage, readImages } from '../../../src/runtime/store/index.ts'
import { lock, tryLock } from '../../../src/runtime/store/lock.ts'
import { findImage, getImage, keptName, shownName } from '../../../src/runtime/store/names.ts'
import { openPartial } from '../../../src/runtime/store/partial.ts'
import { removeImage } from '../../../src/runtime/store/remove.ts'
import { PARTIAL_REST, removeKept, removePartial, removeUnused } from '../../../src/runtime/store/remove-exactly.ts'
import { makeSure, unpackedLayer } from '../../../src/runtime/store/unpacked.ts'
import { scratch } from '../../harness/scratch.ts'

const digestOf = (text: string) => `sha256:${createHash('sha256').update(text).digest('hex')}`

describe('locks', () => {
  test('one holder, and the next when it lets go', async () => {
    const path = join(scratch().path, 'lock')
    const first = await lock(path)
    expect(await tryLock(path)).toBe(null)
    expect(await tryLock(path, { shared: true })).toBe(null)
    first.release()
    const second = await tryLock(path)
    expect(second).not.toBe(null)
    second!.release()
    second!.release()
  })

  test('several share it, and one alone waits for all of them', async () => {
    const path = join(scratch().path, 'lock')
    const shared = [await lock(path, { shared: true }), await lock(path, { shared: true })]
    const alone = lock(path)
    expect(await tryLock(path)).toBe(null)
    for (const one of shared) one.release()
    ;(await alone).release()
  })

  test('a lock on a file that was removed is none: whoever waited takes the new one', async () => {
    const path = join(scratch().path, 'lock')
    const first = await lock(path)
    const waiting = lock(path)
    rmSync(path)
    first.release()
    const second = await waiting
    expect(existsSync(path)).toBe(true)
    expect(await tryLock(path)).toBe(null)
    second.release()
  })

  test('waiting can be given up', async () => {
    const path = join(scratch().path, 'lock')
    const held = await lock(path)
    const stop = new AbortController()
    const waiting = lock(path, { signal: stop.signal })
    stop.abort()
    await expect(waiting).rejects.toMatchObject({ name: 'AbortError' })
    held.release()
  })
})

describe('the folder', () => {
  test('is closed to everybody else, also when it was open', async () => {
    const { folder } = await newStore()
    expect(statSync(folder.root).mode & 0o777).toBe(0o700)
  })

  test('what a Strata that is no more has left goes with the next one', async () => {
    const { folder } = await newStore()
    const left = join(folder.root, 'work/0123')
    mkdirSync(left)
    writeFileSync(join(left, 'blob-0'), 'half')
    const place = await workplace(folder)
    expect(existsSync(left)).toBe(false)
    const other = await workplace(folder)
    expect(existsSync(place.path)).toBe(true)
    await place.leave()
    await other.leave()
    expect(readdirSync(join(folder.root, 'work'))).toHaveLength(1)
  })
})

describe('blobs', () => {
  test('a blob is there when it has its digest', async () => {
    const { folder, place } = await newStore()
    const { digest } = await keepDocument(folder, place, Buffer.from('hello'))
    expect(digest).toBe(digestOf('hello'))
    expect(readFileSync(blobPath(folder, digest), 'utf8')).toBe('hello')
  })

  test('one that has another digest is not kept', async () => {
    const { folder, place } = await newStore()
    const write = (to: number) => {
      writeSync(to, 'other')
      return { digest: digestOf('other'), bytes: 5 }
    }
    await expect(keepBlob(folder, place, digestOf('wanted'), write)).rejects.toThrow('does not have its digest')
    expect(readdirSync(folder.blobs)).toEqual([])
  })

  test.each([
    'sha256:../../../etc/passwd',
    'sha256:ABC',
    'sha512:00',
    '../x',
    'sha256:',
  ])('%j is no name of a blob', async text => {
    const { folder } = await newStore()
    expect(() => blobPath(folder, text)).toThrow('no digest')
    expect(() => blobBytes(folder, `${text}\n`)).toThrow('no digest')
  })
})

describe('names', () => {
  const image = (id: string, ...names: string[]): KeptImage => ({
    id: digestOf(id),
    manifest: digestOf(`manifest ${id}`),
    mediaType: '',
    names,
    layers: [],
    created: null,
    added: 0,
  })

  test.each([
    ['node', 'docker.io/library/node:latest', 'node:latest'],
    ['me/app:1', 'docker.io/me/app:1', 'me/app:1'],
    ['localhost/app', 'localhost/app:latest', 'localhost/app:latest'],
    ['r.example:5000/a/b:v', 'r.example:5000/a/b:v', 'r.example:5000/a/b:v'],
  ])('%s is kept as %s and shown as %s', (written, kept, shown) => {
    expect(keptName(written)).toBe(kept)
    expect(shownName(kept)).toBe(shown)
  })

  test.each(['', 'a/B', 'a:b:c', `a@${digestOf('x')}`, 'f'.repeat(64), '../a'])('%j is no name for an image', text => {
    expect(() => keptName(text)).toThrow()
  })

  test('found by name, by id, by the beginning of an id, by digest', () => {
    const images = [image('a', 'docker.io/library/a:1', 'docker.io/library/b:1'), image('c')]
    const find = (text: string) => findImage(images, parseImageName(text))?.image.id
    expect(find('a:1')).toBe(images[0].id)
    expect(find('docker.io/library/b:1')).toBe(images[0].id)
    expect(find('a')).toBe(undefined)
    expect(find(images[1].id)).toBe(images[1].id)
    expect(find(images[1].id.slice(7, 15))).toBe(images[1].id)
    expect(find(`a@${images[0].manifest}`)).toBe(images[0].id)
    expect(find(`x@${images[0].manifest}`)).toBe(undefined)
    expect(() => getImage(images, 'nope')).toThrow('The store has no image')
  })

  test('a name belongs to one image', () => {
    const [a, b] = [image('a', 'x', 'y'), image('b', 'z')]
    const { images, result } = nameImage([a, b], b.id, ['x'])
    expect(images.map(one => one.names)).toEqual([['y'], ['z', 'x']])
    expect(result).toEqual([{ name: 'x', from: a.id }])
  })
})

describe('images', () => {
  test('an image comes in, and the same one again only gets another name', async () => {
    const store = await newStore()
    const { id } = await store.add('app', ['base', 'top'], ['docker.io/library/app:1'])
    await store.add('app', ['base', 'top'], ['docker.io/library/app:2'])
    expect(readImages(store.folder)).toMatchObject([
      { id, names: ['docker.io/library/app:1', 'docker.io/library/app:2'], layers: [{ bytes: 4 }, { bytes: 3 }] },
    ])
    const manifest = JSON.parse(readFileSync(blobPath(store.folder, readImages(store.folder)[0].manifest), 'utf8'))
    expect(manifest.layers.map((layer: { digest: string }) => layer.digest)).toEqual([
      digestOf('base'),
      digestOf('top'),
    ])
  })

  test('one whose blobs have been lost is mended', async () => {
    const store = await newStore()
    await store.add('app', ['base'], ['docker.io/library/app:1'])
    truncateSync(blobPath(store.folder, digestOf('base')), 1)
    await store.add('app', ['base'], [])
    expect(blobBytes(store.folder, digestOf('base'))).toBe(4)
  })

  test('a list that is damaged is told of, and never taken for an empty one', async () => {
    const { folder, places } = await newStore()
    writeFileSync(folder.images, '{"schema":"strata.store/1","images":[{"id":"sha256:../x"}]}')
    expect(() => readImages(folder)).toThrow('it is damaged')
    await expect(removeUnused(places, [])).rejects.toThrow('it is damaged')
  })

  test('a name goes first, the image with its last one, and only what no other image needs', async () => {
    const store = await newStore()
    const app = await store.add('app', ['base', 'app'], ['docker.io/library/app:1', 'docker.io/library/app:2'])
    await store.add('other', ['base', 'other'], ['docker.io/library/other:1'])
    expect(await removeImage(store.places, 'app:1')).toMatchObject({ untagged: ['app:1'], deleted: [] })
    expect(blobBytes(store.folder, digestOf('app'))).toBe(3)
    const { untagged, deleted } = await removeImage(store.places, 'app:2')
    expect([untagged, deleted]).toEqual([['app:2'], [app.id, digestOf(`${digestOf('base')} ${digestOf('app')}`)]])
    expect(blobBytes(store.folder, digestOf('app'))).toBe(null)
    expect(blobBytes(store.folder, app.id)).toBe(null)
    expect(blobBytes(store.folder, digestOf('base'))).toBe(4)
    expect(readdirSync(join(store.folder.root, 'work'))).toHaveLength(1)
  })

  test('an id with several names goes only by force', async () => {
    const store = await newStore()
    const { id } = await store.add('app', ['base'], ['docker.io/library/app:1', 'docker.io/library/app:2'])
    await expect(removeImage(store.places, id)).rejects.toThrow('it has 2 names')
    expect(await removeImage(store.places, id.slice(7, 19), { force: true })).toMatchObject({
      untagged: ['app:1', 'app:2'],
      deleted: [id, digestOf('base')],
    })
    expect(readImages(store.folder)).toEqual([])
    expect(thingsOf(store.folder)).toEqual([])
  })

  test('an image that a container is made of stays, and by force leaves the container what it needs', async () => {
    const store = await newStore()
    const { id } = await store.add('app', ['base'], ['docker.io/library/app:1'])
    store.container('box', id, [digestOf('base')])
    const layer = join(store.folder.layers, digestOf('base').slice(7))
    mkdirSync(join(layer, 'diff'), { recursive: true })
    await expect(removeImage(store.places, 'app:1')).rejects.toThrow('the container box is made of it')
    expect(readImages(store.folder)).toHaveLength(1)
    await removeImage(store.places, 'app:1', { force: true })
    expect(existsSync(layer)).toBe(true)
    expect(blobBytes(store.folder, digestOf('base'))).toBe(null)
    expect(blobBytes(store.folder, id)).toBe(null)
  })
})

describe('unpacked layers', () => {
  const about = { diffId: digestOf('layer'), bytes: 5, entries: 1 }
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()

  test.each([
    ['of this boot', { ...about, bootId: boot }, false, true],
    ['of an earlier one, known to be on the disk', { ...about, bootId: 'before' }, true, true],
    ['of an earlier one, that the crash may have cut', { ...about, bootId: 'before' }, false, false],
    ['that says nothing of itself', {}, true, false],
  ])('one %s is believed or not', async (_, says, onDisk, believed) => {
    const { folder } = await newStore()
    const place = join(folder.layers, digestOf('chain').slice(7))
    mkdirSync(join(place, 'diff'), { recursive: true })
    writeFileSync(join(place, 'about.json'), JSON.stringify(says))
    if (onDisk) writeFileSync(join(place, 'on-disk'), '')
    expect(unpackedLayer(folder, digestOf('chain'))).toBe(believed ? join(place, 'diff') : null)
  })

  test('they are made sure of after they were made', async () => {
    const { folder } = await newStore()
    const place = join(folder.layers, digestOf('chain').slice(7))
    mkdirSync(place)
    await makeSure(folder, [digestOf('chain')])
    expect(readdirSync(place)).toEqual(['on-disk'])
  })
})

describe('removing exactly', () => {
  test('an image goes with all of its names and what only it needed', async () => {
    const store = await newStore()
    const { id } = await store.add('app', ['base', 'app'], ['docker.io/library/app:1'])
    await store.add('new', ['base', 'new'], [])
    await removeKept(store.places, id, ['app:1'])
    expect(readImages(store.folder)).toHaveLength(1)
    expect(blobBytes(store.folder, digestOf('app'))).toBe(null)
    expect(blobBytes(store.folder, digestOf('base'))).toBe(4)
    await removeKept(store.places, id, ['app:1'])
  })

  test('an image that has another name by now stays, and one with a container', async () => {
    const store = await newStore()
    const { id } = await store.add('app', ['base'], ['docker.io/library/app:1', 'docker.io/library/app:2'])
    await expect(removeKept(store.places, id, ['app:1'])).rejects.toThrow('It is called app:2 by now.')
    store.container('box', id, [digestOf('base')])
    await expect(removeKept(store.places, id, ['app:1', 'app:2'])).rejects.toThrow('box is made of it.')
    expect(readImages(store.folder)).toHaveLength(1)
  })

  test('a thing that an image, a container or a running Strata needs stays', async () => {
    const store = await newStore()
    await store.add('app', ['base'], ['docker.io/library/app:1'])
    const { digest } = await keepDocument(store.folder, store.place, Buffer.from('in use'))
    const wanted = [
      { kind: 'blob', digest: digestOf('base') },
      { kind: 'blob', digest },
    ] as const
    expect(await removeUnused(store.places, wanted)).toEqual([false, false])
    await store.place.leave()
    expect(await removeUnused(store.places, wanted)).toEqual([false, true])
    expect([blobBytes(store.folder, digestOf('base')), blobBytes(store.folder, digest)]).toEqual([4, null])
  })
})

describe('what came only in part', () => {
  test('goes when nobody is at it any more, and not before', async () => {
    const store = await newStore()
    const digest = digestOf('whole')
    const partial = await openPartial(store.folder, digest, undefined)
    writeSync(partial.fd, 'who')
    const path = join(store.folder.root, 'partial', digest.slice(7))
    const old = (Date.now() - 2 * PARTIAL_REST) / 1000
    utimesSync(path, old, old)
    expect(await removePartial(store.places, digest)).toBe(false)
    partial.close()
    expect(await removePartial(store.places, digestOf('other'))).toBe(false)
    expect(await removePartial(store.places, digest)).toBe(true)
    expect(existsSync(path)).toBe(false)
  })
})

interface TestStore {
  places: Places
  folder: StoreFolder
  place: Workplace
  add(name: string, layers: string[], names: string[]): Promise<{ id: string }>
  container(name: string, imageId: string, chain: string[]): void
}

async function newStore(): Promise<TestStore> {
  const places = placesOf({ STRATA_ROOT: scratch().path }, '/', true)
  const folder = storeFolder(places)
  mkdirSync(folder.root, { recursive: true, mode: 0o755 })
  makeStore(folder)
  const place = await workplace(folder)
  onTestFinished(() => place.leave())
  return {
    places,
    folder,
    place,
    async add(name, layers, names) {
      const kept = []
      const own = await workplace(folder)
      for (const text of layers) {
        const { digest, bytes } = await keepDocument(folder, own, Buffer.from(text))
        kept.push({ digest, diffId: digest, bytes, tarBytes: bytes, mediaType: 'layer' })
      }
      const config = Buffer.from(`${name} config`)
      const image = { config, manifest: null, layers: kept, created: null, names }
      return keepImage(folder, own, image, 0).finally(own.leave)
    },
    container(name, imageId, chain) {
      const id = createHash('sha256').update(name).digest('hex')
      mkdirSync(join(places.containers, id), { recursive: true })
      const record = { version: 1, id, name, imageId, chain, lower: [], created: '2026-01-01T00:00:00Z' }
      writeFileSync(join(places.containers, id, 'container.json'), JSON.stringify(record))
    },
  }
}

/** What is kept of a layer, under which name, and what is never believed. */
import { chmodSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, onTestFinished, test } from 'vitest'
import { prune } from '../../../src/source/cache-file.ts'
import { type CacheSlot, findIndex, keepHashes, keepIndex, openIndex } from '../../../src/source/index-cache.ts'
import { indexRegion } from '../../../src/source/index-region.ts'
import { openImage } from '../../../src/source/open.ts'
import { dockerArchive, dockerFiles } from '../../harness/docker-archives.ts'
import { archive, digest, type ImageSpec } from '../../harness/images.ts'
import { ociArchive } from '../../harness/oci-layouts.ts'
import { scratch } from '../../harness/scratch.ts'
import { tar } from '../../harness/tar.ts'
import { indexOf, quiet, regionOf } from './regions.ts'

/** Larger than what is hashed in passing. */
const large = tar('dir data', 'file data/a 700000 fill=a', 'file data/b 700000 fill=b')
const small = tar('file a "one"')

const slotFor = (folder: string, over: Partial<CacheSlot> = {}): CacheSlot => ({
  folder,
  identity: 'file one',
  diffId: null,
  tarBytes: null,
  prune: false,
  ...over,
})

test('a hashed layer is found under its diffID by any file, a seeked one only by its own', async () => {
  const { path } = scratch()
  const hashed = await indexOf(small)
  const seeked = await indexOf(large)
  expect([hashed.index.diffId, seeked.index.diffId]).toEqual([digest(small), null])
  keepIndex(slotFor(path, { identity: 'small file' }), hashed)
  keepIndex(slotFor(path, { identity: 'large file' }), seeked)
  const entries = (slot: CacheSlot) => {
    const found = findIndex(slot)
    return found && openIndex(found)?.index.entries
  }
  expect(entries(slotFor(path, { identity: 'another', diffId: digest(small) }))).toBe(1)
  expect(entries(slotFor(path, { identity: 'small file' }))).toBe(1)
  expect(entries(slotFor(path, { identity: 'large file' }))).toBe(3)
  expect(entries(slotFor(path, { identity: 'another', diffId: digest(large) }))).toBeNull()
})

test('an archive that lies about a diffID spoils no other image', async () => {
  const cacheDir = scratch().path
  const honest: ImageSpec = { layers: [large], names: ['honest:1'] }
  const files = dockerFiles([honest], 'docker-25')
  // The liar stores something else under the honest layer's name.
  const evil = tar('dir data', 'file data/evil 1400512 fill=e')
  const liar = archive(
    new Map([...files].map(([name, content]) => [name, name.endsWith(digest(large).slice(7)) ? evil : content])),
  )
  const names = async (reference: string, verify = false) => {
    const image = await openImage(reference, { cacheDir, verify })
    const index = await image.indexLayer(0)
    await image.close()
    return { entries: index.entries, odd: index.anomalies.map(one => one.kind) }
  }
  const liarPath = scratch().put('liar.tar', liar)
  const honestPath = scratch().put('honest.tar', archive(files))
  expect(await names(liarPath)).toEqual({ entries: 2, odd: ['size-mismatch'] })
  expect(await names(liarPath, true)).toEqual({
    entries: 2,
    odd: ['size-mismatch', 'digest-mismatch', 'diffid-mismatch'],
  })
  expect(await names(honestPath)).toEqual({ entries: 3, odd: [] })
})

test('what was found wrong with a layer is said again when its index comes from the cache', async () => {
  const cacheDir = scratch().path
  const files = dockerFiles([{ layers: [small], names: ['x:1'] }], 'docker-25')
  const changed = Buffer.from(small)
  changed.write('two', 512)
  const path = scratch().put(
    'x.tar',
    archive(
      new Map([...files].map(([name, content]) => [name, name.endsWith(digest(small).slice(7)) ? changed : content])),
    ),
  )
  for (let run = 0; run < 2; run++) {
    const image = await openImage(path, { cacheDir })
    expect((await image.indexLayer(0)).anomalies.map(one => one.kind)).toEqual(['digest-mismatch', 'diffid-mismatch'])
    await image.close()
  }
})

test('a layer that another image has read is not read again', async () => {
  const cacheDir = scratch().path
  const first = await openImage(
    scratch().put('a', ociArchive([{ image: { layers: [{ tar: large, compression: 'gzip' }] } }])),
    { cacheDir },
  )
  await first.indexLayer(0)
  await first.close()
  const second = await openImage(scratch().put('b', dockerArchive({ layers: [large] }, 'docker-1.10')), { cacheDir })
  onTestFinished(() => second.close())
  // A plain layer of this size is only seeked through: a diffID that was computed can only be the first one's.
  expect((await second.indexLayer(0)).diffId).toBe(digest(large))
})

test('hashes that were learnt later are kept', async () => {
  const cacheDir = scratch().path
  const path = scratch().put('x', dockerArchive({ layers: [large] }, 'docker-1.10'))
  const first = await openImage(path, { cacheDir })
  const sums = await first.hashFiles(0, Uint32Array.of(1, 2))
  await first.close()
  const second = await openImage(path, { cacheDir })
  const index = await second.indexLayer(0)
  await second.close()
  expect([...index.hashed!]).toEqual([0, 1, 1])
  expect([...index.crc!.subarray(1)]).toEqual([...sums])
})

test('hashes of a file are not said of the diffID under which another file’s index was found', async () => {
  const { path } = scratch()
  keepIndex(slotFor(path, { identity: 'first' }), await indexOf(gzipSync(large)))
  const slot = slotFor(path, { identity: 'second', diffId: digest(large) })
  keepHashes(slot, Uint32Array.of(1), Uint32Array.of(42))
  const crcOf = (where: CacheSlot) => openIndex(findIndex(where)!)!.index.crc?.[1]
  expect(crcOf(slot)).toBe(42)
  expect(crcOf(slotFor(path, { identity: 'third', diffId: digest(large) }))).not.toBe(42)
})

test('a file that was changed is read anew', async () => {
  const cacheDir = scratch().path
  const box = scratch()
  const entries = async () => {
    const image = await openImage(join(box.path, 'x'), { cacheDir })
    const { entries } = await image.indexLayer(0)
    await image.close()
    return entries
  }
  box.put('x', dockerArchive({ layers: [large] }, 'docker-1.10'))
  expect(await entries()).toBe(3)
  box.put('x', dockerArchive({ layers: [tar('file data/c 1400000')] }, 'docker-1.10'))
  expect(await entries()).toBe(1)
})

test('damaged, cut, foreign and old files count as missing', async () => {
  const { path } = scratch()
  const slot = slotFor(path)
  const made = await indexOf(large)
  keepIndex(slot, made)
  const file = filesIn(path)[0]!
  const whole = readFileSync(file)
  const spoilt: [string, Buffer][] = [
    ['empty', Buffer.alloc(0)],
    ['foreign', Buffer.from('hello '.repeat(100))],
    ['longer', Buffer.concat([whole, whole])],
  ]
  for (let at = 0; at < whole.length; at += 3) {
    const damaged = Buffer.from(whole)
    damaged[at]! ^= 0x10
    spoilt.push([`damaged at ${at}`, damaged], [`cut at ${at}`, whole.subarray(0, at)])
  }
  for (const [what, bytes] of spoilt) {
    writeFileSync(file, bytes)
    expect(findIndex(slot), what).toBeNull()
  }
  keepIndex(slot, made)
  expect(findIndex(slot)).not.toBeNull()
})

test('a file under another file’s name is not believed', async () => {
  const { path } = scratch()
  keepIndex(slotFor(path, { identity: 'one' }), await indexOf(large))
  const one = filesIn(path)[0]!
  const bytes = readFileSync(one)
  keepIndex(slotFor(path, { identity: 'two' }), await indexOf(tar('file x 1200000')))
  writeFileSync(filesIn(path).find(file => file !== one)!, bytes)
  expect(findIndex(slotFor(path, { identity: 'two' }))).toBeNull()
})

test('only the owner may read the cache', async () => {
  const { path } = scratch()
  keepIndex(slotFor(join(path, 'new')), await indexOf(large))
  const file = filesIn(join(path, 'new'))[0]!
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(statSync(join(path, 'new')).mode & 0o777).toBe(0o700)
})

test('a cache that can not be written is no error', async () => {
  const box = scratch()
  const file = box.put('not-a-folder', Buffer.from('x'))
  const image = await openImage(box.put('x', dockerArchive({ layers: [small] }, 'docker-1.10')), { cacheDir: file })
  expect((await image.indexLayer(0)).entries).toBe(1)
  await image.close()
  chmodSync(file, 0o600)
})

test('the least recently used files go when there are too many bytes, and what dead writers left behind', async () => {
  const { path } = scratch()
  for (const [at, name] of ['a', 'b', 'c', 'd'].entries()) {
    keepIndex(
      slotFor(path, { identity: name }),
      await indexOf(tar(...Array.from({ length: 3000 }, (_, nth) => `file ${name}${nth * nth} 400`))),
    )
    const newest = filesIn(path).find(file => statSync(file).mtimeMs > Date.now() - 60_000)!
    utimesSync(newest, 1000 + at, 1000 + at)
  }
  const total = filesIn(path).reduce((sum, file) => sum + statSync(file).size, 0)
  const left = join(filesIn(path)[0]!, '..', 'x.idx.999.abc')
  writeFileSync(left, 'left behind')
  utimesSync(left, 5, 5)
  prune(path, total * 0.7)
  const there = ['a', 'b', 'c', 'd'].filter(name => findIndex(slotFor(path, { identity: name })) !== null)
  expect(there).toEqual(['c', 'd'])
  expect(filesIn(path)).toHaveLength(2)
})

test('an index takes less than 60 bytes an entry on the disk', async () => {
  const { path } = scratch()
  const files = Array.from(
    { length: 20_000 },
    (_, at) => `file usr/lib/package-${at % 300}/some/module-${at}.js ${at % 900}`,
  )
  keepIndex(
    slotFor(path),
    await indexRegion({ region: regionOf(tar(...files)), name: 'it', layer: 0, verify: false }, quiet),
  )
  expect(statSync(filesIn(path)[0]!).size / 20_000).toBeLessThan(60)
})

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(one => one.isFile())
    .map(one => join(one.parentPath, one.name))
}

/** Whatever the bytes are: an image or a Fault, never anything else, and soon. */

import { gzipSync, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Fault } from '../../../src/base/errors.ts'
import { archiveIndexer } from '../../../src/source/archive-indexer.ts'
import { type Folder, lookUp, type Names } from '../../../src/source/folder.ts'
import { openTarFolder } from '../../../src/source/folder-tar.ts'
import { readFormats } from '../../../src/source/formats.ts'
import { indexRegion } from '../../../src/source/index-region.ts'
import { dockerArchive, dockerFiles, dockerShapes } from '../../harness/docker-archives.ts'
import { digest, type Files, hex, type ImageSpec } from '../../harness/images.ts'
import { ociArchive, ociFiles } from '../../harness/oci-layouts.ts'
import { entry, fill, tar } from '../../harness/tar.ts'
import { gnuSparse, paxSparse } from '../../harness/tar-sparse.ts'
import { quiet, regionOf } from './regions.ts'

const layer = tar(
  'dir etc',
  'file etc/passwd "root"',
  'link bin -> usr/bin',
  'hard etc/shadow -> etc/passwd',
  'char dev/null 1,3',
  'gone old',
  'file f 700 x:user.key=value mtime=9.5',
  entry({ path: `${'long/'.repeat(40)}name`, body: fill(20), long: 'gnu' }),
  gnuSparse('sparse', 90_000, [
    [0, fill(512)],
    [40_000, fill(512, 'b')],
  ]),
  paxSparse('1.0', 'sparse2', 90_000, [[512, fill(512)]]),
)
const app: ImageSpec = { layers: [layer, tar('file a 10')], names: ['app:1'], config: { Cmd: ['sh'], Env: ['A=b'] } }
const anyChoice = { name: null, position: null, platform: null }

/** What is done to bytes: at a place (a share of the length) something is changed, cut out, put in twice or made a number. */
const damage = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    how: fc.constantFrom('flip', 'zero', 'ones', 'cut', 'double', 'digits', 'block'),
    size: fc.integer({ min: 1, max: 600 }),
    value: fc.integer({ min: 0, max: 255 }),
  }),
  { minLength: 1, maxLength: 4 },
)

function damaged(bytes: Uint8Array, done: { at: number; how: string; size: number; value: number }[]): Uint8Array {
  let out = Buffer.from(bytes)
  for (const { at, how, size, value } of done) {
    const place = Math.min(out.length - 1, Math.floor(at * out.length))
    if (place < 0) break
    const end = Math.min(out.length, place + size)
    if (how === 'flip') out[place]! ^= value
    else if (how === 'zero') out.fill(0, place, end)
    else if (how === 'ones') out.fill(0xff, place, end)
    else if (how === 'cut') out = Buffer.concat([out.subarray(0, place), out.subarray(end)])
    else if (how === 'double') out = Buffer.concat([out.subarray(0, end), out.subarray(place)])
    else if (how === 'digits') out.fill(0x37, place & ~511, Math.min(out.length, (place & ~511) + 12))
    else out.fill(value, place & ~511, Math.min(out.length, (place & ~511) + 512))
  }
  return out
}

/** The outcome is a value or a Fault, in less than two seconds. */
async function settles(work: () => unknown): Promise<void> {
  const start = performance.now()
  try {
    await work()
  } catch (error) {
    if (!(error instanceof Fault)) throw error
    expect(error.message).toMatch(/\.$/)
  }
  expect(performance.now() - start).toBeLessThan(2000)
}

const runs = (numRuns: number) => ({ numRuns, seed: 20_260_101, endOnFailure: true })

describe('layers', () => {
  for (const [what, bytes] of [
    ['plain', layer],
    ['gzip', gzipSync(layer)],
    ['zstd', zstdCompressSync(layer)],
    ['two gzip members', Buffer.concat([gzipSync(layer.subarray(0, 3000)), gzipSync(layer.subarray(3000))])],
  ] as const) {
    test(what, async () => {
      await fc.assert(
        fc.asyncProperty(damage, fc.boolean(), async (done, verify) => {
          const region = regionOf(damaged(bytes, done))
          await settles(() => indexRegion({ region, name: 'layer 0 of x', layer: 0, verify }, quiet))
        }),
        runs(250),
      )
    })
  }
})

describe('archives', () => {
  const seeds: Uint8Array[] = [
    ...dockerShapes.map(shape => dockerArchive(app, shape)),
    ociArchive([{ index: [{ image: app }, { attestation: true }], tag: 'a' }, { artifact: 'application/x' }]),
  ]

  test('in a file', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...seeds), damage, async (seed, done) => {
        const region = regionOf(damaged(seed, done))
        await settles(async () => readFormats(await openTarFolder(region, 'x', null), anyChoice))
      }),
      runs(400),
    )
  })

  test('in a stream', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...seeds),
        damage,
        fc.integer({ min: 1, max: 5000 }),
        async (seed, done, size) => {
          const bytes = damaged(seed, done)
          await settles(async () => {
            const reader = archiveIndexer('x', () => {})
            for (let at = 0; at < bytes.length; at += size) await reader.push(bytes.subarray(at, at + size))
            await reader.end()
          })
        },
      ),
      runs(200),
    )
  })
})

describe('JSON', () => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.constantFrom(-1, 1e300, 2 ** 53, '', 'sha256:', `sha256:${'0'.repeat(64)}`, [], {}, null),
  )

  /** One value somewhere in the text's tree put in place of another, digests and sizes made right again by the caller. */
  function changed(text: string, where: number, by: unknown): Uint8Array {
    const root = { it: JSON.parse(text) }
    const places: [Record<string, unknown>, string][] = []
    const walk = (node: unknown) => {
      if (typeof node !== 'object' || node === null) return
      for (const key of Object.keys(node)) {
        places.push([node as Record<string, unknown>, key])
        walk((node as Record<string, unknown>)[key])
      }
    }
    walk(root)
    const [node, key] = places[Math.floor(where * places.length) % places.length]!
    Object.defineProperty(node, key, { value: by, enumerable: true, writable: true, configurable: true })
    return Buffer.from(JSON.stringify(root.it) ?? 'null')
  }

  function folderOf(files: Files): Folder {
    const names: Names = new Map()
    for (const [path, content] of files) {
      if (!(content instanceof Uint8Array)) names.set(path, { link: path })
      else
        names.set(path, {
          path,
          size: content.length,
          region: null,
          identity: null,
          passed: { content, digest: digest(content), layer: null, fault: null },
        })
    }
    return {
      name: 'x',
      kind: 'archive',
      file: path => lookUp(names, path, 'x'),
      paths: () => names.keys(),
      broken: null,
    }
  }

  test('a docker-archive with anything anywhere in its metadata', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...dockerShapes),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        value,
        async (shape, which, where, by) => {
          const files = dockerFiles([app], shape)
          const texts = [...files].filter(
            ([, content]) => content instanceof Uint8Array && (content[0] === 0x7b || content[0] === 0x5b),
          )
          const [name, content] = texts[Math.floor(which * texts.length) % texts.length]!
          files.set(name, changed(Buffer.from(content as Uint8Array).toString(), where, by))
          await settles(() => readFormats(folderOf(files), anyChoice))
        },
      ),
      runs(600),
    )
  })

  test('an OCI layout with anything anywhere, and digests that agree', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('index', 'manifest', 'config'),
        fc.double({ min: 0, max: 1, noNaN: true }),
        value,
        async (what, where, by) => {
          const files = ociFiles([{ image: app, tag: 'a' }])
          const read = (name: string) => Buffer.from(files.get(name) as Uint8Array).toString()
          const put = (bytes: Uint8Array) => {
            files.set(`blobs/sha256/${hex(digest(bytes))}`, bytes)
            return { digest: digest(bytes), size: bytes.length }
          }
          const index = JSON.parse(read('index.json'))
          const manifest = JSON.parse(read(`blobs/sha256/${hex(index.manifests[0].digest)}`))
          if (what === 'config')
            Object.assign(manifest.config, put(changed(read(`blobs/sha256/${hex(manifest.config.digest)}`), where, by)))
          const bytes =
            what === 'manifest' ? changed(JSON.stringify(manifest), where, by) : Buffer.from(JSON.stringify(manifest))
          Object.assign(index.manifests[0], put(bytes))
          files.set(
            'index.json',
            what === 'index' ? changed(JSON.stringify(index), where, by) : Buffer.from(JSON.stringify(index)),
          )
          await settles(() => readFormats(folderOf(files), anyChoice))
        },
      ),
      runs(600),
    )
  })
})

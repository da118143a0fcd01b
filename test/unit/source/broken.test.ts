/** What is broken is said with file, layer and offset; what is whole beside it stays usable. */
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { type OpenOptions, openImage } from '../../../src/source/open.ts'
import type { BrokenLayer, Image } from '../../../src/source/types.ts'
import { dockerArchive, dockerFiles } from '../../harness/docker-archives.ts'
import { archive, digest, type Files, type ImageSpec, json } from '../../harness/images.ts'
import { ociArchive, ociFiles } from '../../harness/oci-layouts.ts'
import { scratch } from '../../harness/scratch.ts'
import { entry, fill, tar } from '../../harness/tar.ts'

const good = tar('file good "fine"')
/** Does not compress. */
const noise = Buffer.concat(Array.from({ length: 6250 }, (_, at) => createHash('sha512').update(`${at}`).digest()))
const long = tar('file first "1"', entry({ path: 'noise', body: noise }), 'file last "2"')

async function open(reference: string, options: OpenOptions = {}): Promise<Image> {
  const image = await openImage(reference, { cacheDir: null, ...options })
  onTestFinished(() => image.close())
  return image
}

const path = (content: Uint8Array | Files) => scratch().put('x.tar', content)

async function failure(image: Image, layer: number): Promise<Error & BrokenLayer> {
  return image.indexLayer(layer).then(
    () => Promise.reject(new Error('it was read')),
    error => error,
  )
}

describe('a layer', () => {
  const spoilt: [string, (layer: Uint8Array) => Uint8Array, RegExp, number][] = [
    [
      'that is cut in a body',
      layer => layer.subarray(0, 200_000),
      /is broken at offset \d+: it is truncated, \d+ bytes short/,
      2,
    ],
    [
      'with a wrong checksum',
      layer => patched(layer, 1024 + 150, 0xff),
      /is broken at offset 1024: the checksum of a header is wrong/,
      1,
    ],
    ['with a negative size', layer => patched(layer, 1024 + 124, 0xff, true), /is broken at offset 1024: the size/, 1],
    [
      'that is no tar',
      () => Buffer.from('hello '.repeat(200)),
      /is broken at offset 0: (it is neither a tar nor compressed|there is no tar header)/,
      0,
    ],
  ]
  for (const [what, spoil, message, readable] of spoilt) {
    for (const compression of ['none', 'gzip'] as const) {
      for (const stream of [false, true]) {
        test(`${what}, ${compression}${stream ? ', in a stream' : ''}: the fault names it, the others are whole`, async () => {
          const bad = spoil(long)
          const bytes = ociArchive([{ image: { layers: [good, bad, good].map(one => ({ tar: one, compression })) } }])
          const image = stream ? await open('-', { stdin: Readable.from([bytes]) }) : await open(path(bytes))
          const error = await failure(image, 1)
          expect(error.name).toBe('Fault')
          expect(error.message).toMatch(/^layer 1 \([0-9a-f]{12}\) of (\/.*\/x\.tar|standard input) /)
          expect(error.message).toMatch(message)
          expect(error.partial?.entries ?? 0).toBe(readable)
          expect((await image.indexLayer(0)).entries).toBe(1)
          expect((await image.indexLayer(2)).entries).toBe(1)
        })
      }
    }
  }

  test('whose compressed data end or break in the middle', async () => {
    const packed = gzipSync(long)
    const cases: [Uint8Array, RegExp][] = [
      [packed.subarray(0, packed.length >> 1), /can not be decompressed \(gzip\): it is truncated\.$/],
      [
        Buffer.concat([packed.subarray(0, 200_000), fill(100, 'x'), packed.subarray(200_100)]),
        /can not be decompressed \(gzip\)/,
      ],
    ]
    for (const [bad, message] of cases) {
      const files = ociFiles([{ image: { layers: [good, { tar: long, compression: 'gzip' }] } }])
      const name = [...files].find(([, content]) => digest(content as Uint8Array) === digest(packed))![0]
      files.set(name, bad)
      const image = await open(path(archive(files)))
      const error = await failure(image, 1).catch(() => null)
      // Where the damage is in bytes that are stored as they are, only the digests tell.
      if (error === null)
        expect((await image.indexLayer(1)).anomalies.map(one => one.kind)).toContain('diffid-mismatch')
      else expect(error.message).toMatch(message)
      expect((await image.indexLayer(0)).entries).toBe(1)
    }
  })

  test('that is missing: unusable, and why', async () => {
    const spec: ImageSpec = { layers: [good, long] }
    const files = ociFiles([{ image: spec }])
    files.delete(`blobs/sha256/${digest(long).slice(7)}`)
    const image = await open(path(files))
    expect((await failure(image, 1)).message).toMatch(/^layer 1 .* can not be read: .* does not have the blob sha256:/)
    expect((await image.indexLayer(0)).entries).toBe(1)
    const docker = dockerFiles([spec], 'docker-1.10')
    for (const [name, content] of docker)
      if (content instanceof Uint8Array && digest(content) === digest(long)) docker.delete(name)
    expect((await failure(await open(path(archive(docker))), 1)).message).toMatch(
      /has no file [0-9a-f]{64}\/layer\.tar\.$/,
    )
  })

  test('whose blob is not what the manifest and the config say: an anomaly that everyone sees', async () => {
    for (const compression of ['none', 'gzip'] as const) {
      const files = ociFiles([{ image: { layers: [{ tar: good, compression }] } }])
      const other = tar('file evil "fine"')
      const blob = [...files].find(
        ([, content]) => content instanceof Uint8Array && (content[0] === 0x1f || digest(content) === digest(good)),
      )![0]
      files.set(blob, compression === 'gzip' ? gzipSync(other) : other)
      const image = await open(path(archive(files)))
      const kinds = (await image.indexLayer(0)).anomalies.map(one => one.kind)
      expect(kinds).toContain('digest-mismatch')
      expect(kinds).toContain('diffid-mismatch')
    }
  })

  test('with rubbish behind its compressed data', async () => {
    const files = ociFiles([{ image: { layers: [{ tar: good, compression: 'gzip' }] } }])
    const blob = [...files].find(([, content]) => (content as Uint8Array)[0] === 0x1f)!
    files.set(blob[0], Buffer.concat([blob[1] as Uint8Array, Buffer.from('rubbish')]))
    const index = await (await open(path(archive(files)))).indexLayer(0)
    expect(index.anomalies.map(one => one.kind)).toEqual(['size-mismatch', 'digest-mismatch', 'trailing-garbage'])
  })
})

describe('an archive', () => {
  const app: ImageSpec = { layers: [good, long], names: ['app:1'] }

  test('that is cut behind its metadata: the layers before the cut are whole', async () => {
    const bytes = dockerArchive(app, 'docker-1.10', { metadata: 'first' })
    for (const cut of [bytes.subarray(0, bytes.length - 300_000), gzipSync(bytes).subarray(0, -100_000)]) {
      const image = await open(path(cut))
      expect(image.anomalies.map(one => one.kind)).toEqual(['truncated'])
      expect((await image.indexLayer(0)).entries).toBe(1)
      const error = await failure(image, 1)
      expect(error.message).toMatch(/truncated/)
      expect(error.partial?.entries).toBe(2)
    }
  })

  test('that is cut before its metadata: it is truncated, not “no image”', async () => {
    const bytes = dockerArchive(app, 'docker-1.10', { metadata: 'last' })
    for (const cut of [bytes.subarray(0, bytes.length - 300_000), gzipSync(bytes).subarray(0, -100_000)]) {
      await expect(open(path(cut))).rejects.toThrow(/truncated/)
    }
  })

  const refused: [string, Uint8Array | Files, RegExp][] = [
    ['an empty file', Buffer.alloc(0), /x\.tar is no image archive: it is not a tar/],
    ['text', Buffer.from('hello'), /is no image archive: it is not a tar/],
    ['an empty tar', tar(), /has neither a manifest\.json nor an index\.json/],
    ['compressed text', gzipSync('hello'), /is no image archive: it is not a tar/],
    ['a tar of something else', good, /has neither a manifest\.json nor an index\.json/],
    ['compressed something else', gzipSync(good), /has neither a manifest\.json nor an index\.json/],
    ['a folder of something else', new Map([['a', good]]), /is no OCI layout: it has no index\.json/],
    ['manifest.json: null', manifest('null'), /manifest\.json of .* is null/],
    ['manifest.json: []', manifest('[]'), /manifest\.json of .* is empty/],
    ['manifest.json: rubbish', manifest('{{{'), /manifest\.json of .* is no JSON/],
    ['manifest.json: cut', manifest('[{"Config":'), /manifest\.json of .* is no JSON/],
    ['manifest.json of a wrong shape', manifest('[{"Config":1}]'), /does not have the shape .* at 0\.Config/],
    ['manifest.json that is very deep', manifest('['.repeat(100_000)), /nested more than 200 levels/],
    ['manifest.json that is very long', manifest(`[${' '.repeat(5 << 20)}]`), /more than 4\.19 MB is not read/],
    ['a config that is missing', manifest('[{"Config":"c.json","Layers":[]}]'), /has no file c\.json/],
    ['a config that is no object', manifest('[{"Config":"c.json"}]', ['c.json', '[]']), /config is no JSON object/],
    [
      'links in a circle',
      archive(
        new Map([
          ['manifest.json', { link: 'm2' }],
          ['m2', { link: 'manifest.json' }],
        ]),
      ),
      /lead in a circle/,
    ],
    ['an index that is rubbish', new Map([['index.json', json(7)]]), /index\.json of .* does not have the shape/],
    [
      'an index without manifests',
      new Map([['index.json', json({ manifests: [] })]]),
      /is an OCI layout without an image/,
    ],
    [
      'a digest that climbs',
      new Map([['index.json', json({ manifests: [{ digest: 'sha256:../../../etc/passwd', size: 1 }] })]]),
      /it is no digest/,
    ],
  ]
  for (const [what, content, message] of refused) {
    test(`${what} is refused with a reason`, async () => {
      await expect(open(path(content))).rejects.toMatchObject({
        name: 'Fault',
        message: expect.stringMatching(message),
      })
    })
  }

  test('whose manifest or config was changed is refused: everything else would be a guess', async () => {
    for (const what of ['manifest', 'config'] as const) {
      const files = ociFiles([{ image: app }])
      const [name, content] = [...files].find(([, bytes]) =>
        Buffer.from(bytes as Uint8Array).includes(what === 'manifest' ? '"layers":' : '"rootfs":'),
      )!
      const text = Buffer.from(content as Uint8Array).toString()
      files.set(name, Buffer.from(text.replace(/.$/, ' }')))
      await expect(open(path(files))).rejects.toThrow(new RegExp(`the ${what} of .* has .* where its descriptor says`))
      files.set(name, Buffer.from(text.replace(/[0-9a-f]{3}"/, 'abc"')))
      await expect(open(path(files))).rejects.toThrow(new RegExp(`the ${what} of .* does not have its digest`))
    }
  })

  test('that is not there, is a fifo or a device', async () => {
    await expect(open('./not-there.tar')).rejects.toThrow(
      './not-there.tar can not be opened: no such file or directory.',
    )
    await expect(open('/dev/null')).rejects.toThrow('/dev/null is neither a file nor a directory.')
  })
})

test('a file that changes under an open image: its old offsets are not believed', async () => {
  const place = path(dockerArchive({ layers: [tar('dir d', 'file d/a 600000', 'file d/b 600000')] }, 'docker-1.10'))
  const image = await open(place)
  await image.indexLayer(0)
  writeFileSync(place, dockerArchive({ layers: [tar('file other 700000', 'file more 500000')] }, 'docker-1.10'))
  const changed = /has changed since it was indexed|is broken at offset|truncated/
  await expect(readAll(image, 0, 2)).rejects.toThrow(changed)
  await expect(image.hashFiles(0, Uint32Array.of(2))).rejects.toThrow(changed)
})

test('an image is closed once and for all', async () => {
  const image = await openImage(path(dockerArchive({ layers: [long, tar('file big 3000000')] }, 'docker-1.10')), {
    cacheDir: null,
  })
  const pending = image.indexLayer(1)
  pending.catch(() => {})
  await image.close()
  await expect(image.indexLayer(1)).rejects.toThrow()
})

test('cancelling stops the work, and other work goes on', async () => {
  const image = await open(path(dockerArchive({ layers: [tar('file a 30000000'), long] }, 'docker-1.10')), {
    verify: true,
  })
  const stop = new AbortController()
  const stopped = image.indexLayer(0, { signal: stop.signal })
  stop.abort()
  await expect(stopped).rejects.toMatchObject({ message: 'Cancelled.', exitCode: 130 })
  expect((await image.indexLayer(1)).entries).toBe(3)
  expect((await image.indexLayer(0)).entries).toBe(1)
})

async function readAll(image: Image, layer: number, entry: number): Promise<void> {
  for await (const _ of image.readFile(layer, entry));
}

function manifest(text: string, ...more: [string, string][]): Uint8Array {
  return archive(
    new Map([
      ['manifest.json', Buffer.from(text)],
      ...more.map(([name, content]) => [name, Buffer.from(content)] as const),
    ]),
  )
}

/** One byte changed; with `fixed`, the checksum of its header made right again. */
function patched(bytes: Uint8Array, at: number, value: number, fixed = false): Uint8Array {
  const copy = Buffer.from(bytes)
  copy[at] = value
  if (fixed) {
    const block = copy.subarray(at & ~511, (at & ~511) + 512)
    block.fill(0x20, 148, 156)
    block.write(
      `${block
        .reduce((sum, byte) => sum + byte, 0)
        .toString(8)
        .padStart(6, '0')}\0 `,
      148,
      'latin1',
    )
  }
  return copy
}

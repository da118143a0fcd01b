/** Every shape of archive and layout that some tool writes opens as the same image. */
import { execFileSync } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { Kind } from '../../../src/layer/entry.ts'
import { entryOf } from '../../../src/layer/read-entry.ts'
import { type OpenOptions, openImage } from '../../../src/source/open.ts'
import type { Image } from '../../../src/source/types.ts'
import { dockerArchive, dockerShapes } from '../../harness/docker-archives.ts'
import { digest, type ImageSpec, json } from '../../harness/images.ts'
import { type OciItem, ociArchive, ociFiles } from '../../harness/oci-layouts.ts'
import { scratch } from '../../harness/scratch.ts'
import { tar } from '../../harness/tar.ts'

const base = tar('dir etc', 'file etc/passwd "root"', 'file big 5000')
const top = tar('file etc/passwd "admin"', 'gone big')
const app: ImageSpec = { layers: [base, top, base], names: ['app:1'], config: { Cmd: ['sh'] } }
const other: ImageSpec = { layers: [top], names: ['example.com/other:2'] }

async function open(reference: string, options: OpenOptions = {}): Promise<Image> {
  const image = await openImage(reference, { cacheDir: null, ...options })
  onTestFinished(() => image.close())
  return image
}

/** The image as a reader would draw it: a line for each layer with its entries. */
async function drawn(image: Image): Promise<string> {
  const lines = await Promise.all(
    image.layers.map(async ({ index }) => {
      const layer = await image.indexLayer(index)
      const names = Array.from({ length: layer.entries }, (_, at) => {
        const one = entryOf(layer, at)
        return `${one.kind === Kind.whiteout ? '-' : ''}${Buffer.from(one.path)}`
      })
      return `${index}: ${names.join(' ')}`
    }),
  )
  return lines.join('\n')
}

async function contentOf(image: Image, layer: number, path: string): Promise<string> {
  const index = await image.indexLayer(layer)
  const entry = Array.from({ length: index.entries }, (_, at) => at).find(at =>
    Buffer.from(entryOf(index, at).path).equals(Buffer.from(path)),
  )
  const pieces: Uint8Array[] = []
  for await (const piece of image.readFile(layer, entry!)) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

const appLayers = '0: etc etc/passwd big\n1: etc/passwd -big\n2: etc etc/passwd big'

describe('docker-archive', () => {
  for (const shape of dockerShapes) {
    for (const metadata of ['first', 'last'] as const) {
      const packed: [string, (bytes: Uint8Array) => Uint8Array] =
        metadata === 'last' ? ['gzipped', gzipSync] : ['in zstd', zstdCompressSync]
      for (const [how, pack] of [['plain', null] as const, packed]) {
        for (const dotted of pack === null ? [false, true] : [false]) {
          test(`${shape}, metadata ${metadata}, ${how}${dotted ? ', names with ./' : ''}`, async () => {
            const bytes = dockerArchive(app, shape, { metadata, dotted })
            const image = await open(scratch().put('anything', pack ? pack(bytes) : bytes))
            expect(image.source).toBe('docker-archive')
            expect(image.names).toEqual(['app:1'])
            expect(image.config.run.cmd).toEqual(['sh'])
            expect(image.steps.map(step => step.layer)).toEqual([0, 1, 2])
            expect(await drawn(image)).toBe(appLayers)
            expect(await contentOf(image, 1, 'etc/passwd')).toBe('admin')
            const indexes = await Promise.all(image.layers.map(layer => image.indexLayer(layer.index)))
            expect(indexes.map(index => index.diffId)).toEqual([digest(base), digest(top), digest(base)])
            expect(indexes.flatMap(index => index.anomalies)).toEqual([])
            expect(image.anomalies.map(one => one.kind)).toEqual(shape === 'docker-1.9' ? ['no-diff-ids'] : [])
          })
        }
      }
    }
  }

  test('of Docker 25 with "manifests": null is read by its manifest.json', async () => {
    const image = await open(scratch().put('x', dockerArchive(app, 'docker-25', { manifestsNull: true })))
    expect(image.names).toEqual(['app:1'])
    expect(image.anomalies).toEqual([])
    expect(await drawn(image)).toBe(appLayers)
  })

  test('with several images: the first without a name, any by name, tag, position or the start of its id', async () => {
    for (const shape of dockerShapes) {
      const path = scratch().put('x', dockerArchive([app, other], shape))
      const first = await open(path)
      expect(first.names, shape).toEqual(['app:1'])
      expect(first.anomalies.filter(one => one.kind === 'more-images').map(one => one.text)).toEqual([
        'There are 2 images; this is app:1. It has: app:1, example.com/other:2.',
      ])
      for (const name of ['example.com/other:2', '2', '@1']) {
        const image = await open(`docker-archive:${path}:${name}`)
        expect(image.names, `${shape} ${name}`).toEqual(['example.com/other:2'])
        expect(image.layers.length).toBe(1)
      }
      if (shape !== 'docker-1.9') {
        const byId = await open(`docker-archive:${path}:${first.id.slice(7, 19)}`)
        expect(byId.id, shape).toBe(first.id)
      }
      await expect(open(`docker-archive:${path}:nothing`)).rejects.toMatchObject({
        message: expect.stringContaining('has no image “nothing”'),
        hint: 'It has: app:1, example.com/other:2.',
      })
    }
  })

  test('through standard input, with and without its content', async () => {
    for (const shape of dockerShapes) {
      for (const needContent of [true, false]) {
        const bytes = dockerArchive(app, shape, { metadata: 'last' })
        const image = await open('-', { stdin: Readable.from(inPieces(bytes, 700)), needContent })
        expect(await drawn(image)).toBe(appLayers)
        expect([...(await image.hashFiles(0, Uint32Array.of(1)))]).toHaveLength(1)
        if (needContent) expect(await contentOf(image, 1, 'etc/passwd')).toBe('admin')
        else await expect(contentOf(image, 1, 'etc/passwd')).rejects.toThrow(/it came in a stream that was not kept/)
      }
    }
  })
})

describe('OCI', () => {
  const amd: ImageSpec = { ...app, platform: { os: 'linux', architecture: 'amd64' } }
  const arm: ImageSpec = { layers: [top], platform: { os: 'linux', architecture: 'arm64', variant: 'v8' } }
  const arm7: ImageSpec = { layers: [base], platform: { os: 'linux', architecture: 'arm', variant: 'v7' } }
  const several: OciItem[] = [
    {
      tag: 'multi',
      index: [{ image: arm7 }, { image: arm }, { attestation: true }, { image: amd }, { attestation: true }],
    },
  ]

  for (const compression of ['none', 'gzip', 'zstd'] as const) {
    for (const form of ['directory', 'tar', 'tar.gz'] as const) {
      test(`a layout as a ${form} with layers ${compression}`, async () => {
        const spec = { ...app, layers: [base, top, base].map(layer => ({ tar: layer, compression })) }
        const items: OciItem[] = [{ image: spec, tag: 'one' }]
        const bytes = form === 'tar.gz' ? gzipSync(ociArchive(items)) : ociArchive(items)
        const path = scratch().put('x', form === 'directory' ? ociFiles(items) : bytes)
        const image = await open(path)
        expect(image.source).toBe(form === 'directory' ? 'oci' : 'oci-archive')
        expect(image.names).toEqual(['one'])
        expect(image.layers.map(layer => layer.compressed !== null)).toEqual(Array(3).fill(compression !== 'none'))
        expect(await drawn(image)).toBe(appLayers)
        expect(await contentOf(image, 1, 'etc/passwd')).toBe('admin')
        expect(await contentOf(image, 0, 'big')).toHaveLength(5000)
      })
    }
  }

  test('without an oci-layout file', async () => {
    const files = ociFiles([{ image: app }])
    files.delete('oci-layout')
    expect(await drawn(await open(scratch().put('x', files)))).toBe(appLayers)
  })

  test('an index of platforms: the asked one with its fallbacks, attestations never', async () => {
    const path = scratch().put('x', ociArchive(several))
    const pick = async (platform: string) => (await open(path, { platform })).platform
    expect(await pick('linux/amd64')).toEqual({ os: 'linux', architecture: 'amd64', variant: null })
    expect(await pick('linux/amd64/v3')).toEqual({ os: 'linux', architecture: 'amd64', variant: null })
    expect(await pick('arm64')).toEqual({ os: 'linux', architecture: 'arm64', variant: null })
    expect(await pick('linux/arm/v7')).toEqual({ os: 'linux', architecture: 'arm', variant: 'v7' })
    await expect(pick('linux/s390x')).rejects.toMatchObject({ hint: 'It has: linux/arm/v7, linux/arm64, linux/amd64.' })
    await expect(pick('unknown/unknown')).rejects.toThrow(/has no image for unknown\/unknown/)
  })

  test('attestations and other platforms are listed for what they are', async () => {
    const image = await open(scratch().put('x', ociArchive(several)), { platform: 'linux/amd64' })
    expect(image.others?.map(one => `${one.kind} ${one.platform?.architecture ?? '-'}`)).toEqual([
      'image arm',
      'image arm64',
      'attestation -',
      'attestation -',
    ])
    expect(image.names).toEqual(['multi'])
  })

  test('artifacts stand beside the image, and are said to be the only thing where they are', async () => {
    const sbom: OciItem = { artifact: 'application/vnd.example.sbom', tag: 'sbom' }
    const image = await open(scratch().put('x', ociArchive([sbom, { image: app, tag: 'app' }])))
    expect(image.names).toEqual(['app'])
    expect(image.others).toMatchObject([
      { kind: 'artifact', artifactType: 'application/vnd.example.sbom', present: true },
    ])
    const alone = await open(scratch().put('x', ociArchive([sbom])))
    expect(alone.anomalies.map(one => one.text)).toContain(
      'This is no container image but an artifact: application/vnd.example.sbom.',
    )
  })

  test('only one platform of an index is here: that one is opened, another is said to be missing', async () => {
    const files = ociFiles(several)
    const path = scratch().put('x', files)
    const full = await open(path, { platform: 'linux/arm64' })
    files.delete(`blobs/${full.digest!.replace(':', '/')}`)
    const without = scratch().put('x', files)
    expect((await open(without)).platform.architecture).not.toBe('arm64')
    await expect(open(without, { platform: 'linux/arm64' })).rejects.toThrow(
      /it is listed, but its manifest is not here/,
    )
  })

  test('the same index twice, indexes in indexes, and Docker’s media types', async () => {
    const nested: OciItem[] = [
      { tag: 'deep', docker: true, index: [{ index: [{ image: app, docker: true }] }, { image: app, docker: true }] },
    ]
    expect(await drawn(await open(scratch().put('x', ociArchive(nested))))).toBe(appLayers)
    let deep: OciItem = { image: app }
    for (let level = 0; level < 12; level++) deep = { index: [deep] }
    await expect(open(scratch().put('x', ociArchive([deep])))).rejects.toThrow(/nested more than 8 deep/)
  })

  test('two names of one image are two names', async () => {
    const image = await open(
      scratch().put(
        'x',
        ociArchive([
          { image: app, tag: 'one' },
          { image: app, tag: 'two' },
        ]),
      ),
    )
    expect(image.names).toEqual(['one', 'two'])
    expect(image.anomalies).toEqual([])
    expect(image.others).toEqual([])
  })

  test('a layer that is not passed on with the image is missing, and the rest is here', async () => {
    const files = ociFiles([{ image: app }])
    for (const [name, content] of [...files]) {
      const text = Buffer.from(content as Uint8Array).toString()
      if (!text.includes('"layers":')) continue
      files.delete(name)
      files.delete(`blobs/sha256/${digest(top).slice(7)}`)
      const foreign = JSON.parse(text)
      foreign.layers[1].mediaType = 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip'
      const manifest = json(foreign)
      files.set(`blobs/${digest(manifest).replace(':', '/')}`, manifest)
      files.set('index.json', json({ manifests: [{ digest: digest(manifest), size: manifest.length }] }))
    }
    const image = await open(scratch().put('x', files))
    await expect(image.indexLayer(1)).rejects.toThrow(
      /^layer 1 .* can not be read: .*: layers of its kind are not passed on with the image\.$/,
    )
    expect((await image.indexLayer(0)).entries).toBe(3)
    expect((await image.indexLayer(2)).entries).toBe(3)
  })

  test('several images: by tag and position, and without a name the first with a word about the rest', async () => {
    const path = scratch().put(
      'x',
      ociArchive([
        { image: app, tag: 'one' },
        { image: other, tag: '3' },
      ]),
    )
    const first = await open(path)
    expect(first.names).toEqual(['one'])
    expect(first.anomalies.map(one => one.kind)).toEqual(['more-images'])
    expect((await open(`oci-archive:${path}:3`)).layers).toHaveLength(1)
    expect((await open(`oci-archive:${path}:@1`)).layers).toHaveLength(1)
    await expect(open(`oci-archive:${path}:@2`)).rejects.toThrow(/has no image @2/)
  })
})

test('the sample opens, and says that it is one', async () => {
  const image = await open('sample', { cacheDir: scratch().path })
  expect(image.source).toBe('sample')
  expect((await image.indexLayer(0)).entries).toBeGreaterThan(0)
})

test('an engine’s image comes from the function that was given for it', async () => {
  await expect(open('nothing:1')).rejects.toThrow('There is no image “nothing:1” here.')
  const asked: string[] = []
  const engines = async (reference: { text: string }) => {
    asked.push(reference.text)
    return null
  }
  await expect(open('docker-daemon:app:1', { engines })).rejects.toThrow('There is no image “app:1” here.')
  expect(asked).toEqual(['docker-daemon:app:1'])
})

function* inPieces(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

test('a named pipe is read like standard input', async () => {
  const path = join(scratch().path, 'pipe')
  execFileSync('mkfifo', [path])
  const writing = writeFile(path, dockerArchive(app, 'docker-1.10'))
  const image = await open(path)
  await writing
  expect(await drawn(image)).toBe(appLayers)
})

test('two who ask for a layer at once get the same index', async () => {
  const image = await open(
    scratch().put('x', ociArchive([{ image: { layers: [{ tar: base, compression: 'gzip' }] } }])),
  )
  const stop = new AbortController()
  const first = image.indexLayer(0, { signal: stop.signal })
  const second = image.indexLayer(0)
  stop.abort()
  await expect(first).rejects.toMatchObject({ exitCode: 130 })
  expect((await second).entries).toBe(3)
  const [one, two] = await Promise.all([image.indexLayer(0), image.indexLayer(0)])
  expect(one).toBe(two)
})

/** An image hands out the tars of its layers, and its layers as they are kept. */
import { createHash } from 'node:crypto'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openImage, openImages } from '../../../src/source/open.ts'
import type { Image } from '../../../src/source/types.ts'
import { dockerArchive } from '../../harness/docker-archives.ts'
import { archive, type Compression, digest, type ImageSpec } from '../../harness/images.ts'
import { ociArchive, ociFiles } from '../../harness/oci-layouts.ts'
import { scratch } from '../../harness/scratch.ts'
import { entry, fill, tar } from '../../harness/tar.ts'

const layer = tar('dir a\nfile a/b 100000 fill=x', entry({ path: 'c', body: fill(3 << 20, 'y') }))
const of = (compression: Compression, bytes = layer): ImageSpec => ({ layers: [{ tar: bytes, compression }] })

describe.each(['none', 'gzip', 'zstd'] as const)('a layer that is kept as %s', compression => {
  test('comes out as its tar, with the diffID that the config says', async () => {
    const image = await opened(ociArchive([{ image: of(compression) }]))
    expect(await digestOf(image.layerTar(0))).toBe(image.layers[0].diffId)
  })

  test('is copied as it is, and both its digests are told', async () => {
    const image = await opened(ociArchive([{ image: of(compression) }]))
    const path = join(scratch().path, 'copy')
    const to = openSync(path, 'w')
    const copied = await image.copyLayer(0, to)
    closeSync(to)
    const bytes = readFileSync(path)
    const { digest: blob, diffId } = image.layers[0]
    expect(copied).toEqual({ digest: blob, diffId, bytes: bytes.length, tarBytes: layer.length, compression })
    expect(digest(bytes)).toBe(blob)
  })

  test('can be left in the middle, and read again', async () => {
    const image = await opened(ociArchive([{ image: of(compression) }]))
    for await (const _ of image.layerTar(0)) break
    expect(await digestOf(image.layerTar(0))).toBe(image.layers[0].diffId)
  })
})

describe('what is handed out', () => {
  test('waits for its reader: a bomb takes no memory', async () => {
    const bomb = tar(
      ...Array.from({ length: 40 }, (_, at) => entry({ path: `zeros-${at}`, body: fill(4 << 20, '\0') })),
    )
    const image = await opened(ociArchive([{ image: of('zstd', bomb) }]))
    const before = process.memoryUsage().arrayBuffers
    const chunks = image.layerTar(0)[Symbol.asyncIterator]()
    await chunks.next()
    // As long as nobody takes the rest, no more of it than the gate lets through comes to be.
    await digestOf((await opened(ociArchive([{ image: of('gzip') }]))).layerTar(0))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(60 << 20)
    await chunks.return?.()
  })

  test('breaks off with a sentence where the layer is broken', async () => {
    const files = ociFiles([{ image: of('gzip') }])
    const name = [...files].find(([, content]) => content instanceof Uint8Array && content[0] === 0x1f)![0]
    const image = await opened(archive(new Map([...files, [name, (files.get(name) as Uint8Array).subarray(0, 900)]])))
    await expect(digestOf(image.layerTar(0))).rejects.toThrow(/layer 0 .*(truncated|decompressed)/)
  })

  test('stops when it is told to', async () => {
    const image = await opened(ociArchive([{ image: of('gzip') }]))
    const stop = new AbortController()
    stop.abort()
    await expect(digestOf(image.layerTar(0, { signal: stop.signal }))).rejects.toMatchObject({ exitCode: 130 })
  })

  test('documents byte by byte: the config is what the id names, the manifest what the digest names', async () => {
    const image = await opened(ociArchive([{ image: of('gzip') }]))
    const { config, manifest } = await image.documents()
    expect([digest(config), digest(manifest!.bytes)]).toEqual([image.id, image.digest])
    const docker = await opened(dockerArchive(of('none'), 'docker-1.10'))
    expect(await docker.documents()).toMatchObject({ manifest: null })
    const old = await opened(dockerArchive({ ...of('none'), names: ['a:1'] }, 'docker-1.9'))
    await expect(old.documents()).rejects.toThrow('no config of the image that could be handed on')
  })
})

describe('all images of an archive', () => {
  test.each(['docker-1.10', 'docker-25', 'podman'] as const)('of %s', async shape => {
    const specs = ['a:1', 'b:2'].map((name, at) => ({ layers: [tar(`file f 1${at}`)], names: [name] }))
    const { path } = put(dockerArchive(specs, shape))
    const { images, faults, close } = await openImages(path, { cache: false })
    onTestFinished(close)
    expect(images.map(image => image.names)).toEqual([['a:1'], ['b:2']])
    expect(faults).toEqual([])
    for (const image of images) expect(await digestOf(image.layerTar(0))).toBe(image.layers[0].diffId)
  })

  test('one that is broken among good ones is told, and the others open', async () => {
    const files = ociFiles(['a:1', 'b:2'].map((tag, at) => ({ image: { layers: [tar(`file f 1${at}`)] }, tag })))
    const bad = [...files].find(([, content]) => Buffer.from(content as Uint8Array).includes('"rootfs"'))![0]
    files.delete(bad)
    const { path } = put(archive(files))
    const { images, faults, close } = await openImages(path, { cache: false })
    onTestFinished(close)
    expect([images.length, faults.length]).toEqual([1, 1])
  })
})

function put(bytes: Uint8Array): { path: string } {
  return { path: scratch().put('image.tar', bytes) }
}

async function opened(bytes: Uint8Array): Promise<Image> {
  const image = await openImage(put(bytes).path, { cache: false })
  onTestFinished(() => image.close())
  return image
}

async function digestOf(chunks: AsyncIterable<Uint8Array>): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of chunks) hash.update(chunk)
  return `sha256:${hash.digest('hex')}`
}

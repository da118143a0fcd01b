/** Contents by position, sparse files as they are read, and their sums. */
import { Readable } from 'node:stream'
import { crc32, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, onTestFinished, test } from 'vitest'
import { entryOf } from '../../../src/layer/read-entry.ts'
import { openImage } from '../../../src/source/open.ts'
import type { Image } from '../../../src/source/types.ts'
import { dockerArchive } from '../../harness/docker-archives.ts'
import { ociArchive } from '../../harness/oci-layouts.ts'
import { scratch } from '../../harness/scratch.ts'
import { entry, fill, tar } from '../../harness/tar.ts'
import { expand, gnuSparse, paxSparse, type Segment } from '../../harness/tar-sparse.ts'

const segments: Segment[] = [
  [0, fill(512, 'a')],
  [4096, fill(700, 'b')],
  [100_000, fill(1024, 'c')],
]
const sparse = expand(150_000, segments)
const many: Segment[] = Array.from({ length: 300 }, (_, at) => [at * 2048, fill(512, 'm')] as const)
const files: [string, Uint8Array][] = [
  ['plain', Buffer.from('hello')],
  ['empty', Buffer.alloc(0)],
  ['large', fill(1_300_000, 'x')],
  [`${'deep/'.repeat(60)}long name`, Buffer.from('long')],
  ['with attributes', Buffer.from('attr')],
  ['gnu', sparse],
  ['pax-0.0', sparse],
  ['pax-0.1', sparse],
  ['pax-1.0', sparse],
  ['many pieces', expand(700_000, many)],
  ['all hole', new Uint8Array(300_000)],
]
const layer = tar(
  'file plain "hello"',
  'file empty 0',
  entry({ path: 'large', body: fill(1_300_000, 'x') }),
  entry({ path: `${'deep/'.repeat(60)}long name`, body: Buffer.from('long'), long: 'gnu' }),
  entry({ path: 'with attributes', body: Buffer.from('attr'), xattrs: { 'user.big': fill(200_000, 'v') } }),
  gnuSparse('gnu', 150_000, segments),
  paxSparse('0.0', 'pax-0.0', 150_000, segments),
  paxSparse('0.1', 'pax-0.1', 150_000, segments),
  paxSparse('1.0', 'pax-1.0', 150_000, segments),
  paxSparse('1.0', 'many pieces', 700_000, many),
  gnuSparse('all hole', 300_000, []),
)

for (const [how, pack, outer] of [
  ['a plain layer', null, null],
  ['a gzip layer', 'gzip', null],
  ['a zstd layer', 'zstd', null],
  ['a plain layer of a compressed archive', null, gzipSync],
  ['a gzip layer of a compressed archive', 'gzip', zstdCompressSync],
] as const) {
  describe(how, () => {
    const open = async (): Promise<Image> => {
      const bytes = ociArchive([{ image: { layers: [{ tar: layer, compression: pack ?? 'none' }] } }])
      const image = await openImage(scratch().put('x', outer ? outer(bytes) : bytes), { cacheDir: null })
      onTestFinished(() => image.close())
      return image
    }

    test('every file reads back, in any order', async () => {
      const image = await open()
      const at = await positions(image)
      for (const [path, content] of [...files].reverse().concat(files)) {
        expect(Buffer.compare(await read(image, at.get(path)!), content), path).toBe(0)
      }
    })

    test('any part of a file', async () => {
      const image = await open()
      const at = await positions(image)
      for (const [path, content] of files) {
        for (const [start, end] of [
          [0, 1],
          [3, 5000],
          [4000, 4200],
          [99_999, 100_001],
          [content.length - 1, content.length + 9],
          [content.length + 5, content.length + 9],
        ] as const) {
          const from = Math.max(0, start)
          expect(
            Buffer.compare(await read(image, at.get(path)!, from, end), content.subarray(from, end)),
            `${path} ${from}..${end}`,
          ).toBe(0)
        }
      }
    })

    test('the sums of contents are those of what is read, holes too', async () => {
      const image = await open()
      const at = await positions(image)
      const entries = Uint32Array.from(files, ([path]) => at.get(path)!)
      const sums = await image.hashFiles(0, entries)
      expect([...sums]).toEqual(files.map(([, content]) => crc32(content)))
    })

    test('many readers at once', async () => {
      const image = await open()
      const at = await positions(image)
      const contents = await Promise.all(files.map(([path]) => read(image, at.get(path)!)))
      for (const [nth, [path, content]] of files.entries())
        expect(Buffer.compare(contents[nth]!, content), path).toBe(0)
    })
  })
}

test('sparse files are summed as they are read, in whatever way their bytes come by', async () => {
  for (const verify of [false, true]) {
    const path = scratch().put('x', dockerArchive({ layers: [layer] }, 'docker-1.10'))
    const image = await openImage(path, { cacheDir: null, verify })
    onTestFinished(() => image.close())
    const at = await positions(image)
    const index = await image.indexLayer(0)
    const hashed = files.filter(([path]) => index.hashed?.[at.get(path)!] === 1).map(([path]) => path)
    expect(hashed).toEqual(verify ? files.map(([path]) => path) : [])
    const sums = await image.hashFiles(
      0,
      Uint32Array.from(files, ([path]) => at.get(path)!),
    )
    expect([...sums]).toEqual(files.map(([, content]) => crc32(content)))
  }
  const image = await openImage('-', {
    cacheDir: null,
    stdin: Readable.from([dockerArchive({ layers: [layer] }, 'docker-1.10')]),
  })
  onTestFinished(() => image.close())
  const at = await positions(image)
  const sums = await image.hashFiles(
    0,
    Uint32Array.from(files, ([path]) => at.get(path)!),
  )
  expect([...sums]).toEqual(files.map(([, content]) => crc32(content)))
})

test('a sparse file of a terabyte is summed at once, and differently for different content', async () => {
  const huge = (letter: string) => gnuSparse('huge', 2 ** 32 + 512, [[512, fill(512, letter)]])
  const sums: number[] = []
  for (const letter of ['a', 'a', 'b']) {
    for (const compression of ['none', 'gzip'] as const) {
      const bytes = ociArchive([{ image: { layers: [{ tar: tar(huge(letter), 'file x 1500000'), compression }] } }])
      const image = await openImage(scratch().put('x', bytes), { cacheDir: null })
      onTestFinished(() => image.close())
      sums.push((await image.hashFiles(0, Uint32Array.of(0)))[0]!)
    }
  }
  expect(new Set(sums.slice(0, 4)).size).toBe(1)
  expect(sums[5]).not.toBe(sums[0])
})

test('what is no regular file has no content', async () => {
  const bytes = ociArchive([{ image: { layers: [tar('dir a', 'link b -> a', 'fifo c')] } }])
  const image = await openImage(scratch().put('x', bytes), { cacheDir: null })
  onTestFinished(() => image.close())
  for (const entry of [0, 1, 2, 3]) await expect(read(image, entry)).rejects.toThrow(/is no regular file/)
})

test('a reader that has enough stops, and one that is cancelled fails', async () => {
  const bytes = ociArchive([{ image: { layers: [{ tar: layer, compression: 'gzip' }] } }])
  const image = await openImage(scratch().put('x', bytes), { cacheDir: null })
  onTestFinished(() => image.close())
  const at = await positions(image)
  for await (const chunk of image.readFile(0, at.get('large')!)) {
    expect(chunk.length).toBeGreaterThan(0)
    break
  }
  await expect(read(image, at.get('gnu')!, 0, undefined, AbortSignal.abort())).rejects.toMatchObject({ exitCode: 130 })
})

async function positions(image: Image): Promise<Map<string, number>> {
  const index = await image.indexLayer(0)
  return new Map(
    Array.from({ length: index.entries }, (_, at) => [Buffer.from(entryOf(index, at).path).toString(), at]),
  )
}

async function read(image: Image, at: number, start?: number, end?: number, signal?: AbortSignal): Promise<Buffer> {
  const pieces: Uint8Array[] = []
  for await (const piece of image.readFile(0, at, {
    ...(start === undefined ? {} : { start }),
    ...(end === undefined ? {} : { end }),
    ...(signal ? { signal } : {}),
  }))
    pieces.push(piece)
  return Buffer.concat(pieces)
}

/** Layers of an image in its registry: what comes over the network for which question, and what is believed of it. */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import type { LayerIndex } from '../../../src/layer/layer-index.ts'
import { Stack } from '../../../src/layer/stack.ts'
import { createPool } from '../../../src/source/pool.ts'
import { type FarContext, type FarLayer, farLayers } from '../../../src/source/remote/far-layers.ts'
import { tocClaim } from '../../../src/source/remote/toc-place.ts'
import { farRepository, type Misbehaviour } from '../../harness/far-blobs.ts'
import { digest } from '../../harness/images.ts'
import { scratch } from '../../harness/scratch.ts'
import { indexOf, treeText } from '../../harness/stacks.ts'
import { entry, tar } from '../../harness/tar.ts'
import { estargz, type TocLayer, zstdChunked } from '../../harness/toc-layers.ts'

/** Bytes that do not compress, so that a table of contents is little next to them. */
function noise(size: number, seed = 'a'): Uint8Array {
  const blocks = Array.from({ length: Math.ceil(size / 32) }, (_, at) =>
    createHash('sha256').update(`${seed}${at}`).digest(),
  )
  return Buffer.concat(blocks).subarray(0, size)
}

const big = tar(
  'dir etc',
  'file etc/passwd "root:x:0:0:root:/root:/bin/sh"',
  entry({ path: 'usr/bin/tool', body: noise(700_000), mode: 0o4755, mtime: 1_700_000_000 }),
  entry({ path: 'usr/lib/data', body: noise(300_000, 'b') }),
  'link usr/bin/t -> tool',
  'hard usr/bin/u -> usr/bin/tool',
)
const small = tar('file etc/passwd "other"', 'gone usr/lib/data', 'file new 10')

interface Made {
  blob: Uint8Array
  layer: FarLayer
}

function plainLayer(bytes: Uint8Array): Made {
  const blob = gzipSync(bytes)
  return { blob, layer: { digest: digest(blob), size: blob.length, diffId: digest(bytes), claim: null } }
}

function tocLayer({ blob, annotations, diffId }: TocLayer): Made {
  return { blob, layer: { digest: digest(blob), size: blob.length, diffId, claim: tocClaim(annotations) } }
}

const formats: [string, (tar: Uint8Array) => TocLayer][] = [
  ['estargz', made => estargz(made)],
  ['estargz with the footer of stargz', made => estargz(made, { legacy: true })],
  ['estargz with files together', made => estargz(made, { together: true })],
  ['zstd:chunked of podman 4', made => zstdChunked(made, { old: true })],
  ['zstd:chunked with tar-split', made => zstdChunked(made, { splits: true })],
]

const pool = createPool()
afterAll(() => pool.close())

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

function far(made: Made[], misbehave: Misbehaviour = {}, context: Partial<FarContext> = {}) {
  const repository = farRepository(new Map(made.map(({ blob, layer }) => [layer.digest, blob])), misbehave)
  const layers = farLayers(
    made.map(one => one.layer),
    {
      where: 'far/app',
      blobs: repository.blobs,
      pool: { ...pool, close: async () => {} },
      cacheFolder: null,
      verify: false,
      keep: false,
      ...context,
    },
  )
  open.push(layers)
  return { ...repository, layers }
}

/** The tree of an index by itself, the files of the format left out. */
function shown(index: LayerIndex): string {
  const stack = new Stack()
  stack.push(index)
  return treeText(stack).replace(/^(?:\.no\.prefetch\.landmark|stargz\.index\.json).*\n?/gm, '')
}

const wholeTree = shown(indexOf(big))

async function content(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = []
  for await (const chunk of chunks) all.push(chunk)
  return Buffer.concat(all)
}

function entryAt(index: LayerIndex, path: string): number {
  const stack = new Stack()
  stack.push(index)
  return stack.indexOf(stack.view(0).current[stack.tree.find(Buffer.from(path))]!)
}

describe('a layer without a table of contents', () => {
  test('comes once, whole, whoever asks how often', async () => {
    const made = plainLayer(big)
    const { layers, sent } = far([made])
    const done: number[] = []
    const [one, other] = await Promise.all([
      layers.indexLayer(0, { onProgress: progress => done.push(progress.done) }),
      layers.indexLayer(0),
    ])
    expect(other).toBe(one)
    expect(shown(one)).toBe(wholeTree)
    expect(one.diffId).toBe(made.layer.diffId)
    expect(sent()).toBe(made.blob.length)
    expect(done.at(-1)).toBe(made.blob.length)
    expect(layers.cost(0)).toBe(0)
    const entries = Uint32Array.from([entryAt(one, 'usr/bin/tool'), entryAt(one, 'etc/passwd')])
    await layers.hashFiles(0, entries)
    expect(sent()).toBe(made.blob.length)
  })

  test('the second time nothing of it comes', async () => {
    const { path: cacheFolder } = scratch()
    const made = plainLayer(big)
    await far([made], {}, { cacheFolder }).layers.indexLayer(0)
    const { layers, sent } = far([made], {}, { cacheFolder })
    expect(layers.cost(0)).toBe(0)
    expect(shown(await layers.indexLayer(0))).toBe(wholeTree)
    expect(sent()).toBe(0)
  })

  test('of one that is kept nothing comes again for its files', async () => {
    const made = plainLayer(big)
    const { layers, sent } = far([made], {}, { keep: true })
    const index = await layers.indexLayer(0)
    const bytes = await content(layers.readFile(0, entryAt(index, 'usr/bin/tool')))
    expect(bytes.equals(noise(700_000))).toBe(true)
    expect(sent()).toBe(made.blob.length)
  })

  test('for a file of one that is known it comes no further than the file', async () => {
    const { path: cacheFolder } = scratch()
    const made = plainLayer(big)
    await far([made], {}, { cacheFolder }).layers.indexLayer(0)
    const { layers, sent } = far([made], { chunk: 4096 }, { cacheFolder })
    const index = await layers.indexLayer(0)
    expect(String(await content(layers.readFile(0, entryAt(index, 'etc/passwd'))))).toBe(
      'root:x:0:0:root:/root:/bin/sh',
    )
    expect(sent()).toBeLessThan(made.blob.length / 3)
  })

  test('a connection that breaks off is taken up where it was', async () => {
    const made = plainLayer(big)
    const { layers, asked, sent } = far([made], { cuts: [100_000, 0, 250_000], chunk: 50_000 })
    expect(shown(await layers.indexLayer(0))).toBe(wholeTree)
    expect(asked.map(one => one.slice(5))).toEqual(['0-', '100000-', '100000-', '350000-'])
    expect(sent()).toBe(made.blob.length)
  })

  test('one that breaks off at once and again is given up, with what came of it', async () => {
    const { layers } = far([plainLayer(big)], { cuts: [100_000, 0, 0, 0, 0, 0, 0], chunk: 50_000 })
    const error = await layers.indexLayer(0).catch(error => error)
    expect(error.message).toContain('socket hang up')
    expect(error.partial.entries).toBeGreaterThan(1)
  })

  test.each([
    ['a small one', small],
    ['a large one', big],
  ])('%s that is not what was asked for is refused, and not kept', async (_, bytes) => {
    const { path: cacheFolder } = scratch()
    const made = plainLayer(bytes)
    const other = gzipSync(bytes, { level: 1 })
    const forged = Buffer.concat([other, Buffer.alloc(Math.max(0, made.blob.length - other.length))])
    const change = () => forged.subarray(0, made.blob.length)
    const { layers } = far([made], { change }, { cacheFolder })
    await expect(layers.indexLayer(0)).rejects.toThrow(
      /not what the registry was asked for|can not be decompressed|sends/,
    )
    expect(far([made], {}, { cacheFolder }).layers.cost(0)).toBe(made.blob.length)
  })

  test('more than its size is not taken', async () => {
    const made = plainLayer(small)
    const { layers } = far([made], { change: bytes => Buffer.concat([bytes, Buffer.alloc(1000)]) })
    await expect(layers.indexLayer(0)).rejects.toThrow('sends more of the blob')
  })

  test('a diffID that is not its own is told', async () => {
    const made = plainLayer(small)
    made.layer.diffId = digest(big)
    const index = await far([made]).layers.indexLayer(0)
    expect(index.anomalies.map(one => one.kind)).toEqual(['diffid-mismatch'])
  })

  test('cancelled it ends, and can be read again', async () => {
    const made = plainLayer(big)
    const { layers } = far([made])
    const abort = new AbortController()
    setImmediate(() => abort.abort())
    await expect(layers.indexLayer(0, { signal: abort.signal })).rejects.toMatchObject({ exitCode: 130 })
    expect(shown(await layers.indexLayer(0))).toBe(wholeTree)
  })

  test('of one whose blob the native store has nothing comes', async () => {
    const { put } = scratch()
    const made = plainLayer(big)
    const path = put('blob', made.blob)
    const { layers, sent } = far([made], {}, { localBlob: wanted => (wanted === made.layer.digest ? path : null) })
    expect([layers.cost(0), layers.contentCost(0, 5)]).toEqual([0, 0])
    const index = await layers.indexLayer(0)
    expect(shown(index)).toBe(wholeTree)
    expect((await content(layers.readFile(0, entryAt(index, 'usr/bin/tool')))).equals(noise(700_000))).toBe(true)
    expect((await content(layers.layerTar(0))).equals(big)).toBe(true)
    expect(sent()).toBe(0)
  })

  test('its tar comes as it was packed', async () => {
    const { layers, sent } = far([plainLayer(big)])
    expect((await content(layers.layerTar(0))).equals(big)).toBe(true)
    await content(layers.layerTar(0))
    expect(sent()).toBe(plainLayer(big).blob.length)
  })
})

describe.each(formats)('a layer of %s', (_, make) => {
  const made = tocLayer(make(big))

  test('is listed by its table of contents alone', async () => {
    const { layers, sent } = far([made])
    expect(shown(await layers.indexLayer(0))).toBe(wholeTree)
    expect(sent()).toBeLessThan(made.blob.length / 100)
    expect(layers.cost(0)).toBe(0)
  })

  test('the second time not even that comes', async () => {
    const { path: cacheFolder } = scratch()
    await far([made], {}, { cacheFolder }).layers.indexLayer(0)
    const { layers, sent } = far([made], {}, { cacheFolder })
    expect(shown(await layers.indexLayer(0))).toBe(wholeTree)
    expect(sent()).toBe(0)
  })

  test('of a file its pieces come, of a stretch of it those that hold the stretch', async () => {
    const { layers, sent } = far([made])
    const index = await layers.indexLayer(0)
    const tool = entryAt(index, 'usr/bin/tool')
    expect(String(await content(layers.readFile(0, entryAt(index, 'etc/passwd'))))).toBe(
      'root:x:0:0:root:/root:/bin/sh',
    )
    expect(sent()).toBeLessThan(made.blob.length / 50)
    const stretch = await content(layers.readFile(0, tool, { start: 100_000, end: 100_010 }))
    expect(stretch.equals(noise(700_000).subarray(100_000, 100_010))).toBe(true)
    expect((await content(layers.readFile(0, tool))).equals(noise(700_000))).toBe(true)
  })

  test('a file that is not what its digest says is refused', async () => {
    const whole = await far([made]).layers.indexLayer(0)
    let later = false
    const { layers } = far([made], {
      change: bytes => (later ? Buffer.from(bytes).fill(0x55, bytes.length >> 1, (bytes.length >> 1) + 9) : bytes),
    })
    await layers.indexLayer(0)
    await content(layers.readFile(0, entryAt(whole, 'etc/passwd')))
    later = true
    await expect(content(layers.readFile(0, entryAt(whole, 'usr/lib/data')))).rejects.toThrow(
      /not what its digest says|can not be decompressed|bytes short/,
    )
  })

  test('where the registry hands out no parts the layer comes once', async () => {
    const { layers, sent, asked } = far([made], { noParts: true })
    expect(shown(await layers.indexLayer(0))).toBe(wholeTree)
    expect(sent()).toBeLessThan(made.blob.length + (128 << 10))
    expect(asked).toHaveLength(2)
  })

  test('with --verify nothing but the whole layer is believed', async () => {
    const { layers, sent } = far([made], {}, { verify: true })
    const index = await layers.indexLayer(0)
    expect([shown(index), index.diffId]).toEqual([wholeTree, made.layer.diffId])
    expect(sent()).toBe(made.blob.length)
  })

  test('a table of another digest is told, and the layer read in its place', async () => {
    const claim = { ...made.layer.claim!, digest: digest(small) }
    const { layers } = far([{ ...made, layer: { ...made.layer, claim } }])
    const index = await layers.indexLayer(0)
    expect([shown(index), index.anomalies[0]!.kind]).toEqual([wholeTree, 'toc-mismatch'])
  })
})

describe('a table of contents that lies about its pieces', () => {
  const lies: [string, (entry: Record<string, unknown>) => void][] = [
    ['beyond the blob', entry => Object.assign(entry, { offset: 2 ** 50, endOffset: 2 ** 50 + 10 })],
    ['behind their end', entry => Object.assign(entry, { offset: 5000, endOffset: 10 })],
    ['a size that no content has', entry => Object.assign(entry, { size: 2 ** 45 })],
    ['fewer bytes than the file has', entry => Object.assign(entry, { chunkSize: 7 })],
    ['without a digest', entry => Object.assign(entry, { digest: undefined, chunkDigest: undefined })],
    ['in the middle of another', entry => Object.assign(entry, { offset: 77, innerOffset: 2 ** 40 })],
  ]
  const bytes = tar('file first 10', entry({ path: 'f', body: noise(3000) }))
  test.each(lies)('%s', async (_, lie) => {
    for (const make of [estargz, zstdChunked]) {
      const made = tocLayer(
        make(bytes, {
          edit: toc => {
            lie(toc.entries.find(one => one.name === 'f')!)
            return toc
          },
        }),
      )
      const { layers } = far([made])
      const index = await layers.indexLayer(0)
      await expect(content(layers.readFile(0, entryAt(index, 'f')))).rejects.toMatchObject({ name: 'Fault' })
    }
  })
})

describe('where a table of contents is', () => {
  test.each([
    ['a position beyond the blob', { 'io.containers.zstd-chunked.manifest-position': '99999999:10:10:1' }],
    ['a table of a gigabyte', { 'io.containers.zstd-chunked.manifest-position': '10:1073741824:10:1' }],
    ['a position that is none', { 'io.containers.zstd-chunked.manifest-position': 'here' }],
  ])('%s: the footer is asked, or the layer read', async (_, position) => {
    const layer = zstdChunked(big, { old: true })
    const made = tocLayer({ ...layer, annotations: { ...layer.annotations, ...position } })
    expect(shown(await far([made]).layers.indexLayer(0))).toBe(wholeTree)
  })

  test('a table that the manifest does not vouch for is not looked at', () => {
    expect(tocClaim({})).toBeNull()
    expect(tocClaim({ 'containerd.io/snapshot/stargz/toc.digest': 'sha256:short' })).toBeNull()
    expect(tocClaim({ 'containerd.io/snapshot/stargz/toc.digest': 7 })).toBeNull()
    expect(tocClaim({ 'io.containers.zstd-chunked.manifest-position': '1:2:3:1' })).toBeNull()
  })
})

test('names that a table of contents has lost come from the tar-split, where the layer has one', async () => {
  const name = Buffer.from([0x61, 0xff, 0x62])
  const odd = tar(entry({ path: name, body: noise(5000) }), 'file b 3', 'gone c')
  const paths = async (splits: boolean) => {
    const { layers, sent } = far([tocLayer(zstdChunked(odd, { splits }))])
    const index = await layers.indexLayer(0)
    const bytes = await content(layers.readFile(0, 0))
    expect(bytes.equals(noise(5000))).toBe(true)
    expect(sent()).toBeLessThan(12_000)
    return [shown(index), index.anomalies.map(one => one.kind)]
  }
  expect(await paths(false)).toEqual(['a%ef%bf%bdb 5000\nb 3', ['lossy-name']])
  expect(await paths(true)).toEqual(['a%ffb 5000\nb 3', []])
})

test('contents of layers that are known in different ways are compared by what little has to come', async () => {
  const again = tar(entry({ path: 'usr/lib/data', body: noise(300_000, 'b') }))
  const made = [tocLayer(zstdChunked(big)), plainLayer(again)]
  const { layers, sent } = far(made)
  const indexes = await Promise.all([layers.indexLayer(0), layers.indexLayer(1)])
  const before = sent()
  const [a] = await layers.hashFiles(0, Uint32Array.of(entryAt(indexes[0], 'usr/lib/data')))
  const [b] = await layers.hashFiles(1, Uint32Array.of(entryAt(indexes[1], 'usr/lib/data')))
  expect(a).toBe(b)
  expect(sent() - before).toBeLessThan(320_000)
})

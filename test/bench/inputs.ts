/**
 * The images that the bench reads, written as files: layer tars, and around them a docker-archive or an OCI layout. A
 * folder that has them already is used as it is (`--keep`), for making them takes longer than reading them.
 */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import {
  closeSync,
  createReadStream,
  createWriteStream,
  existsSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { constants, createGzip, createZstdCompress } from 'node:zlib'
import { Crc64 } from '../../src/source/store-crc64.ts'
import { header } from '../harness/tar-header.ts'
import { tarSplit } from '../harness/tar-split.ts'
import { makePool, pathOf, randomNumbers } from './content.ts'

/** One entry of a layer that is written: a directory, a file of so many bytes, a whiteout. */
export type Item = { path: string; size: number | 'dir' | 'gone' }

export interface ImageInput {
  /** What the program opens. */
  path: string
  /** The layer tars, plain. */
  tars: string[]
  /** The layers as they are stored in it. */
  blobs: string[]
  entries: number
  bytes: number
}

let pool: Buffer | null = null

/** 1 GB, 58 000 entries, 12 layers: a docker-archive of plain layers. */
export async function ordinaryImage(folder: string, scale: number): Promise<ImageInput> {
  return dockerArchive(join(folder, 'ordinary'), () =>
    layered({ layers: 12, files: 54_000 * scale, bytes: 1020e6 * scale, again: 0.02, gone: 0.004 }),
  )
}

/** 1.7 GB, 20 layers, 111 000 entries, 11 000 of them deletions in one layer and many more in the others. */
export async function deletingImage(folder: string, scale: number): Promise<ImageInput> {
  const options = {
    layers: 20,
    files: 70_500 * scale,
    bytes: 1640e6 * scale,
    again: 0.05,
    gone: 0.05,
    many: 11_000 * scale,
  }
  return dockerArchive(join(folder, 'deleting'), () => layered(options))
}

/** 500 000 small entries in one layer, a quarter of them directories. */
export async function wideImage(folder: string, scale: number): Promise<ImageInput> {
  return dockerArchive(join(folder, 'wide'), () => [wideLayer(500_000 * scale)])
}

/** Half a million small entries in ten layers. */
export async function layersImage(folder: string, scale: number): Promise<ImageInput> {
  const layer = (_: unknown, at: number) => wideLayer(50_000 * scale, `${at}/`)
  return dockerArchive(join(folder, 'layers'), () => Array.from({ length: 10 }, layer))
}

/** 1 GB, 28 000 entries, 10 layers: an ordinary image of an application. */
export async function localImage(folder: string, scale: number): Promise<ImageInput> {
  const options = { layers: 10, files: 22_000 * scale, bytes: 1000e6 * scale, again: 0.02, gone: 0.004 }
  return dockerArchive(join(folder, 'local'), () => layered(options))
}

/** 500 MB, 12 000 entries, 8 layers, gzip -6: what a registry hands out. */
export async function pulledImage(folder: string, scale: number): Promise<ImageInput> {
  const options = { layers: 8, files: 11_000 * scale, bytes: 500e6 * scale, again: 0.02, gone: 0.004 }
  const image = await dockerArchive(join(folder, 'pulled'), () => layered(options))
  return compressedImage(image, join(folder, 'pulled'), 'gzip')
}

/** 250 MB a layer, 15 000 entries; one of them, or two that differ: gzip -6. */
export async function twinImage(folder: string, scale: number, count: 1 | 2): Promise<ImageInput> {
  const options = { files: 14_000 * scale, bytes: 250e6 * scale }
  const twins = Array.from({ length: count }, (_, at) => () => single({ ...options, seed: at }))
  const image = await dockerArchive(join(folder, `twins-${count}`), () => twins.map(twin => twin()))
  return compressedImage(image, join(folder, `twins-${count}`), 'gzip')
}

/** The tar-split of a layer of 1 GB and 58 000 entries, as an engine keeps it beside the layer's files. */
export async function splitOf(folder: string, scale: number): Promise<{ path: string; image: ImageInput }> {
  const layer = () => single({ files: 54_000 * scale, bytes: 1000e6 * scale, seed: 1 })
  const image = await dockerArchive(join(folder, 'split'), () => [layer()])
  const path = join(folder, 'split/tar-split.json.gz')
  if (!existsSync(path)) writeFileSync(path, tarSplit(readFileSync(image.tars[0]!), quickSum))
  return { path, image }
}

/** The program's own CRC-64: the tests' is bit by bit, and takes minutes for a gigabyte. */
function quickSum(bytes: Uint8Array): string {
  const sum = new Crc64()
  sum.update(bytes)
  const value = Buffer.alloc(8)
  value.writeUInt32BE(sum.value.high, 0)
  value.writeUInt32BE(sum.value.low, 4)
  return value.toString('base64')
}

/** Many layers with a few deletions in each: what costs the square of the layers shows here. */
export async function tallImage(folder: string, layers: number, deletions: number): Promise<ImageInput> {
  const options = { layers, files: 20_000, bytes: 60e6, again: 0.01, gone: deletions / 20_000 }
  return dockerArchive(join(folder, `tall-${layers}`), () => layered(options))
}

/** The layers of another image as an OCI layout, compressed as registries have them: gzip -6 or zstd -3. */
export async function compressedImage(from: ImageInput, folder: string, how: 'gzip' | 'zstd'): Promise<ImageInput> {
  const at = join(folder, `ordinary-${how}`)
  const blobs = from.tars.map((_, layer) => join(at, 'layers', `${layer}.${how}`))
  if (!existsSync(join(at, 'index.json'))) {
    mkdirSync(join(at, 'layers'), { recursive: true })
    mkdirSync(join(at, 'blobs/sha256'), { recursive: true })
    const compress = async (tar: string, layer: number) => {
      const level = { params: { [constants.ZSTD_c_compressionLevel]: 3 } }
      const codec = how === 'gzip' ? createGzip({ level: 6 }) : createZstdCompress(level)
      await pipeline(createReadStream(tar, { highWaterMark: 1 << 20 }), codec, createWriteStream(blobs[layer]))
    }
    for (let layer = 0; layer < from.tars.length; layer += 2) {
      await Promise.all(from.tars.slice(layer, layer + 2).map((tar, i) => compress(tar, layer + i)))
    }
    await writeLayout(at, from.tars, blobs, how)
  }
  return { ...from, path: at, blobs }
}

interface Layered {
  /** Another one makes other sizes; the number of layers without it. */
  seed?: number | undefined
  layers: number
  files: number
  bytes: number
  /** Share of the files below that a layer writes again, and that it deletes. */
  again: number
  gone: number
  /** Deletions in the last layer but one, on top. */
  many?: number
}

/** One layer with all of the files. */
function single({ files, bytes, seed }: Pick<Layered, 'files' | 'bytes' | 'seed'>): Iterable<Item> {
  // Of a stack the lowest layer has half of them.
  const [layer] = layered({ seed, layers: 1, files: files * 2, bytes: bytes * 2, again: 0, gone: 0 })
  return layer!
}

/** Half of the files in the lowest layer, the rest in the others, which also write again and delete what is below. */
function* layered({ layers, seed = layers, files, bytes, again, gone, many = 0 }: Layered): Generator<Iterable<Item>> {
  const random = randomNumbers(seed)
  const average = bytes / files
  const size = () => Math.floor(-Math.log(1 - random()) * average)
  let next = 0
  for (let layer = 0; layer < layers; layer++) {
    const fresh = Math.round(layer === 0 ? files / 2 : files / 2 / (layers - 1))
    const items: Item[] = []
    const deletions = layer === 0 ? 0 : (next * gone) / layers + (layer === layers - 2 ? many : 0)
    const rewrites = layer === 0 ? 0 : (next * again) / layers
    const taken = new Set<number>()
    const pick = () => {
      let number = Math.floor(random() * next)
      while (taken.has(number)) number = (number + 1) % next
      taken.add(number)
      return pathOf(number)
    }
    for (let count = 1; count <= rewrites; count++) items.push({ path: pick(), size: size() })
    for (let count = 1; count <= deletions; count++) items.push({ path: pick(), size: 'gone' })
    for (let count = 0; count < fresh; count++) items.push({ path: pathOf(next++), size: size() })
    yield withFolders(items)
  }
}

function* wideLayer(entries: number, below = ''): Generator<Item> {
  const random = randomNumbers(5)
  for (let number = 0, written = 0; written < entries; number++) {
    if (number % 3 === 0) {
      yield { path: `node_modules/${below}package-${Math.floor(number / 300)}/lib/unit${number}`, size: 'dir' }
      written++
    }
    const folder = `node_modules/${below}package-${Math.floor(number / 300)}/lib/unit${number - (number % 3)}`
    yield { path: `${folder}/part-${(number * 7919) % 1009}.js`, size: Math.floor(random() ** 2 * 2600) }
    written++
  }
}

/** In order of path, each directory once before what is in it. */
function* withFolders(items: Item[]): Generator<Item> {
  items.sort((a, b) => (a.path < b.path ? -1 : 1))
  const folders = new Set<string>()
  for (const item of items) {
    for (let at = item.path.indexOf('/'); at > 0; at = item.path.indexOf('/', at + 1)) {
      const path = item.path.slice(0, at)
      if (!folders.has(path)) yield { path, size: 'dir' }
      folders.add(path)
    }
    yield item.size === 'gone' ? { path: item.path.replace(/[^/]*$/, '.wh.$&'), size: 0 } : item
  }
}

async function dockerArchive(folder: string, layers: () => Iterable<Iterable<Item>>): Promise<ImageInput> {
  const path = join(folder, 'image.tar')
  const facts = join(folder, 'facts.json')
  if (!existsSync(facts)) {
    mkdirSync(join(folder, 'layers'), { recursive: true })
    const tars: string[] = []
    let entries = 0
    for (const layer of layers()) {
      const tar = join(folder, 'layers', `${tars.length}.tar`)
      entries += writeLayer(tar, layer)
      tars.push(tar)
    }
    await writeArchive(path, tars)
    writeFileSync(facts, JSON.stringify({ path, tars, blobs: tars, entries, bytes: statSync(path).size }))
  }
  return JSON.parse(readFileSync(facts, 'utf8'))
}

function writeLayer(path: string, items: Iterable<Item>): number {
  pool ??= makePool()
  const file = openSync(path, 'w')
  const out = new Output(file)
  let entries = 0
  let from = path.length * 7919
  for (const { path, size } of items) {
    const bytes = typeof size === 'number' ? size : 0
    const flag = size === 'dir' ? '5' : '0'
    out.write(
      header({
        name: size === 'dir' ? `${path}/` : path,
        flag,
        size: bytes,
        mode: size === 'dir' ? 0o755 : 0o644,
        mtime: 1_700_000_000,
      }),
    )
    from = (from + 104_729) % (pool.length - (8 << 20))
    for (let at = 0; at < bytes; at += 8 << 20) out.write(pool.subarray(from, from + Math.min(bytes - at, 8 << 20)))
    out.write(Buffer.alloc((512 - (bytes % 512)) % 512))
    entries++
  }
  out.write(Buffer.alloc(1024))
  out.flush()
  closeSync(file)
  return entries
}

async function writeArchive(path: string, tars: string[]): Promise<void> {
  const diffIds = await Promise.all(tars.map(sha256))
  const config = configOf(diffIds)
  const file = openSync(path, 'w')
  const out = new Output(file)
  const names = diffIds.map(id => `${id}/layer.tar`)
  tars.forEach((tar, layer) => {
    out.write(header({ name: names[layer], size: statSync(tar).size }))
    out.writeFile(tar)
  })
  const configName = `${createHash('sha256').update(config).digest('hex')}.json`
  const manifest = Buffer.from(JSON.stringify([{ Config: configName, RepoTags: ['bench:latest'], Layers: names }]))
  for (const [name, bytes] of [
    [configName, config],
    ['manifest.json', manifest],
  ] as const) {
    out.write(header({ name, size: bytes.length }))
    out.write(bytes)
    out.write(Buffer.alloc((512 - (bytes.length % 512)) % 512))
  }
  out.write(Buffer.alloc(1024))
  out.flush()
  closeSync(file)
}

async function writeLayout(at: string, tars: string[], blobs: string[], how: string): Promise<void> {
  const oci = 'application/vnd.oci.image'
  const add = (bytes: Uint8Array, mediaType: string) => {
    const hex = createHash('sha256').update(bytes).digest('hex')
    writeFileSync(join(at, 'blobs/sha256', hex), bytes)
    return { mediaType, digest: `sha256:${hex}`, size: bytes.length }
  }
  const config = add(configOf(await Promise.all(tars.map(sha256))), `${oci}.config.v1+json`)
  const layers = []
  for (const blob of blobs) {
    const hex = await sha256(blob)
    linkSync(blob, join(at, 'blobs/sha256', hex))
    layers.push({ mediaType: `${oci}.layer.v1.tar+${how}`, digest: `sha256:${hex}`, size: statSync(blob).size })
  }
  const manifest = Buffer.from(
    JSON.stringify({ schemaVersion: 2, mediaType: `${oci}.manifest.v1+json`, config, layers }),
  )
  const manifests = [add(manifest, `${oci}.manifest.v1+json`)]
  writeFileSync(join(at, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  writeFileSync(join(at, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }))
}

function configOf(diffIds: string[]): Buffer {
  return Buffer.from(
    JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      config: { Cmd: ['/bin/sh'] },
      rootfs: { type: 'layers', diff_ids: diffIds.map(id => `sha256:${id}`) },
      history: diffIds.map((_, layer) => ({ created: '2026-01-01T00:00:00Z', created_by: `RUN step ${layer}` })),
    }),
  )
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk)
  return hash.digest('hex')
}

/** Small writes gathered into large ones. */
class Output {
  readonly #file: number
  readonly #buffer = Buffer.allocUnsafe(4 << 20)
  #fill = 0

  constructor(file: number) {
    this.#file = file
  }

  write(bytes: Uint8Array): void {
    if (this.#fill + bytes.length > this.#buffer.length) this.flush()
    if (bytes.length > this.#buffer.length) {
      writeSync(this.#file, bytes)
      return
    }
    this.#buffer.set(bytes, this.#fill)
    this.#fill += bytes.length
  }

  writeFile(path: string): void {
    const file = openSync(path, 'r')
    const chunk = Buffer.allocUnsafe(1 << 20)
    for (let length = readSync(file, chunk); length > 0; length = readSync(file, chunk))
      this.write(chunk.subarray(0, length))
    closeSync(file)
  }

  flush(): void {
    for (let at = 0; at < this.#fill; ) at += writeSync(this.#file, this.#buffer, at, this.#fill - at)
    this.#fill = 0
  }
}

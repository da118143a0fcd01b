import { Buffer } from 'node:buffer'
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Fault } from '../../../src/base/errors.ts'
import { TarScanner } from '../../../src/layer/tar-scanner.ts'
import { extract } from '../../../src/source/extract.ts'
import type { Image } from '../../../src/source/types.ts'
import { scratch } from '../../harness/scratch.ts'
import { stackOf } from '../../harness/stacks.ts'
import { entry, type Piece, tar } from '../../harness/tar.ts'

/** An image in memory, as far as extracting looks at it. */
function imageOf(tars: Uint8Array[]): Image {
  async function* readFile(layer: number, wanted: number) {
    const chunks: Uint8Array[] = []
    let entry = -1
    const sink = {
      entry: () => void entry++,
      body: (chunk: Uint8Array, start: number, end: number) => {
        if (entry === wanted) chunks.push(chunk.slice(start, end))
      },
      bodyEnd: () => {},
    }
    const scanner = new TarScanner(sink, { name: `layer ${layer}` })
    scanner.push(tars[layer])
    yield* chunks
  }
  return { anomalies: [], readFile } as unknown as Image
}

/** Extracts `path` of the stacked layers and gives back how. */
function extractor(...layers: (string | Piece[])[]) {
  const tars = layers.map(layer => (typeof layer === 'string' ? tar(layer) : tar(...layer)))
  const stack = stackOf(...tars)
  const image = imageOf(tars)
  const run = (path: string, destination: string, overwrite = false) =>
    extract(image, stack, tars.length - 1, stack.tree.find(Buffer.from(path)), destination, { overwrite })
  return { run, image, stack }
}

/** The folder as text: `d/`, `d/a 10 -rw-…` as octal, `l -> target`. */
function listing(folder: string, below = ''): string[] {
  const names = readdirSync(join(folder, below)).sort()
  return names.flatMap(name => {
    const path = join(below, name)
    const info = lstatSync(join(folder, path))
    if (info.isSymbolicLink()) return [`${path} -> ${readlinkSync(join(folder, path))}`]
    const mode = (info.mode & 0o7777).toString(8)
    if (info.isDirectory()) return [`${path}/ ${mode}`, ...listing(folder, path)]
    return [`${path} ${info.isFIFO() ? 'fifo' : info.size} ${mode}`]
  })
}

async function faultOf(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (!(error instanceof Fault)) throw new Error(`no fault: ${error}`)
  return error.message
}

test('a file goes into a directory that is there, or becomes the destination', async () => {
  const { run } = extractor('file etc/motd "hello"')
  const { path } = scratch()
  await run('etc/motd', path)
  await run('etc/motd', join(path, 'other'))
  expect(listing(path)).toEqual(['motd 5 644', 'other 5 644'])
  expect(readFileSync(join(path, 'motd'), 'utf8')).toBe('hello')
})

test('a directory with all that is in it, modes and times, without setuid', async () => {
  const { run } = extractor(
    'dir d 0750 mtime=1000\nfile d/su 3 04755 mtime=2000\ndir d/ro 0555\nfile d/ro/x 1\nlink d/l -> /etc/passwd\nfifo d/p',
  )
  const { path } = scratch()
  const result = await run('d', path)
  expect(listing(path)).toEqual([
    'd/ 750',
    'd/l -> /etc/passwd',
    'd/p fifo 644',
    'd/ro/ 555',
    'd/ro/x 1 644',
    'd/su 3 755',
  ])
  expect(statSync(join(path, 'd')).mtimeMs).toBe(1_000_000)
  expect(statSync(join(path, 'd/su')).mtimeMs).toBe(2_000_000)
  expect(result).toMatchObject({ files: 3, directories: 2, links: 1, bytes: 4, skipped: [] })
})

test('the root goes into the destination itself', async () => {
  const { run } = extractor('file a 1\nfile b/c 2', 'gone a')
  const { path } = scratch()
  await run('', join(path, 'new'))
  expect(listing(path)).toEqual(['new/ 755', 'new/b/ 755', 'new/b/c 2 644'])
})

test('names of one inode are names of one file again', async () => {
  const { run } = extractor('file a 10\nhard b -> a', 'hard c -> a')
  const { path } = scratch()
  await run('', path)
  expect(statSync(join(path, 'a')).nlink).toBe(3)
  expect(statSync(join(path, 'c')).ino).toBe(statSync(join(path, 'b')).ino)
})

test('nothing that is there is replaced unless it was asked for', async () => {
  const { run } = extractor('file a "new"')
  const { path } = scratch()
  writeFileSync(join(path, 'a'), 'mine')
  expect(await faultOf(run('a', path))).toBe(`${path}/a is there already.`)
  expect(readFileSync(join(path, 'a'), 'utf8')).toBe('mine')
  await run('a', path, true)
  expect(readFileSync(join(path, 'a'), 'utf8')).toBe('new')
})

test('a link in the way is replaced and never followed, also with overwrite', async () => {
  const { run } = extractor('dir d\nfile d/a "new"\nfile f "new"')
  const { path } = scratch()
  const victim = join(path, 'victim')
  const out = join(path, 'out')
  mkdirSync(victim)
  mkdirSync(out)
  writeFileSync(join(victim, 'a'), 'mine')
  symlinkSync(victim, join(out, 'd'))
  symlinkSync(join(victim, 'a'), join(out, 'f'))
  expect(await faultOf(run('d', out, true))).toBe(`${out}/d is there already.`)
  await run('f', out, true)
  expect(lstatSync(join(out, 'f')).isFile()).toBe(true)
  expect(listing(victim)).toEqual(['a 4 644'])
  expect(readFileSync(join(victim, 'a'), 'utf8')).toBe('mine')
})

test('a link of the image is never written through', async () => {
  const { path } = scratch()
  const victim = join(path, 'victim')
  mkdirSync(victim)
  const { run } = extractor(`link out -> ${victim}\nfile out/a 3`, `link l -> ${victim}`)
  await run('', join(path, 'to'))
  expect(listing(path)).toEqual(['to/ 755', `to/l -> ${victim}`, 'to/out/ 755', 'to/out/a 3 644', 'victim/ 755'])
})

test('no name leads out of the destination', async () => {
  const { run } = extractor('file ../../a 1\nfile /b/../../c 1\nhard h -> ../../a')
  const { path } = scratch()
  await run('', join(path, 'in', 'side')).catch(() => {})
  mkdirSync(join(path, 'in'))
  await run('', join(path, 'in', 'side'))
  expect(listing(path)).toEqual(['in/ 755', 'in/side/ 755', 'in/side/a 1 644', 'in/side/c 1 644', 'in/side/h 1 644'])
})

test('names that are not UTF-8 keep their bytes', async () => {
  const { run } = extractor('file d/%ff%fe 1')
  const { path } = scratch()
  await run('d', path)
  const names = readdirSync(Buffer.from(join(path, 'd')), { encoding: 'buffer' })
  expect(names.map(name => name.toString('hex'))).toEqual(['fffe'])
})

test('what the disk can not hold is left out and told', async () => {
  const { run } = extractor([entry({ path: `d/${'x'.repeat(300)}`, body: Buffer.from('1') }), entry({ path: 'd/y' })])
  const { path } = scratch()
  const { skipped, files } = await run('d', path)
  expect(skipped.map(one => one.reason)).toEqual(['the name is too long for this disk'])
  expect(files).toBe(1)
})

test('devices are left out', async () => {
  const { run } = extractor('char d/null 1,3\nblock d/sda 8,0')
  const { path } = scratch()
  const { skipped } = await run('d', path)
  expect(skipped.map(one => one.reason).sort()).toEqual(['a block device is not made', 'a char device is not made'])
  expect(listing(path)).toEqual(['d/ 755'])
})

test('zeros take no room', async () => {
  const { run } = extractor([entry({ path: 'z', body: Buffer.alloc(8 << 20) })])
  const { path } = scratch()
  await run('z', path)
  const { size, blocks } = statSync(join(path, 'z'))
  expect(size).toBe(8 << 20)
  expect(blocks * 512).toBeLessThan(1 << 20)
})

test('an image that is not what its digests say is not unpacked', async () => {
  const { run, image } = extractor('file a 1')
  image.anomalies.push({ layer: 0, path: null, kind: 'digest-mismatch', text: 'Layer 0 has another digest.' })
  const { path } = scratch()
  expect(await faultOf(run('', join(path, 'x')))).toBe(
    'Nothing was extracted: layer 0 is not what its digest says: Layer 0 has another digest.',
  )
  expect(existsSync(join(path, 'x'))).toBe(false)
})

test('a content that can not be read leaves no half of a file', async () => {
  const { run, image } = extractor('dir d\nfile d/a 3\nfile d/b 3')
  const { readFile } = image
  image.readFile = async function* (layer, entry) {
    if (entry === 1) throw new Fault('layer 0 is cut short.')
    yield* readFile(layer, entry)
  }
  const { path } = scratch()
  const { skipped } = await run('d', path)
  expect(skipped.map(one => one.reason)).toEqual(['layer 0 is cut short.'])
  expect(listing(path)).toEqual(['d/ 755', 'd/b 3 644'])
})

test('a destination without a parent is a sentence', async () => {
  const { run } = extractor('file a 1')
  const { path } = scratch()
  expect(await faultOf(run('a', join(path, 'no/such')))).toContain('no such file or directory')
})

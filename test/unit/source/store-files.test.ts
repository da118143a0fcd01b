/** Files of a layer in a store: nothing outside of it is ever reached, and nothing else is taken for a file of it. */
import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, readdirSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { Fault } from '../../../src/base/errors.ts'
import { controlOf } from '../../../src/source/cancel.ts'
import { hashStoreFiles, readStoreFile, type StoreFile } from '../../../src/source/store-body.ts'
import { Crc64 } from '../../../src/source/store-crc64.ts'
import { scratch } from '../../harness/scratch.ts'

const TIME = 1_700_000_000

describe('a file is read', () => {
  test('in its directory, in part, and when it is empty', async () => {
    const layer = newLayer({ 'a/b/c': 'content', empty: '' })
    expect(await read(layer, { path: 'a/b/c', text: 'content' })).toBe('content')
    expect(await read(layer, { path: 'a/b/c', text: 'content' }, { start: 2, end: 5 })).toBe('nte')
    expect(await read(layer, { path: 'empty', text: '' })).toBe('')
  })

  test('under a name that is no UTF-8', async () => {
    const layer = newLayer({})
    const name = Buffer.from([0x61, 0xff, 0xfe])
    writeFileSync(Buffer.concat([Buffer.from(`${layer}/`), name]), 'odd')
    expect(await read(layer, { path: name, text: 'odd' })).toBe('odd')
  })

  test('through a link of the machine’s owner to the store, and as one of several names', async () => {
    const layer = newLayer({ a: 'x' })
    linkSync(join(layer, 'a'), join(layer, 'b'))
    symlinkSync(layer, `${layer}-link`)
    expect(await read(`${layer}-link`, { path: 'b', text: 'x' })).toBe('x')
  })

  test('with the sums of many at once, whatever directories they lie in', async () => {
    const names = ['a/b/c', 'a/b/d', 'a/e', 'f/b/c', 'f/g/h/i', 'z', 'a/b/c2']
    const layer = newLayer(Object.fromEntries(names.map(name => [name, `in ${name}`])))
    const files = names.map(name => fileOf({ path: name, text: `in ${name}` }))
    const before = openFiles()
    expect([...(await hashStoreFiles({ name: 'layer 0', directory: layer, files }, controlOf()))]).toEqual(
      names.map(name => crc32(`in ${name}`)),
    )
    expect(openFiles()).toBe(before)
  })
})

describe('what an image’s author may have put in the way is never followed or opened', () => {
  test.each([
    ['a link in place of the file', (layer: string) => symlinkSync('/etc/passwd', join(layer, 'x')), 'x'],
    ['a link in place of its directory', (layer: string) => symlinkSync('/etc', join(layer, 'd')), 'd/passwd'],
    ['a link to a directory of the layer', (layer: string) => symlinkSync('a', join(layer, 'd')), 'd/file'],
    ['a fifo', (layer: string) => execFileSync('mkfifo', [join(layer, 'x')]), 'x'],
    ['a directory', (layer: string) => mkdirSync(join(layer, 'x')), 'x'],
    ['a file in place of its directory', (layer: string) => writeFileSync(join(layer, 'x'), ''), 'x/y'],
    ['nothing', () => {}, 'x'],
    ['a way up', () => {}, '../secret'],
    ['a way up in the middle', () => {}, 'a/../../secret'],
    ['no name at all', () => {}, ''],
  ])('%s', async (_, prepare, path) => {
    const layer = newLayer({ 'a/file': 'inside' })
    writeFileSync(join(layer, '../secret'), 'secret')
    prepare(layer)
    const before = openFiles()
    await expect(read(layer, { path, text: 'secret' })).rejects.toThrow(Fault)
    expect(openFiles()).toBe(before)
  })
})

describe('what is not the file that was indexed is not shown', () => {
  test('another size', async () => {
    const layer = newLayer({ a: 'longer' })
    await expect(read(layer, { path: 'a', text: 'long' })).rejects.toThrow('is not what the layer holds')
  })

  test('another time and another content; the same content is fine', async () => {
    const layer = newLayer({ a: 'other', b: 'right' })
    for (const name of ['a', 'b']) utimesSync(join(layer, name), TIME, TIME + 5)
    for (const kind of ['crc32', 'crc64'] as const) {
      await expect(read(layer, { path: 'a', text: 'right', kind })).rejects.toThrow('is not what the layer holds')
      expect(await read(layer, { path: 'b', text: 'right', kind })).toBe('right')
    }
  })

  test('where the index has no sums, a file with another time is refused, and an empty one is not', async () => {
    const layer = newLayer({ a: 'right', empty: '' })
    for (const name of ['a', 'empty']) utimesSync(join(layer, name), TIME, TIME + 5)
    await expect(read(layer, { path: 'a', text: 'right', kind: null })).rejects.toThrow('is not what the layer holds')
    expect(await read(layer, { path: 'empty', text: '', kind: null })).toBe('')
  })

  test('a file of holes that only stands for another, as overlayfs has them; real holes are fine', async () => {
    const layer = newLayer({ a: '', b: '' })
    for (const name of ['a', 'b']) {
      truncateSync(join(layer, name), 300_000)
      utimesSync(join(layer, name), TIME, TIME)
    }
    await expect(read(layer, { path: 'a', text: 'x'.repeat(300_000) })).rejects.toThrow('is not what the layer holds')
    expect(await read(layer, { path: 'b', text: '\0'.repeat(300_000) })).toBe('\0'.repeat(300_000))
  })
})

test('CRC-64/GO-ISO has its check value, however the bytes are cut', () => {
  for (const step of [1, 2, 3, 4, 5, 9]) {
    const crc = new Crc64()
    const bytes = Buffer.from('123456789')
    for (let at = 0; at < bytes.length; at += step) crc.update(bytes, at, Math.min(at + step, bytes.length))
    expect([crc.value.high.toString(16), crc.value.low.toString(16)]).toEqual(['b90956c7', '75a41001'])
  }
})

/** A directory with files that all have the time that the index would have. */
function newLayer(content: Record<string, string>): string {
  const layer = join(scratch().path, 'diff')
  mkdirSync(layer)
  for (const [name, text] of Object.entries(content)) {
    mkdirSync(join(layer, name, '..'), { recursive: true })
    writeFileSync(join(layer, name), text)
    utimesSync(join(layer, name), TIME, TIME)
  }
  return layer
}

interface Wanted {
  path: string | Uint8Array
  text: string
  /** Of the sum in the index; null: it has none. */
  kind?: 'crc32' | 'crc64' | null
}

function fileOf({ path, text, kind = 'crc64' }: Wanted): StoreFile {
  const crc = new Crc64()
  crc.update(Buffer.from(text))
  const value = kind === 'crc64' ? crc.folded : crc32(text)
  const sum = kind === null ? null : { kind, value }
  return { path: Buffer.from(path), size: Buffer.byteLength(text), mtime: TIME, sum }
}

async function read(layer: string, wanted: Wanted, { start = 0, end = 1e9 } = {}): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of readStoreFile(layer, fileOf(wanted), { name: 'layer 0', start, end })) chunks.push(chunk)
  return Buffer.concat(chunks).toString('latin1')
}

function openFiles(): number {
  return readdirSync('/proc/self/fd').length
}

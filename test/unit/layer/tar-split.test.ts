/** tar-split gives the very index that the tar itself gives, and refuses what is none. */
import { Buffer } from 'node:buffer'
import { describe, expect, test } from 'vitest'
import { Fault } from '../../../src/base/errors.ts'
import { IndexBuilder } from '../../../src/layer/index-builder.ts'
import type { LayerIndex } from '../../../src/layer/layer-index.ts'
import { TarScanner } from '../../../src/layer/tar-scanner.ts'
import { TarSplitReader } from '../../../src/layer/tar-split.ts'
import { indexOf } from '../../harness/stacks.ts'
import { entry, fill, pax, raw, tar, tarWithoutEnd } from '../../harness/tar.ts'
import { header } from '../../harness/tar-header.ts'
import { tarSplitLines } from '../../harness/tar-split.ts'

const long = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(90)}`
const cases: Record<string, Uint8Array> = {
  'an empty layer': tar(),
  'files, directories and links': tar('dir a 0700 1:2', 'file a/b 1000', 'link a/c -> b', 'hard a/d -> a/b'),
  'bodies of every length around a block': tar(...[0, 1, 2, 3, 510, 511, 512, 513, 514].map(n => `file f${n} ${n}`)),
  'devices, fifos and whiteouts': tar(
    'char null 1,3',
    'block sda 8,0',
    'fifo p',
    'file d/.wh.x 0',
    'file .wh..wh..opq 0',
  ),
  'ustar prefixes': tar(
    entry({ path: 'n'.repeat(90), body: fill(7) }),
    raw(header({ name: 'x'.repeat(99), prefix: 'some/where' })),
    'file z 1',
  ),
  'GNU long names and links': tar(
    entry({ path: long, type: 'symlink', link: `${long}/t`, long: 'gnu' }),
    entry({ path: long, magic: 'gnu', long: 'gnu', body: fill(9) }),
  ),
  'PAX names, times, owners and attributes': tar(
    entry({ path: long, long: 'pax', body: fill(3) }),
    'file x 5 x:user.a=b mtime=5.25',
    pax([['uid', '3000000000']]),
    'file y 5',
  ),
  'names that are no UTF-8': tar(
    entry({ path: Buffer.from([0xff, 0xfe, 0x41]), body: fill(3) }),
    entry({ path: 'a"b\\c\n\u2028<>&', body: fill(3) }),
  ),
  'V7 headers': tar(
    raw(header({ name: 'old/', magic: 'v7', flag: '\0' })),
    raw(header({ name: 'old/x', magic: 'v7', flag: '\0' })),
  ),
  'no end-of-archive blocks': tarWithoutEnd('file a 512', 'file b 0'),
}

describe('the index of tar-split is the index of the tar', () => {
  test.each(Object.entries(cases))('%s', (_, made) => {
    const split = read(tarSplitLines(made))
    expect(columns(split)).toEqual(columns(indexOf(made)))
    expect(split.offset).toEqual(indexOf(made).offset)
    expect(split.tarBytes).toBe(made.length)
  })

  test('contents have a hash where they are not empty, and equal contents have equal ones', () => {
    const { crc, hashed, hashKind } = read(tarSplitLines(tar('file a 5', 'file b 5', 'file c 6', 'file d 0', 'dir e')))
    expect([...hashed!]).toEqual([1, 1, 1, 0, 0])
    expect([crc![0] === crc![1], crc![0] === crc![2], hashKind]).toEqual([true, false, 'crc64'])
  })

  test.each([1, 7, 100, 1000])('in pieces of %s bytes', step => {
    const all = tar(...Object.keys(cases).map(name => `file ${name.replaceAll(' ', '_')} 700`))
    expect(read(tarSplitLines(all), step)).toEqual(read(tarSplitLines(all)))
  })

  test('lines of an encoder with other habits: spaces, another order, escaped letters', () => {
    const made = tar('dir a', 'file a/b 1000', 'file a/c 0')
    const other = tarSplitLines(made)
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(line)).reverse()), null, ' '))
      .map(line => line.replaceAll('\n', '').replace('"type"', '"\\u0074ype"'))
    expect(read(other.join('\n'))).toEqual(read(tarSplitLines(made)))
  })

  test('a file whose name looks like the rest of its line', () => {
    const made = tar(entry({ path: 'x","size":7,"payload":null,"position":1}', body: fill(20) }), 'file y 3')
    expect(columns(read(tarSplitLines(made)))).toEqual(columns(indexOf(made)))
  })

  test('a sparse file has its size with the holes in its line', () => {
    const name = entry({ path: 's', body: fill(512), pax: sparseRecords })
    const lines = tarSplitLines(tar(name, 'file after 7')).replace('"size":512', '"size":5000')
    const index = read(lines)
    expect([...index.size]).toEqual([5000, 7])
  })
})

const sparseRecords = [
  ['GNU.sparse.major', '0'],
  ['GNU.sparse.minor', '1'],
  ['GNU.sparse.size', '5000'],
  ['GNU.sparse.map', '0,512,5000,0'],
] as const

describe('what is no tar-split is refused', () => {
  const good = tarSplitLines(tar('file a 1000', 'file b 5'))
  const lines = good.split('\n').filter(Boolean)

  test.each([
    ['nothing', ''],
    ['no JSON', 'hello\n'],
    ['a JSON of another kind', '{"hello":1}\n'],
    ['null', 'null\n'],
    ['a number', '12,"position":3}\n'],
    ['a type that is not known', '{"type":3,"payload":null,"position":0}\n'],
    ['the line of a file is missing', [lines[0], ...lines.slice(2)].join('\n')],
    ['a size that is larger than the header says', good.replace('"size":1000', '"size":99999')],
    ['a size that is no number', good.replace('"size":1000', '"size":"1000"')],
    ['a negative size', good.replace('"size":1000', '"size":-1000')],
    ['a size beyond all bounds', good.replace('"size":1000', `"size":${'9'.repeat(400)}`)],
    ['the header is cut', good.replace(/"payload":"[^"]{400}/, '"payload":"')],
    ['it ends in the middle of a body', lines.slice(0, 1).join('\n')],
  ])('%s', (_, text) => {
    expect(() => read(text)).toThrow(Fault)
  })

  test('a line without end is refused before it fills the memory', () => {
    const reader = newReader()
    const chunk = new Uint8Array(1 << 20).fill(0x41)
    expect(() => {
      for (let i = 0; i < 64; i++) reader.reader.push(chunk)
    }).toThrow('longer than 24 MiB')
  })

  test('cut anywhere, it is an error or an index, never a crash', () => {
    for (let end = 0; end < good.length; end += 13) {
      try {
        read(good.slice(0, end))
      } catch (error) {
        expect(error).toBeInstanceOf(Fault)
      }
    }
  })
})

function newReader() {
  const builder = new IndexBuilder({ layer: 0 })
  const scanner = new TarScanner(builder, { name: 'layer 0', checked: true })
  return { builder, scanner, reader: new TarSplitReader(scanner, builder, 'layer 0') }
}

function read(text: string, step = Number.POSITIVE_INFINITY): LayerIndex {
  const { builder, scanner, reader } = newReader()
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += step) reader.push(bytes, at, Math.min(at + step, bytes.length))
  reader.end()
  return builder.finish({ tarBytes: scanner.position, diffId: null })
}

/** All but where the content lies and its hash. */
function columns(index: LayerIndex) {
  const { crc: _, hashed: __, hashKind: ___, ...rest } = index
  return rest
}

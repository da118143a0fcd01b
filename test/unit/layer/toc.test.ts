/** A layer's own table of contents gives what its tar gives, in everything that is shown; and what lies is refused. */
import { Buffer } from 'node:buffer'
import { gunzipSync, zstdDecompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { Fault } from '../../../src/base/errors.ts'
import { IndexBuilder } from '../../../src/layer/index-builder.ts'
import type { LayerIndex } from '../../../src/layer/layer-index.ts'
import { pathOf } from '../../../src/layer/path-tree.ts'
import { entryOf } from '../../../src/layer/read-entry.ts'
import { isOfFormat, type TocChunk, type TocFormat, tocReader } from '../../../src/layer/toc.ts'
import { everyKind } from '../../harness/every-kind.ts'
import { indexOf } from '../../harness/stacks.ts'
import { entry, fill, tar } from '../../harness/tar.ts'
import { estargz, type TocLayer, type TocOptions, zstdChunked } from '../../harness/toc-layers.ts'

const formats: [TocFormat, (tar: Uint8Array, options?: TocOptions) => TocLayer][] = [
  ['estargz', estargz],
  ['zstd-chunked', zstdChunked],
]

const long = `${'d'.repeat(90)}/${'e'.repeat(90)}/${'f'.repeat(90)}`
const cases: Record<string, Uint8Array> = {
  'an empty layer': tar(),
  'files, directories and links': tar('dir a 0700 1:2', 'file a/b 1000', 'link a/c -> b', 'hard a/d -> a/b'),
  'setuid, setgid and sticky': tar('file su 5 04755', 'dir tmp 01777', 'file sg 5 02711 3000000000:7'),
  'devices, fifos and whiteouts': tar(
    'char null 1,3',
    'block sda 8,0',
    'fifo p',
    'gone d/x',
    'opaque d',
    'file .wh. 3',
  ),
  'markers that hide nothing': tar('file a 3', 'file .wh... 2', 'file .wh..wh.plnk 2', 'file b 4'),
  'long names, attributes, times': tar(
    entry({ path: long, long: 'pax', body: fill(3) }),
    'file x 5 x:user.a=b x:security.capability=%01 mtime=5',
    'file before 5 mtime=-86400',
    'file zero 5 mtime=0',
    'link l -> somewhere/else x:user.q=r',
  ),
  'one path twice': tar('file a 10 fill=x', 'file b 1', 'file a 20 fill=y'),
  'files larger than a piece': tar('file big 100000', 'file odd 65537 fill=b', 'file small 1'),
  'names with quotes, escapes and other scripts': tar(
    entry({ path: 'a"b\\c\n\u2028<>&\u202e', body: fill(3) }),
    entry({ path: '\u6f22\u5b57/\u00e9', body: fill(3) }),
  ),
  'everything at once': everyKind().layers.map(layer => (layer as { tar: Uint8Array }).tar)[1]!,
}

describe.each(formats)('%s: the index of the table is the index of the tar', (format, make) => {
  test.each(Object.entries(cases))('%s', (_, made) => {
    const index = indexOfToc(format, make(made).toc)
    const whole = format === 'estargz'
    expect(shown(index, whole)).toEqual(shown(indexOf(made), whole))
    expect(index.stored).toBe(indexOf(made).stored)
    expect(index.offset?.some(offset => offset >= 0) ?? false).toBe(false)
  })

  test('in pieces of any size it is the same', () => {
    const { toc } = make(cases['everything at once']!)
    for (const step of [1, 7, 4096]) expect(indexOfToc(format, toc, step)).toEqual(indexOfToc(format, toc))
  })

  test('equal contents have equal hashes, and only files that hold something have one', () => {
    const index = indexOfToc(format, make(tar('file a 5', 'file b 5', 'file c 5 fill=c', 'file d 0')).toc)
    const [a, b, c] = index.crc!
    expect([index.hashKind, a === b, a === c, [...index.hashed!]]).toEqual(['sha256', true, false, [1, 1, 1, 0]])
  })

  test('a name that is no UTF-8 has lost its bytes, and that is told', () => {
    const made = tar(entry({ path: Buffer.from([0x61, 0xff]), body: fill(1) }))
    const index = indexOfToc(format, make(made).toc)
    expect(shown(index).map(one => one.path)).toEqual(['a\ufffd'])
    expect(index.anomalies.map(one => one.kind)).toEqual(['lossy-name'])
  })

  test('the pieces of a file, each unpacked from its place, are the file', () => {
    const made = tar('file none 0', 'file big 150000', 'dir d', 'file d/small 7 fill=q', 'hard h -> big')
    const layer = make(made, { chunk: 65536 })
    const found = new Map<string, Buffer>()
    const chunks = chunksIn(format, layer.toc)
    const offsets = [...chunks.values()].flatMap(all => all.map(one => one.offset)).sort((a, b) => a - b)
    for (const [path, pieces] of chunks) {
      const bytes = pieces.map(one => {
        const end = one.end ?? offsets.find(offset => offset > one.offset) ?? layer.blob.length
        const packed = layer.blob.subarray(one.offset, end)
        const plain = format === 'estargz' ? gunzipSync(packed) : zstdDecompressSync(packed)
        return plain.subarray(one.inner, one.inner + one.size)
      })
      found.set(path, Buffer.concat(bytes))
    }
    expect(found.get('none')!.length).toBe(0)
    expect(found.get('big')!.equals(fill(150000))).toBe(true)
    expect(found.get('d/small')!.toString()).toBe('qqqqqqq')
  })
})

test('eStargz rounds times to seconds; zstd:chunked keeps them', () => {
  const made = tar('file a 1 mtime=5.75')
  expect(shown(indexOfToc('estargz', estargz(made).toc), true)[0]).toMatchObject({ mtime: 6, nsec: 0 })
  expect(shown(indexOfToc('zstd-chunked', zstdChunked(made).toc))[0]).toMatchObject({ mtime: 5, nsec: 750_000_000 })
})

test('the landmarks of eStargz are no files of the image; deeper down and in other formats they are', () => {
  const made = tar('file .prefetch.landmark 1', 'dir d', 'file d/.prefetch.landmark 1')
  const paths = (index: LayerIndex) => shown(index).map(one => one.path)
  expect(paths(indexOfToc('estargz', estargz(made).toc))).toEqual(['d', 'd/.prefetch.landmark'])
  expect(paths(indexOfToc('zstd-chunked', zstdChunked(made).toc))).toHaveLength(3)
})

test('several small files in one gzip member are found behind each other', () => {
  const layer = estargz(tar('file a 10 fill=x', 'file b 20 fill=y', 'file c 30 fill=z'), { together: true })
  const [piece] = chunksIn('estargz', layer.toc).get('b')!
  const plain = gunzipSync(layer.blob.subarray(piece!.offset))
  expect(plain.toString('latin1', piece!.inner, piece!.inner + piece!.size)).toBe('y'.repeat(20))
})

describe('a table that lies', () => {
  const refuse = (text: string | Uint8Array) => {
    try {
      indexOfToc('zstd-chunked', Buffer.from(text))
    } catch (error) {
      return error instanceof Fault ? error.message : `no fault: ${error}`
    }
    return 'taken'
  }

  test.each([
    ['no JSON', 'hello', 'it is no JSON'],
    ['nothing at all', '', 'it is no JSON'],
    ['cut off', '{"version":1,"entries":[{"name":"a"', 'it ends in the middle'],
    ['brackets that cross', '{"version":1,"entries":[{"name":"a"]}', 'its brackets do not match'],
    ['an entry that is no JSON', '{"version":1,"entries":[{name}]}', 'it is no JSON'],
    ['another version', '{"version":2,"entries":[]}', 'it is not of version 1'],
    ['a depth without end', `{"version":1,"entries":${'['.repeat(1000)}`, 'it is nested more than 64 levels deep'],
    ['a megabyte beside the entries', `{"x":"${'y'.repeat(2 << 20)}","version":1}`, 'more than a megabyte'],
    ['an entry of many megabytes', `{"version":1,"entries":[{"name":"${'y'.repeat(9 << 20)}"}]}`, 'longer than 8 MiB'],
  ])('%s is refused', (_, text, why) => {
    expect(refuse(text)).toContain(why)
  })

  test('what is no number, no text, no type is told and read as nothing', () => {
    const entries = [
      { name: 'a', type: 'reg', size: -5, mode: 'x', uid: 1e300, gid: 1.5, modtime: 7 },
      { name: 'b', type: 'constructor' },
      { name: 7, type: 'reg' },
      { name: 'c', type: 'symlink', linkName: 3 },
      { name: '../../etc/x', type: 'dir', xattrs: { a: 1, b: 'Yg==' } },
    ]
    const index = indexOfToc('zstd-chunked', Buffer.from(JSON.stringify({ version: 1, entries })))
    expect(shown(index).map(({ path, size, mode, uid }) => [path, size, mode, uid])).toEqual([
      ['a', 0, 0, 0],
      ['c', 0, 0, 0],
      ['etc/x', 0, 0, 0],
    ])
    expect(index.anomalies.map(one => one.kind).sort()).toEqual([
      ...Array(4).fill('bad-number'),
      'climbs-out',
      'odd-entry',
      'odd-entry',
    ])
  })
})

function indexOfToc(format: TocFormat, toc: Uint8Array, step = toc.length): LayerIndex {
  const builder = new IndexBuilder({ layer: 0 })
  const reader = tocReader(format, builder, 'the table')
  for (let at = 0; at < toc.length; at += step) reader.push(toc.subarray(at, at + step))
  reader.end()
  return builder.finish({ tarBytes: 0, diffId: null })
}

function chunksIn(format: TocFormat, toc: Uint8Array): Map<string, TocChunk[]> {
  const builder = new IndexBuilder({ layer: 0 })
  const found: [number, TocChunk[]][] = []
  const reader = tocReader(format, builder, 'the table', (at, chunks) => found.push([at, chunks]))
  reader.push(toc)
  reader.end()
  const index = builder.finish({ tarBytes: 0, diffId: null })
  return new Map(found.map(([at, chunks]) => [Buffer.from(pathOf(index, index.node[at]!)).toString(), chunks]))
}

/** Everything that a screen or a verb tells of the entries. `wholeSeconds`: times as eStargz has them. */
function shown(index: LayerIndex, wholeSeconds = false) {
  return Array.from({ length: index.entries }, (_, at) => {
    const { offset, path, link, xattrs, mtime, nsec, ...rest } = entryOf(index, at)
    const time = wholeSeconds ? { mtime: mtime + (nsec >= 500_000_000 ? 1 : 0), nsec: 0 } : { mtime, nsec }
    return {
      ...rest,
      ...time,
      path: Buffer.from(path).toString(),
      link: link && Buffer.from(link).toString(),
      xattrs:
        xattrs && Object.fromEntries(Array.from(xattrs, ([name, value]) => [name, Buffer.from(value).toString('hex')])),
      ours: isOfFormat(path),
    }
  }).filter(one => !one.ours || !wholeSeconds)
}

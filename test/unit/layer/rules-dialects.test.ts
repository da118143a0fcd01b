/** Stacking rule 11: every dialect of tar is read, and what is broken is a clear error. */
import { Buffer } from 'node:buffer'
import { describe, expect, test } from 'vitest'
import { Fault } from '../../../src/base/errors.ts'
import type { Entry } from '../../../src/layer/entry.ts'
import type { LayerIndex } from '../../../src/layer/layer-index.ts'
import { Stack } from '../../../src/layer/stack.ts'
import { indexOf, stackOf, treeText } from '../../harness/stacks.ts'
import { entry, fill, type Piece, pax, paxBody, raw, tar, tarWithoutEnd } from '../../harness/tar.ts'
import { header, padded } from '../../harness/tar-header.ts'
import { gnuSparse, paxSparse, type Segment } from '../../harness/tar-sparse.ts'

const after = 'file after 7'

/** The first entry of a tar that has `after` as its last, so that a wrong skip shows. */
function first(...parts: Piece[]): Entry {
  const stack = stackOf(tar(...parts, after))
  expect(treeText(stack).split('\n')).toContain('after 7')
  return entryOf(stack.layers[0])
}

function entryOf(index: LayerIndex, at = 0): Entry {
  const stack = new Stack()
  stack.push(index)
  const node = [...stack.view(0).current].findIndex(ref => ref >= 0 && stack.entry(ref).offset === index.offset?.[at])
  return stack.entry(stack.view(0).current[node])
}

function text(bytes: Uint8Array | null | undefined): string {
  return Buffer.from(bytes ?? []).toString()
}

describe('rule 11: dialects', () => {
  const long = `${'l'.repeat(120)}/${'m'.repeat(120)}`

  test('ustar with a prefix', () => {
    const name = 'f'.repeat(90)
    const block = header({ name, prefix: 'some/prefix', size: 3 })
    expect(text(first(raw(block, padded(fill(3)))).path)).toBe(`some/prefix/${name}`)
  })

  test('V7: no magic, no prefix; a trailing slash means a directory', () => {
    const made = tar(
      raw(header({ name: 'old', magic: 'v7', flag: '\0', size: 4 }), padded(fill(4))),
      raw(header({ name: 'dir/', magic: 'v7', flag: '\0', mode: 0o755 })),
      after,
    )
    expect(treeText(stackOf(made))).toBe('after 7\ndir/\nold 4')
  })

  test('the old file type flags NUL and 7 are files', () => {
    const contiguous = raw(header({ name: 'b', flag: '7', size: 4 }), padded(fill(4)))
    expect(treeText(stackOf(tar(raw(header({ name: 'a', flag: '\0' })), contiguous, after)))).toBe('a 0\nafter 7\nb 4')
  })

  test.each(['pax', 'gnu'] as const)('%s long names and long link targets', how => {
    const link = first(entry({ path: long, type: 'symlink', link: `${long}/t`, long: how }))
    expect([text(link.path), text(link.link)]).toEqual([long, `${long}/t`])
  })

  test('the last of several GNU long names counts', () => {
    const name = (text: string) =>
      raw(
        header({ name: '././@LongLink', flag: 'L', magic: 'gnu', size: text.length + 1 }),
        padded(Buffer.from(`${text}\0`)),
      )
    expect(text(first(name('one'), name('two'), entry({ path: 'short', magic: 'gnu' })).path)).toBe('two')
  })

  test('PAX: uid, gid, mtime with nanoseconds, path and linkpath', () => {
    const records = [
      ['path', 'p'],
      ['linkpath', 'q'],
      ['uid', '3000000000'],
      ['gid', '4000000000'],
      ['mtime', '1234567890.123456789'],
    ] as const
    const read = first(entry({ path: 'x', type: 'symlink', link: 'y', pax: records }))
    expect([text(read.path), text(read.link), read.uid, read.gid, read.mtime, read.nsec]).toEqual([
      'p',
      'q',
      3000000000,
      4000000000,
      1234567890,
      123456789,
    ])
  })

  test.each([
    ['-1', -1, 0],
    ['-0.5', -1, 500_000_000],
    ['-86400.25', -86401, 750_000_000],
    ['4294967296', 4294967296, 0],
    ['1.5000000009', 1, 500_000_000],
  ])('the PAX time %s', (written, mtime, nsec) => {
    const read = first(entry({ path: 'x', pax: [['mtime', written]] }))
    expect([read.mtime, read.nsec]).toEqual([mtime, nsec])
  })

  test('extended attributes are bytes, a NUL and a newline in them as well', () => {
    const value = Buffer.from([0, 10, 255, 61])
    const read = first(entry({ path: 'x', xattrs: { 'user.a': 'b', 'security.capability': value } }))
    expect([...(read.xattrs ?? [])].map(([name, bytes]) => [name, [...bytes]])).toEqual([
      ['user.a', [98]],
      ['security.capability', [0, 10, 255, 61]],
    ])
  })

  test('an attribute whose name holds a NUL is passed over', () => {
    const read = first(
      entry({ path: 'x', xattrs: { 'user.%00a': 'b', 'user.c': 'd' }, pax: [['SCHILY.xattr.user.n\0', 'z']] }),
    )
    expect([...(read.xattrs ?? [])].map(([name]) => name)).toEqual(['user.%00a', 'user.c'])
  })

  test('a PAX header goes for one entry', () => {
    const stack = stackOf(tar(entry({ path: 'x', pax: [['uid', '9']] }), 'file y 1'))
    expect(treeText(stack)).toBe('x 0 9:0\ny 1')
  })

  test('a global PAX header is passed over, as the engines do: it says nothing of single entries', () => {
    const stack = stackOf(
      tar(
        'file a 1',
        pax(
          [
            ['uid', '7'],
            ['comment', 'made by git'],
          ],
          'g',
        ),
        'file b 1',
        entry({ path: 'c', pax: [['uid', '9']] }),
        'file d 1',
      ),
    )
    expect(treeText(stack)).toBe('a 1\nb 1\nc 0 9:0\nd 1')
  })

  test('the PAX size is the one used for reading and for skipping', () => {
    const record = pax([['size', '700']])
    expect(first(record, raw(header({ name: 'x', size: 0 }), padded(fill(700)))).size).toBe(700)
  })

  test('sizes of entries that have no body mean nothing', () => {
    const kinds = ['1', '2', '3', '4', '5', '6']
    const blocks = kinds.map(flag => header({ name: `e${flag}`, flag, link: 'e', size: 5, mode: 0o644 }))
    expect(treeText(stackOf(tar(raw(...blocks), after))).split('\n')).toHaveLength(7)
  })

  test('base-256 numbers, negative times too', () => {
    const read = first(entry({ path: 'x', magic: 'gnu', uid: 2 ** 31, gid: 3_000_000_000, mtime: -100, base256: true }))
    expect([read.uid, read.gid, read.mtime]).toEqual([2 ** 31, 3_000_000_000, -100])
  })

  test('a base-256 size is read and skipped', () => {
    const size = Buffer.alloc(12)
    size[0] = 0x80
    size.writeUInt32BE(600, 8)
    expect(first(raw(header({ name: 'x', rawFields: { size } }), padded(fill(600)))).size).toBe(600)
  })

  test('numbers with spaces and without an end', () => {
    const fields = { mode: '   644 ', uid: ' 17\0', gid: '00000021', size: '        3 ' }
    const read = first(raw(header({ name: 'x', rawFields: fields }), padded(fill(3))))
    expect([read.mode, read.uid, read.gid, read.size]).toEqual([0o644, 15, 17, 3])
  })

  test('devices', () => {
    expect(treeText(stackOf(tar('char c 10,200 0600\nblock b 8,1\nfifo f', after)))).toBe(
      'after 7\nb b8,1\nc c10,200 0600\nf fifo',
    )
  })

  test('mode: only permissions, setuid, setgid and sticky count', () => {
    expect(first(raw(header({ name: 'x', mode: 0o104755 }))).mode).toBe(0o4755)
  })
})

describe('rule 11: sparse files have their logical size and store less', () => {
  const segments: Segment[] = [
    [100, fill(10, 'b')],
    [4000, fill(1000, 'c')],
  ]
  const many: Segment[] = Array.from({ length: 60 }, (_, at) => [at * 2000, fill(10 + at)] as const)

  test.each([
    ['GNU', gnuSparse],
    ['PAX 0.0', (...rest: Parameters<typeof gnuSparse>) => paxSparse('0.0', ...rest)],
    ['PAX 0.1', (...rest: Parameters<typeof gnuSparse>) => paxSparse('0.1', ...rest)],
    ['PAX 1.0', (...rest: Parameters<typeof gnuSparse>) => paxSparse('1.0', ...rest)],
  ])('%s', (_, sparse) => {
    const few = first(sparse('sp', 6000, segments))
    expect([text(few.path), few.size]).toEqual(['sp', 6000])
    expect(first(sparse('sp', 130_000, many)).size).toBe(130_000)
    expect(first(sparse('sp', 60_000_000_000, [])).size).toBe(60_000_000_000)
  })
})

describe('rule 11: the end of the archive', () => {
  test('no zero blocks at all', () => {
    expect(treeText(stackOf(tarWithoutEnd('file a 5')))).toBe('a 5')
  })

  test('one zero block', () => {
    expect(treeText(stackOf(tarWithoutEnd('file a 5', raw(Buffer.alloc(512)))))).toBe('a 5')
  })

  test('anything after two zero blocks is not read', () => {
    expect(treeText(stackOf(Buffer.concat([tar('file a 5'), fill(700, 'x')])))).toBe('a 5')
  })

  test('an empty tar and no bytes at all', () => {
    expect([treeText(stackOf(tar())), treeText(stackOf(new Uint8Array(0)))]).toEqual(['', ''])
  })
})

describe('rule 11: what is broken is a clear error, and names the layer, the offset and the entry', () => {
  const good = tarWithoutEnd('file some/file 600')

  test.each([
    ['a bad checksum', raw(header({ name: 'bad', badChecksum: true })), /layer 4.*1536/],
    ['text in place of a header', raw(fill(512, 'x')), /layer 4.*1536/],
    ['a negative size in base 256', raw(header({ name: 'bad', size: -5, base256: true })), /layer 4.*1536/],
    ['a negative PAX size', entry({ path: 'bad', pax: [['size', '-5']] }), /layer 4.*2560/],
    ['a PAX size that is no number', entry({ path: 'bad', pax: [['size', 'many']] }), /layer 4/],
    ['a size with letters', raw(header({ name: 'bad', rawFields: { size: 'zzzzzzzzzzz' } })), /layer 4/],
    [
      'a PAX header that claims a terabyte',
      raw(header({ name: 'x', flag: 'x', size: 2 ** 32 }), header({ name: 'bad' })),
      /layer 4/,
    ],
    [
      'a GNU long name that claims a terabyte',
      raw(header({ name: 'x', flag: 'L', magic: 'gnu', size: 2 ** 40 })),
      /layer 4/,
    ],
  ])('%s', (_, broken, message) => {
    const bytes = Buffer.concat([good, broken.blocks, tar(after)])
    const error = faultOf(() => indexOf(bytes, 4))
    expect(error.message).toMatch(message)
    expect(error.message).not.toMatch(/\n|undefined|NaN/)
  })

  test.each([
    ['inside a header', good.length + 100],
    ['inside a body', 700],
  ])('truncated %s', (where, length) => {
    const bytes = Buffer.concat([good, tar(after)]).subarray(0, length)
    const error = faultOf(() => indexOf(bytes, 4))
    expect(error.message).toMatch(/layer 4/)
    if (where.includes('body')) expect(error.message).toContain('some/file')
  })

  test('a body is whole when only its padding is cut off', () => {
    expect(treeText(stackOf(good.subarray(0, 512 + 650)))).toBe('some/ (implied)\nsome/file 600')
  })

  test('an extension header that nothing follows', () => {
    expect(treeText(stackOf(tarWithoutEnd('file a 5', pax([['path', 'x']]))))).toBe('a 5')
  })

  test.each([
    ['length 0', '0 path=a\n'],
    ['a negative length', '-9 path=a\n'],
    ['a length past the end', '9999 path=a\n'],
    ['no equals sign', '9 pathaa\n'],
    ['no newline', '9 path=aX'],
    ['no length', 'path=a\n'],
  ])('a PAX record with %s is an error or is passed over, in bounded memory', (_, body) => {
    const made = tar(paxBody(body), 'file a 5', after)
    try {
      expect(treeText(stackOf(made))).toContain('after 7')
    } catch (error) {
      expect(error).toBeInstanceOf(Fault)
    }
  })
})

describe('rule 11: how the bytes are cut up does not matter', () => {
  const made = tar(
    'dir etc 0700 1:2\nfile etc/passwd 1000 x:user.a=b mtime=5.25\nhard b -> etc/passwd',
    entry({ path: 'n'.repeat(700), long: 'gnu', body: fill(513) }),
    gnuSparse(
      'sp',
      100_000,
      Array.from({ length: 60 }, (_, at) => [at * 1500, fill(7)] as const),
    ),
    paxSparse('1.0', 'sp1', 5000, [[100, fill(10)]]),
    after,
  )

  test.each([1, 7, 511, 512, 513, 4096])('%s bytes at a time', step => {
    expect(indexOf(made, 0, step)).toEqual(indexOf(made, 0))
  })
})

function faultOf(run: () => unknown): Fault {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(Fault)
    return error as Fault
  }
  throw new Error('nothing failed')
}

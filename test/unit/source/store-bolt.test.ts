/** bbolt databases: what is in them is found, a transaction is seen whole, and nothing in them can do harm. */
import { writeFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Fault } from '../../../src/base/errors.ts'
import { type Bucket, readBolt } from '../../../src/source/bolt.ts'
import { type BoltTree, boltFile } from '../../harness/bolt-file.ts'
import { scratch } from '../../harness/scratch.ts'

const many: BoltTree = Object.fromEntries(
  Array.from({ length: 500 }, (_, at) => [`key ${at}`, `value ${at}`.repeat(3)]),
)
const tree: BoltTree = {
  v1: { moby: { images: { 'docker.io/library/node:20': { target: { digest: 'sha256:1', size: '\u0005' } } } } },
  empty: {},
  many,
  large: 'x'.repeat(20_000),
}

describe('what is in a database', () => {
  test.each([
    ['as bbolt writes it', {}],
    ['without inline buckets', { inline: false }],
    ['with large pages', { pageSize: 16384 }],
    ['with small pages', { pageSize: 1024 }],
  ])('%s', (_, options) => {
    const path = scratch().put('db', boltFile(tree, options))
    expect(readBolt(path, root => plain(root))).toEqual(tree)
  })

  test('keys and buckets are found by their names; what is not there is null', () => {
    const path = scratch().put('db', boltFile(tree))
    readBolt(path, root => {
      const target = root.bucket('v1', 'moby', 'images', 'docker.io/library/node:20', 'target')
      expect(text(target?.get('digest'))).toBe('sha256:1')
      for (let at = 0; at < 500; at++) expect(text(root.bucket('many')?.get(`key ${at}`))).toBe(`value ${at}`.repeat(3))
      expect([root.get('nothing'), root.get('v1'), root.bucket('large'), root.bucket('v1', 'x', 'y')]).toEqual([
        null,
        null,
        null,
        null,
      ])
      expect([root.get(''), root.get('zzz'), root.bucket('empty')?.get('a'), root.bucket('many')?.get('key')]).toEqual([
        null,
        null,
        null,
        null,
      ])
    })
  })
})

describe('a database that is written meanwhile', () => {
  test('is read again when another transaction was committed', () => {
    const path = scratch().put('db', boltFile({ a: { b: '1' } }, { transaction: 7n }))
    let readings = 0
    const value = readBolt(path, root => {
      if (++readings === 1) writeFileSync(path, boltFile({ a: { b: '2' } }, { transaction: 8n }))
      return text(root.bucket('a')?.get('b'))
    })
    expect([value, readings]).toEqual(['2', 2])
  })

  test('is given up when it changes all the time', () => {
    let transaction = 7n
    const path = scratch().put('db', boltFile({ a: '1' }, { transaction }))
    expect(readBolt(path, () => writeFileSync(path, boltFile({ a: '1' }, { transaction: ++transaction })))).toBeNull()
  })

  test('the older meta serves while the newer one is half written', () => {
    const file = boltFile({ a: '1' })
    file.fill(0, 4096, 4096 + 80)
    expect(readBolt(scratch().put('db', file), root => text(root.get('a')))).toBe('1')
  })

  test('and the newer one while the older one is', () => {
    const file = boltFile({ a: '1' })
    file.fill(0, 16, 80)
    expect(readBolt(scratch().put('db', file), root => text(root.get('a')))).toBe('1')
  })
})

describe('a database that is damaged or hostile', () => {
  test.each([
    ['empty', Buffer.alloc(0)],
    ['text', Buffer.from('hello'.repeat(10_000))],
    ['cut behind its metas', boltFile(tree).subarray(0, 8192)],
    ['cut in the middle', boltFile(tree).subarray(0, 20_000)],
  ])('%s: a clear error', (_, file) => {
    expect(() => readBolt(scratch().put('db', file), plain)).toThrow(Fault)
  })

  test('a page that is its own child does not go on for ever', () => {
    const file = boltFile({ many })
    const root = rootPage(file)
    file.writeUInt16LE(1, root * 4096 + 8)
    file.writeUInt16LE(1, root * 4096 + 10)
    file.writeBigUInt64LE(BigInt(root), root * 4096 + 16 + 8)
    const path = scratch().put('db', file)
    expect(() => readBolt(path, db => db.get('a'))).toThrow('its tree has no leaves')
    expect(() => readBolt(path, db => [...db.entries()])).toThrow('twice')
  })

  test('a page that claims to be as large as memory is not read', () => {
    const file = boltFile({ many })
    file.writeUInt32LE(0xfffffffe, rootPage(file) * 4096 + 12)
    expect(() => readBolt(scratch().put('db', file), plain)).toThrow('claims to be too large')
  })

  test('whatever bytes are changed: an error or a result, soon', () => {
    const good = boltFile(tree)
    const path = scratch().put('db', good)
    const change = fc.tuple(fc.nat(good.length - 1), fc.nat(255))
    // Metas are guarded by a sum; without damaging it, only the pages behind them are reached.
    const behind = fc.tuple(
      fc.integer({ min: 8192, max: good.length - 1 }),
      fc.constantFrom(0, 1, 2, 0xff, 0x7f, 3, 0x10),
    )
    fc.assert(
      fc.property(fc.array(fc.oneof(change, behind), { minLength: 1, maxLength: 40 }), changes => {
        const bad = Buffer.from(good)
        for (const [at, byte] of changes) bad[at] = byte
        writeFileSync(path, bad)
        try {
          readBolt(path, root => plain(root))
        } catch (error) {
          expect(error).toBeInstanceOf(Fault)
        }
      }),
      { numRuns: 400 },
    )
  })
})

/** Everything below a bucket, as deep as a test wants to know. */
function plain(bucket: Bucket, depth = 0): BoltTree {
  const all: [string, BoltTree[string]][] = []
  for (const { key, value } of bucket.entries()) {
    const below = value === null && depth < 8 ? bucket.bucket(key) : null
    all.push([text(key)!, value === null ? (below ? plain(below, depth + 1) : {}) : text(value)!])
    if (all.length > 10_000) break
  }
  return Object.fromEntries(all)
}

/** The page that the newer meta names as the root. */
function rootPage(file: Buffer): number {
  return Number(file.readBigUInt64LE(4096 + 16 + 16))
}

function text(bytes: Uint8Array | null | undefined): string | null {
  return bytes == null ? null : Buffer.from(bytes).toString('utf8')
}

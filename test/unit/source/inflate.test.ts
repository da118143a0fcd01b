import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createGzip, gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { createInflate, type InflateOptions } from '../../../src/source/inflate.ts'
import { type Compression, compressionOf } from '../../../src/source/sniff.ts'

const text = Buffer.from(Array.from({ length: 30_000 }, (_, at) => `line ${at * at}\n`).join(''))
const strata = Buffer.from('strata strata strata')
const xz = Buffer.from(
  '/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AATAA1dADmdCow8YX4xbgSPAAAAAAAAM89/Wm+u+UUAASkUvf4afh+2830BAAAAAARZWg==',
  'base64',
)
const bzip2 = Buffer.from('QlpoOTFBWSZTWYLXmAkAAAWRgEAAIAAcACAAMM0A2UyMxROsTHi7kinChIQWvMBI', 'base64')
const skippable = Buffer.from([0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3])

/** What comes out when the stream arrives in pieces of `size` bytes. */
async function inflate(stream: Uint8Array, size: number, options: Partial<InflateOptions> = {}, kind?: Compression) {
  const pieces: Uint8Array[] = []
  const decoder = createInflate(kind ?? compressionOf(stream), chunk => pieces.push(chunk.slice()), {
    name: 'layer 1 of x.tar',
    check: true,
    ...options,
  })
  try {
    for (let at = 0; at < stream.length; at += size) await decoder.push(stream.subarray(at, at + size))
    await decoder.end()
    return { plain: Buffer.concat(pieces), garbage: decoder.garbage }
  } finally {
    decoder.close()
  }
}

/** A gzip member with every optional field of RFC 1952. */
function decorated(plain: Uint8Array): Buffer {
  const member = gzipSync(plain)
  const head = Buffer.from(member.subarray(0, 10))
  head[3] = 2 | 4 | 8 | 16
  return Buffer.concat([
    head,
    Buffer.from([5, 0, 1, 2, 3, 4, 5]),
    Buffer.from('name\0comment\0'),
    Buffer.from([9, 9]),
    member.subarray(10),
  ])
}

const ways: Record<string, Partial<InflateOptions>> = {
  'on the thread': {},
  'on the thread, without the addon': { addon: null },
  'off the thread': { background: true },
}

for (const [way, options] of Object.entries(ways)) {
  describe(way, () => {
    const cases: [string, Buffer, Buffer][] = [
      ['gzip', gzipSync(text), text],
      [
        'gzip of several members',
        Buffer.concat([gzipSync(strata), gzipSync(Buffer.alloc(0)), gzipSync(text)]),
        Buffer.concat([strata, text]),
      ],
      ['gzip with padding behind it', Buffer.concat([gzipSync(text), Buffer.alloc(700)]), text],
      ['gzip with name, comment, extra field and header CRC', decorated(strata), strata],
      ['gzip of nothing', gzipSync(Buffer.alloc(0)), Buffer.alloc(0)],
      ['zstd', zstdCompressSync(text), text],
      [
        'zstd of several frames',
        Buffer.concat([zstdCompressSync(strata), zstdCompressSync(text)]),
        Buffer.concat([strata, text]),
      ],
      ['zstd with skippable frames', Buffer.concat([skippable, zstdCompressSync(text), skippable]), text],
      [
        'zstd of stored blocks',
        zstdCompressSync(createHash('sha512').update('x').digest()),
        createHash('sha512').update('x').digest(),
      ],
      ['xz', xz, strata],
      ['bzip2', bzip2, strata],
      ['bzip2 of several streams', Buffer.concat([bzip2, bzip2]), Buffer.concat([strata, strata])],
    ]
    for (const [what, stream, plain] of cases) {
      for (const size of [1, 7, 4096, 1 << 20]) {
        if (size === 1 && stream.length > 5000) continue
        test(`${what}, in pieces of ${size} bytes`, async () => {
          const result = await inflate(stream, size, options)
          expect(result.plain.equals(plain)).toBe(true)
          expect(result.garbage).toBe(0)
        })
      }
    }

    for (const [what, stream, kind] of [
      ['gzip', gzipSync(text), 'gzip'],
      ['zstd', zstdCompressSync(text), 'zstd'],
      ['xz', xz, 'xz'],
      ['bzip2', bzip2, 'bzip2'],
    ] as const) {
      test(`${what}: truncation is told wherever it happens`, async () => {
        const cuts = [0, 1, 5, 12, 20, stream.length >> 1, stream.length - 9, stream.length - 5, stream.length - 1]
        for (const cut of cuts) {
          await expect(inflate(stream.subarray(0, cut), 64, options, kind), `cut at ${cut}`).rejects.toThrow(
            /^layer 1 of x\.tar can not be decompressed \((gzip|zstd|xz|bzip2)\): it is truncated\.$/,
          )
        }
      })

      test(`${what}: damaged bytes are told or harmless, never a crash`, async () => {
        for (let at = 0; at < stream.length; at += Math.max(1, stream.length >> 6)) {
          const damaged = Buffer.from(stream)
          damaged[at]! ^= 0x55
          const result = await inflate(damaged, 500, options, kind).catch(error => error)
          if (result instanceof Error) expect(result.message).toMatch(/^layer 1 of x\.tar can not be decompressed/)
        }
      })
    }

    test('rubbish behind the end of the stream is counted and skipped', async () => {
      for (const stream of [gzipSync(strata), zstdCompressSync(strata), bzip2]) {
        for (const size of [1, 1000]) {
          const { plain, garbage } = await inflate(Buffer.concat([stream, Buffer.from('rubbish!')]), size, options)
          expect(plain.equals(strata)).toBe(true)
          expect(garbage).toBe(8)
        }
      }
    })
  })
}

test('a gzip member that lies about its length or its CRC is refused', async () => {
  for (const at of [1, 5]) {
    const stream = gzipSync(strata)
    stream[stream.length - at]! ^= 1
    await expect(inflate(stream, 100)).rejects.toThrow(at === 1 ? /its length/ : /its CRC-32/)
  }
})

test('a sink that throws stops the decoder, and its error comes out', async () => {
  for (const stream of [gzipSync(text), zstdCompressSync(text), xz, bzip2]) {
    for (const options of Object.values(ways)) {
      const decoder = createInflate(
        compressionOf(stream),
        () => {
          throw new Error('enough')
        },
        { name: 'it', ...options },
      )
      const run = async () => {
        await decoder.push(stream)
        await decoder.end()
      }
      await expect(run()).rejects.toThrow(/enough/)
      decoder.close()
    }
  }
})

test('memory stays flat while 1 GiB of zeros comes out of 1 MiB', async () => {
  const packer = createGzip({ level: 9 })
  const packed: Buffer[] = []
  packer.on('data', piece => packed.push(piece))
  const zeros = Buffer.alloc(16 << 20)
  for (let at = 0; at < 64; at++) await new Promise(resolve => packer.write(zeros, resolve))
  packer.end()
  await once(packer, 'end')
  const before = process.memoryUsage()
  let bytes = 0
  let peak = 0
  const decoder = createInflate(
    'gzip',
    chunk => {
      bytes += chunk.length
      const now = process.memoryUsage.rss()
      if (now > peak) peak = now
    },
    { name: 'it' },
  )
  decoder.push(Buffer.concat(packed))
  decoder.end()
  decoder.close()
  expect(bytes).toBe(2 ** 30)
  expect(peak - before.rss).toBeLessThan(32 << 20)
})

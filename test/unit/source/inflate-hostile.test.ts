/** RFC 1951 and 1952 at their edges: the addon takes what zlib takes, gives what zlib gives, and refuses the rest. */
import { createHash } from 'node:crypto'
import { constants, crc32, deflateRawSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { layerDigests } from '../../../src/source/digests.ts'
import { createInflate } from '../../../src/source/inflate.ts'
import { nativeInflate } from '../../../src/source/native-inflate.ts'
import { bits, dynamicHeader, fixedBlock, fixedCode, lengthCode } from '../../harness/deflate.ts'

/** Null where nothing was built; then both sides are zlib. */
const addon = nativeInflate()

/** A gzip member around a deflate stream; the sums are of `plain`. */
function member(deflate: Uint8Array, plain: Uint8Array): Buffer {
  const trailer = Buffer.alloc(8)
  trailer.writeUInt32LE(crc32(plain), 0)
  trailer.writeUInt32LE(plain.length, 4)
  return Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]), deflate, trailer])
}

/** What comes out, or "refused"; the stream arrives in pieces of these sizes, in turns. */
function outcome(stream: Uint8Array, sizes: number[], native: typeof addon): string {
  const hash = createHash('sha256')
  let made = 0
  const decoder = createInflate(
    'gzip',
    chunk => {
      made += chunk.length
      hash.update(chunk)
    },
    { name: 'it', check: true, addon: native },
  )
  try {
    for (let at = 0, turn = 0; at < stream.length; turn++) {
      const size = sizes[turn % sizes.length]!
      decoder.push(stream.subarray(at, at + size))
      at += size
    }
    decoder.end()
    return `${made} bytes ${hash.digest('hex')}, ${decoder.garbage} of rubbish`
  } catch (error) {
    return `refused: ${String(error).includes('truncated') ? 'truncated' : 'broken'}`
  } finally {
    decoder.close()
  }
}

const cuts = [[1], [2, 3], [64], [700, 1, 5], [1 << 20]]

function alike(stream: Uint8Array): string {
  const expected = outcome(stream, [1 << 20], null)
  for (const sizes of cuts) expect(outcome(stream, sizes, addon), `in pieces of ${sizes}`).toBe(expected)
  return expected
}

/** 257 lengths of which these symbols have these. */
function lengths(of: Record<number, number>, count = 257): number[] {
  return Array.from({ length: count }, (_, symbol) => of[symbol] ?? 0)
}

const a = fixedCode(97)
const end = fixedCode(256)
const far = '00000'

const accepted: [string, Uint8Array, string][] = [
  ['nothing, in a fixed block', fixedBlock().code(end).bytes(), ''],
  ['a literal', fixedBlock().code(a).code(end).bytes(), 'a'],
  ['the longest match', fixedBlock().code(a).code(fixedCode(285)).code(far).code(end).bytes(), 'a'.repeat(259)],
  [
    'length 258 written as 227 and extra bits',
    fixedBlock().code(a).code(fixedCode(284)).number(31, 5).code(far).code(end).bytes(),
    'a'.repeat(259),
  ],
  [
    'a stored block of nothing before the last one',
    bits().number(0, 3).align().number(0, 16).number(0xffff, 16).number(1, 1).number(1, 2).code(a).code(end).bytes(),
    'a',
  ],
  [
    'a code of one literal and the end',
    dynamicHeader(lengths({ 97: 1, 256: 1 }), [0])
      .code('0')
      .code('1')
      .bytes(),
    'a',
  ],
  [
    'a code of the end alone, of one bit',
    dynamicHeader(lengths({ 256: 1 }), [0])
      .code('0')
      .bytes(),
    '',
  ],
  [
    'a single distance code of one bit',
    dynamicHeader(lengths({ 97: 1, 256: 2, 257: 2 }, 258), [1])
      .code('0')
      .code('11')
      .code('0')
      .code('10')
      .bytes(),
    'aaaa',
  ],
  [
    'codes of 15 bits',
    dynamicHeader(lengths(Object.fromEntries([...Array(15).keys()].map(i => [97 + i, i + 1]).concat([[256, 15]]))), [0])
      .code('0')
      .code(`${'1'.repeat(14)}0`)
      .code('1'.repeat(15))
      .bytes(),
    'ao',
  ],
]

for (const [what, deflate, plain] of accepted) {
  test(`taken: ${what}`, () => {
    expect(alike(member(deflate, Buffer.from(plain)))).toMatch(new RegExp(`^${plain.length} bytes`))
  })
}

const refused: [string, Uint8Array][] = [
  ['a block of the reserved type', bits().number(1, 1).number(3, 2).bytes()],
  ['a stored block whose length is not said twice', bits().number(1, 3).align().number(3, 16).number(3, 16).bytes()],
  ['287 codes for literals and lengths', bits().number(5, 3).number(30, 5).number(0, 5).number(15, 4).bytes()],
  ['31 codes for distances', bits().number(5, 3).number(0, 5).number(30, 5).number(15, 4).bytes()],
  ['a code for lengths with too many codes', bits().number(5, 3).number(0, 10).number(0, 4).number(0o1111, 12).bytes()],
  ['a code for lengths with too few', bits().number(5, 3).number(0, 10).number(0, 4).number(0o0001, 12).bytes()],
  ['no code for lengths at all', bits().number(5, 3).number(0, 10).number(0, 4).number(0, 12).bytes()],
  [
    'a repetition before any length',
    bits()
      .number(5, 3)
      .number(0, 10)
      .number(15, 4)
      .number(0o1, 3)
      .number(0, 15 * 3)
      .number(0, 3)
      .number(1, 3)
      .bytes(),
  ],
  ['a repetition beyond the last length', repeated(18)],
  ['too many literal codes', dynamicHeader(lengths({ 97: 1, 98: 1, 256: 1 }), [0]).bytes()],
  ['too few literal codes', dynamicHeader(lengths({ 97: 2, 256: 2 }), [0]).bytes()],
  ['too many distance codes', dynamicHeader(lengths({ 97: 1, 256: 1 }), [1, 1, 1]).bytes()],
  ['too few distance codes', dynamicHeader(lengths({ 97: 1, 256: 1 }), [2, 2]).bytes()],
  ['no end of the block', dynamicHeader(lengths({ 97: 1, 98: 1 }), [0]).bytes()],
  ['length 286', fixedBlock().code(a).code(fixedCode(286)).code(far).code(end).bytes()],
  ['length 287', fixedBlock().code(a).code(fixedCode(287)).code(far).code(end).bytes()],
  ['distance code 30', fixedBlock().code(a).code(fixedCode(257)).code('11110').code(end).bytes()],
  ['distance code 31', fixedBlock().code(a).code(fixedCode(257)).code('11111').code(end).bytes()],
  ['a distance before the first byte', fixedBlock().code(fixedCode(257)).code(far).code(end).bytes()],
  ['a distance one too far', fixedBlock().code(a).code(fixedCode(257)).code('00001').code(end).bytes()],
  [
    'the other code where there is a single distance code',
    dynamicHeader(lengths({ 97: 1, 256: 2, 257: 2 }, 258), [1])
      .code('0')
      .code('11')
      .code('1')
      .bytes(),
  ],
  [
    'a length where there is no distance code',
    dynamicHeader(lengths({ 97: 1, 256: 2, 257: 2 }, 258), [0])
      .code('0')
      .code('11')
      .code('0')
      .bytes(),
  ],
]

/** 257 lengths of which the last is a repetition of up to 138. */
function repeated(symbol: number): Uint8Array {
  const header = dynamicHeader(lengths({ 97: 1 }, 256).concat([1]), [])
  return header.code(lengthCode(symbol)).number(127, 7).bytes()
}

for (const [what, deflate] of refused) {
  // Behind the fault comes enough for the fast loop to be the one that meets it.
  for (const tail of [64, 4096]) {
    test(`refused: ${what}, ${tail} bytes before the end`, () => {
      expect(alike(member(Buffer.concat([deflate, Buffer.alloc(tail)]), Buffer.alloc(0)))).toBe('refused: broken')
    })
  }
}

/** Numbers in 0..below, always the same for a seed. */
function random(seed: number): (below: number) => number {
  let state = seed * 2654435761 + 1
  return below => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x297a2d39) | 0
    return ((state ^ (state >>> 13)) >>> 0) % below
  }
}

/** Stretches of noise, text, zeros and what stood before at any distance. */
function content(next: (below: number) => number, length: number): Buffer {
  const plain = Buffer.alloc(length)
  for (let at = 0; at < length; ) {
    const stop = Math.min(length, at + 1 + next(next(3) === 0 ? 40_000 : 300))
    const kind = next(4)
    const distance = 1 + next(Math.min(at, next(2) === 0 ? 40 : 32768) || 1)
    for (; at < stop; at++) {
      if (kind === 0) plain[at] = next(256)
      else if (kind === 1) plain[at] = 97 + next(1 + next(26))
      else if (kind === 2) plain[at] = at >= distance ? plain[at - distance]! : 0
    }
  }
  return plain
}

const { Z_FIXED, Z_RLE, Z_HUFFMAN_ONLY, Z_FILTERED, Z_DEFAULT_STRATEGY } = constants
const strategies = [Z_DEFAULT_STRATEGY, Z_FIXED, Z_RLE, Z_HUFFMAN_ONLY, Z_FILTERED]

test('whatever zlib writes comes out again, however it is cut', () => {
  for (let seed = 1; seed <= 60; seed++) {
    const next = random(seed)
    const plain = content(next, next(seed % 10 === 0 ? 900_000 : 70_000))
    const options = { level: next(10), strategy: strategies[next(5)]!, memLevel: 1 + next(9), windowBits: 9 + next(7) }
    const stream = Buffer.concat([member(deflateRawSync(plain, options), plain), member(deflateRawSync(plain), plain)])
    const expected = `${plain.length * 2} bytes ${createHash('sha256').update(plain).update(plain).digest('hex')}, 0 of rubbish`
    const sizes = Array.from({ length: 1 + next(4) }, () => 1 + next(seed % 3 === 0 ? 20 : 100_000))
    expect(outcome(stream, sizes, addon), `seed ${seed}`).toBe(expected)
  }
})

test('damaged streams are taken and refused as zlib takes and refuses them', () => {
  const seen = new Set<string>()
  for (let seed = 1; seed <= 1500; seed++) {
    const next = random(seed)
    const plain = content(next, next(3000))
    const stream = member(deflateRawSync(plain, { level: next(10), strategy: strategies[next(5)]! }), plain)
    for (let damage = 1 + next(3); damage > 0; damage--) stream[10 + next(stream.length - 10)]! ^= 1 << next(8)
    const cut = stream.subarray(0, next(4) === 0 ? next(stream.length) : stream.length)
    const expected = outcome(cut, [1 << 20], null)
    seen.add(expected.replace(/\d.*/, ''))
    expect(outcome(cut, [1 + next(50), 1 + next(2000)], addon), `seed ${seed}`).toBe(expected)
  }
  expect(seen).toContain('refused: broken')
  expect(seen).toContain('refused: truncated')
})

test('both digests of a layer, however its pieces fall', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const next = random(seed)
    const blob = content(next, next(5000))
    const tar = content(next, next(9000))
    for (const sums of [layerDigests(true), layerDigests(true, null)]) {
      for (let at = 0, told = 0; at < blob.length; ) {
        const piece = blob.subarray(at, (at += 1 + next(700)))
        sums.blob(piece)
        for (let parts = next(4); parts > 0; parts--) sums.tar(tar.subarray(told, (told += next(400))))
        if (at >= blob.length) sums.tar(tar.subarray(told))
        sums.settle()
      }
      if (blob.length === 0) sums.tar(tar)
      expect(sums.end()).toEqual({ blob: sha256(blob), tar: sha256(tar) })
    }
  }
  const alone = layerDigests(false)
  alone.tar(Buffer.from('abc'))
  expect(alone.end()).toEqual({ blob: sha256(Buffer.from('abc')), tar: sha256(Buffer.from('abc')) })
})

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

test('the addon refuses arguments that do not fit, and reads nothing beyond them', () => {
  if (addon === null) return expect(addon).toBeNull()
  const decoder = new Uint8Array(addon.decoderBytes)
  const output = new Uint8Array(addon.windowBytes + 10)
  const input = new Uint8Array(4)
  const wrong: unknown[][] = [
    [],
    [decoder.subarray(1), input, 0, 4, output],
    [decoder, input, 0, 5, output],
    [decoder, input, 3, 2, output],
    [decoder, input, -1, 4, output],
    [decoder, input, 0, 4, output.subarray(10)],
    [new Float64Array(9000), input, 0, 4, output],
    [decoder, 'text', 0, 4, output],
    [null, null, null, null, null],
  ]
  const inflate = addon.inflate as (...args: unknown[]) => unknown
  for (const args of wrong) expect(() => inflate(...args)).toThrow(TypeError)
})

import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  cutEnd,
  cutMiddle,
  fit as fitted,
  safe,
  safeBytes,
  safeJson,
  safeLines,
  width,
} from '../../../src/base/text.ts'

const bytes = (...values: (number | string)[]) =>
  new Uint8Array(
    Buffer.concat(values.map(value => (typeof value === 'string' ? Buffer.from(value) : Buffer.of(value)))),
  )

describe('foreign text cannot drive the terminal', () => {
  test.each([
    ['plain name.txt', 'plain name.txt'],
    ['日本語 é ✓', '日本語 é ✓'],
    ['\x1b[31mRED', '\\x1b[31mRED'],
    ['\x1b]0;title\x07', '\\x1b]0;title\\x07'],
    ['a\nb\tc\rd\be', 'a\\x0ab\\x09c\\x0dd\\x08e'],
    ['\x7f', '\\x7f'],
    ['\u009b31m', '\\u{9b}31m'],
    ['abc\u202etxt.exe', 'abc\\u{202e}txt.exe'],
    ['\u2066x\u2069\u200e\u200f\u061c', '\\u{2066}x\\u{2069}\\u{200e}\\u{200f}\\u{61c}'],
    ['a\u200bb\u200cc\u200dd\u2060e\ufefff', 'a\\u{200b}b\\u{200c}c\\u{200d}d\\u{2060}e\\u{feff}f'],
    ['tag\u{e0041}', 'tag\\u{e0041}'],
    ['line\u2028para\u2029', 'line\\u{2028}para\\u{2029}'],
    ['lone \ud800 and \udc00', 'lone \\u{d800} and \\u{dc00}'],
    ['blank \u3164\u2800', 'blank \\u{3164}\\u{2800}'],
    ['\u0301 first', '\\u{301} first'],
    ['heart \u2764\ufe0f', 'heart \u2764\ufe0f'],
    ['C:\\x41\\users', 'C:\\x41\\users'],
  ])('%j is shown as %j', (foreign, shown) => expect(safe(foreign)).toBe(shown))

  test('marks cannot pile up on one letter', () => {
    expect(safe(`a${'\u0301'.repeat(10)}`)).toBe(`a${'\u0301'.repeat(8)}\\u{301}\\u{301}`)
  })

  test('nothing that is harmful is left, whatever comes in', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text => {
        expect(safe(text)).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
      }),
    )
  })

  test('lines are split, tabs take their columns', () => {
    expect(safeLines('a\tb\r\n日\tc\n\x1b[2J')).toEqual(['a       b', '日      c', '\\x1b[2J'])
  })
})

describe('names', () => {
  test.each([
    [bytes('café.txt'), 'café.txt'],
    [bytes(0xff, 0xfe, 'x'), '\\xff\\xfex'],
    [bytes('a', 0xed, 0xa0, 0x80), 'a\\xed\\xa0\\x80'],
    [bytes(0xc3, 'é', 0xe2, 0x80), '\\xc3é\\xe2\\x80'],
    [bytes(0xc0, 0xaf), '\\xc0\\xaf'],
    [bytes(0xc2, 0x9b), '\\u{9b}'],
    [bytes(0x9b), '\\x9b'],
    [bytes('\\x9b'), '\\\\x9b'],
    [bytes('\\u{9b}'), '\\\\u{9b}'],
    [bytes('a\\b'), 'a\\b'],
    [bytes('a\\\\b'), 'a\\\\\\b'],
    [bytes('\\\n'), '\\\\\\x0a'],
    [bytes(), ''],
  ])('%s is shown as %s', (name, shown) => expect(safeBytes(name)).toBe(shown))

  test('two different names never look the same', () => {
    const tricky = fc.constantFrom(0x5c, 0x78, 0x75, 0x7b, 0x7d, 0x31, 0x62, 0x1b, 0x9b, 0xc2, 0xcc, 0x81, 0xff)
    const name = fc.array(tricky, { maxLength: 14 }).map(values => bytes(...values))
    fc.assert(
      fc.property(fc.array(name, { minLength: 2, maxLength: 60 }), names => {
        const distinct = new Set(names.map(one => Buffer.from(one).toString('hex')))
        expect(new Set(names.map(safeBytes)).size).toBe(distinct.size)
      }),
      { numRuns: 1000 },
    )
  })

  test('a name of a megabyte takes a bounded time', () => {
    const start = performance.now()
    safeBytes(new Uint8Array(1 << 20).fill(0xff))
    safeBytes(bytes('a', '\u0301'.repeat(1 << 19)))
    cutMiddle(safeBytes(bytes('語'.repeat(1 << 18))), 40)
    expect(performance.now() - start).toBeLessThan(3000)
  })
})

test('JSON is harmless and loses nothing', () => {
  const value = { name: '\x1b[2J \u009b31m \u202e \u{e0041} \u2028 \ud800', list: [1, 'é'] }
  const json = safeJson(value, 2)
  expect(json).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
  expect(json).toContain('é')
  expect(JSON.parse(json)).toEqual(value)
})

describe('columns', () => {
  test.each([
    ['', 0],
    ['abc', 3],
    ['日本語', 6],
    ['e\u0301', 1],
    ['👍🏽', 2],
    ['한국', 4],
  ])('%j takes %i', (text, columns) => {
    expect(width(text)).toBe(columns)
    expect(width(text)).toBe(columns)
  })

  test.each([
    ['abc', 5, 'left', 'abc  '],
    ['abc', 5, 'right', '  abc'],
    ['abc', 6, 'center', ' abc  '],
    ['abcdef', 4, 'left', 'abc…'],
    ['abcdef', 1, 'left', '…'],
    ['abcdef', 0, 'left', ''],
    ['日本語', 4, 'left', '日… '],
    ['日本語', 5, 'left', '日本…'],
    ['日本語', 6, 'left', '日本語'],
    ['e\u0301e\u0301e\u0301', 2, 'left', 'e\u0301…'],
  ] as const)('%j in %i columns, %s, is %j', (text, columns, align, result) => {
    expect(fitted(text, columns, align)).toBe(result)
  })

  test.each([
    ['usr/share/doc/file', 11, 'usr/s…/file'],
    ['short', 11, 'short'],
    ['日本語中文字', 7, '日本…字'],
    ['abcdef', 1, '…'],
    ['abcdef', 2, 'a…'],
  ])('%j cut in the middle to %i columns is %j', (text, columns, result) => {
    expect(cutMiddle(text, columns)).toBe(result)
  })

  test('a fitted text has exactly the columns asked for, a cut one at most', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.nat(30), (text, columns) => {
        const shown = safe(text)
        expect(width(fitted(shown, columns))).toBe(columns)
        expect(width(cutMiddle(shown, columns))).toBeLessThanOrEqual(columns)
        expect(width(cutEnd(shown, columns))).toBeLessThanOrEqual(columns)
      }),
    )
  })
})

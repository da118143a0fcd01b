import { describe, expect, test } from 'vitest'
import {
  formatAge,
  formatBytes,
  formatCount,
  formatDuration,
  formatPercent,
  parseBytes,
} from '../../../src/base/sizes.ts'

describe('bytes have three significant digits in SI units', () => {
  test.each([
    [0, '0 B'],
    [55, '55 B'],
    [999, '999 B'],
    [1000, '1 kB'],
    [1200, '1.2 kB'],
    [51_200, '51.2 kB'],
    [999_499, '999 kB'],
    [999_500, '1 MB'],
    [6_040_000, '6.04 MB'],
    [24_800_000, '24.8 MB'],
    [916_000_000, '916 MB'],
    [1.5e9, '1.5 GB'],
    [9.99e17, '999 PB'],
    [-6_040_000, '-6.04 MB'],
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '–'],
  ])('%s is %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text))

  test('never wider than 7 columns', () => {
    for (let bytes = 1; bytes < 1e18; bytes *= 1.37) expect(formatBytes(bytes).length).toBeLessThanOrEqual(7)
  })
})

describe('sizes as people write them', () => {
  test.each([
    ['123', 123],
    ['0', 0],
    ['20MB', 20_000_000],
    ['10kb', 10_000],
    ['10 KB', 10_000],
    ['1.5GiB', 1.5 * 1024 ** 3],
    ['1k', 1000],
    ['1Ki', 1024],
    [' 2 TiB ', 2 * 1024 ** 4],
    ['.5kB', 500],
    ['', null],
    ['MB', null],
    ['-1', null],
    ['1e9', null],
    ['10 bananas', null],
    ['1.5.2MB', null],
    ['Infinity', null],
    ['9'.repeat(400), null],
  ])('%j is %s', (text, bytes) => expect(parseBytes(text)).toBe(bytes))

  test('what was formatted can be parsed', () => expect(parseBytes(formatBytes(6_040_000))).toBe(6_040_000))
})

test('counts have a space between thousands', () => {
  expect([0, 999, 1204, 41_207, 1_234_567, -1204].map(formatCount)).toEqual([
    '0',
    '999',
    '1 204',
    '41 207',
    '1 234 567',
    '-1 204',
  ])
})

test('a share is rounded, but something is never nothing and not all is never all', () => {
  expect([0.973, 1, 0.99999, 0, 0.00001, 0.5, Number.NaN].map(formatPercent)).toEqual([
    '97.3 %',
    '100 %',
    '99.9 %',
    '0 %',
    '<0.1 %',
    '50 %',
    '–',
  ])
})

test('durations show their one or two largest units', () => {
  expect([0, 85, 4200, 9960, 65_000, 3_600_000, 12_000_000, 187_200_000].map(formatDuration)).toEqual([
    '0 ms',
    '85 ms',
    '4.2 s',
    '10 s',
    '1 min 5 s',
    '1 h',
    '3 h 20 min',
    '2 d 4 h',
  ])
})

test('ages', () => {
  const minute = 60_000
  const day = 1440 * minute
  expect([0, 2 * minute, day, 3 * day, 150 * day, 800 * day, -3 * day, -10].map(formatAge)).toEqual([
    'just now',
    '2 min ago',
    '24 h ago',
    '3 d ago',
    '4 mo ago',
    '2 y ago',
    'in 3 d',
    'just now',
  ])
})

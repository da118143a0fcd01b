/** Times as docker says and takes them. */
import { describe, expect, test } from 'vitest'
import { parseMoment, roughDuration } from '../../../src/base/durations.ts'

const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

test.each([
  [-5, 'Less than a second'],
  [999, 'Less than a second'],
  [1000, '1 second'],
  [59_999, '59 seconds'],
  [minute, 'About a minute'],
  [2 * minute - 1, 'About a minute'],
  [59 * minute, '59 minutes'],
  [hour, 'About an hour'],
  [89 * minute, 'About an hour'],
  [90 * minute, '2 hours'],
  [47 * hour, '47 hours'],
  [48 * hour, '2 days'],
  [13 * day, '13 days'],
  [14 * day, '2 weeks'],
  [59 * day, '8 weeks'],
  [60 * day, '2 months'],
  [729 * day, '24 months'],
  [730 * day, '2 years'],
])('%d ms are %s', (ms, words) => expect(roughDuration(ms)).toBe(words))

describe('a moment', () => {
  const now = Date.parse('2026-11-22T12:00:00Z')
  const at = (text: string) => Date.parse(text) / 1000
  test.each<[string, number | null]>([
    ['10m', at('2026-11-22T11:50:00Z')],
    ['1h30m', at('2026-11-22T10:30:00Z')],
    ['1.5h', at('2026-11-22T10:30:00Z')],
    ['0s', at('2026-11-22T12:00:00Z')],
    ['1700000000', 1700000000],
    ['1700000000.5', 1700000000.5],
    ['2026-11-22T07:00:00Z', at('2026-11-22T07:00:00Z')],
    ['2026-11-22T07:00:00.25Z', at('2026-11-22T07:00:00Z') + 0.25],
    ['2026-11-22T07:00+02:00', at('2026-11-22T05:00:00Z')],
    ['2026-11-22T07:00:00+0200', at('2026-11-22T05:00:00Z')],
    ['', null],
    ['yesterday', null],
    ['10', 10],
    ['10x', null],
    ['2026-13-01', null],
    ['-5m', null],
  ])('%s', (text, seconds) => expect(parseMoment(text, now)).toBe(seconds))
})

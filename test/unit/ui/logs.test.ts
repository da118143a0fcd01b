/** Logs without a screen: what becomes of a line, what is kept, in what order, what is found, what JSON looks like. */
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createFinder, textMatcher } from '../../../src/ui/containers/finder.ts'
import { createFilter } from '../../../src/ui/containers/log-filter.ts'
import { openedJson, prettyJson } from '../../../src/ui/containers/log-json.ts'
import { createMerge } from '../../../src/ui/containers/log-merge.ts'
import { momentOf } from '../../../src/ui/containers/log-range.ts'
import { createRing } from '../../../src/ui/containers/log-ring.ts'
import { logText } from '../../../src/ui/containers/log-text.ts'
import { stampOf } from '../../../src/ui/containers/log-times.ts'
import { lookParts } from '../../../src/ui/containers/looks.ts'
import { makeTheme } from '../../../src/ui/theme.ts'
import { plain } from '../../../src/ui/widgets/line.ts'

const theme = makeTheme('16')

describe('a line of a log', () => {
  it.each([
    ['plain', 'plain'],
    ['\x1b[1;32mgreen\x1b[0m and \x1b[38;5;9mred', 'green and red'],
    ['\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\', 'link'],
    ['\x1b]52;c;ZXZpbA==\x07copied', 'copied'],
    ['\x1bP1;2|evil\x1b\\dcs', 'dcs'],
    ['\x1b[2J\x1b[Hcleared \x1b[5Aup \x1b[3Dback', 'cleared up back'],
    ['\x9b31mC1', '\\u{9b}31mC1'],
    ['a\tb', 'a       b'],
    ['\x1b[31ma\x1b[0m\tb', 'a       b'],
    ['10 %\r50 %\r100 %\r', '100 %'],
    ['\x1b[32m10 %\r\x1b[33m50 %\r\x1b[0mdone', 'done'],
    ['bell\x07 \u202eturned', 'bell\\x07 \\u{202e}turned'],
    ['cut off \x1b[3', 'cut off \\x1b[3'],
    ['\x1b', '\\x1b'],
    ['', ''],
  ])('%j is shown as %j', (said, shown) => {
    expect(logText(Buffer.from(said)).text).toBe(shown)
  })

  it.each([
    ['\x1b[31mred\x1b[0m plain', '\x1b[31mred\x1b[39m plain'],
    ['\x1b[1;38;5;196mloud', '\x1b[1m\x1b[31mloud\x1b[39m\x1b[22m'],
    ['\x1b[38;2;80;80;255mblue', '\x1b[94mblue\x1b[39m'],
    ['\x1b[48:5:21mbehind', '\x1b[44mbehind\x1b[49m'],
    ['\x1b[31;41mhidden', '\x1b[31mhidden\x1b[39m'],
    ['\x1b[8mconcealed \x1b[5mblinking', 'concealed blinking'],
    ['\x1b[30mblack', '\x1b[90mblack\x1b[39m'],
    ['\x1b[38;5mcut', 'cut'],
  ])('%j has the colours of the terminal: %j', (said, drawn) => {
    const line = logText(Buffer.from(said))
    const parts = lookParts(theme, line, 0, line.text.length)
    expect(parts.map(part => (typeof part === 'string' ? part : part[0](part[1]))).join('')).toBe(drawn)
  })

  it('is cut in the middle of its colours', () => {
    const line = logText(Buffer.from('\x1b[31mabc\x1b[32mdef'))
    expect(plain(lookParts(theme, line, 2, 4))).toBe('cd')
    expect(plain(lookParts(makeTheme('none'), line, 2, 4))).toBe('cd')
  })

  it('is cut when it is endless, and takes no longer for it', () => {
    for (const said of ['x', '\x1b]', '\x1b[31m', '\r', '\t', '\x1b[', 'é\u0301'])
      expect(logText(Buffer.from(said.repeat(300_000))).text.length).toBeLessThan(20_000)
  })
})

const line = (text: string, time: number | null = null, source = 0) => ({ text, looks: '', error: false, time, source })

describe('the ring', () => {
  it('keeps the last lines and their numbers', () => {
    const ring = createRing({ lines: 3000, bytes: 1e9 })
    for (let at = 0; at < 100_000; at++) ring.add({ ...line(`line ${at}`, at), error: at % 2 === 1, source: at % 3 })
    expect(ring.end()).toBe(100_000)
    expect(ring.first()).toBe(97_000)
    for (const number of [97_000, 98_304, 98_305, 99_999]) {
      const { text, time, error, source } = ring.line(number)!
      expect([text, time, error, source]).toEqual([`line ${number}`, number, number % 2 === 1, number % 3])
    }
    expect([ring.line(96_999), ring.line(100_000)]).toEqual([undefined, undefined])
  })

  it('is bounded in bytes, whatever the length of the lines', () => {
    const ring = createRing({ lines: 1e6, bytes: 1_000_000 })
    for (let at = 0; at < 1_000; at++) ring.add(line('团'.repeat(1000)))
    expect(ring.bytes()).toBeLessThanOrEqual(1_000_000)
    expect(ring.line(ring.end() - 1)?.text).toHaveLength(1000)
  })

  it('goes on with a line that had no end, until others come', () => {
    const ring = createRing({ lines: 10, bytes: 1e6 })
    const number = ring.add({ ...line(''), ...logText(Buffer.from('\x1b[31mab')) })
    expect(ring.extend(number, logText(Buffer.from('c\x1b[32md')))).toBe(true)
    const { text, looks } = ring.line(number)!
    expect(text).toBe('abcd')
    expect([...looks].map(one => one.charCodeAt(0))).toEqual([0, 2, 2, 0, 3, 3])
    ring.add(line('other'))
    expect(ring.extend(number, logText(Buffer.from('e')))).toBe(false)
    expect(ring.line(number + 1)?.text).toBe('other')
  })

  it('keeps lines of any length and colour, whole or cut, and none is mixed up', () => {
    const ring = createRing({ lines: 1e6, bytes: 3_000_000 })
    const texts = ['', 'x', '团'.repeat(5_000), 'y'.repeat(16_000), '\x1b[31mr\x1b[0m'.repeat(4_000), 'end']
    for (let at = 0; at < 300; at++) ring.add({ ...line('', at), ...logText(Buffer.from(texts[at % texts.length]!)) })
    for (let number = ring.first(); number < ring.end(); number++) {
      const { text, looks } = logText(Buffer.from(texts[number % texts.length]!))
      expect(ring.line(number)).toMatchObject({ text, looks: looks.slice(0, 8192), time: number })
    }
    expect(ring.end() - ring.first()).toBeGreaterThan(50)
  })

  it('a million lines leave nothing behind', () => {
    const ring = createRing({ lines: 50_000, bytes: 14_000_000 })
    const text = 'GET /api/things 200 in 12 ms '
    const used: number[] = []
    for (let at = 0; at < 1_000_000; at++) {
      ring.add({ ...line(text + at, at), looks: at % 3 === 0 ? '\0\u0002\u0003\0' : '' })
      if (at === 100_000 || at === 999_999) used.push(ring.bytes())
    }
    expect(used[1]).toBe(used[0])
    expect(used[1]).toBeLessThan(14_000_000)
    expect(ring.line(950_000)?.text).toBe(`${text}950000`)
  })
})

describe('several logs', () => {
  afterEach(() => void vi.useRealTimers())

  function merging(sources: number, most = 4000) {
    vi.useFakeTimers()
    const said: string[] = []
    const merge = createMerge<ReturnType<typeof line>>({
      sources,
      most,
      now: Date.now,
      emit: one => said.push(one.text),
    })
    return { said, merge }
  }

  it('are one by time, each in its own order', () => {
    const { said, merge } = merging(2)
    for (const time of [1, 3, 5]) merge.add(line(`a${time}`, time, 0))
    for (const time of [2, 3, 9]) merge.add(line(`b${time}`, time, 1))
    vi.advanceTimersByTime(200)
    expect(said).toEqual(['a1', 'b2', 'a3', 'b3', 'a5', 'b9'])
  })

  it('what comes a little late is still put in its place; nobody is waited for longer', () => {
    const { said, merge } = merging(2)
    merge.add(line('a1', 1, 0))
    merge.add(line('b1', 1, 1))
    vi.advanceTimersByTime(500)
    merge.add(line('b9', 9, 1))
    vi.advanceTimersByTime(0)
    expect(said).toEqual(['a1', 'b1', 'b9'])
    merge.add(line('a20', 20, 0))
    merge.add(line('a30', 30, 0))
    vi.advanceTimersByTime(100)
    expect(said).toHaveLength(3)
    merge.add(line('b25', 25, 1))
    vi.advanceTimersByTime(200)
    expect(said.slice(3)).toEqual(['a20', 'b25', 'a30'])
  })

  it('one that has ended, or has no log, holds up nobody', () => {
    const { said, merge } = merging(3)
    merge.rest(1)
    merge.rest(2)
    merge.add(line('a', 1, 0))
    vi.advanceTimersByTime(0)
    expect(said).toEqual(['a'])
  })

  it('one that is far ahead is not read any further', async () => {
    const { said, merge } = merging(2, 10)
    const waits = Array.from({ length: 10 }, (_, at) => merge.add(line(`a${at}`, at, 0))).at(-1)
    expect(waits).toBeInstanceOf(Promise)
    vi.advanceTimersByTime(1_000)
    await waits
    expect(said).toHaveLength(10)
  })
})

describe('a filter', () => {
  const ringOf = (texts: readonly string[], lines = 1e6) => {
    const ring = createRing({ lines, bytes: 1e9 })
    for (const text of texts) ring.add(line(text))
    return ring
  }
  const shown = (filter: ReturnType<typeof createFilter>) => {
    const texts: string[] = []
    for (let at = filter.first(); at < filter.end(); at++) {
      const one = filter.line(at)!
      texts.push(one.gap ? '--' : one.text)
    }
    return texts.join(' ')
  }
  const words = ['a', 'b', 'HIT1', 'c', 'd', 'e', 'f', 'hit2', 'g', 'hit3', 'h']

  it.each([
    ['hit', 0, 'HIT1 hit2 hit3'],
    ['hit', 1, 'b HIT1 c -- f hit2 g hit3 h'],
    ['hit', 2, 'a b HIT1 c d e f hit2 g hit3 h'],
    ['HIT', 0, 'HIT1'],
    ['!hit', 0, 'a b c d e f g h'],
    ['!', 0, ''],
  ])('%s with %i around: %s', (wish, around, texts) => {
    expect(shown(createFilter(ringOf(words), wish, around))).toBe(texts)
  })

  it('goes on with what comes, the lines after a find too', () => {
    const ring = ringOf(['hit'])
    const filter = createFilter(ring, 'hit', 1)
    expect(shown(filter)).toBe('hit')
    for (const text of ['after', 'x', 'before', 'hit']) ring.add(line(text))
    expect(shown(filter)).toBe('hit after -- before hit')
    expect(filter.matches()).toBe(2)
  })

  it('forgets what is dropped', () => {
    const ring = ringOf([], 2000)
    const filter = createFilter(ring, 'hit', 0)
    for (let at = 0; at < 50_000; at++) {
      ring.add(line(at % 10 === 0 ? `hit ${at}` : 'x'))
      if (at % 100 === 0) filter.end()
    }
    expect(filter.matches()).toBe(200)
    expect(filter.line(filter.first())?.text).toBe('hit 48000')
    expect([...filter.numbers()]).toHaveLength(200)
    expect(filter.line(filter.placeOf(49_000))?.text).toBe('hit 49000')
  })
})

describe('what is searched', () => {
  it('is found upwards and downwards and counted', () => {
    const texts = ['x', 'hit', 'x', 'Hit', 'x']
    const finder = createFinder({ first: () => 0, end: () => texts.length, line: at => ({ text: texts[at]! }) })
    finder.search('hit')
    expect([finder.next(0, 1), finder.next(2, 1), finder.next(4, 1)]).toEqual([1, 3, null])
    expect([finder.next(4, -1), finder.next(3, -1), finder.next(0, -1)]).toEqual([3, 3, null])
    expect(finder.matches(3)).toEqual({ count: 2, at: 2 })
    texts.push('hit')
    expect(finder.matches(0)).toEqual({ count: 3, at: 0 })
  })

  it('is also what is shown of JSON', () => {
    const has = textMatcher('status=500', text => prettyJson(text, 'off', 0)?.text ?? null)
    expect(has('{"msg":"x","status":500}')).toBe(true)
    expect(has('{"msg":"x","status":200,"n":500}')).toBe(false)
  })
})

describe('JSON', () => {
  it.each([
    ['{"level":"info","msg":"ready","port":80}', 'INFO  ready port=80'],
    ['{"level":50,"time":1767323045006,"msg":"broke","err":{"code":1}}', 'ERROR 03:04:05.006Z broke err={"code":1}'],
    ['{"severity":"WARNING","message":"a b","path":"/x y","empty":""}', 'WARN  a b path="/x y" empty=""'],
    ['{"@timestamp":"2026-01-02T03:04:05.006Z","x":null}', '03:04:05.006Z  x=null'],
    ['{"ts":"yesterday","msg":"\\u001b[2Jevil"}', 'yesterday \\x1b[2Jevil'],
    ['{"__proto__":{"x":1},"msg":"m"}', 'm __proto__={"x":1}'],
    ['{}', ''],
  ])('%s is %s', (said, shown) => {
    expect(prettyJson(said, 'utc', 0)?.text).toBe(shown)
  })

  it.each(['{"a":', '[1]', '"x"', '{a:1}', 'x {"a":1}', '{"a":1}}'])('%s stays as it is', said => {
    expect(prettyJson(said, 'off', 0)).toBeNull()
  })

  it('is bounded when it is opened, and in one row', () => {
    const many = JSON.stringify(
      Object.fromEntries(Array.from({ length: 3000 }, (_, at) => [`k${at}`, 'v'.repeat(2000)])),
    )
    expect(openedJson(many)).toHaveLength(401)
    expect(prettyJson(many, 'off', 0)!.text.length).toBeLessThan(64 * 600)
    expect(openedJson('{"a":{"b":1}}')?.map(one => one.text)).toEqual([
      '  {',
      '    "a": {',
      '      "b": 1',
      '    }',
      '  }',
    ])
  })
})

describe('times', () => {
  const time = Date.UTC(2026, 0, 2, 3, 4, 5, 6)

  it.each([
    ['utc', 0, '03:04:05.006Z '],
    ['relative', 3_000, '    3 s ago '],
    ['relative', 7_200_000, '    2 h ago '],
    ['relative', -5, '        now '],
    ['off', 0, ''],
  ] as const)('%s, %i ms later: %j', (mode, later, shown) => {
    expect(stampOf(time, mode, time + later)).toBe(shown)
  })

  it('a time of day is the last one that was', () => {
    const noon = new Date(2026, 0, 2, 12).getTime()
    expect(momentOf('11:30', noon)).toBe(noon / 1000 - 1800)
    expect(momentOf('12:30:00', noon)).toBe(noon / 1000 - 23.5 * 3600)
    expect(momentOf('10m', noon)).toBe(noon / 1000 - 600)
    expect(momentOf('25:00', noon)).toBeNull()
  })
})

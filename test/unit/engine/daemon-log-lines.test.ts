/** Frames and lines of a log, cut at every place, from engines that mean well and from others. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { LOG_LINE_MOST, type LogLine } from '../../../src/engine/containers.ts'
import { type FrameStream, frameReader } from '../../../src/engine/daemon-frames.ts'
import { logCutter, timeOf } from '../../../src/engine/daemon-log-lines.ts'

const second = 1_700_000_000_000_000_000n
const stamp = '2023-11-14T22:13:20.000000001Z '

describe('times', () => {
  test.each([
    ['2023-11-14T22:13:20.000000001Z ', second + 1n],
    ['2023-11-14T22:13:20Z ', second],
    ['2023-11-14T23:13:20+01:00 ', second],
    ['2023-11-14T22:13:20.5Z ', second + 500_000_000n],
  ])('%s', (text, time) => expect(timeOf(text)).toBe(time))
  test.each(['', ' ', '2023-11-14 ', '2023-99-99T22:13:20Z ', 'x'.repeat(40)])('“%s” is none', text =>
    expect(timeOf(text)).toBe(null))
})

describe('frames', () => {
  test('are read from pieces of any size', () => {
    const bytes = Buffer.concat([frame(1, 'one\n'), frame(2, ''), frame(2, 'two\n'), frame(0, 'three')])
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 40 })), sizes => {
        const told: Record<FrameStream, string> = { stdout: '', stderr: '' }
        const read = frameReader({ bytes: (stream, chunk) => (told[stream] += chunk) })
        for (const piece of cut(bytes, sizes)) read(piece)
        expect(told).toEqual({ stdout: 'one\nthree', stderr: 'two\n' })
      }),
    )
  })

  test('a length of 4 GB takes no memory', () => {
    let bytes = 0
    const read = frameReader({ bytes: (_, chunk) => (bytes += chunk.length) })
    read(Buffer.from([1, 0, 0, 0, 255, 255, 255, 255]))
    read(Buffer.from('some'))
    expect(bytes).toBe(4)
  })

  test('what is no frame is an error, and so is what the engine says itself', () => {
    const read = () => frameReader({ bytes: () => {} })
    expect(() => read()(Buffer.from('plain text'))).toThrow('can not be read')
    expect(() => read()(Buffer.from([9, 0, 0, 0, 0, 0, 0, 1]))).toThrow('can not be read')
    expect(() => read()(frame(3, 'disk is full'))).toThrow(expect.objectContaining({ hint: 'disk is full' }))
  })
})

describe('lines', () => {
  test('of both streams, whatever the pieces are', () => {
    const bytes = Buffer.concat([
      frame(1, `${stamp}one\n`),
      frame(2, `${stamp}two \n`),
      frame(1, `${stamp}\n`),
      frame(1, `${stamp}a `),
      frame(2, `${stamp}between\n`),
      frame(1, `${stamp}part\n`),
      frame(1, `${stamp}rest`),
    ])
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 })), sizes => {
        const lines = framed(cut(bytes, sizes)).map(shown)
        expect(lines).toEqual([
          'stdout one',
          'stderr two ',
          'stdout ',
          'stderr between',
          'stdout a part',
          'stdout rest…',
        ])
      }),
    )
  })

  test('with a terminal, whatever the pieces are', () => {
    const bytes = Buffer.from(`${stamp}one\r\n${stamp}\r\n${stamp}2023-11-14T22:13:20Z own time\r\n${stamp}rest`)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 })), sizes => {
        const lines = raw(cut(bytes, sizes)).map(shown)
        expect(lines).toEqual(['stdout one\r', 'stdout \r', 'stdout 2023-11-14T22:13:20Z own time\r', 'stdout rest…'])
      }),
    )
  })

  test('with a terminal Docker gives every 16 KiB of a line a time', () => {
    const x = 'x'.repeat(16 * 1024)
    const lines = raw(cut(Buffer.from(`${stamp}${x}${stamp}${x}${stamp}yz\r\n${stamp}next\r\n`), [9999, 20_000, 7]))
    expect(lines.map(line => Buffer.from(line.bytes).toString())).toEqual([`${x}${x}yz\r`, 'next\r'])
  })

  test('lines without times stay whole', () => {
    expect(raw([Buffer.from('no time\nsecond line here\n\n')]).map(shown)).toEqual([
      'stdout no time',
      'stdout second line here',
      'stdout ',
    ])
    expect(raw([Buffer.from('no time\n')])[0].time).toBe(null)
  })

  test('a line without an end comes in parts of the greatest length, and only one part is ever held', () => {
    const cutter = logCutter(false)
    const read = frameReader({ start: cutter.entry, bytes: cutter.bytes })
    read(frame(1, stamp))
    const parts: LogLine[] = []
    for (let at = 0; at < 40; at++) {
      read(frame(1, `${stamp}${'x'.repeat(10_000)}`))
      parts.push(...cutter.take())
    }
    expect(parts.map(part => [part.bytes.length, part.partial])).toEqual(Array(6).fill([LOG_LINE_MOST, true]))
    expect(cutter.rest().map(part => part.bytes.length)).toEqual([400_000 - 6 * LOG_LINE_MOST])
  })

  test('anything at all is cut without loss', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.array(fc.integer({ min: 1, max: 50 })), (noise, sizes) => {
        const bytes = Buffer.from(noise).map(byte => (byte % 5 === 0 ? 10 : byte))
        const back = raw(cut(Buffer.from(bytes), sizes)).flatMap(line => [
          Buffer.from(line.bytes),
          Buffer.from(line.partial ? '' : '\n'),
        ])
        expect(Buffer.concat(back)).toEqual(Buffer.from(bytes))
      }),
    )
  })

  test('a megabyte of line ends does not exhaust the stack', () => {
    expect(raw([Buffer.alloc(1 << 20, '\n')])).toHaveLength(1 << 20)
  })

  test('a hundred thousand lines are cut in well under a second', () => {
    const chunk = Buffer.concat(
      Array.from({ length: 1000 }, () => frame(1, `${stamp}${'a line of a log '.repeat(5)}\n`)),
    )
    const begun = performance.now()
    let count = 0
    const cutter = logCutter(false)
    const read = frameReader({ start: cutter.entry, bytes: cutter.bytes })
    for (let at = 0; at < 100; at++) {
      read(chunk)
      count += cutter.take().length
    }
    expect(count).toBe(100_000)
    expect(performance.now() - begun).toBeLessThan(3_000)
  })
})

function frame(kind: number, text: string): Buffer {
  const header = Buffer.from([kind, 0, 0, 0, 0, 0, 0, 0])
  header.writeUInt32BE(Buffer.byteLength(text), 4)
  return Buffer.concat([header, Buffer.from(text)])
}

/** The bytes in pieces of the given sizes, again and again; in one where there are none. */
function cut(bytes: Buffer, sizes: number[]): Buffer[] {
  const pieces: Buffer[] = []
  let at = 0
  for (let turn = 0; at < bytes.length; turn++) {
    const size = sizes.length > 0 ? sizes[turn % sizes.length] : bytes.length
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

function framed(pieces: Buffer[]): LogLine[] {
  const cutter = logCutter(false)
  const read = frameReader({ start: cutter.entry, bytes: cutter.bytes })
  for (const piece of pieces) read(piece)
  return [...cutter.take(), ...cutter.rest()]
}

function raw(pieces: Buffer[]): LogLine[] {
  const cutter = logCutter(true)
  for (const piece of pieces) cutter.bytes('stdout', piece)
  return [...cutter.take(), ...cutter.rest()]
}

function shown({ stream, bytes, partial }: LogLine): string {
  return `${stream} ${Buffer.from(bytes)}${partial ? '…' : ''}`
}

import { Buffer } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { width } from '../../../../src/base/text.ts'
import { bytesPerRow, hexRow } from '../../../../src/ui/explorer/file/hex-rows.ts'
import { kindOfFile } from '../../../../src/ui/explorer/file/kind.ts'
import { firstIn, lastIn, parseNeedle } from '../../../../src/ui/explorer/file/search.ts'
import { lineNumber, movePlace, placeAt, rowsFrom, type Stretch } from '../../../../src/ui/explorer/file/text-rows.ts'

const kind = (head: string | number[], size?: number) => {
  const bytes = Buffer.from(head as string, 'latin1')
  const { text, words } = kindOfFile(typeof head === 'string' ? bytes : Buffer.from(head), size ?? bytes.length)
  return `${text ? 'text' : 'binary'}: ${words}`
}

describe('what a file is', () => {
  const elf = (type: number, machine: number, more = '') => [
    ...[0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, type, 0, machine, 0],
    ...Buffer.from(more),
  ]
  it.each([
    ['', 'text: empty'],
    ['hello\n', 'text: text'],
    ['#!/bin/sh\necho', 'text: script for /bin/sh'],
    ['#!/usr/bin/env -S node --x\n', 'text: script for node --x'],
    ['#! \x1b[31mred\n', 'text: script for \\x1b[31mred'],
    ['{"a": 1}', 'text: JSON text'],
    ['<?xml version="1.0"?>', 'text: XML text'],
    ['-----BEGIN RSA PRIVATE KEY-----\n', 'text: PEM, rsa private key'],
    ['caf\xc3\xa9', 'text: UTF-8 text'],
    ['caf\xe9 au lait, s\xe9rieux', 'text: text, not UTF-8'],
    ['\x1f\x8b\x08\x00', 'binary: gzip compressed'],
    ['\x28\xb5\x2f\xfd\x00', 'binary: zstd compressed'],
    ['PK\x03\x04....', 'binary: zip archive (also jar, wheel, office files)'],
    ['\x89PNG\r\n\x1a\n', 'binary: PNG image'],
    ['SQLite format 3\0', 'binary: SQLite database'],
    ['\0asm\x01\0\0\0', 'binary: WebAssembly module'],
    ['!<arch>\ndebian-binary', 'binary: Debian package'],
    ['\xca\xfe\xba\xbe\0\0\0\x37', 'binary: Java class, version 55'],
    ['\xca\xfe\xba\xbe\0\0\0\x02', 'binary: Mach-O for several machines'],
    ['a\0b', 'binary: binary'],
    ['ab\r\ncd', 'text: text'],
    [
      elf(3, 62, '....../lib64/ld-linux-x86-64.so.2\0'),
      'binary: ELF 64-bit x86-64, executable, needs /lib64/ld-linux-x86-64.so.2',
    ],
    [elf(3, 183), 'binary: ELF 64-bit ARM64, shared object'],
    [elf(2, 62), 'binary: ELF 64-bit x86-64, executable, static'],
    [[0x7f, 0x45, 0x4c, 0x46], 'binary: ELF, cut short'],
  ])('%j is %s', (head, expected) => expect(kind(head as string)).toBe(expected))

  it('a character cut at the end of what was read does not make a binary of a text', () => {
    expect(kind('caf\xc3', 100)).toBe('text: text, not UTF-8')
    expect(kindOfFile(Buffer.from('日本').subarray(0, 5), 100).text).toBe(true)
  })

  it('any bytes are something, in a bounded text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), bytes => {
        const { words } = kindOfFile(bytes, bytes.length)
        expect(words.length).toBeLessThan(400)
        expect(words).not.toMatch(/\p{Cc}/u)
      }),
    )
  })
})

describe('rows of a text', () => {
  const stretch = (text: string, start = 0, size?: number): Stretch => {
    const bytes = Buffer.from(text)
    return { start, bytes, size: size ?? start + bytes.length }
  }
  const show = (of: Stretch, layout = { columns: 10, wrap: true }) =>
    rowsFrom(of, { offset: of.start, row: 0 }, 100, layout).map(row => `${row.first ? ' ' : '+'}${row.text}`)

  it('are lines, wrapped to the width', () => {
    expect(show(stretch('one\n\nfour five six seven\n'))).toEqual([' one', ' ', ' four five ', '+six seven'])
    expect(show(stretch('one\nfour five six seven'), { columns: 10, wrap: false })).toEqual([
      ' one',
      ' four five six seven',
    ])
  })

  it('show tabs to eight columns, returns left out, escapes and bytes that are no UTF-8 harmlessly', () => {
    expect(show(stretch('a\tb\r\n'), { columns: 40, wrap: true })).toEqual([' a       b'])
    expect(show(stretch('\x1b[2J\x07'), { columns: 40, wrap: true })).toEqual([' \\x1b[2J\\x07'])
    expect(show({ start: 0, bytes: Buffer.from([0x61, 0xff, 9, 0x62]), size: 4 }, { columns: 40, wrap: true })).toEqual(
      [' a\\xff   b'],
    )
    expect(show(stretch("printf '\\x1b'"), { columns: 40, wrap: true })).toEqual([" printf '\\x1b'"])
  })

  it('break a line without an end into segments of bounded length', () => {
    const rows = rowsFrom(stretch('日'.repeat(5000)), { offset: 0, row: 0 }, 1000, { columns: 20, wrap: true })
    expect(rows.map(row => row.text).join('')).toBe('日'.repeat(5000))
    expect(rows.every(row => width(row.text) <= 20)).toBe(true)
  })

  it('lead back to where they led from', () => {
    const line = fc.stringMatching(/^[a-z日\t ]{0,40}$/)
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 30 }),
        fc.nat(60),
        fc.integer({ min: 1, max: 30 }),
        fc.boolean(),
        (lines, down, columns, wrap) => {
          const of = stretch(lines.join('\n'))
          const layout = { columns: Math.max(2, columns), wrap }
          const all = rowsFrom(of, { offset: 0, row: 0 }, 10_000, layout)
          const place = movePlace(of, { offset: 0, row: 0 }, down, layout)
          if (all.length > 0) expect(place).toEqual(all[Math.min(down, all.length - 1)]!.place)
          expect(movePlace(of, place, -down, layout)).toEqual({ offset: 0, row: 0 })
        },
      ),
      { numRuns: 300 },
    )
  })

  it('are found by a byte, and know their line', () => {
    const of = stretch('one\ntwo\nthree')
    expect(placeAt(of, 5)).toEqual({ offset: 4, row: 0 })
    expect(lineNumber(of, 8)).toBe(3)
    expect(lineNumber({ ...of, start: 100 }, 108)).toBe(null)
  })
})

describe('a hex dump', () => {
  it('shows offset, bytes in two groups, and what is printable', () => {
    expect(hexRow(Buffer.from('\x7fELF\x02abc~0123'), 16, 16, 1000)).toEqual({
      offset: '00000010',
      hex: '7f 45 4c 46 02 61 62 63  7e 30 31 32 33         ',
      text: '.ELF.abc~0123   ',
    })
  })

  it('takes fewer bytes where it is narrow', () => {
    expect([120, 78, 50, 30].map(columns => bytesPerRow(columns, 1000))).toEqual([16, 16, 8, 4])
  })
})

describe('searching a stream', () => {
  async function* pieces(bytes: Uint8Array, size: number) {
    for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
  }

  it('finds what lies across two pieces, whatever their size', async () => {
    const content = Buffer.from('xx Needle yy nEEdle needle z')
    for (let size = 1; size < 12; size++) {
      expect(await firstIn(pieces(content, size), parseNeedle('needle')!)).toBe(3)
      expect(await lastIn(pieces(content, size), parseNeedle('needle')!)).toBe(20)
      expect(await firstIn(pieces(content, size), parseNeedle('nEE')!)).toBe(13)
      expect(await firstIn(pieces(content, size), parseNeedle('nope')!)).toBe(-1)
    }
  })

  it('looks for bytes', async () => {
    expect(await firstIn(pieces(Buffer.from([1, 2, 0x7f, 0x45, 3]), 2), parseNeedle('0x7f45')!)).toBe(2)
    expect(parseNeedle('')).toBe(null)
  })
})

/** What ELF files need, read from their bytes: made here field by field, so that the test knows what is in them. */
import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { elfNeeds } from '../../../src/source/elf.ts'

/** A 64-bit little-endian ELF file with an interpreter and a dynamic section; loaded at 0x400000. */
function elf({ interpreter = '', needed = [] as string[], runpath = '' }): Buffer {
  const base = 0x400000n
  const strings = Buffer.from(`\0${[...needed, runpath].join('\0')}\0`)
  const [headers, interp, stringsAt] = [64, 400, 700]
  const dynamicAt = stringsAt + strings.length
  const dynamic: bigint[] = []
  let at = 1
  for (const name of needed) {
    dynamic.push(1n, BigInt(at))
    at += name.length + 1
  }
  if (runpath) dynamic.push(29n, BigInt(at))
  dynamic.push(5n, base + BigInt(stringsAt), 0n, 0n)
  const file = Buffer.alloc(dynamicAt + dynamic.length * 8)
  file.write('\x7fELF\x02\x01\x01', 'latin1')
  file.writeBigUInt64LE(BigInt(headers), 32)
  const segments = [
    [1, 0, file.length],
    ...(interpreter ? [[3, interp, interpreter.length + 1]] : []),
    ...(needed.length > 0 ? [[2, dynamicAt, dynamic.length * 8]] : []),
  ]
  file.writeUInt16LE(56, 54)
  file.writeUInt16LE(segments.length, 56)
  segments.forEach(([type, offset, size], i) => {
    const header = headers + i * 56
    file.writeUInt32LE(type, header)
    file.writeBigUInt64LE(BigInt(offset), header + 8)
    file.writeBigUInt64LE(base + BigInt(offset), header + 16)
    file.writeBigUInt64LE(BigInt(size), header + 32)
  })
  file.write(interpreter, interp, 'latin1')
  strings.copy(file, stringsAt)
  dynamic.forEach((value, i) => {
    file.writeBigUInt64LE(value, dynamicAt + i * 8)
  })
  return file
}

describe('elfNeeds', () => {
  test('interpreter, libraries in order, folders to look in', () => {
    const made = elf({
      interpreter: '/lib64/ld.so',
      needed: ['liba.so.1', 'libc.so.6'],
      runpath: '$ORIGIN/../lib:/opt',
    })
    expect(elfNeeds(made)).toEqual({
      interpreter: '/lib64/ld.so',
      needed: ['liba.so.1', 'libc.so.6'],
      runpath: ['$ORIGIN/../lib', '/opt'],
    })
  })

  test('a static program needs nothing', () => {
    expect(elfNeeds(elf({}))).toEqual({ interpreter: null, needed: [], runpath: [] })
  })

  test('what is no ELF file is null', () => {
    expect([elfNeeds(Buffer.from('#!/bin/sh\n')), elfNeeds(Buffer.alloc(0)), elfNeeds(Buffer.alloc(200))]).toEqual([
      null,
      null,
      null,
    ])
  })

  test('the program that runs this test has an interpreter, or needs nothing', () => {
    const needs = elfNeeds(readFileSync('/proc/self/exe'))
    expect(needs).not.toBeNull()
    expect(needs?.interpreter === null).toBe(needs?.needed.length === 0)
  })

  test('broken files never throw and never take long', () => {
    const good = elf({ interpreter: '/lib64/ld.so', needed: ['liba.so.1'], runpath: '/opt' })
    const damage = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { maxLength: 8 })
    fc.assert(
      fc.property(damage, fc.nat(good.length), (bytes, length) => {
        const bad = Buffer.from(good)
        for (const [at, value] of bytes) if (at > 3) bad[at] = value
        elfNeeds(bad.subarray(0, length))
        elfNeeds(bad)
      }),
      { numRuns: 2000 },
    )
  })
})

/** The listing of a layer against GNU tar's: random entries in random dialects, sparse files and extended attributes too. */
import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Entry, Kind } from '../../src/layer/entry.ts'
import { entryOf } from '../../src/layer/read-entry.ts'
import { TarScanner } from '../../src/layer/tar-scanner.ts'
import { indexOf } from '../harness/stacks.ts'
import { type EntrySpec, type EntryType, entry, fill, type Piece, tar } from '../harness/tar.ts'
import { gnuSparse, paxSparse, type Segment } from '../harness/tar-sparse.ts'

const names = [
  'a',
  'b/c',
  './d',
  'sp ace',
  'n\xff\xfe',
  'line\nfeed',
  'tab\t',
  'back\\slash',
  '\xc3\xa9',
  'l'.repeat(101),
  `${'p'.repeat(90)}/${'q'.repeat(90)}`,
  'm'.repeat(600),
]
const types: EntryType[] = ['file', 'file', 'file', 'dir', 'symlink', 'hardlink', 'char', 'block', 'fifo']

const spec: fc.Arbitrary<EntrySpec> = fc
  .record({
    path: fc.constantFrom(...names),
    type: fc.constantFrom(...types),
    size: fc.constantFrom(0, 1, 511, 512, 513, 5000),
    mode: fc.constantFrom(0, 0o644, 0o755, 0o4711, 0o2755, 0o1777, 0o7000),
    uid: fc.constantFrom(0, 1000, 8 ** 7, 3_000_000_000),
    gid: fc.constantFrom(0, 5, 2 ** 32 - 2),
    // No fractions before 1970: GNU tar reads them rightly and prints them a second off.
    mtime: fc.constantFrom(0, 1, 1_700_000_000.25, -1, -86_400, 8 ** 11, 2 ** 33),
    link: fc.constantFrom('a', '../x y', 'k'.repeat(150), 't\xff'),
    xattrs: fc.constantFrom<Record<string, string>>(
      {},
      {},
      { 'user.a': 'b' },
      { 'user.one': 'x\ny', 'security.capability': '\x01\x02' },
    ),
    long: fc.constantFrom<('pax' | 'gnu')[]>('pax', 'gnu'),
  })
  .map(({ size, link, path, type, mtime, xattrs, long, ...rest }) => ({
    ...rest,
    type,
    long,
    path: Buffer.from(path, 'latin1'),
    body: type === 'file' ? fill(size) : undefined,
    link: type === 'symlink' || type === 'hardlink' ? Buffer.from(link, 'latin1') : undefined,
    dev: type === 'char' || type === 'block' ? ([10, 200] as const) : undefined,
    // GNU headers have no place for fractions and attributes.
    mtime: long === 'gnu' ? Math.floor(mtime) : mtime,
    xattrs: long === 'gnu' ? {} : xattrs,
  }))

interface SparseSpec {
  format: 'gnu' | '0.0' | '0.1' | '1.0'
  gaps: [gap: number, length: number][]
}

const sparse: fc.Arbitrary<SparseSpec> = fc.record({
  format: fc.constantFrom<SparseSpec['format'][]>('gnu', '0.0', '0.1', '1.0'),
  gaps: fc.array(fc.tuple(fc.nat(3000), fc.integer({ min: 1, max: 1500 })), { minLength: 1, maxLength: 40 }),
})

function pieceOf(one: EntrySpec | SparseSpec): Piece {
  if (!('gaps' in one)) return entry(one)
  let at = 0
  const segments = one.gaps.map(([gap, length]): Segment => {
    const segment: Segment = [at + gap, fill(length)]
    at += gap + length
    return segment
  })
  const size = at + 700
  return one.format === 'gnu' ? gnuSparse('sparse', size, segments) : paxSparse(one.format, 'sparse', size, segments)
}

describe('the index lists what GNU tar lists', () => {
  test('for random entries', () => {
    const entries = fc.array(fc.oneof({ arbitrary: spec, weight: 8 }, { arbitrary: sparse, weight: 1 }), {
      maxLength: 12,
    })
    fc.assert(
      fc.property(entries, specs => {
        const made = tar(...specs.map(pieceOf))
        expect(scanned(made)).toEqual(gnuTar(made))
        const index = indexOf(made)
        const indexed = Array.from({ length: index.entries }, (_, at) => line(entryOf(index, at)))
        expect(indexed).toEqual(gnuTar(made).map(text => text.replace(' ./d', ' d')))
      }),
      { numRuns: 200 },
    )
  })
})

/** Names as they stand in the tar, in its order. */
function scanned(made: Uint8Array): string[] {
  const lines: string[] = []
  const scanner = new TarScanner({ entry: one => lines.push(line(one)) })
  scanner.push(made)
  scanner.end()
  return lines
}

function line(one: Entry): string {
  const type = '-dlhcbp'[one.kind]
  const size = one.kind === Kind.char || one.kind === Kind.block ? `${one.devMajor},${one.devMinor}` : one.size
  const time = one.mtime + one.nsec / 1e9
  const target = one.link === null ? '' : ` => ${Buffer.from(one.link).toString('latin1')}`
  const xattrs = [...(one.xattrs ?? [])].map(([name, value]) => ` ${name}:${value.length}`).sort()
  const name = Buffer.from(one.path).toString('latin1').replace(/\/+$/, '')
  return `${type} ${one.mode.toString(8)} ${one.uid}/${one.gid} ${size} ${time} ${name}${target}${xattrs.join('')}`
}

/** GNU tar's verbose listing, field by field. */
function gnuTar(made: Uint8Array): string[] {
  const options = [
    '-tvv',
    '--numeric-owner',
    '--full-time',
    '--quoting-style=escape',
    '--xattrs',
    '--xattrs-include=*',
    '-P',
    '-f',
    '-',
  ]
  const text = execFileSync('tar', options, { input: made, env: { ...process.env, TZ: 'UTC', LC_ALL: 'C' } }).toString(
    'latin1',
  )
  const lines: string[] = []
  let xattrs: string[] = []
  const finish = () => {
    if (lines.length > 0) lines.push(`${lines.pop()}${xattrs.sort().join('')}`)
    xattrs = []
  }
  for (const row of text.split('\n')) {
    const attribute = /^ {2}x: *(\d+) (.*)$/.exec(row)
    if (attribute) xattrs.push(` ${attribute[2]}:${attribute[1]}`)
    const found =
      /^([-dlhcbp])([rwxsStT-]{9})[.+* ]? *(\d+)\/(\d+) +(\d+(?:,\d+)?) (-?\d+-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)? +(.*)$/.exec(
        row,
      )
    if (!found) continue
    finish()
    const [, type, permissions, uid, gid, size, date, clock, fraction, rest] = found
    const [name, target] =
      type === 'l' ? rest.split(' -> ') : type === 'h' ? rest.split(' link to ') : [rest, undefined]
    const path = plain(name).replace(/\/+$/, '')
    const time = Date.parse(`${date}T${clock}Z`) / 1000 + Number(`0${fraction ?? ''}`)
    const link = target === undefined ? '' : ` => ${plain(target)}`
    lines.push(`${type} ${modeOf(permissions).toString(8)} ${uid}/${gid} ${size} ${time} ${path}${link}`)
  }
  finish()
  return lines
}

function modeOf(permissions: string): number {
  let mode = 0
  for (let at = 0; at < 9; at++) {
    const letter = permissions[at]
    if (letter !== '-' && letter !== 'S' && letter !== 'T') mode |= 0o400 >> at
    if ('sStT'.includes(letter)) mode |= [0o4000, 0o2000, 0o1000][Math.floor(at / 3)]
  }
  return mode
}

const escapes: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', a: '\x07', v: '\v' }

function plain(text: string): string {
  return text.replace(/\\([0-7]{3}|.)/g, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(Number.parseInt(code, 8)) : (escapes[code] ?? code),
  )
}

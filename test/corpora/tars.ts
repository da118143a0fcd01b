/**
 * The tar-* corpora: each tar through the layer scanner, in pieces of 4 KiB, its listing compared with what the reference
 * readers agree on. `verdict` says how strictly (README of the corpora).
 */
import { createHash, type Hash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../../src/base/errors.ts'
import { type Entry, Kind, kindNames } from '../../src/layer/entry.ts'
import type { SparseMap } from '../../src/layer/sparse.ts'
import { TarScanner } from '../../src/layer/tar-scanner.ts'
import { createInflate } from '../../src/source/inflate.ts'
import { compressionOf } from '../../src/source/sniff.ts'
import { compare, type Report } from './report.ts'

interface ExpectedTar {
  file: string
  verdict: 'agree' | 'majority' | 'lenient' | 'malformed' | 'go-only'
  entries: ExpectedEntry[]
}

interface ExpectedEntry {
  path?: string
  path_b64?: string
  path_len?: number
  path_sha256?: string
  type: string
  size: number
  mode: number
  linkname?: string
  linkname_b64?: string
  uid: number
  gid: number
  mtime: number
  mtime_nsec?: number
  sha256?: string
  xattrs?: Record<string, string>
  devmajor?: number
  devminor?: number
}

/** What was read of a tar: its entries, and the error that ended it. */
interface Listing {
  entries: ReadEntry[]
  error: unknown
}

interface ReadEntry extends Entry {
  sha256: string | null
}

/** Holes of sparse files are hashed as zeros; no expected hash is of a file larger than this. */
const MAX_HASHED = 64 << 20
/** What reading a malformed tar of a few kilobytes may cost. */
const MAX_GROWTH = 256 << 20

/** Checks every tar of one corpus against its expected file. */
export async function checkTars(folder: string, expected: ExpectedTar[], report: Report, name: string): Promise<void> {
  for (const tar of expected) {
    await report.run(`${name}/${tar.file} (${tar.verdict})`, async () => {
      const before = process.resourceUsage().maxRSS * 1024
      const listing = await list(join(folder, tar.file))
      const growth = process.resourceUsage().maxRSS * 1024 - before
      return [...judge(tar, listing), ...(growth > MAX_GROWTH ? [`memory grew by ${growth} bytes`] : [])]
    })
  }
}

function judge(tar: ExpectedTar, { entries, error }: Listing): string[] {
  const refusal = error === undefined ? null : clearError(error)
  if (tar.verdict === 'malformed') return refusal ?? ['it was read without an error']
  if (refusal) return tar.verdict === 'lenient' || tar.verdict === 'go-only' ? refusal : [`refused: ${message(error)}`]
  if (tar.verdict === 'go-only') return differencesOf(namesOf(tar.entries), namesOf(entries))
  const wanted = tar.entries.filter(entry => !entry.type.startsWith('other'))
  if (wanted.length !== entries.length) return compare('entries', wanted.map(pathOfExpected), entries.map(pathText))
  return wanted.flatMap((entry, at) => sameEntry(entry, entries[at]))
}

/** Entries of types that no file system has are left out: nobody agrees what they are. */
function namesOf(entries: (ExpectedEntry | ReadEntry)[]): string[] {
  return entries.flatMap(entry => {
    if ('kind' in entry) return [`${kindNames[entry.kind]} ${entry.size} ${pathText(entry)}`]
    return entry.type.startsWith('other') ? [] : [`${entry.type} ${entry.size} ${pathOfExpected(entry)}`]
  })
}

/** Every line that is wanted has to be there, in order; more lines are allowed only for entries of odd types. */
function differencesOf(wanted: string[], got: string[]): string[] {
  let at = 0
  for (const line of got) if (line === wanted[at]) at++
  return at === wanted.length ? [] : [`missing: ${wanted[at]}`]
}

function sameEntry(wanted: ExpectedEntry, got: ReadEntry): string[] {
  const at = pathOfExpected(wanted)
  const link = wanted.linkname_b64 === undefined ? latin1(wanted.linkname ?? '') : base64(wanted.linkname_b64)
  const xattrs = Object.fromEntries(
    [...(got.xattrs ?? [])].map(([key, value]) => [key, Buffer.from(value).toString('base64')]),
  )
  const device = wanted.devmajor !== undefined && (got.kind === Kind.char || got.kind === Kind.block)
  return [
    ...compare(`${at}: path`, at, wanted.path_sha256 ? hashedPath(got) : pathText(got)),
    ...compare(`${at}: type`, wanted.type, kindNames[got.kind]),
    ...compare(`${at}: size`, wanted.size, got.size),
    ...compare(`${at}: mode`, wanted.mode & 0o7777, got.mode),
    ...compare(`${at}: link`, link, got.link ? Buffer.from(got.link).toString('latin1') : ''),
    ...compare(`${at}: owner`, [wanted.uid, wanted.gid], [got.uid, got.gid]),
    ...compare(`${at}: mtime`, [wanted.mtime, wanted.mtime_nsec ?? 0], [got.mtime, got.nsec]),
    ...compare(`${at}: xattrs`, sorted(wanted.xattrs ?? {}), sorted(xattrs)),
    ...(device ? compare(`${at}: device`, [wanted.devmajor, wanted.devminor], [got.devMajor, got.devMinor]) : []),
    ...(wanted.sha256 ? compare(`${at}: sha256`, wanted.sha256, got.sha256) : []),
  ]
}

function pathOfExpected(entry: ExpectedEntry): string {
  if (entry.path_sha256) return `${entry.path_len} ${entry.path_sha256}`
  const path = entry.path_b64 === undefined ? latin1(entry.path ?? '') : base64(entry.path_b64)
  return withoutSlash(path)
}

function pathText(entry: ReadEntry): string {
  return withoutSlash(Buffer.from(entry.path).toString('latin1'))
}

function hashedPath(entry: ReadEntry): string {
  const path = Buffer.from(pathText(entry), 'latin1')
  return `${path.length} ${createHash('sha256').update(path).digest('hex')}`
}

function withoutSlash(path: string): string {
  return path.replace(/\/+$/, '')
}

/** UTF-8 text as its bytes, one character a byte, so that odd names can be compared with it. */
function latin1(text: string): string {
  return Buffer.from(text).toString('latin1')
}

function base64(text: string): string {
  return Buffer.from(text, 'base64').toString('latin1')
}

function sorted(record: Record<string, string>): [string, string][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))
}

/** What is wrong with an error that a person is to read: nothing when it is one clear sentence. */
export function clearError(error: unknown): string[] {
  if (!(error instanceof Fault)) return [`not a clear error: ${message(error)}`]
  const { message: text } = error
  if (text.includes('\n') || /NaN|\[object/.test(text) || text.length > 500) return [`not a clear error: ${text}`]
  return []
}

function message(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}

async function list(path: string): Promise<Listing> {
  const reader = new ListingSink()
  const scanner = new TarScanner(reader, { name: path })
  reader.scanner = scanner
  try {
    await feed(path, chunk => scanner.push(chunk))
    scanner.end()
    return { entries: reader.entries, error: undefined }
  } catch (error) {
    return { entries: reader.entries, error }
  }
}

async function feed(path: string, sink: (chunk: Uint8Array) => void): Promise<void> {
  const file = openSync(path, 'r')
  const chunk = Buffer.alloc(4096)
  try {
    let length = readSync(file, chunk)
    const inflate = createInflate(compressionOf(chunk.subarray(0, length)), sink, { name: path })
    try {
      for (; length > 0; length = readSync(file, chunk)) await inflate.push(Buffer.from(chunk.subarray(0, length)))
      await inflate.end()
    } finally {
      inflate.close()
    }
  } finally {
    closeSync(file)
  }
}

/** Keeps the entries, and the hash of each content with its holes. */
class ListingSink {
  readonly entries: ReadEntry[] = []
  scanner: TarScanner | null = null
  #content: Content | null = null

  entry(entry: Entry): void {
    const copy = { ...entry, path: entry.path.slice(), link: entry.link?.slice() ?? null, sha256: null }
    this.entries.push(copy)
    this.#content = entry.kind === Kind.file ? new Content(this.scanner?.sparse ?? null) : null
  }

  body(chunk: Uint8Array, start: number, end: number): void {
    this.#content?.push(chunk.subarray(start, end))
  }

  bodyEnd(): void {
    const last = this.entries[this.entries.length - 1]
    if (this.#content && last) last.sha256 = this.#content.digest(last.size)
    this.#content = null
  }
}

class Content {
  readonly #hash: Hash = createHash('sha256')
  readonly #pieces: Buffer[] = []
  readonly #sparse: SparseMap | null

  constructor(sparse: SparseMap | null) {
    this.#sparse = sparse
  }

  push(bytes: Uint8Array): void {
    if (this.#sparse) this.#pieces.push(Buffer.from(bytes))
    else this.#hash.update(bytes)
  }

  digest(size: number): string | null {
    if (!this.#sparse) return this.#hash.digest('hex')
    if (size > MAX_HASHED) return null
    const { pieces, data } = mapOf(this.#sparse, Buffer.concat(this.#pieces))
    const content = Buffer.alloc(size)
    for (let i = 0, at = 0; i < pieces.length; i += 2) {
      data.copy(content, pieces[i], at, at + pieces[i + 1])
      at += pieces[i + 1]
    }
    return createHash('sha256').update(content).digest('hex')
  }
}

/** PAX 1.0 keeps its map, decimal lines padded to a whole block, in front of the data. */
function mapOf(sparse: SparseMap, stored: Buffer): { pieces: number[]; data: Buffer } {
  if (sparse.pieces) return { pieces: sparse.pieces, data: stored }
  const numbers: number[] = []
  let at = 0
  for (let wanted = 1; numbers.length < wanted; ) {
    const end = stored.indexOf(0x0a, at)
    numbers.push(Number(stored.toString('latin1', at, end)))
    if (numbers.length === 1) wanted = 1 + 2 * numbers[0]
    at = end + 1
  }
  return { pieces: numbers.slice(1), data: stored.subarray(Math.ceil(at / 512) * 512) }
}

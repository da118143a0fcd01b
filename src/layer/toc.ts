/**
 * Reads the table of contents that some layers carry of themselves: eStargz (stargz-snapshotter, docs/estargz.md) and
 * zstd:chunked (containers/storage, docs/containers-storage-zstd-chunked.md). Both are the JSON of CRFS: an entry for
 * each header of the tar, in its order, and further entries of type `chunk` behind a file that is stored in pieces.
 *
 * What a table can not tell: where an entry stands in the tar, the CRC of a content (it has a sha256, whose first four
 * bytes are taken), bytes of a name that are no UTF-8 (they have become U+FFFD), and in eStargz fractions of a second.
 */
import { Fault } from '../base/errors.ts'
import { normalisePath } from '../base/paths.ts'
import { type Entry, Kind, type Xattrs } from './entry.ts'
import type { IndexBuilder } from './index-builder.ts'
import { jsonEntries } from './json-entries.ts'

export type TocFormat = 'estargz' | 'zstd-chunked'

/** A piece of a file's content. */
export interface TocChunk {
  /** Where its compressed bytes begin in the blob. */
  offset: number
  /** Where they end; null: where the next piece of the blob begins. */
  end: number | null
  /** Where it begins in what comes out of the decompressor there. */
  inner: number
  /** Where it belongs in the file, bytes. */
  start: number
  /** Its bytes. */
  size: number
  /** `sha256:…` of it; null: nobody says. */
  digest: string | null
  /** It holds nothing but zeros, and nothing is stored of it. */
  zeros: boolean
}

/** Gets the pieces of each regular file, by its entry in the index. */
export type ChunkTaker = (entry: number, chunks: TocChunk[]) => void

export interface TocReader {
  /** Reads on in the plain JSON, in pieces of any size. @throws Fault when it is no table of contents. */
  push(chunk: Uint8Array): void
  /** @throws Fault when it ends in the middle. */
  end(): { tarSplitDigest: string | null; lossy: boolean }
}

/** What an entry may hold. Nothing of it is to be believed. */
interface RawEntry {
  type?: unknown
  name?: unknown
  linkName?: unknown
  mode?: unknown
  size?: unknown
  uid?: unknown
  gid?: unknown
  modtime?: unknown
  devMajor?: unknown
  devMinor?: unknown
  xattrs?: unknown
  digest?: unknown
  offset?: unknown
  endOffset?: unknown
  innerOffset?: unknown
  chunkOffset?: unknown
  chunkSize?: unknown
  chunkDigest?: unknown
  chunkType?: unknown
}

const kinds: ReadonlyMap<unknown, Kind> = new Map([
  ['dir', Kind.dir],
  ['reg', Kind.file],
  ['symlink', Kind.symlink],
  ['hardlink', Kind.hardlink],
  ['char', Kind.char],
  ['block', Kind.block],
  ['fifo', Kind.fifo],
])

/** Files that the format itself puts into the root of a layer. */
const landmarks = new Set(['.prefetch.landmark', '.no.prefetch.landmark'])

/** No file is stored in more pieces: it would have a terabyte. */
const MAX_CHUNKS = 1 << 20

const encoder = new TextEncoder()
const nothing: Uint8Array = new Uint8Array(0)

/** Where a name lies until the next one comes. */
interface Room {
  bytes: Uint8Array
}

/** Entries go to the builder; `name` says in errors what is being read. */
export function tocReader(format: TocFormat, builder: IndexBuilder, name: string, onChunks?: ChunkTaker): TocReader {
  /** The file whose pieces may still come. */
  let file: { entry: number; size: number; raw: RawEntry; chunks: RawEntry[] } | null = null
  let lossy = false
  const rooms: Record<'path' | 'link', Room> = { path: { bytes: nothing }, link: { bytes: nothing } }
  const time = { text: null as unknown, mtime: 0, nsec: 0 }
  /** Used again for each: there are many. */
  const entry: Entry = {
    path: nothing,
    kind: Kind.file,
    size: 0,
    mode: 0,
    uid: 0,
    gid: 0,
    mtime: 0,
    nsec: 0,
    link: null,
    devMajor: 0,
    devMinor: 0,
    xattrs: null,
    sparse: false,
    offset: -1,
  }

  function number(value: unknown, what: string): number {
    if (value === undefined) return 0
    if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
    builder.anomaly({ kind: 'bad-number', path: entry.path, text: `the ${what} of an entry is not a number` })
    return 0
  }

  function fill(entry: Entry, raw: RawEntry, kind: Kind, path: Uint8Array): void {
    const device = kind === Kind.char || kind === Kind.block
    // Files of one build have one time.
    if (raw.modtime !== time.text) Object.assign(time, { text: raw.modtime }, timeOf(raw.modtime))
    entry.path = path
    entry.kind = kind
    entry.size = kind === Kind.file ? number(raw.size, 'size') : 0
    entry.mode = number(raw.mode, 'mode') & 0o7777
    entry.uid = number(raw.uid, 'owner')
    entry.gid = number(raw.gid, 'group')
    entry.mtime = time.mtime
    entry.nsec = time.nsec
    entry.link = kind === Kind.symlink || kind === Kind.hardlink ? bytesOf(raw.linkName, rooms.link) : null
    entry.devMajor = device ? number(raw.devMajor, 'device') : 0
    entry.devMinor = device ? number(raw.devMinor, 'device') : 0
    entry.xattrs = raw.xattrs === undefined ? null : xattrsOf(raw.xattrs)
  }

  function endFile(): void {
    if (file === null) return
    const { entry, size, raw, chunks } = file
    file = null
    onChunks?.(entry, size === 0 ? [] : chunksOf(raw, chunks, size))
  }

  const entries = jsonEntries(name, value => {
    const raw = value as RawEntry
    if (raw.type === 'chunk') {
      if (onChunks === undefined || file === null) return
      if (file.chunks.length >= MAX_CHUNKS) throw new Fault(`${name} names more than ${MAX_CHUNKS} pieces of a file.`)
      file.chunks.push(raw)
      return
    }
    endFile()
    const path = bytesOf(raw.name, rooms.path)
    const kind = kinds.get(raw.type) ?? null
    if (kind === null || typeof raw.name !== 'string') {
      builder.anomaly({ kind: 'odd-entry', path, text: 'an entry of the table of contents of no known type' })
      return
    }
    if (format === 'estargz' && isLandmark(raw.name)) return
    if (raw.name.includes('\ufffd') || (typeof raw.linkName === 'string' && raw.linkName.includes('\ufffd'))) {
      lossy = true
      builder.anomaly({ kind: 'lossy-name', path, text: 'the table of contents has lost bytes of a name' })
    }
    fill(entry, raw, kind, path)
    const before = builder.count
    builder.entry(entry)
    // Some markers hide nothing that could have a name: they have no entry.
    if (kind !== Kind.file || builder.count === before) return
    if (entry.size > 0) setHash(raw, builder)
    if (onChunks) file = { entry: builder.count - 1, size: entry.size, raw, chunks: [] }
  })

  return {
    push: entries.push,
    end() {
      const rest = entries.end() as { version?: unknown; tarSplitDigest?: unknown } | null
      endFile()
      if (rest?.version !== 1) throw new Fault(`${name} can not be read: it is not of version 1.`)
      return { tarSplitDigest: typeof rest.tarSplitDigest === 'string' ? rest.tarSplitDigest : null, lossy }
    },
  }
}

/** RFC 3339. Absent is 1970, and so is the zero of Go's clock, which some writers put down for it. */
function timeOf(text: unknown): { mtime: number; nsec: number } {
  if (typeof text !== 'string' || text.startsWith('0001-01-01')) return { mtime: 0, nsec: 0 }
  const dot = text.indexOf('.')
  if (dot < 0) return { mtime: (Date.parse(text) || 0) / 1000, nsec: 0 }
  const digits = /^\d{1,9}/.exec(text.slice(dot + 1))?.[0] ?? ''
  const whole = Date.parse(text.slice(0, dot) + text.slice(dot + 1 + digits.length))
  return { mtime: (whole || 0) / 1000, nsec: Number(digits.padEnd(9, '0')) }
}

function xattrsOf(raw: unknown): Xattrs | null {
  if (typeof raw !== 'object' || raw === null) return null
  const attrs = new Map<string, Uint8Array>()
  for (const [name, value] of Object.entries(raw)) {
    if (typeof value === 'string') attrs.set(name, Buffer.from(value, 'base64'))
  }
  return attrs.size === 0 ? null : attrs
}

function setHash(raw: RawEntry, builder: IndexBuilder): void {
  const { digest } = raw
  if (typeof digest !== 'string' || digest.length !== 71 || !digest.startsWith('sha256:')) return
  const sum = Number.parseInt(digest.slice(7, 15), 16)
  if (sum >= 0) builder.setSha256(sum)
}

/** The pieces of a file in order. Ends and sizes that are left out follow from the piece behind. */
function chunksOf(raw: RawEntry, more: RawEntry[], size: number): TocChunk[] {
  const all = [raw, ...more]
  const starts = all.map((one, at) => (at === 0 ? 0 : safeNumber(one.chunkOffset)))
  const offsets = all.map(one => safeNumber(one.offset))
  return all.map((one, at): TocChunk => {
    const start = starts[at]!
    const said = safeNumber(one.chunkSize)
    const after = at + 1 < all.length ? offsets[at + 1]! : safeNumber(raw.endOffset)
    return {
      offset: offsets[at]!,
      end: raw.endOffset === undefined ? null : after,
      inner: safeNumber(one.innerOffset),
      start,
      size: said > 0 ? said : Math.max(0, (starts[at + 1] ?? size) - start),
      digest: digestOf(one.chunkDigest) ?? (all.length === 1 ? digestOf(one.digest) : null),
      zeros: one.chunkType === 'zeros',
    }
  })
}

function digestOf(value: unknown): string | null {
  return typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value) ? value : null
}

function safeNumber(value: unknown): number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0
}

function bytesOf(text: unknown, room: Room): Uint8Array {
  if (typeof text !== 'string') return nothing
  if (text.length * 3 > room.bytes.length) room.bytes = new Uint8Array(text.length * 6)
  return room.bytes.subarray(0, encoder.encodeInto(text, room.bytes).written)
}

function isLandmark(name: string): boolean {
  return name.endsWith('.landmark') && landmarks.has(name.replace(/^[./]*\//, ''))
}

/** Whether a path in canonical form is one of the files that eStargz adds to a layer: its table and its landmarks. */
export function isOfFormat(path: Uint8Array): boolean {
  const name = Buffer.from(normalisePath(path)).toString('latin1')
  return name === 'stargz.index.json' || landmarks.has(name)
}

/**
 * Layers that carry a table of contents of themselves, made from a layer tar by the formats' own descriptions: eStargz
 * (stargz-snapshotter, docs/estargz.md) and zstd:chunked (containers/storage, both footers).
 */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { type Entry, Kind } from '../../src/layer/entry.ts'
import { TarScanner } from '../../src/layer/tar-scanner.ts'
import { entry, tarWithoutEnd } from './tar.ts'
import { tarSplitLines } from './tar-split.ts'

export interface TocLayer {
  blob: Uint8Array
  /** What the manifest says of the layer. */
  annotations: Record<string, string>
  /** The plain table. */
  toc: Uint8Array
  /** Of the tar in it. */
  diffId: string
}

export interface TocOptions {
  /** Files are cut into pieces of so many bytes. */
  chunk?: number
  /** Changes the table before it is packed. */
  edit?: (toc: { version: number; entries: TocEntry[] }) => unknown
}

export type TocEntry = Record<string, unknown> & { name: string; type: string }

/** An eStargz layer. `legacy`: with the footer of stargz. `together`: small files share a gzip member. */
export function estargz(
  tar: Uint8Array,
  {
    chunk = 4 << 20,
    edit,
    legacy = false,
    together = false,
  }: TocOptions & { legacy?: boolean; together?: boolean } = {},
): TocLayer {
  const landmark = tarWithoutEnd(entry({ path: '.no.prefetch.landmark', body: Buffer.from([0x0f]) }))
  const whole = Buffer.concat([withoutEnd(tar), landmark])
  const out: Uint8Array[] = []
  let length = 0
  let plain: Uint8Array[] = []
  const flush = () => {
    if (plain.length === 0) return
    const member = gzipSync(Buffer.concat(plain))
    out.push(member)
    length += member.length
    plain = []
  }
  const entries: TocEntry[] = []
  let at = 0
  for (const one of itemsOf(whole)) {
    plain.push(whole.subarray(at, one.start))
    at = one.start
    const first: TocEntry = {
      ...described(one.entry, time => (time.mtime === 0 ? undefined : rounded(time))),
      NumLink: 0,
    }
    entries.push(first)
    if (one.size === 0) continue
    first.digest = sha256(whole.subarray(one.start, one.start + one.size))
    for (let done = 0; done < one.size; done += chunk) {
      const size = Math.min(chunk, one.size - done)
      const bytes = whole.subarray(one.start + done, one.start + done + size)
      if (!together || plain.reduce((sum, piece) => sum + piece.length, size) > 8192) flush()
      const place = {
        offset: length,
        ...(plain.length > 0 ? { innerOffset: plain.reduce((sum, piece) => sum + piece.length, 0) } : {}),
        ...(done + size < one.size ? { chunkSize: size } : {}),
        ...(done > 0 ? { chunkOffset: done } : {}),
        chunkDigest: sha256(bytes),
      }
      if (done === 0) Object.assign(first, place)
      else entries.push({ name: one.entry.name, type: 'chunk', ...place, NumLink: 0 })
      plain.push(bytes)
      at = one.start + done + size
    }
  }
  plain.push(whole.subarray(at))
  flush()
  const made = { version: 1, entries }
  const toc = Buffer.from(JSON.stringify(edit?.(made) ?? made, null, '\t'))
  const tocAt = length
  const tail = Buffer.concat([
    tarWithoutEnd(entry({ path: 'stargz.index.json', body: toc, mode: 0 })),
    Buffer.alloc(1024),
  ])
  const blob = Buffer.concat([...out, gzipSync(tail), legacy ? legacyFooter(tocAt) : footer(tocAt)])
  const inner = Buffer.concat([whole, tail])
  return { blob, toc, annotations: { 'containerd.io/snapshot/stargz/toc.digest': sha256(toc) }, diffId: sha256(inner) }
}

/** A zstd:chunked layer. `splits`: as newer writers make them, with the tar-split of the tar and the longer footer. */
export function zstdChunked(
  tar: Uint8Array,
  { chunk = 64 << 10, edit, splits = false, old = false }: TocOptions & { splits?: boolean; old?: boolean } = {},
): TocLayer {
  const out: Uint8Array[] = []
  let length = 0
  const frame = (bytes: Uint8Array) => {
    if (bytes.length === 0) return
    const packed = zstdCompressSync(bytes)
    out.push(packed)
    length += packed.length
  }
  const entries: TocEntry[] = []
  let at = 0
  for (const one of itemsOf(tar)) {
    frame(tar.subarray(at, one.start))
    at = one.start + one.size
    const first: TocEntry = described(one.entry, exact)
    entries.push(first)
    if (one.size === 0) continue
    const content = tar.subarray(one.start, at)
    Object.assign(first, { digest: sha256(content), offset: length })
    const pieces: { bytes: Uint8Array; offset: number; start: number; zeros: boolean }[] = []
    for (let start = 0; start < one.size; start += chunk) {
      const bytes = content.subarray(start, start + chunk)
      const zeros = one.size > chunk && bytes.every(byte => byte === 0)
      pieces.push({ bytes, offset: length, start, zeros })
      // Even of zeros something is stored, or the layer would not unpack to its tar.
      frame(bytes)
    }
    first.endOffset = length
    if (pieces.length === 1) continue
    const places = pieces.map(({ bytes, offset, start, zeros }) => ({
      offset,
      chunkSize: bytes.length,
      ...(start > 0 ? { chunkOffset: start } : {}),
      chunkDigest: sha256(bytes),
      ...(zeros ? { chunkType: 'zeros' } : {}),
    }))
    Object.assign(first, places[0])
    for (const place of places.slice(1)) entries.push({ type: 'chunk', name: one.entry.name, ...place })
  }
  frame(tar.subarray(at))
  const split = splits ? zstdCompressSync(tarSplitLines(tar)) : null
  const made = { version: 1, entries, ...(split ? { tarSplitDigest: sha256(split) } : {}) }
  const toc = Buffer.from(JSON.stringify(edit?.(made) ?? made))
  const packed = zstdCompressSync(toc)
  const tocAt = length + 8
  const splitAt = tocAt + packed.length + 8
  const numbers = [tocAt, packed.length, toc.length, 1]
  if (split) numbers.push(splitAt, split.length, tarSplitLines(tar).length)
  const magic = Buffer.from(split ? 'GNUlInUx' : 'GnUlInUx')
  const tail = Buffer.concat([...numbers.map(little), magic])
  const blob = Buffer.concat([...out, skipped(packed), ...(split ? [skipped(split)] : []), skipped(tail)])
  const prefix = old ? 'io.containers.zstd-chunked' : 'io.github.containers.zstd-chunked'
  const annotations = {
    [`${prefix}.manifest-checksum`]: sha256(packed),
    [`${prefix}.manifest-position`]: numbers.slice(0, 4).join(':'),
    ...(split ? { [`${prefix}.tarsplit-position`]: numbers.slice(4).join(':') } : {}),
  }
  return { blob, toc, annotations, diffId: sha256(tar) }
}

interface Described extends Entry {
  name: string
}

interface Item {
  entry: Described
  /** Where its stored body is in the tar. */
  start: number
  size: number
}

function itemsOf(tar: Uint8Array): Item[] {
  const items: Item[] = []
  const scanner: TarScanner = new TarScanner({
    entry(one) {
      const entry = { ...one, path: one.path.slice(), link: one.link?.slice() ?? null }
      const size = one.kind === Kind.file ? scanner.bodySize : 0
      items.push({ entry: { ...entry, name: text(entry.path) }, start: scanner.bodyOffset, size })
    },
  })
  scanner.push(tar)
  return items
}

const types: Partial<Record<Kind, string>> = {
  [Kind.file]: 'reg',
  [Kind.dir]: 'dir',
  [Kind.symlink]: 'symlink',
  [Kind.hardlink]: 'hardlink',
  [Kind.char]: 'char',
  [Kind.block]: 'block',
  [Kind.fifo]: 'fifo',
}

/** As Go writes it down: what is zero is left out. */
function described(one: Described, time: (one: Described) => string | undefined): TocEntry {
  const device = one.kind === Kind.char || one.kind === Kind.block
  const fields = {
    size: one.kind === Kind.file ? one.size : 0,
    modtime: time(one),
    linkName: one.link ? text(one.link) : undefined,
    mode: one.mode,
    uid: one.uid,
    gid: one.gid,
    devMajor: device ? one.devMajor : 0,
    devMinor: device ? one.devMinor : 0,
    xattrs: one.xattrs
      ? Object.fromEntries(Array.from(one.xattrs, ([name, value]) => [name, Buffer.from(value).toString('base64')]))
      : undefined,
  }
  return {
    name: one.name,
    type: types[one.kind]!,
    ...Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== 0 && value !== undefined)),
  }
}

/** Bytes that are no UTF-8 become U+FFFD, as in Go. */
function text(bytes: Uint8Array): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)
}

function exact({ mtime, nsec }: Entry): string {
  const whole = new Date(mtime * 1000).toISOString().slice(0, 19)
  return `${whole}${nsec === 0 ? '' : `.${String(nsec).padStart(9, '0').replace(/0+$/, '')}`}Z`
}

function rounded({ mtime, nsec }: Entry): string {
  return exact({ mtime: mtime + (nsec >= 500_000_000 ? 1 : 0), nsec: 0 } as Entry)
}

function withoutEnd(tar: Uint8Array): Uint8Array {
  const scanner = new TarScanner({ entry() {} })
  let end = 0
  for (let at = 0; at + 512 <= tar.length && !scanner.done; at += 512) {
    if (scanner.skippable === 0 && tar.subarray(at, at + 512).every(byte => byte === 0)) break
    scanner.push(tar, at, at + 512)
    end = at + 512
  }
  return tar.subarray(0, end)
}

function footer(tocAt: number): Uint8Array {
  const field = Buffer.from(`${tocAt.toString(16).padStart(16, '0')}STARGZ`)
  return emptyMember(Buffer.concat([Buffer.from('SG'), Buffer.from([field.length, 0]), field]))
}

function legacyFooter(tocAt: number): Uint8Array {
  return emptyMember(Buffer.from(`${tocAt.toString(16).padStart(16, '0')}STARGZ`))
}

function emptyMember(extra: Uint8Array): Uint8Array {
  const head = Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, extra.length, 0])
  return Buffer.concat([head, extra, Buffer.from([1, 0, 0, 0xff, 0xff]), Buffer.alloc(8)])
}

function skipped(bytes: Uint8Array): Uint8Array {
  const head = Buffer.from([0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])
  head.writeUInt32LE(bytes.length, 4)
  return Buffer.concat([head, bytes])
}

function little(number: number): Uint8Array {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(number))
  return bytes
}

function sha256(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

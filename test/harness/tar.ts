/**
 * Layer tars for tests, from a tiny language: one entry a line, so that a test shows its tar as a reader would draw it.
 *
 *   dir etc 0700 1:2            file etc/passwd 10            file a 10 0600 5:6 fill=b mtime=99.5
 *   link bin -> usr/bin         hard b -> a                   char dev/null 1,3      block sda 8,0      fifo pipe
 *   gone etc/passwd             (the whiteout etc/.wh.passwd) opaque etc             (etc/.wh..wh..opq)
 *   file a "text"               x:user.key=value              (an extended attribute)
 *
 * `%XX` in a name is that byte (`%20` a space). Two files of the same size hold the same bytes unless `fill=` differs.
 * Whatever the language can not say is given as an object (`entry`, `raw`, `gnuSparse`, …).
 */
import { Buffer } from 'node:buffer'
import { BLOCK, type Bytes, type HeaderFields, header, padded, paxRecords, toBytes } from './tar-header.ts'

/** A piece of a tar: whole blocks. */
export interface Piece {
  blocks: Uint8Array
}

/** A tar of lines of the language and of pieces, ended by two zero blocks. */
export function tar(...parts: (string | Piece)[]): Uint8Array {
  return Buffer.concat([tarWithoutEnd(...parts), Buffer.alloc(2 * BLOCK)])
}

/** The same without the end of the archive. */
export function tarWithoutEnd(...parts: (string | Piece)[]): Uint8Array {
  return Buffer.concat(parts.flatMap(part => (typeof part === 'string' ? lines(part) : [part.blocks])))
}

export type EntryType = 'file' | 'dir' | 'symlink' | 'hardlink' | 'char' | 'block' | 'fifo'

export interface EntrySpec extends Omit<HeaderFields, 'name' | 'prefix' | 'flag' | 'size'> {
  path: Bytes
  type?: EntryType
  body?: Uint8Array
  /** Seconds, with a fraction where it has one: that needs a PAX record. */
  mtime?: number
  xattrs?: Record<string, Bytes>
  /** Records that go into the entry's PAX header, in this order, after those that the entry needs itself. */
  pax?: Iterable<readonly [string, Bytes]>
  /** The type flag word for word, in place of the one of `type`. */
  flag?: string
  /** The size that the header claims, in place of the body's. */
  size?: number
  /** How what does not fit into the header is written. Default PAX. */
  long?: 'pax' | 'gnu'
}

const flags: Record<EntryType, string> = {
  file: '0',
  hardlink: '1',
  symlink: '2',
  char: '3',
  block: '4',
  dir: '5',
  fifo: '6',
}

/** An entry with the extension headers that it needs: PAX records, or GNU long names with `long: 'gnu'`. */
export function entry(spec: EntrySpec): Piece {
  const { path, type = 'file', body = new Uint8Array(0), xattrs = {}, long = 'pax', ...rest } = spec
  const pieces: Uint8Array[] = []
  const records: (readonly [string, Bytes])[] = []
  const fields: HeaderFields = { ...rest, name: path, flag: spec.flag ?? flags[type], size: spec.size ?? body.length }
  if (long === 'gnu') fields.magic ??= 'gnu'
  for (const [field, key, flag] of [
    ['name', 'path', 'L'],
    ['link', 'linkpath', 'K'],
  ] as const) {
    const bytes = toBytes(fields[field] ?? '')
    if (bytes.length <= 100) continue
    if (long === 'gnu') pieces.push(gnuLong(flag, bytes))
    else records.push([key, bytes])
    fields[field] = bytes.subarray(0, 100)
  }
  if (fields.magic !== 'gnu' && !fields.base256) moveLargeNumbers(fields, records)
  for (const [name, value] of Object.entries(xattrs)) records.push([`SCHILY.xattr.${name}`, value])
  records.push(...(spec.pax ?? []))
  if (records.length > 0) pieces.push(pax(records).blocks)
  pieces.push(header(fields), padded(body))
  return { blocks: Buffer.concat(pieces) }
}

/** A PAX extended header with these records; `g` makes it a global one. */
export function pax(records: Iterable<readonly [string, Bytes]>, flag: 'x' | 'g' = 'x'): Piece {
  return paxBody(paxRecords(records), flag)
}

/** A PAX header whose body is given word for word. */
export function paxBody(body: Bytes, flag: 'x' | 'g' = 'x'): Piece {
  const bytes = toBytes(body)
  const name = flag === 'x' ? 'PaxHeaders.0/x' : 'pax_global_header'
  return { blocks: Buffer.concat([header({ name, flag, size: bytes.length }), padded(bytes)]) }
}

/** Blocks as they are. */
export function raw(...blocks: Uint8Array[]): Piece {
  return { blocks: Buffer.concat(blocks) }
}

/** `size` bytes that are all the same letter. */
export function fill(size: number, letter = 'a'): Uint8Array {
  return Buffer.alloc(size, letter)
}

function gnuLong(flag: 'L' | 'K', bytes: Uint8Array): Uint8Array {
  const body = Buffer.concat([bytes, Buffer.alloc(1)])
  return Buffer.concat([header({ name: '././@LongLink', flag, size: body.length, magic: 'gnu' }), padded(body)])
}

function moveLargeNumbers(fields: HeaderFields, records: (readonly [string, Bytes])[]): void {
  const limits = { uid: 8 ** 7, gid: 8 ** 7, size: 8 ** 11, mtime: 8 ** 11 }
  for (const [field, limit] of Object.entries(limits) as [keyof typeof limits, number][]) {
    const value = fields[field] ?? 0
    if (value >= 0 && value < limit && Number.isInteger(value)) continue
    records.push([field, String(value)])
    fields[field] = 0
  }
}

function lines(text: string): Uint8Array[] {
  const written = text.split('\n').map(line => line.trim())
  return written.filter(line => line !== '' && !line.startsWith('#')).map(line => entry(parse(line)).blocks)
}

function parse(line: string): EntrySpec {
  const [word, path, ...words] = line.match(/"[^"]*"|\S+/g) as string[]
  const spec = { path, ...kindOf(word, path) }
  let letter = 'a'
  let size = 0
  for (let at = 0; at < words.length; at++) {
    const token = words[at]
    const [key, value] = splitOnce(token, '=')
    if (token === '->') spec.link = words[++at]
    else if (token.startsWith('"')) spec.body = toBytes(token.slice(1, -1))
    else if (key.startsWith('x:')) spec.xattrs = { ...spec.xattrs, [key.slice(2)]: value }
    else if (key === 'fill') letter = value
    else if (key === 'mtime') spec.mtime = Number(value)
    else if (/^\d+:\d+$/.test(token)) [spec.uid, spec.gid] = token.split(':').map(Number)
    else if (/^\d+,\d+$/.test(token)) spec.dev = token.split(',').map(Number) as [number, number]
    else if (/^0\d{3,4}$/.test(token)) spec.mode = Number.parseInt(token, 8)
    else if (/^\d+$/.test(token)) size = Number(token)
    else throw new Error(`what is "${token}" in the line: ${line}`)
  }
  if (spec.type === 'file' && !spec.body) spec.body = fill(size, letter)
  return spec
}

function kindOf(word: string, path: string): Partial<EntrySpec> {
  if (word === 'gone') return { type: 'file', path: path.replace(/[^/]*$/, '.wh.$&'), body: new Uint8Array(0) }
  if (word === 'opaque') return { type: 'file', path: `${path}/.wh..wh..opq`, body: new Uint8Array(0) }
  if (word === 'dir') return { type: 'dir', mode: 0o755 }
  if (word === 'link') return { type: 'symlink', mode: 0o777 }
  if (word === 'hard') return { type: 'hardlink' }
  if (word in flags) return { type: word as EntryType }
  throw new Error(`no such kind of entry: ${word}`)
}

function splitOnce(text: string, at: string): [string, string] {
  const index = text.indexOf(at)
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)]
}

/**
 * Raw tar headers for tests: every dialect that src/layer/README.md, rule 11, names, and the broken ones. Written by hand because a
 * test has to be able to say things that no well-behaved tar library lets one say.
 */
import { Buffer } from 'node:buffer'

export const BLOCK = 512

export type Bytes = string | Uint8Array

/** The fields of one 512-byte header, as they shall stand there; whatever is left out is a plain file of mode 0644. */
export interface HeaderFields {
  name: Bytes
  prefix?: Bytes
  /** The type flag: `0` file, `1` hard link, `2` symlink, `3` char, `4` block, `5` dir, `6` fifo, `x`, `g`, `L`, `K`, `S`. */
  flag?: string
  mode?: number
  uid?: number
  gid?: number
  size?: number
  mtime?: number
  link?: Bytes
  uname?: string
  gname?: string
  dev?: readonly [number, number]
  magic?: 'ustar' | 'gnu' | 'v7'
  /** Numbers in base 256 where octal does not hold them. Default: with GNU magic. */
  base256?: boolean
  /** Number fields word for word: `{ size: '-0000000012' }`. */
  rawFields?: Partial<Record<'mode' | 'uid' | 'gid' | 'size' | 'mtime', Bytes>>
  badChecksum?: boolean
}

const number = { mode: [100, 8], uid: [108, 8], gid: [116, 8], size: [124, 12], mtime: [136, 12] } as const

/** One header block. Numbers that do not fit throw: a test has to say how it wants them written. */
export function header(fields: HeaderFields): Uint8Array {
  const block = Buffer.alloc(BLOCK)
  const magic = fields.magic ?? 'ustar'
  const base256 = fields.base256 ?? magic === 'gnu'
  put(block, 0, 100, fields.name)
  const values = {
    mode: fields.mode ?? 0o644,
    uid: fields.uid ?? 0,
    gid: fields.gid ?? 0,
    size: fields.size ?? 0,
    mtime: fields.mtime ?? 0,
  }
  for (const [field, [at, width]] of Object.entries(number) as [keyof typeof number, readonly [number, number]][]) {
    const raw = fields.rawFields?.[field]
    if (raw === undefined) putNumber(block, at, width, values[field], base256)
    else put(block, at, width, raw)
  }
  block.write(fields.flag ?? '0', 156, 'latin1')
  put(block, 157, 100, fields.link ?? '')
  if (magic !== 'v7') {
    block.write(magic === 'gnu' ? 'ustar  \0' : 'ustar\x0000', 257, 'latin1')
    put(block, 265, 32, fields.uname ?? '')
    put(block, 297, 32, fields.gname ?? '')
    putNumber(block, 329, 8, fields.dev?.[0] ?? 0, base256)
    putNumber(block, 337, 8, fields.dev?.[1] ?? 0, base256)
    put(block, 345, 155, fields.prefix ?? '')
  }
  return seal(block, fields.badChecksum)
}

/** Writes the checksum of a header block into it; a bad one is off by one. */
export function seal(block: Uint8Array, bad = false): Uint8Array {
  block.fill(0x20, 148, 156)
  let sum = bad ? 1 : 0
  for (const byte of block) sum += byte
  Buffer.from(block.buffer, block.byteOffset, block.length).write(
    `${sum.toString(8).padStart(6, '0')}\0 `,
    148,
    'latin1',
  )
  return block
}

/** The records of a PAX header, each with its own length in front. */
export function paxRecords(records: Iterable<readonly [string, Bytes]>): Uint8Array {
  const out: Uint8Array[] = []
  for (const [key, value] of records) {
    const body = Buffer.concat([Buffer.from(` ${key}=`), toBytes(value), Buffer.from('\n')])
    let length = body.length + 1
    while (String(length).length + body.length !== length) length = String(length).length + body.length
    out.push(Buffer.from(String(length)), body)
  }
  return Buffer.concat(out)
}

/** A body padded to whole blocks. */
export function padded(body: Uint8Array): Uint8Array {
  const padding = (BLOCK - (body.length % BLOCK)) % BLOCK
  return padding === 0 ? body : Buffer.concat([body, Buffer.alloc(padding)])
}

/** Text as bytes, where `%XX` is that byte and `%25` a percent sign: how tests write names that are not UTF-8. */
export function toBytes(text: Bytes): Uint8Array {
  if (typeof text !== 'string') return text
  if (!text.includes('%')) return Buffer.from(text)
  const parts = text.split(/(%[0-9A-Fa-f]{2})/)
  return Buffer.concat(parts.map((part, at) => (at % 2 === 1 ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part))))
}

function put(block: Buffer, at: number, width: number, value: Bytes): void {
  const bytes = toBytes(value)
  if (bytes.length > width) throw new Error(`${bytes.length} bytes do not fit into a header field of ${width}`)
  block.set(bytes, at)
}

function putNumber(block: Buffer, at: number, width: number, value: number, base256: boolean): void {
  const digits = width - 1
  if (value >= 0 && value < 8 ** digits) {
    block.write(`${value.toString(8).padStart(digits, '0')}\0`, at, 'latin1')
    return
  }
  if (!base256) throw new Error(`${value} does not fit into ${digits} octal digits`)
  let rest = BigInt.asUintN(width * 8, BigInt(value))
  for (let byte = at + width - 1; byte >= at; byte--) {
    block[byte] = Number(rest & 0xffn)
    rest >>= 8n
  }
  block[at] |= 0x80
}

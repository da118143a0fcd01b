/**
 * PAX extended header records: `<length> <key>=<value>\n`, the length counting itself (POSIX.1-2017, pax). Values are
 * bytes: paths need not be UTF-8.
 */
import { Fault } from '../base/errors.ts'

export interface PaxRecords {
  path: Uint8Array | null
  linkpath: Uint8Array | null
  size: number | null
  uid: number | null
  gid: number | null
  mtime: { seconds: number; nanoseconds: number } | null
  xattrs: Map<string, Uint8Array> | null
  /** GNU.sparse.* records, and the offset/numbytes pairs of format 0.0 in order. */
  sparse: Map<string, string> | null
  sparsePairs: number[]
}

const decoder = new TextDecoder()
const latin1 = new TextDecoder('latin1')

/**
 * Reads the records of one extended header. Keys that mean nothing to a layer are passed over.
 * @throws Fault for a record that is not one: length 0 or past the end, no `=`, no newline, a bad number.
 */
export function parsePax(bytes: Uint8Array, where: string): PaxRecords {
  const records: PaxRecords = {
    path: null,
    linkpath: null,
    size: null,
    uid: null,
    gid: null,
    mtime: null,
    xattrs: null,
    sparse: null,
    sparsePairs: [],
  }
  let at = 0
  while (at < bytes.length && bytes[at] !== 0) {
    const record = recordAt(bytes, at, where)
    apply(records, record.key, record.value, where)
    at = record.end
  }
  return records
}

function recordAt(bytes: Uint8Array, at: number, where: string): { key: string; value: Uint8Array; end: number } {
  let length = 0
  let i = at
  for (; i < bytes.length && bytes[i] !== 0x20; i++) {
    const digit = bytes[i]! - 0x30
    if (digit < 0 || digit > 9 || i - at > 9) throw broken(where, 'a record does not start with its length')
    length = length * 10 + digit
  }
  const end = at + length
  if (i === at || end > bytes.length || end <= i + 1) throw broken(where, 'a record claims a length that cannot be')
  if (bytes[end - 1] !== 0x0a) throw broken(where, 'a record does not end with a newline')
  const equals = bytes.indexOf(0x3d, i + 1)
  if (equals < 0 || equals >= end) throw broken(where, 'a record has no "="')
  return { key: decoder.decode(bytes.subarray(i + 1, equals)), value: bytes.slice(equals + 1, end - 1), end }
}

const XATTR = 'SCHILY.xattr.'

function apply(records: PaxRecords, key: string, value: Uint8Array, where: string): void {
  switch (key) {
    case 'path':
      records.path = noNul(value, where)
      return
    case 'linkpath':
      records.linkpath = noNul(value, where)
      return
    case 'size':
      records.size = value.length === 0 ? null : wholeNumber(value, key, where)
      return
    case 'uid':
      records.uid = value.length === 0 ? null : wholeNumber(value, key, where)
      return
    case 'gid':
      records.gid = value.length === 0 ? null : wholeNumber(value, key, where)
      return
    case 'mtime':
      records.mtime = value.length === 0 ? null : time(value, where)
      return
  }
  if (key.startsWith(XATTR)) {
    const name = key.slice(XATTR.length)
    // No file system has an attribute of such a name.
    if (name === '' || name.includes('\0')) return
    records.xattrs ??= new Map()
    records.xattrs.set(name, value)
  } else if (key.startsWith('GNU.sparse.')) {
    const text = latin1.decode(value)
    if (key === 'GNU.sparse.offset' || key === 'GNU.sparse.numbytes') {
      records.sparsePairs.push(wholeNumber(value, key, where))
    } else {
      records.sparse ??= new Map()
      records.sparse.set(key.slice('GNU.sparse.'.length), text)
    }
  }
}

/** An empty path or link path unsets the record, as POSIX says; a NUL cannot stand in a name. */
function noNul(value: Uint8Array, where: string): Uint8Array | null {
  if (value.includes(0)) throw broken(where, 'a name contains a NUL byte')
  return value.length === 0 ? null : value
}

function wholeNumber(value: Uint8Array, key: string, where: string): number {
  const text = latin1.decode(value)
  if (!/^[ +-]?\d{1,64}$/.test(text)) throw broken(where, `the record ${key} is not a number`)
  return Number(text)
}

function time(value: Uint8Array, where: string): { seconds: number; nanoseconds: number } {
  const match = /^(-?)(\d{1,18})(?:\.(\d*))?$/.exec(latin1.decode(value))
  if (!match) throw broken(where, 'the record mtime is not a time')
  const whole = Number(match[2])
  const nanoseconds = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'))
  if (!match[1]) return { seconds: whole, nanoseconds }
  return nanoseconds === 0
    ? { seconds: -whole, nanoseconds: 0 }
    : { seconds: -whole - 1, nanoseconds: 1_000_000_000 - nanoseconds }
}

function broken(where: string, what: string): Fault {
  return new Fault(`${where}: the extended header is malformed: ${what}.`)
}

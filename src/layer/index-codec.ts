/**
 * A LayerIndex as bytes and back: one JSON header, then the columns as they lie in memory (little-endian, 8-byte
 * aligned). What comes back is checked column by column, because a cache file is input like any other: no number in it
 * may lead outside an array.
 */
import { Fault } from '../base/errors.ts'
import type { Anomaly } from './entry.ts'
import type { HashKind, LayerIndex } from './layer-index.ts'

/** Changes whenever the meaning of any byte changes; files of other versions are not read. */
const VERSION = 2

/** Names and values of all extended attributes, bytes: they stand in the header, which is one text. */
const MAX_ATTRIBUTES = 64 << 20

const columnTypes = {
  parent: Uint32Array,
  nameStart: Uint32Array,
  names: Uint8Array,
  node: Uint32Array,
  kind: Uint8Array,
  mode: Uint16Array,
  owner: Uint32Array,
  size: Float64Array,
  mtime: Float64Array,
  nsec: Uint32Array,
  offset: Float64Array,
  crc: Uint32Array,
  hashed: Uint8Array,
  link: Uint32Array,
  xattr: Uint32Array,
  devices: Float64Array,
  owners: Float64Array,
  linkStart: Uint32Array,
  linkBytes: Uint8Array,
} as const
type Column = keyof typeof columnTypes
const columnNames = Object.keys(columnTypes) as Column[]
const optional: ReadonlySet<Column> = new Set(['nsec', 'offset', 'crc', 'hashed', 'xattr'])

interface Header {
  version: number
  entries: number
  nodes: number
  tarBytes: number
  stored: number
  diffId: string | null
  hashKind: HashKind | null
  /** Elements of each column, -1 for one that is absent. */
  lengths: number[]
  xattrs: { key: string; attrs: [string, string][] }[]
  anomalies: { layer: number | null; path: string | null; kind: string; text: string }[]
}

/** The index as one piece of bytes; null where its attributes are more than any file system holds. */
export function encodeIndex(index: LayerIndex): Uint8Array | null {
  let attributes = 0
  for (const { attrs } of index.xattrs) for (const [name, value] of attrs) attributes += name.length + value.length
  if (attributes > MAX_ATTRIBUTES) return null
  const columns = columnNames.map(name => index[name])
  const header: Header = {
    version: VERSION,
    entries: index.entries,
    nodes: index.nodes,
    tarBytes: index.tarBytes,
    stored: index.stored,
    diffId: index.diffId,
    hashKind: index.hashKind,
    lengths: columns.map(column => column?.length ?? -1),
    xattrs: index.xattrs.map(({ key, attrs }) => ({
      key,
      attrs: Array.from(attrs, ([name, value]): [string, string] => [name, base64(value)]),
    })),
    anomalies: index.anomalies.map(anomaly => ({ ...anomaly, path: anomaly.path && base64(anomaly.path) })),
  }
  const json = new TextEncoder().encode(JSON.stringify(header))
  let size = aligned(4 + json.length)
  for (const column of columns) size += aligned(column?.byteLength ?? 0)
  const bytes = new Uint8Array(size)
  new DataView(bytes.buffer).setUint32(0, json.length, true)
  bytes.set(json, 4)
  let at = aligned(4 + json.length)
  for (const column of columns) {
    if (!column) continue
    bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), at)
    at += aligned(column.byteLength)
  }
  return bytes
}

/**
 * The index back from its bytes; its columns are views into them.
 * @throws Fault when anything in it does not hold together.
 */
export function decodeIndex(bytes: Uint8Array): LayerIndex {
  if (bytes.length < 8 || (bytes.byteOffset & 7) !== 0) throw odd('too short')
  const jsonLength = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true)
  if (4 + jsonLength > bytes.length) throw odd('the header is cut')
  const header = parseHeader(bytes.subarray(4, 4 + jsonLength))
  let at = aligned(4 + jsonLength)
  const columns: Partial<Record<Column, unknown>> = {}
  columnNames.forEach((name, i) => {
    const length = header.lengths[i]!
    if (length === -1 && optional.has(name)) {
      columns[name] = null
      return
    }
    const type = columnTypes[name]
    const size = length * type.BYTES_PER_ELEMENT
    if (!Number.isInteger(length) || length < 0 || at + size > bytes.length) throw odd(`the column ${name} is cut`)
    columns[name] = new type(bytes.buffer as ArrayBuffer, bytes.byteOffset + at, length)
    at += aligned(size)
  })
  const index = {
    ...(columns as unknown as Pick<LayerIndex, Column>),
    entries: header.entries,
    nodes: header.nodes,
    tarBytes: header.tarBytes,
    stored: header.stored,
    diffId: header.diffId,
    hashKind: header.hashKind,
    xattrs: header.xattrs.map(({ key, attrs }) => ({
      key,
      attrs: new Map(attrs.map(([name, value]): [string, Uint8Array] => [name, fromBase64(value)])),
    })),
    anomalies: header.anomalies.map(
      (anomaly): Anomaly => ({
        ...anomaly,
        path: anomaly.path === null ? null : fromBase64(anomaly.path),
      }),
    ),
  }
  check(index)
  return index
}

function parseHeader(json: Uint8Array): Header {
  let header: Header
  try {
    header = JSON.parse(new TextDecoder().decode(json)) as Header
  } catch (error) {
    throw new Fault('a cached index has no readable header', { cause: error })
  }
  if (header?.version !== VERSION) throw odd('another version')
  for (const n of [header.entries, header.nodes, header.tarBytes, header.stored]) {
    if (!Number.isSafeInteger(n) || n < 0) throw odd('a count is no number')
  }
  if (!Array.isArray(header.lengths) || !Array.isArray(header.xattrs) || !Array.isArray(header.anomalies)) {
    throw odd('the header lacks a part')
  }
  return header
}

function check(index: LayerIndex): void {
  const { entries, nodes } = index
  for (const name of ['node', 'kind', 'mode', 'owner', 'size', 'mtime', 'link'] as const) {
    if (index[name].length !== entries) throw odd(`the column ${name} has the wrong length`)
  }
  for (const name of optional) {
    const column = index[name]
    if (column && (column as { length: number }).length !== entries)
      throw odd(`the column ${name} has the wrong length`)
  }
  if ((index.crc === null) !== (index.hashed === null)) throw odd('hashes without their marks')
  if (!['crc32', 'crc64', 'sha256', null].includes(index.hashKind)) throw odd('hashes of an unknown kind')
  if (nodes < 1 || index.parent.length !== nodes || index.nameStart.length !== nodes + 1) throw odd('a broken tree')
  for (let node = 1; node < nodes; node++) if (index.parent[node]! >= node) throw odd('a parent behind its child')
  rising(index.nameStart, index.names.length, 'names')
  rising(index.linkStart, index.linkBytes.length, 'links')
  const owners = index.owners.length / 2
  const links = index.linkStart.length - 1
  for (let i = 0; i < entries; i++) {
    if (index.node[i]! >= nodes || index.kind[i]! > 8 || index.owner[i]! >= owners || index.link[i]! > links) {
      throw odd('an entry points outside')
    }
    if (!(index.size[i]! >= 0)) throw odd('a size is no size')
  }
  if (index.xattr) for (const id of index.xattr) if (id > index.xattrs.length) throw odd('an entry points outside')
  if (index.devices.length % 3 !== 0 || index.owners.length % 2 !== 0) throw odd('a column is cut')
}

function rising(starts: Uint32Array, limit: number, what: string): void {
  if (starts.length === 0) throw odd(`no ${what}`)
  for (let i = 1; i < starts.length; i++) if (starts[i]! < starts[i - 1]!) throw odd(`${what} out of order`)
  if (starts[0] !== 0 || starts[starts.length - 1]! > limit) throw odd(`${what} lead outside`)
}

function odd(what: string): Fault {
  return new Fault(`a cached index is not usable: ${what}`)
}

function aligned(size: number): number {
  return (size + 7) & ~7
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64')
}

function fromBase64(text: string): Uint8Array {
  if (typeof text !== 'string') throw odd('a value is no text')
  return new Uint8Array(Buffer.from(text, 'base64'))
}

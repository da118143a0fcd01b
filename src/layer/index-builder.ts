/**
 * Turns the entries that a scanner finds into the columns of a LayerIndex. Whiteouts become markers on the path that
 * they hide; names are normalised here and nowhere else.
 */
import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { type Anomaly, type Entry, Kind, type Xattrs } from './entry.ts'
import type { LayerIndex } from './layer-index.ts'
import { PathTree } from './path-tree.ts'
import type { EntrySink } from './tar-scanner.ts'

/** More would only be noise: a hostile layer could otherwise make one an entry. */
const MAX_ANOMALIES = 1000

const WH = [0x2e, 0x77, 0x68, 0x2e] // ".wh."
const OPAQUE = '.wh..wh..opq'

export class IndexBuilder implements EntrySink {
  /** Present only when contents are to be hashed: the scanner skips bodies that have no taker. */
  readonly body?: (chunk: Uint8Array, start: number, end: number) => void
  readonly bodyEnd?: () => void

  readonly #layer: number | null
  readonly #markers: boolean
  readonly #tree = new PathTree()
  readonly #anomalies: Anomaly[] = []
  #entries = 0
  #capacity = 1024
  #node = new Uint32Array(1024)
  #kind = new Uint8Array(1024)
  #mode = new Uint16Array(1024)
  #owner = new Uint32Array(1024)
  #size = new Float64Array(1024)
  #mtime = new Float64Array(1024)
  #offset = new Float64Array(1024)
  #link = new Uint32Array(1024)
  #nsec: Uint32Array | null = null
  #xattr: Uint32Array | null = null
  #crc: Uint32Array | null = null
  #hashed: Uint8Array | null = null
  #hashKind: LayerIndex['hashKind'] = null
  #running = 0
  #hashing = false
  /** The last entry is a sparse file, which is not summed here. */
  #sumless = false
  #stored = 0
  #hasTar = false

  readonly #devices: number[] = []
  readonly #owners: number[] = []
  readonly #ownerIds = new Map<number, Map<number, number>>()
  #lastOwner = -1
  #linkStart = new Uint32Array(64)
  #linkBytes = new Uint8Array(1024)
  #links = 0
  readonly #xattrs: { key: string; attrs: Xattrs }[] = []
  readonly #xattrIds = new Map<string, number>()

  /** The directory of the last entry: tar order clusters by directory, so most entries find it again. */
  #lastDir = new Uint8Array(256)
  #lastDirLength = -1
  #lastDirNode = 0
  /** Node and climb of the path that #intern looked at last. */
  #climbed = false

  /** `markers: false`: names are names, and what is hidden comes as entries of that kind: an upper directory's. */
  constructor(options: { hash?: boolean; layer?: number | null; markers?: boolean } = {}) {
    this.#layer = options.layer ?? null
    this.#markers = options.markers ?? true
    if (options.hash) {
      this.#hashKind = 'crc32'
      this.#crc = new Uint32Array(1024)
      this.#hashed = new Uint8Array(1024)
      this.body = (chunk, start, end) => {
        this.#running = crc32(chunk.subarray(start, end), this.#running)
      }
      this.bodyEnd = () => this.#endHash()
    }
  }

  entry(entry: Entry): void {
    const at = this.#entries
    if (at === this.#capacity) this.#grow()
    const path = entry.path
    const nameStart = lastComponent(path)
    this.#hashing = this.#sumless = false
    let kind: number = entry.kind
    let node: number
    if (this.#markers && isMarker(path, nameStart)) {
      const found = this.#marker(path, nameStart)
      if (found === null) return
      kind = found.kind
      node = found.node
    } else {
      node = this.#intern(path)
      if (this.#climbed) this.anomaly({ kind: 'climbs-out', path, text: 'the name climbs out of the root with ".."' })
    }
    this.#node[at] = node
    this.#kind[at] = kind
    this.#mode[at] = entry.mode
    this.#owner[at] = this.#ownerId(entry.uid, entry.gid)
    this.#size[at] = kind === Kind.file ? entry.size : 0
    this.#mtime[at] = entry.mtime
    this.#offset[at] = entry.offset
    if (entry.offset >= 0) this.#hasTar = true
    if (kind === Kind.file) this.#stored += entry.size
    if (entry.link !== null && kind < Kind.whiteout) this.#link[at] = this.#addLink(entry.link)
    if (entry.nsec !== 0) (this.#nsec ??= new Uint32Array(this.#capacity))[at] = entry.nsec
    if (entry.xattrs !== null && entry.xattrs.size > 0) {
      ;(this.#xattr ??= new Uint32Array(this.#capacity))[at] = this.#xattrId(entry.xattrs)
    }
    if (kind === Kind.char || kind === Kind.block) this.#devices.push(at, entry.devMajor, entry.devMinor)
    // What is stored of a sparse file is not its content, so its sum would say nothing.
    this.#hashing = kind === Kind.file && !entry.sparse
    this.#sumless = kind === Kind.file && entry.sparse
    this.#running = 0
    this.#entries = at + 1
  }

  /** Sets the CRC-32 of the content of the last entry, a sparse file, where the one who reads it sums it up. */
  setCrc32(crc: number): void {
    if (!this.#sumless || this.#crc === null) return
    this.#crc[this.#entries - 1] = crc
    this.#hashed![this.#entries - 1] = 1
  }

  /** Sets the content hash of the last entry where a store knows it (a CRC-64 folded to 32 bits). */
  setCrc64(crc: number): void {
    this.#hashKind = 'crc64'
    this.#setHash(crc)
  }

  /** Sets the content hash of the last entry where a table of contents knows it: the first four bytes of its sha256. */
  setSha256(sum: number): void {
    this.#hashKind = 'sha256'
    this.#setHash(sum)
  }

  /** How many entries there are so far. */
  get count(): number {
    return this.#entries
  }

  anomaly(anomaly: Pick<Anomaly, 'kind' | 'text' | 'path'>): void {
    if (this.#anomalies.length >= MAX_ANOMALIES) return
    this.#anomalies.push({ ...anomaly, path: anomaly.path?.slice(0, 4096) ?? null, layer: this.#layer })
    if (this.#anomalies.length === MAX_ANOMALIES) {
      this.#anomalies.push({ layer: this.#layer, path: null, kind: 'more', text: 'more oddities than are listed' })
    }
  }

  /** The finished index. Columns are cut to size; the builder is not to be used again. */
  finish(extra: { tarBytes: number; diffId: string | null }): LayerIndex {
    const n = this.#entries
    const tree = this.#tree
    return {
      entries: n,
      ...tree.done(),
      node: resized(this.#node, n),
      kind: resized(this.#kind, n),
      mode: resized(this.#mode, n),
      owner: resized(this.#owner, n),
      size: resized(this.#size, n),
      mtime: resized(this.#mtime, n),
      nsec: this.#nsec && resized(this.#nsec, n),
      offset: this.#hasTar || n === 0 ? resized(this.#offset, n) : null,
      crc: this.#crc && resized(this.#crc, n),
      hashed: this.#hashed && resized(this.#hashed, n),
      link: resized(this.#link, n),
      xattr: this.#xattr && resized(this.#xattr, n),
      devices: Float64Array.from(this.#devices),
      owners: Float64Array.from(this.#owners),
      linkBytes: resized(this.#linkBytes, this.#linkStart[this.#links]!),
      linkStart: resized(this.#linkStart, this.#links + 1),
      xattrs: this.#xattrs,
      tarBytes: extra.tarBytes,
      stored: this.#stored,
      diffId: extra.diffId,
      hashKind: this.#hashKind,
      anomalies: this.#anomalies,
    }
  }

  /** What a `.wh.` name stands for (README.md, rules 1 to 4); null when it hides nothing that can have a name. */
  #marker(path: Uint8Array, nameStart: number): { kind: number; node: number } | null {
    const end = nameEnd(path)
    const rest = nameStart + WH.length
    const name = latin(path, nameStart, end)
    if (name === OPAQUE) return { kind: Kind.opaque, node: this.#intern(path.subarray(0, nameStart)) }
    const target = name.slice(WH.length)
    if (target === '.' || target === '..') {
      this.anomaly({ kind: 'odd-whiteout', path, text: 'a whiteout of "." or ".." hides nothing' })
      return null
    }
    if (name.startsWith('.wh..wh.')) {
      this.anomaly({ kind: 'aufs-marker', path, text: 'a leftover of AUFS, or an unknown marker' })
    }
    const hidden = new Uint8Array(nameStart + end - rest)
    hidden.set(path.subarray(0, nameStart))
    hidden.set(path.subarray(rest, end), nameStart)
    return { kind: Kind.whiteout, node: this.#intern(hidden) }
  }

  #intern(path: Uint8Array): number {
    this.#climbed = false
    let end = path.length
    while (end > 0 && path[end - 1] === 0x2f) end--
    let start = end
    while (start > 0 && path[start - 1] !== 0x2f) start--
    const length = end - start
    if (length > 0 && path[start] !== 0x2e && this.#isLastDir(path, start)) {
      return this.#tree.insert(this.#lastDirNode, path, start, end)
    }
    return this.#walk(path, end, start)
  }

  #walk(path: Uint8Array, end: number, lastStart: number): number {
    let node = 0
    let dir = 0
    for (let start = 0; start < end; ) {
      let stop = start
      while (stop < end && path[stop] !== 0x2f) stop++
      const length = stop - start
      if (length === 2 && path[start] === 0x2e && path[start + 1] === 0x2e) {
        if (node === 0) this.#climbed = true
        node = node === 0 ? 0 : this.#tree.parent[node]!
      } else if (length > 0 && !(length === 1 && path[start] === 0x2e)) {
        dir = node
        node = this.#tree.insert(node, path, start, stop)
        if (start === lastStart) this.#rememberDir(path, start, dir)
      }
      start = stop + 1
    }
    return node
  }

  #isLastDir(path: Uint8Array, length: number): boolean {
    if (length !== this.#lastDirLength) return false
    const last = this.#lastDir
    for (let i = length - 1; i >= 0; i--) if (last[i] !== path[i]) return false
    return true
  }

  #rememberDir(path: Uint8Array, length: number, node: number): void {
    if (length > this.#lastDir.length) this.#lastDir = new Uint8Array(length * 2)
    for (let i = 0; i < length; i++) this.#lastDir[i] = path[i]!
    this.#lastDirLength = length
    this.#lastDirNode = node
  }

  #ownerId(uid: number, gid: number): number {
    const last = this.#lastOwner
    if (last >= 0 && this.#owners[last * 2] === uid && this.#owners[last * 2 + 1] === gid) return last
    let groups = this.#ownerIds.get(uid)
    if (groups === undefined) this.#ownerIds.set(uid, (groups = new Map()))
    let id = groups.get(gid)
    if (id === undefined) {
      id = this.#owners.length / 2
      groups.set(gid, id)
      this.#owners.push(uid, gid)
    }
    return (this.#lastOwner = id)
  }

  #addLink(target: Uint8Array): number {
    const start = this.#linkStart[this.#links]!
    const end = start + target.length
    if (end > this.#linkBytes.length) {
      const bigger = new Uint8Array(end * 2)
      bigger.set(this.#linkBytes)
      this.#linkBytes = bigger
    }
    this.#linkBytes.set(target, start)
    this.#links++
    if (this.#links === this.#linkStart.length) this.#linkStart = doubled(this.#linkStart)
    this.#linkStart[this.#links] = end
    return this.#links
  }

  #xattrId(attrs: Xattrs): number {
    const key = xattrKey(attrs)
    let id = this.#xattrIds.get(key)
    if (id === undefined) {
      this.#xattrs.push({ key, attrs: new Map(Array.from(attrs, ([name, value]) => [name, value.slice()])) })
      id = this.#xattrs.length
      this.#xattrIds.set(key, id)
    }
    return id
  }

  #setHash(sum: number): void {
    this.#crc ??= new Uint32Array(this.#capacity)
    this.#hashed ??= new Uint8Array(this.#capacity)
    this.#crc[this.#entries - 1] = sum
    this.#hashed[this.#entries - 1] = 1
  }

  #endHash(): void {
    if (!this.#hashing || this.#entries === 0) return
    this.#crc![this.#entries - 1] = this.#running
    this.#hashed![this.#entries - 1] = 1
    this.#hashing = false
  }

  #grow(): void {
    this.#capacity *= 2
    this.#node = doubled(this.#node)
    this.#kind = doubled(this.#kind)
    this.#mode = doubled(this.#mode)
    this.#owner = doubled(this.#owner)
    this.#size = doubled(this.#size)
    this.#mtime = doubled(this.#mtime)
    this.#offset = doubled(this.#offset)
    this.#link = doubled(this.#link)
    if (this.#nsec) this.#nsec = doubled(this.#nsec)
    if (this.#xattr) this.#xattr = doubled(this.#xattr)
    if (this.#crc) this.#crc = doubled(this.#crc)
    if (this.#hashed) this.#hashed = doubled(this.#hashed)
  }
}

/** What two sets of attributes are equal by: names in order, values as hex; the hash of that where it is long. */
function xattrKey(attrs: Xattrs): string {
  const names = [...attrs.keys()].sort()
  const key = names.map(name => `${JSON.stringify(name)}=${hex(attrs.get(name)!)}`).join('\n')
  return key.length <= 256 ? key : createHash('sha256').update(key).digest('hex')
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
}

function nameEnd(path: Uint8Array): number {
  let end = path.length
  while (end > 0 && path[end - 1] === 0x2f) end--
  return end
}

function lastComponent(path: Uint8Array): number {
  let start = nameEnd(path)
  while (start > 0 && path[start - 1] !== 0x2f) start--
  return start
}

/** A name that begins with `.wh.` and goes on; a bare `.wh.` is an ordinary file. */
function isMarker(path: Uint8Array, start: number): boolean {
  if (path[start] !== WH[0] || path[start + 1] !== WH[1] || path[start + 2] !== WH[2] || path[start + 3] !== WH[3]) {
    return false
  }
  return nameEnd(path) > start + WH.length
}

function latin(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1')
}

type Column = Uint8Array | Uint16Array | Uint32Array | Float64Array

/** The column at another length. The old one is given up at once, not when it is collected: there are many and large. */
function resized<T extends Column>(column: T, length: number): T {
  const type = column.constructor as new (buffer: ArrayBuffer) => T
  return new type((column.buffer as ArrayBuffer).transfer(length * column.BYTES_PER_ELEMENT))
}

const doubled = <T extends Column>(column: T): T => resized(column, column.length * 2)

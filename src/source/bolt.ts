/**
 * Reads bbolt databases (go.etcd.io/bbolt, page.go and meta of version 2), which containerd keeps its metadata in. Never
 * writes, takes no lock, and needs none: pages are copied before they are written, so what one transaction has committed
 * stays whole until the second one after it begins. Whether that was so is looked at when everything has been read.
 *
 * The file is foreign: every number in it is checked before it is used, and nothing is visited twice.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { Fault } from '../base/errors.ts'
import { compareBytes } from '../base/paths.ts'
import { safe } from '../base/text.ts'

/** A bucket: keys with values or with buckets of their own, in order of their bytes. Valid while `read` runs. */
export interface Bucket {
  /** The value of a key; null where there is none, or a bucket. */
  get(key: Key): Uint8Array | null
  /** The bucket of a key; null where there is none, or a value. */
  bucket(...path: Key[]): Bucket | null
  /** All keys; the value is null where it is a bucket. */
  entries(): Generator<{ key: Uint8Array; value: Uint8Array | null }>
}

/** Texts stand for their UTF-8. */
export type Key = Uint8Array | string

/** How often a file is read that changes meanwhile. */
const TRIES = 5

/**
 * Runs `read` over the root of a database as one transaction left it. When another one is committed meanwhile it runs
 * again, so it must not leave anything behind. null: it changes all the time. @throws Fault when it is no database.
 */
export function readBolt<T>(path: string, read: (root: Bucket) => T): T | null {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  try {
    for (let tries = 0; tries < TRIES; tries++) {
      const before = newestMeta(fd, path)
      let failure: unknown = null
      let result: T | null = null
      try {
        result = read(openBucket(new Pages(fd, before.pageSize, path), before.root, null))
      } catch (error) {
        failure = error
      }
      if (newestMeta(fd, path).transaction !== before.transaction) continue
      if (failure !== null) throw failure
      return result
    }
    return null
  } finally {
    closeSync(fd)
  }
}

const MAGIC = 0xed0cdaed
const VERSION = 2
const PAGE_HEADER = 16
/** A meta page holds so many bytes of meta behind its header, the checksum being the last eight. */
const META = 64

interface Meta {
  pageSize: number
  /** Page of the root bucket. */
  root: number
  transaction: bigint
}

/** The later of the two metas that are whole: writers overwrite the older one. */
function newestMeta(fd: number, path: string): Meta {
  const stat = fstatSync(fd)
  if (!stat.isFile()) throw new Fault(`${safe(path)} is no file.`)
  const first = metaAt(fd, 0)
  // Where the first one is being written, its page size can not be believed.
  const sizes = first === null ? [4096, 8192, 16384, 65536] : [first.pageSize]
  const metas = [first, ...sizes.map(size => metaAt(fd, size))].filter(one => one !== null)
  if (metas.length === 0) throw new Fault(`${safe(path)} is no bbolt database.`)
  return metas.reduce((a, b) => (b.transaction > a.transaction ? b : a))
}

function metaAt(fd: number, offset: number): Meta | null {
  const bytes = Buffer.alloc(PAGE_HEADER + META)
  if (readSync(fd, bytes, 0, bytes.length, offset) < bytes.length) return null
  const meta = bytes.subarray(PAGE_HEADER)
  if (meta.readUInt32LE(0) !== MAGIC || meta.readUInt32LE(4) !== VERSION) return null
  if (fnv64(meta.subarray(0, META - 8)) !== meta.readBigUInt64LE(META - 8)) return null
  const pageSize = meta.readUInt32LE(8)
  if (pageSize < 512 || pageSize > 1 << 20 || (pageSize & (pageSize - 1)) !== 0) return null
  return { pageSize, root: pageNumber(meta, 16), transaction: meta.readBigUInt64LE(48) }
}

/** FNV-1a with 64 bits, which guards a meta. */
function fnv64(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash
}

/** Pages are counted in 64 bits; what is beyond all files becomes a page that no file has. */
function pageNumber(bytes: Buffer, at: number): number {
  const number = bytes.readBigUInt64LE(at)
  return number > 2n ** 40n ? 2 ** 40 : Number(number)
}

const BRANCH = 1
const LEAF = 2
const ELEMENT = 16
/** A page with what overflows from it; a value in containerd's files has a few kilobytes at most. */
const MAX_PAGE = 16 << 20
/** Of all pages that one reading looks at. */
const MAX_READ = 512 << 20

/** The pages of the file, each read when it is asked for. */
class Pages {
  readonly #fd: number
  readonly #pageSize: number
  readonly #size: number
  readonly #path: string
  readonly #kept = new Map<number, Page>()
  #left = MAX_READ

  constructor(fd: number, pageSize: number, path: string) {
    this.#fd = fd
    this.#pageSize = pageSize
    this.#size = fstatSync(fd).size
    this.#path = path
  }

  get(number: number): Page {
    let page = this.#kept.get(number)
    if (page === undefined) this.#kept.set(number, (page = this.#read(number)))
    return page
  }

  /** The page that a bucket is, when it is small enough to stand in its parent. */
  inline(bytes: Buffer): Page {
    return this.#page(bytes, -1)
  }

  odd(what: string): Fault {
    return new Fault(`${safe(this.#path)} is damaged: ${what}.`)
  }

  #read(number: number): Page {
    const offset = number * this.#pageSize
    if (number < 2 || offset + this.#pageSize > this.#size) throw this.odd(`there is no page ${number}`)
    const head = Buffer.alloc(PAGE_HEADER)
    readSync(this.#fd, head, 0, PAGE_HEADER, offset)
    const length = (head.readUInt32LE(12) + 1) * this.#pageSize
    this.#left -= length
    if (length > MAX_PAGE || offset + length > this.#size || this.#left < 0)
      throw this.odd(`page ${number} claims to be too large`)
    const bytes = Buffer.alloc(length)
    if (readSync(this.#fd, bytes, 0, length, offset) < length) throw this.odd(`page ${number} is truncated`)
    if (Number(bytes.readBigUInt64LE(0)) !== number) throw this.odd(`page ${number} says that it is another one`)
    return this.#page(bytes, number)
  }

  #page(bytes: Buffer, number: number): Page {
    if (bytes.length < PAGE_HEADER) throw this.odd('a bucket is cut')
    const flags = bytes.readUInt16LE(8)
    const count = bytes.readUInt16LE(10)
    if (flags !== BRANCH && flags !== LEAF) throw this.odd(`page ${number} is neither a branch nor a leaf`)
    if (PAGE_HEADER + count * ELEMENT > bytes.length) throw this.odd(`page ${number} claims too many keys`)
    return { bytes, leaf: flags === LEAF, count }
  }
}

interface Page {
  bytes: Buffer
  leaf: boolean
  count: number
}

const IS_BUCKET = 1
/** What a key of a bucket has as its value: its root page and a sequence number, then the page itself if it is inline. */
const BUCKET_HEADER = 16
const MAX_DEPTH = 64

/** `inline`: the page that stands in the parent, where the root is 0. */
function openBucket(pages: Pages, root: number, inline: Page | null): Bucket {
  const top = () => inline ?? pages.get(root)

  function find(key: Key): Element | null {
    const wanted = typeof key === 'string' ? Buffer.from(key) : key
    let page = top()
    for (let depth = 0; depth < MAX_DEPTH; depth++) {
      const at = lastNotAfter(pages, page, wanted)
      if (page.leaf) {
        const found = at < 0 ? null : elementAt(pages, page, at)
        return found !== null && compareBytes(found.key, wanted) === 0 ? found : null
      }
      if (page.count === 0) return null
      page = pages.get(childAt(page, Math.max(0, at)))
    }
    throw pages.odd('its tree has no leaves')
  }

  function below({ flags, value }: Element): Bucket | null {
    if ((flags & IS_BUCKET) === 0) return null
    if (value.length < BUCKET_HEADER) throw pages.odd('a bucket is cut')
    const page = pageNumber(value, 0)
    return openBucket(pages, page, page === 0 ? pages.inline(value.subarray(BUCKET_HEADER)) : null)
  }

  return {
    get(key) {
      const found = find(key)
      return found === null || (found.flags & IS_BUCKET) !== 0 ? null : found.value
    },
    bucket(first, ...rest) {
      const found = first === undefined ? null : find(first)
      const bucket = found === null ? null : below(found)
      return bucket === null || rest.length === 0 ? bucket : bucket.bucket(...rest)
    },
    *entries() {
      const seen = new Set<number>()
      const todo: Page[] = [top()]
      for (let page = todo.pop(); page !== undefined; page = todo.pop()) {
        for (let at = 0; page.leaf && at < page.count; at++) {
          const { key, value, flags } = elementAt(pages, page, at)
          yield { key, value: (flags & IS_BUCKET) === 0 ? value : null }
        }
        for (let at = page.count - 1; !page.leaf && at >= 0; at--) {
          const child = childAt(page, at)
          if (seen.has(child)) throw pages.odd('a page stands in its tree twice')
          seen.add(child)
          todo.push(pages.get(child))
        }
      }
    },
  }
}

interface Element {
  flags: number
  key: Buffer
  value: Buffer
}

function elementAt(pages: Pages, page: Page, at: number): Element {
  const element = PAGE_HEADER + at * ELEMENT
  const { bytes } = page
  const start = element + bytes.readUInt32LE(element + 4)
  const keyEnd = start + bytes.readUInt32LE(element + 8)
  const end = keyEnd + bytes.readUInt32LE(element + 12)
  if (end > bytes.length) throw pages.odd('a key lies outside its page')
  return { flags: bytes.readUInt32LE(element), key: bytes.subarray(start, keyEnd), value: bytes.subarray(keyEnd, end) }
}

function keyAt(pages: Pages, page: Page, at: number): Buffer {
  if (page.leaf) return elementAt(pages, page, at).key
  const element = PAGE_HEADER + at * ELEMENT
  const start = element + page.bytes.readUInt32LE(element)
  const end = start + page.bytes.readUInt32LE(element + 4)
  if (end > page.bytes.length) throw pages.odd('a key lies outside its page')
  return page.bytes.subarray(start, end)
}

function childAt(page: Page, at: number): number {
  return pageNumber(page.bytes, PAGE_HEADER + at * ELEMENT + 8)
}

/** The last element of a page whose key is not after the wanted one; -1 when all are. */
function lastNotAfter(pages: Pages, page: Page, wanted: Uint8Array): number {
  let low = -1
  let high = page.count - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if (compareBytes(keyAt(pages, page, middle), wanted) <= 0) low = middle
    else high = middle - 1
  }
  return low
}

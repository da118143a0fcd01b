/** Makes bbolt databases (page.go, bucket.go of go.etcd.io/bbolt) for tests, whole or with any part of them wrong. */
import { Buffer } from 'node:buffer'

/** Keys with their values: bytes, or a bucket. In any order; they are written in order of their bytes. */
export type BoltTree = { [key: string]: string | Uint8Array | BoltTree }

export interface BoltOptions {
  pageSize?: number
  transaction?: bigint
  /** Small buckets stand in their parent, as bbolt writes them; false: each has pages of its own. */
  inline?: boolean
}

/** The bytes of a database file. */
export function boltFile(
  tree: BoltTree,
  { pageSize = 4096, transaction = 7n, inline = true }: BoltOptions = {},
): Buffer {
  const pages: Buffer[] = []
  /** Puts a page, with as many as it overflows into, behind the others. Two metas, the free list and those before. */
  const put = (flags: number, elements: Buffer): number => {
    const number = pages.length
    const count = Math.max(1, Math.ceil((16 + elements.length) / pageSize))
    const page = Buffer.concat(
      [pageHeader(number, flags, counted.get(elements)!, count - 1), elements],
      count * pageSize,
    )
    for (let at = 0; at < count; at++) pages.push(page.subarray(at * pageSize, (at + 1) * pageSize))
    return number
  }
  for (let number = 0; number < 3; number++) pages.push(Buffer.alloc(pageSize))
  const root = bucket(tree)
  const two = [metaPage(0, pageSize, root, transaction - 1n), metaPage(1, pageSize, root, transaction)]
  for (const [at, page] of two.entries()) page.copy(pages[at]!)
  return Buffer.concat(pages)

  /** Page number of a bucket's root. */
  function bucket(content: BoltTree): number {
    const items = Object.entries(content)
      .map(([key, value]) => item(Buffer.from(key), value))
      .sort((a, b) => Buffer.compare(a.key, b.key))
    let level = chunks(items, pageSize).map(some => ({
      key: some[0]?.key ?? Buffer.alloc(0),
      page: put(2, leaf(some)),
    }))
    while (level.length > 1) {
      level = groups(level, 3).map(some => ({ key: some[0]!.key, page: put(1, branch(some)) }))
    }
    return level[0]!.page
  }

  function item(key: Buffer, value: BoltTree[string]): Item {
    if (typeof value === 'string' || value instanceof Uint8Array) return { key, value: Buffer.from(value), flags: 0 }
    const small = inline && Object.values(value).every(one => typeof one === 'string' && one.length < 100)
    const header = Buffer.alloc(16)
    if (small && Object.keys(value).length < 10) {
      const items = Object.entries(value).map(([name, text]) => item(Buffer.from(name), text))
      const elements = leaf(items.sort((a, b) => Buffer.compare(a.key, b.key)))
      const page = Buffer.concat([pageHeader(0, 2, counted.get(elements)!, 0), elements])
      return { key, value: Buffer.concat([header, page]), flags: 1 }
    }
    header.writeBigUInt64LE(BigInt(bucket(value)))
    return { key, value: header, flags: 1 }
  }
}

interface Item {
  key: Buffer
  value: Buffer
  flags: number
}

/** How many elements a page's bytes hold. */
const counted = new WeakMap<Buffer, number>()

function leaf(items: Item[]): Buffer {
  let at = items.length * 16
  const heads = items.map(({ key, value, flags }, index) => {
    const head = words(flags, at - index * 16, key.length, value.length)
    at += key.length + value.length
    return head
  })
  const bytes = Buffer.concat([...heads, ...items.flatMap(({ key, value }) => [key, value])])
  counted.set(bytes, items.length)
  return bytes
}

function branch(children: { key: Buffer; page: number }[]): Buffer {
  let at = children.length * 16
  const heads = children.map(({ key, page }, index) => {
    const head = words(at - index * 16, key.length, page, 0)
    at += key.length
    return head
  })
  const bytes = Buffer.concat([...heads, ...children.map(({ key }) => key)])
  counted.set(bytes, children.length)
  return bytes
}

function pageHeader(number: number, flags: number, count: number, overflow: number): Buffer {
  const header = Buffer.alloc(16)
  header.writeBigUInt64LE(BigInt(number))
  header.writeUInt16LE(flags, 8)
  header.writeUInt16LE(count, 10)
  header.writeUInt32LE(overflow, 12)
  return header
}

function metaPage(number: number, pageSize: number, root: number, transaction: bigint): Buffer {
  const meta = Buffer.alloc(64)
  meta.set(words(0xed0cdaed, 2, pageSize, 0))
  meta.writeBigUInt64LE(BigInt(root), 16)
  meta.writeBigUInt64LE(2n, 32)
  meta.writeBigUInt64LE(transaction, 48)
  let sum = 0xcbf29ce484222325n
  for (const byte of meta.subarray(0, 56)) sum = ((sum ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn
  meta.writeBigUInt64LE(sum, 56)
  return Buffer.concat([pageHeader(number, 4, 0, 0), meta], pageSize)
}

function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4)
  for (const [at, value] of values.entries()) bytes.writeUInt32LE(value, at * 4)
  return bytes
}

/** Items as they fit a page; one that is larger has a page to itself, which overflows. */
function chunks(items: Item[], pageSize: number): Item[][] {
  const all: Item[][] = [[]]
  let room = pageSize - 16
  for (const one of items) {
    const size = 16 + one.key.length + one.value.length
    if (size > room && all.at(-1)!.length > 0) {
      all.push([])
      room = pageSize - 16
    }
    all.at(-1)!.push(one)
    room -= size
  }
  return all
}

function groups<T>(list: T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, at) => list.slice(at * size, (at + 1) * size))
}

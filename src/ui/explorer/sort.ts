/**
 * Sorting of many node numbers in slices. A radix sort by a number a node (linear, whatever the order before), and names
 * as numbers six bytes at a time, so that half a million siblings are in order before a person notices.
 */
import type { Sliced } from './slices.ts'

/** The names of nodes in one block of bytes, as a PathTree holds them. */
export interface Names {
  readonly names: Uint8Array
  readonly nameStart: Uint32Array
}

/** Sorts by `keys[i]` of `items[i]`, smallest first, then by name as bytes. Both arrays are changed. */
export function* sortByKey(items: Uint32Array, keys: Float64Array, names: Names): Sliced<void> {
  yield* sortNumbers(items, keys)
  for (let start = 0, end = 1; start < items.length; start = end++) {
    while (end < items.length && keys[end] === keys[start]) if ((++end & 0xffff) === 0) yield
    if (end - start > 1) yield* sortNames(items.subarray(start, end), names, 0)
    if ((start & 1023) === 0) yield
  }
}

/** Names as bytes, shorter first where one begins the other. */
export function compareNames({ names, nameStart }: Names, a: number, b: number): number {
  let i = nameStart[a]!
  let j = nameStart[b]!
  const endI = nameStart[a + 1]!
  const endJ = nameStart[b + 1]!
  for (; i < endI && j < endJ; i++, j++) if (names[i] !== names[j]) return names[i]! - names[j]!
  return endI - i - (endJ - j)
}

/** Fewer than this are sorted by comparing. */
const FEW = 48
/** Bytes of a name in one key: 257 ** 6 numbers are exact in a double; 0 is the end of the name. */
const CHUNK = 6

/** Names that agree in their first `from` bytes. */
function* sortNames(items: Uint32Array, names: Names, from: number): Sliced<void> {
  if (items.length < FEW) return insertionSort(items, (a, b) => compareNames(names, a, b))
  if (yield* inOrder(items, names)) return
  const start = from + commonBytes(items, names, from)
  const keys = new Float64Array(items.length)
  for (let i = 0; i < items.length; i++) {
    keys[i] = nameKey(names, items[i]!, start)
    if ((i & 4095) === 4095) yield
  }
  yield* sortNumbers(items, keys)
  for (let at = 0, end = 1; at < items.length; at = end++) {
    while (end < items.length && keys[end] === keys[at]) end++
    if (end - at > 1) yield* sortNames(items.subarray(at, end), names, start + CHUNK)
    if ((at & 1023) === 0) yield
  }
}

function* inOrder(items: Uint32Array, names: Names): Sliced<boolean> {
  for (let i = 1; i < items.length; i++) {
    if (compareNames(names, items[i - 1]!, items[i]!) > 0) return false
    if ((i & 4095) === 0) yield
  }
  return true
}

function commonBytes(items: Uint32Array, { names, nameStart }: Names, from: number): number {
  const first = nameStart[items[0]!]! + from
  let common = nameStart[items[0]! + 1]! - first
  for (const item of items) {
    const start = nameStart[item]! + from
    const length = Math.min(common, nameStart[item + 1]! - start)
    let same = 0
    while (same < length && names[first + same] === names[start + same]) same++
    common = same
    if (common === 0) return 0
  }
  return common
}

function nameKey({ names, nameStart }: Names, node: number, from: number): number {
  const end = nameStart[node + 1]!
  let key = 0
  for (let i = 0, at = nameStart[node]! + from; i < CHUNK; i++, at++) key = key * 257 + (at < end ? names[at]! + 1 : 0)
  return key
}

interface Pair {
  items: Uint32Array
  /** Two for each item: the lower and the higher half of its key. */
  halves: Uint32Array
}

/** Sorts both arrays by the numbers, stable: four passes of 16 bits, those that would change nothing left out. */
export function* sortNumbers(items: Uint32Array, keys: Float64Array): Sliced<void> {
  const count = items.length
  if (count < FEW) return insertPairs(items, keys)
  const halves = new Uint32Array(keys.buffer, keys.byteOffset, count * 2)
  flip(halves, count)
  let from: Pair = { items, halves }
  let to: Pair = { items: new Uint32Array(count), halves: new Uint32Array(count * 2) }
  const counts = new Uint32Array(65_536)
  for (let pass = 0; pass < 4; pass++) {
    yield
    const half = pass >> 1
    const shift = (pass & 1) * 16
    counts.fill(0)
    for (let i = 0; i < count; i++) counts[(from.halves[i * 2 + half]! >>> shift) & 0xffff]!++
    if (counts[(from.halves[half]! >>> shift) & 0xffff] === count) continue
    yield
    for (let digit = 0, sum = 0; digit < 65_536; digit++) {
      const own = counts[digit]!
      counts[digit] = sum
      sum += own
    }
    for (let i = 0; i < count; i++) {
      const at = counts[(from.halves[i * 2 + half]! >>> shift) & 0xffff]!++
      to.items[at] = from.items[i]!
      to.halves[at * 2] = from.halves[i * 2]!
      to.halves[at * 2 + 1] = from.halves[i * 2 + 1]!
      if ((i & 0xffff) === 0xffff) yield
    }
    ;[from, to] = [to, from]
  }
  if (from.items !== items) {
    items.set(from.items)
    halves.set(from.halves)
  }
  flipBack(halves, count)
}

/** Doubles as numbers without a sign that are in the same order (little endian: the second half is the higher one). */
function flip(halves: Uint32Array, count: number): void {
  for (let i = 0; i < count; i++) {
    const high = halves[i * 2 + 1]!
    if (high & 0x80000000) {
      halves[i * 2] = ~halves[i * 2]!
      halves[i * 2 + 1] = ~high
    } else halves[i * 2 + 1] = high ^ 0x80000000
  }
}

function flipBack(halves: Uint32Array, count: number): void {
  for (let i = 0; i < count; i++) {
    const high = halves[i * 2 + 1]!
    if (high & 0x80000000) halves[i * 2 + 1] = high ^ 0x80000000
    else {
      halves[i * 2] = ~halves[i * 2]!
      halves[i * 2 + 1] = ~high
    }
  }
}

function insertionSort(items: Uint32Array, compare: (a: number, b: number) => number): void {
  for (let i = 1; i < items.length; i++) {
    const item = items[i]!
    let at = i
    while (at > 0 && compare(items[at - 1]!, item) > 0) items[at] = items[--at]!
    items[at] = item
  }
}

function insertPairs(items: Uint32Array, keys: Float64Array): void {
  for (let i = 1; i < items.length; i++) {
    const item = items[i]!
    const key = keys[i]!
    let at = i
    while (at > 0 && keys[at - 1]! > key) {
      items[at] = items[at - 1]!
      keys[at] = keys[--at]!
    }
    items[at] = item
    keys[at] = key
  }
}

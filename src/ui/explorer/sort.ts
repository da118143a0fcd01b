/**
 * Sorting of node numbers in slices: a natural merge sort, linear where the input is in order already (most tars list
 * a directory by name) and stable, so that what is equal keeps its order.
 */
import type { Sliced } from './slices.ts'

/** Below zero: `a` comes first. */
export type Compare = (a: number, b: number) => number

/** Sorts `items` in place. Yields every few thousand comparisons. */
export function* sortNodes(items: Uint32Array, compare: Compare): Sliced<void> {
  if (items.length < 24) return insertionSort(items, compare)
  let runs = yield* findRuns(items, compare)
  let from = items
  let to: Uint32Array = runs.length > 2 ? new Uint32Array(items.length) : items
  while (runs.length > 2) {
    runs = yield* mergeRuns(from, to, runs, compare)
    ;[from, to] = [to, from]
  }
  if (from !== items) items.set(from)
}

/** How many comparisons are made between two yields: well below a millisecond. */
const PACE = 4096

function insertionSort(items: Uint32Array, compare: Compare): void {
  for (let i = 1; i < items.length; i++) {
    const item = items[i]!
    let at = i
    while (at > 0 && compare(items[at - 1]!, item) > 0) items[at] = items[--at]!
    items[at] = item
  }
}

/** Where the ascending runs of the input begin, and its length at the end. Strictly descending runs are turned round. */
function* findRuns(items: Uint32Array, compare: Compare): Sliced<number[]> {
  const runs = [0]
  let at = 1
  while (at < items.length) {
    const start = at - 1
    const descending = compare(items[at - 1]!, items[at]!) > 0
    at++
    while (at < items.length && compare(items[at - 1]!, items[at]!) > 0 === descending) {
      if ((++at & (PACE - 1)) === 0) yield
    }
    if (descending) items.subarray(start, at).reverse()
    if (at < items.length) runs.push(at)
    at++
    if ((runs.length & 1023) === 0) yield
  }
  runs.push(items.length)
  return runs
}

/** One pass: neighbouring runs of `from` become one run of `to`. Gives where the new runs begin. */
function* mergeRuns(from: Uint32Array, to: Uint32Array, runs: number[], compare: Compare): Sliced<number[]> {
  const merged: number[] = []
  let pace = 0
  for (let run = 0; run < runs.length - 1; run += 2) {
    const start = runs[run]!
    merged.push(start)
    const middle = runs[run + 1]!
    const end = run + 2 < runs.length ? runs[run + 2]! : middle
    let left = start
    let right = middle
    for (let at = start; at < end; at++) {
      const takeLeft = right >= end || (left < middle && compare(from[left]!, from[right]!) <= 0)
      to[at] = takeLeft ? from[left++]! : from[right++]!
      if ((++pace & (PACE - 1)) === 0) yield
    }
  }
  merged.push(from.length)
  return merged
}

/**
 * The rows of the Waste tab: the ledger, grouped by what happened (stored in one step, lost in another, because) or by
 * path; biggest first. Files of a group are rows of their own once it stands open.
 */
import type { Cause, Stack } from '../../layer/stack.ts'
import type { Sliced } from './slices.ts'
import { sortNumbers } from './sort.ts'

/** Wasted bytes with one story. */
export interface WasteGroup {
  /** The same for the same group of the same ledger: folds and the cursor are kept by it. */
  key: string
  storedIn: number
  lostIn: number
  cause: Cause
  bytes: number
  /** Row numbers of `stack.waste`, biggest first. */
  rows: Uint32Array
  /** The deepest directory that all of them lie in; the file itself where there is one only. */
  node: number
}

/** One path with all that it wastes. */
export interface WastedPath {
  node: number
  bytes: number
  copies: number
  causes: Cause[]
}

/** The ledger by what happened. `wanted` says which nodes count (a filter); all of it when absent. */
export function* wasteGroups(stack: Stack, wanted: (node: number) => boolean = () => true): Sliced<WasteGroup[]> {
  const members = new Map<string, number[]>()
  for (const [at, row] of stack.waste.entries()) {
    if ((at & 4095) === 4095) yield
    if (!wanted(row.node)) continue
    const key = `${row.storedIn} ${row.lostIn} ${row.cause}`
    const list = members.get(key)
    if (list) list.push(at)
    else members.set(key, [at])
  }
  const groups: WasteGroup[] = []
  for (const [key, list] of members) {
    const rows = Uint32Array.from(list)
    yield* sortNumbers(
      rows,
      Float64Array.from(rows, row => -stack.waste[row]!.bytes),
    )
    const { storedIn, lostIn, cause } = stack.waste[rows[0]!]!
    const bytes = rows.reduce((sum, row) => sum + stack.waste[row]!.bytes, 0)
    groups.push({ key, storedIn, lostIn, cause, bytes, rows, node: commonDirectory(stack, rows) })
  }
  return groups.sort((a, b) => b.bytes - a.bytes)
}

/** The ledger by path, biggest first. */
export function* wastedPaths(stack: Stack, wanted: (node: number) => boolean = () => true): Sliced<WastedPath[]> {
  const paths = new Map<number, WastedPath>()
  for (const [at, { node, bytes, cause }] of stack.waste.entries()) {
    if ((at & 4095) === 4095) yield
    if (!wanted(node)) continue
    const path = paths.get(node) ?? { node, bytes: 0, copies: 0, causes: [] }
    path.bytes += bytes
    path.copies++
    if (!path.causes.includes(cause)) path.causes.push(cause)
    paths.set(node, path)
  }
  const all = [...paths.values()]
  const places = Uint32Array.from(all, (_, place) => place)
  yield* sortNumbers(
    places,
    Float64Array.from(places, place => -all[place]!.bytes),
  )
  return Array.from(places, place => all[place]!)
}

/** A parent's number is smaller than its children's: the higher of two nodes climbs until they meet. */
function commonDirectory(stack: Stack, rows: Uint32Array): number {
  const { parent } = stack.tree
  let common = stack.waste[rows[0]!]!.node
  for (const row of rows) {
    let node = stack.waste[row]!.node
    while (node !== common) {
      if (node > common) node = parent[node]!
      else common = parent[common]!
    }
    if (common === 0) break
  }
  return common
}

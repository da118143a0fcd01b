/**
 * What the Tree and Changes tabs show: the stack as of one layer, with what a range of layers did to get there. Things
 * that the range deleted still stand in it, as they were before. Made once per step or range, read by every frame.
 */
import { type ChangeSet, changes, type Letter, type Reason } from '../../layer/changes.ts'
import { Kind } from '../../layer/entry.ts'
import { ABSENT, type Stack } from '../../layer/stack.ts'
import { totals } from '../../layer/totals.ts'
import type { LiveWorld } from './live.ts'

export interface Scene {
  /** Of a live layer that lies on top: how its paths are written to. */
  live: Pick<LiveWorld, 'rate' | 'growth'> | null
  stack: Stack
  /** The layers whose changes are marked; `from > to` where nothing is (a step without a layer). */
  from: number
  to: number
  changes: ChangeSet | null
  /** How many changed nodes lie below each node; null when nothing changed. */
  below: Uint32Array | null
  /** Whether the node has a row at all: it is visible, or the range deleted it. */
  shown(node: number): boolean
  /** How many nodes there were when it was made. */
  nodes: number
  /** What the row of a shown node describes: an entry reference or IMPLIED. Of a deleted one, what it was. */
  ref(node: number): number
  isDir(node: number): boolean
  letter(node: number): Letter | null
  reasons(node: number): Reason[]
  /** Bytes of a file, or of everything below a directory. */
  bytes(node: number): number
}

/** The stack 0..to with what layers from..to did. `marked: false`: no step is looked at, nothing is marked. */
export function makeScene(
  stack: Stack,
  from: number,
  to: number,
  { marked = true, live = null }: { marked?: boolean; live?: Scene['live'] } = {},
): Scene {
  const set = marked && from <= to && to >= 0 ? changes(stack, from, to) : null
  const current = stack.view(to).current
  const lower = set ? stack.view(from - 1).current : current
  const deleted = (node: number) => set !== null && set.letter(node) === 'D'
  const ref = (node: number) => (deleted(node) ? lower[node]! : current[node]!)
  let sums: Float64Array | null = null
  let lowerSums: Float64Array | null = null
  const known = current.length
  return {
    live,
    stack,
    from: set ? from : to + 1,
    to,
    changes: set,
    below: set && set.nodes.length > 0 ? countBelow(stack, set.nodes, known) : null,
    nodes: known,
    shown: node => node < known && (current[node] !== ABSENT || deleted(node)),
    ref,
    isDir: node => stack.kindOf(ref(node)) === Kind.dir,
    letter: node => (set ? set.letter(node) : null),
    reasons: node => (set ? set.reasons(node) : []),
    bytes(node) {
      const at = ref(node)
      if (at >= 0 && stack.kindOf(at) !== Kind.dir) return stack.sizeOf(at)
      if (deleted(node)) {
        lowerSums ??= totals(stack, { layer: from - 1, current: lower })
        return lowerSums[node]!
      }
      sums ??= totals(stack, { layer: to, current })
      return sums[node]!
    },
  }
}

/** By node, how many of `nodes` lie below it. A parent's number is smaller than its children's: one loop backwards. */
function countBelow(stack: Stack, nodes: Uint32Array, count: number): Uint32Array {
  const below = new Uint32Array(count)
  const { parent } = stack.tree
  let highest = 0
  for (const node of nodes) {
    below[parent[node]!]!++
    if (node > highest) highest = node
  }
  for (let node = highest; node > 0; node--) if (below[node] !== 0) below[parent[node]!]! += below[node]!
  return below
}

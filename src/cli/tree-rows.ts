/** The rows of `strata tree`: what is there as of a step, or what the step did, one at a time. */
import type { ChangeSet, Letter } from '../layer/changes.ts'
import { type Entry, Kind } from '../layer/entry.ts'
import { ABSENT, IMPLIED, type Stack } from '../layer/stack.ts'
import { ancestry, walk } from './walk.ts'

/** One path: what is there, or what was there when the step deleted it. */
export interface TreeRow {
  node: number
  path: Uint8Array
  /** How far its name is indented; null: its whole path is shown. */
  depth: number | null
  kind: Kind
  /** Of the file that it shows, hard links resolved; 0 for everything else. */
  size: number
  /** null: a directory that no layer lists, only paths in it. */
  entry: (Entry & { layer: number }) | null
  change: Letter | null
  /** The reasons of a C, joined by commas; null when there are none. */
  reason: string | null
}

/** Everything below `from` in a view, and `from` itself when it is no directory. */
export function* presentRows(
  stack: Stack,
  set: ChangeSet | null,
  current: Int32Array,
  from: number,
): Generator<TreeRow> {
  if (stack.kindOf(current[from]) !== Kind.dir) yield rowOf(stack, set, from, current[from], null)
  for (const { node, depth } of walk(stack.tree, from, one => current[one] !== ABSENT)) {
    yield rowOf(stack, set, node, current[node], depth)
  }
}

/** What changed at and below `from`. */
export function* changedRows(stack: Stack, set: ChangeSet, from: number): Generator<TreeRow> {
  const wanted = ancestry(stack.tree, set.nodes)
  const row = (node: number) => {
    const ref = set.letter(node) === 'D' ? set.before(node) : set.after(node)
    return rowOf(stack, set, node, ref, null)
  }
  if (set.letter(from) !== null) yield row(from)
  for (const { node } of walk(stack.tree, from, one => wanted[one] === 1)) {
    if (set.letter(node) !== null) yield row(node)
  }
}

function rowOf(stack: Stack, set: ChangeSet | null, node: number, ref: number, depth: number | null): TreeRow {
  const entry = ref === IMPLIED ? null : stack.entry(ref)
  const change = set?.letter(node) ?? null
  return {
    node,
    path: stack.tree.path(node),
    depth,
    kind: entry?.kind ?? Kind.dir,
    size: entry?.kind === Kind.hardlink ? stack.sizeOf(ref) : (entry?.size ?? 0),
    entry,
    change,
    reason: (change === 'C' && set!.reasons(node).join(',')) || null,
  }
}

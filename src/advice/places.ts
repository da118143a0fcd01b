/** Finding directories by their path in the visible tree, and what removing them would give back. */
import { Buffer } from 'node:buffer'
import { Kind } from '../layer/entry.ts'
import { ABSENT } from '../layer/stack.ts'
import { type Context, Sum } from './context.ts'

/**
 * The visible nodes that fit each pattern. `/var/cache/apk` is that path, `.cache/pip` is that path below any
 * directory, `*` stands for one component (never the last).
 */
export function findPlaces(context: Context, patterns: readonly string[]): Map<string, number[]> {
  const { tree } = context.stack
  const byLast = new Map<string, { pattern: string; rest: string[]; anchored: boolean }[]>()
  const shapes = new Set<number>()
  for (const pattern of patterns) {
    const parts = pattern.split('/').filter(part => part !== '')
    const last = parts.pop()!
    byLast.set(last, [
      ...(byLast.get(last) ?? []),
      { pattern, rest: parts.reverse(), anchored: pattern.startsWith('/') },
    ])
    shapes.add(last.length * 256 + last.charCodeAt(0))
  }
  const found = new Map<string, number[]>()
  for (let node = 1; node < tree.nodes; node++) {
    if (context.current[node] === ABSENT) continue
    const start = tree.nameStart[node]!
    if (!shapes.has((tree.nameStart[node + 1]! - start) * 256 + tree.names[start]!)) continue
    for (const { pattern, rest, anchored } of byLast.get(nameOf(context, node)) ?? []) {
      if (leadsTo(context, node, rest, anchored)) found.set(pattern, [...(found.get(pattern) ?? []), node])
    }
  }
  return found
}

/** The name of a node, one character a byte. */
export function nameOf({ stack: { tree } }: Context, node: number): string {
  return Buffer.from(tree.name(node)).toString('latin1')
}

function leadsTo(context: Context, node: number, rest: readonly string[], anchored: boolean): boolean {
  let at = node
  for (const part of rest) {
    at = context.stack.tree.parent[at]!
    if (at === 0 || (part !== '*' && nameOf(context, at) !== part)) return false
  }
  return !anchored || context.stack.tree.parent[at] === 0
}

/**
 * The visible bytes that go when everything at and below these nodes goes (those that `accept` lets through). A body
 * that also has a name elsewhere stays, one with several names here counts once.
 */
export function sumBelow(context: Context, roots: Iterable<number>, accept?: (node: number) => boolean): Sum {
  const { stack, current, names } = context
  const { firstChild, nextSibling } = stack.tree
  const sum = new Sum()
  const inside = new Map<number, number>()
  const own = new Set(roots)
  for (const root of own) {
    const todo = [root]
    while (todo.length > 0) {
      const node = todo.pop()!
      const ref = current[node]!
      for (let child = firstChild[node]!; child !== 0; child = nextSibling[child]!) {
        if (current[child] !== ABSENT && !own.has(child)) todo.push(child)
      }
      if (ref < 0 || (accept && !accept(node))) continue
      const kind = stack.kindOf(ref)
      if (kind !== Kind.file && kind !== Kind.hardlink) continue
      const inode = stack.inodeOf(ref)
      if (inode < 0) continue
      const met = (inside.get(inode) ?? 0) + 1
      const all = names.get(inode) ?? 1
      if (all > 1) inside.set(inode, met)
      if (met === all) sum.add(node, stack.sizeOf(inode), stack.layerOf(inode))
    }
  }
  return sum
}

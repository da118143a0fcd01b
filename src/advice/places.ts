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
  const found = new Map<string, number[]>()
  const anywhere: Place[] = []
  for (const pattern of patterns) {
    const parts = pattern.split('/').filter(part => part !== '')
    const place = { pattern, parts, anchored: pattern.startsWith('/') }
    if (!place.anchored || parts.includes('*')) anywhere.push(place)
    else {
      const node = context.stack.tree.find(Buffer.from(pattern, 'latin1'))
      if (node > 0 && context.current[node] !== ABSENT) found.set(pattern, [node])
    }
  }
  if (anywhere.length > 0) search(context, anywhere, found)
  return found
}

interface Place {
  pattern: string
  parts: string[]
  anchored: boolean
}

/** Looks at every node once: at its name only where length and first byte are those of a name that is looked for. */
function search(context: Context, places: Place[], found: Map<string, number[]>): void {
  const { nodes, nameStart, names } = context.stack.tree
  const byLast = Map.groupBy(places, place => place.parts.at(-1)!)
  const shapes = new Uint8Array(1 << 16)
  for (const last of byLast.keys()) shapes[(last.length << 8) | last.charCodeAt(0)] = 1
  for (let node = 1; node < nodes; node++) {
    const start = nameStart[node]!
    const length = nameStart[node + 1]! - start
    if (shapes[(length << 8) | names[start]!] !== 1 || context.current[node] === ABSENT) continue
    for (const { pattern, parts, anchored } of byLast.get(nameOf(context, node)) ?? []) {
      if (!leadsTo(context, node, parts, anchored)) continue
      const nodes = found.get(pattern)
      if (nodes) nodes.push(node)
      else found.set(pattern, [node])
    }
  }
}

/** The name of a node, one character a byte. */
export function nameOf({ names, stack: { tree } }: Pick<Context, 'names' | 'stack'>, node: number): string {
  return names.toString('latin1', tree.nameStart[node], tree.nameStart[node + 1])
}

/** Whether what stands above a node is what the pattern says. */
function leadsTo(context: Context, node: number, parts: readonly string[], anchored: boolean): boolean {
  const { parent } = context.stack.tree
  let at = node
  for (let part = parts.length - 2; part >= 0; part--) {
    at = parent[at]!
    if (at === 0 || (parts[part] !== '*' && nameOf(context, at) !== parts[part])) return false
  }
  return !anchored || parent[at] === 0
}

/**
 * The visible bytes that go when everything at and below these nodes goes (those that `accept` lets through). A body
 * that also has a name elsewhere stays, one with several names here counts once.
 */
export function sumBelow(context: Context, roots: Iterable<number>, accept?: (node: number) => boolean): Sum {
  const { stack, current, links } = context
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
      const all = links.get(inode) ?? 1
      if (all > 1) inside.set(inode, met)
      if (met === all) sum.add(node, stack.sizeOf(inode), stack.layerOf(inode))
    }
  }
  return sum
}

/**
 * What layers do to the stack below them: A added, C changed, D deleted, and why (README.md, rule 12). What a layer
 * lists again is C even when nothing is different: it is stored again all the same. Whether content differs is asked
 * only where size and all metadata but the time agree; such pairs are handed out to be hashed.
 */
import { Kind } from './entry.ts'
import { deviceOf } from './read-entry.ts'
import { ABSENT, IMPLIED, type Stack } from './stack.ts'

export type Letter = 'A' | 'C' | 'D'
export type Reason = 'content' | 'mode' | 'owner' | 'time' | 'link' | 'xattr' | 'type' | 'device'

const letterNames: readonly (Letter | null)[] = [null, 'A', 'C', 'D']
const reasonNames: readonly Reason[] = ['content', 'type', 'mode', 'owner', 'link', 'device', 'xattr', 'time']
const bit = (reason: Reason) => 1 << reasonNames.indexOf(reason)
const CONTENT = bit('content')
const TYPE = bit('type')
const MODE = bit('mode')
const OWNER = bit('owner')
const LINK = bit('link')
const DEVICE = bit('device')
const XATTR = bit('xattr')
const TIME = bit('time')
/** Not a reason: the contents have the same size, and nobody has looked yet whether they are equal. */
const UNKNOWN = 1 << 15

export interface ChangeSet {
  from: number
  to: number
  /** The changed nodes, in no particular order; the root is never among them. */
  nodes: Uint32Array
  counts: { added: number; changed: number; deleted: number }
  /** Pairs of inodes whose contents have to be hashed before the answer is final. */
  unknown: { node: number; before: number; after: number }[]
  letter(node: number): Letter | null
  /**
   * Why a node is C; empty for A and D. A file without `content` was stored again with the same content; nothing at
   * all means that the layer lists it again as it was.
   */
  reasons(node: number): Reason[]
  /** What stood at the node below layer `from`, and what stands there with layer `to`: references, ABSENT or IMPLIED. */
  before(node: number): number
  after(node: number): number
}

/** What layers from..to (both included) do to what lies below them. Linear in what they touched. */
export function changes(stack: Stack, from: number, to: number): ChangeSet {
  const lower = stack.view(from - 1).current
  const upper = stack.view(to).current
  const letters = new Uint8Array(stack.tree.nodes)
  const reasons = new Uint16Array(stack.tree.nodes)
  const seen = new Uint8Array(from === to ? 0 : stack.tree.nodes)
  let touched = 0
  for (let layer = from; layer <= to; layer++) touched += stack.deltas[layer]?.nodes.length ?? 0
  const nodes = new Uint32Array(touched)
  let count = 0
  const unknown: ChangeSet['unknown'] = []
  const counts = { added: 0, changed: 0, deleted: 0 }
  for (let layer = from; layer <= to; layer++) {
    for (const node of stack.deltas[layer]?.nodes ?? []) {
      if (node === 0 || seen[node] === 1) continue
      if (from !== to) seen[node] = 1
      const before = lower[node]!
      const after = upper[node]!
      if (before === after) continue
      if (before === ABSENT) {
        letters[node] = 1
        counts.added++
      } else if (after === ABSENT) {
        letters[node] = 3
        counts.deleted++
      } else {
        const why = compareEntries(stack, before, after)
        if (why & UNKNOWN) unknown.push({ node, before: stack.inodeOf(before), after: stack.inodeOf(after) })
        reasons[node] = why
        letters[node] = 2
        counts.changed++
      }
      nodes[count++] = node
    }
  }
  return {
    from,
    to,
    nodes: nodes.subarray(0, count),
    counts,
    unknown,
    letter: node => letterNames[letters[node] ?? 0]!,
    reasons: node => reasonNames.filter((_, i) => (reasons[node]! >> i) & 1),
    before: node => lower[node] ?? ABSENT,
    after: node => upper[node] ?? ABSENT,
  }
}

/**
 * The files that a layer stores again as they were, as far as size and metadata tell, and whose contents nobody has
 * compared yet: inodes below and in the layer. Cheaper than all that the layer changes.
 */
export function* uncompared(stack: Stack, layer: number): Generator<{ before: number; after: number }> {
  const { nodes, before, after } = stack.deltas[layer]!
  for (let i = 0; i < nodes.length; i++) {
    const [old, now] = [before[i]!, after[i]!]
    if (old < 0 || now < 0 || stack.sizeOf(old) !== stack.sizeOf(now)) continue
    if (compareEntries(stack, old, now) & UNKNOWN) yield { before: stack.inodeOf(old), after: stack.inodeOf(now) }
  }
}

/** In which ways two things at one path differ; for tools that lay other stacks side by side as well. */
export function differences(stack: Stack, before: number, after: number): { reasons: Reason[]; unknown: boolean } {
  const why = compareEntries(stack, before, after)
  return { reasons: reasonNames.filter((_, i) => (why >> i) & 1), unknown: (why & UNKNOWN) !== 0 }
}

function compareEntries(stack: Stack, before: number, after: number): number {
  if (before === IMPLIED || after === IMPLIED) return compareImplied(stack, before, after)
  const oldInode = stack.inodeOf(before)
  const newInode = stack.inodeOf(after)
  if (oldInode === newInode && oldInode >= 0) return 0
  const old = oldInode >= 0 ? oldInode : before
  const now = newInode >= 0 ? newInode : after
  const a = stack.layers[stack.layerOf(old)]!
  const b = stack.layers[stack.layerOf(now)]!
  const i = stack.indexOf(old)
  const j = stack.indexOf(now)
  const kind = a.kind[i]!
  if (kind !== b.kind[j]!) return TYPE
  let why = 0
  // The mode of a link is whatever the archiver wrote: the kernel keeps none and shows 0777 for all of them.
  if (kind !== Kind.symlink && a.mode[i] !== b.mode[j]) why |= MODE
  const [p, q] = [a.owner[i]! * 2, b.owner[j]! * 2]
  if (a.owners[p] !== b.owners[q] || a.owners[p + 1] !== b.owners[q + 1]) why |= OWNER
  const [x, y] = [a.xattr?.[i] ?? 0, b.xattr?.[j] ?? 0]
  if ((x === 0 ? '' : a.xattrs[x - 1]!.key) !== (y === 0 ? '' : b.xattrs[y - 1]!.key)) why |= XATTR
  if (kind === Kind.symlink && !sameLink(stack, old, now)) why |= LINK
  if ((kind === Kind.char || kind === Kind.block) && !sameDevice(deviceOf(a, i), deviceOf(b, j))) why |= DEVICE
  const sameTime = a.mtime[i] === b.mtime[j] && (a.nsec?.[i] ?? 0) === (b.nsec?.[j] ?? 0)
  if (kind === Kind.file) why |= compareContent(stack, old, now, a.size[i]!, b.size[j]!, why)
  return sameTime ? why : why | TIME
}

function compareContent(stack: Stack, old: number, now: number, oldSize: number, newSize: number, why: number): number {
  if (oldSize !== newSize) return CONTENT
  if (oldSize === 0) return 0
  const same = stack.sameContent(old, now)
  if (same !== null) return same ? 0 : CONTENT
  return why === 0 ? UNKNOWN : 0
}

/** A directory that nobody listed is 0755 and root's; that is all one can compare it by. */
function compareImplied(stack: Stack, before: number, after: number): number {
  if (before === after) return 0
  const ref = before === IMPLIED ? after : before
  if (stack.kindOf(ref) !== Kind.dir) return TYPE
  const layer = stack.layers[stack.layerOf(ref)]!
  const entry = stack.indexOf(ref)
  const owner = layer.owner[entry]! * 2
  let why = TIME
  if (layer.mode[entry] !== 0o755) why |= MODE
  if (layer.owners[owner] !== 0 || layer.owners[owner + 1] !== 0) why |= OWNER
  return why
}

function sameLink(stack: Stack, old: number, now: number): boolean {
  const a = stack.entry(old).link
  const b = stack.entry(now).link
  return a !== null && b !== null && a.length === b.length && a.every((byte, i) => byte === b[i])
}

function sameDevice(a: { major: number; minor: number }, b: { major: number; minor: number }): boolean {
  return a.major === b.major && a.minor === b.minor
}

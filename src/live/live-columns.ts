/**
 * What is known of the paths of an upper layer, as columns by node of a tree of their names: some hundred bytes a path,
 * whatever it goes through. Paths that are no change any more keep their node until most nodes are such.
 */
import { components } from '../base/paths.ts'
import type { Kind } from '../layer/entry.ts'
import { PathTree } from '../layer/path-tree.ts'
import type { LiveChange } from '../runtime/upper-watch.ts'

/** No change stands at the node. */
export const NOTHING = 0
export const DELETED = 3
const ops = ['-', 'A', 'C', 'D'] as const
const reasonWords = ['content', 'time', 'mode', 'owner', 'type', 'device', 'xattr'] as const
/** Fewer nodes are never worth making anew. */
const FEW = 8192

interface Columns {
  op: Uint8Array
  kind: Uint8Array
  mode: Uint16Array
  reasons: Uint8Array
  uid: Uint32Array
  gid: Uint32Array
  /** NaN: not known. */
  size: Float64Array
  mtime: Float64Array
  nsec: Uint32Array
  /** -1: none. */
  lower: Int16Array
  /** Milliseconds since it is watched, from 1; 0: not since then. */
  changedAt: Uint32Array
}

/** What only some paths have, by node. */
interface Rarities {
  /** Where symbolic links lead. */
  link: Map<number, Uint8Array>
  lowerSize: Map<number, number>
  /** Bytes written since it is watched. */
  total: Map<number, number>
  /** Bytes it has more than when it was first heard of. */
  growth: Map<number, number>
}

export interface LiveColumns {
  readonly tree: PathTree
  readonly columns: Columns
  /** Another one after each `tidy`. */
  readonly lineage: object
  readonly rare: Rarities
  /** How many nodes have a change. */
  count(): number
  find(path: Uint8Array): number
  /** The node of a change's path, made when there is none. */
  put(change: LiveChange): number
  /** Takes what stands at a node away. */
  drop(node: number): void
  /**
   * Makes everything anew without the nodes that nothing needs, where that is most of them. Gives the new node by the old
   * one, null when nothing was done.
   */
  tidy(): Int32Array | null
  letter(node: number): LiveChange['op']
  reasons(node: number): readonly string[]
}

export function createLiveColumns(): LiveColumns {
  let tree = new PathTree({ shared: true })
  let columns = emptyColumns(1024)
  let rare = noRarities()
  let lineage = {}
  let count = 0
  let tidied = 0
  const known = new Map<number, readonly string[]>()

  const intern = (path: Uint8Array): number => {
    let node = 0
    for (const { start, end } of components(path)) {
      const climbs = end - start === 2 && path[start] === 0x2e && path[start + 1] === 0x2e
      node = climbs ? tree.parent[node]! : tree.insert(node, path, start, end)
    }
    if (tree.nodes > columns.op.length) columns = grown(columns, Math.ceil(tree.nodes * 1.5))
    return node
  }

  return {
    get tree() {
      return tree
    },
    get columns() {
      return columns
    },
    get lineage() {
      return lineage
    },
    get rare() {
      return rare
    },
    count: () => count,
    find: path => tree.find(path),
    put(change) {
      const node = intern(change.path)
      if (columns.op[node] === NOTHING) {
        count++
        columns.changedAt[node] = 0
      }
      columns.op[node] = ops.indexOf(change.op)
      columns.kind[node] = change.kind
      columns.mode[node] = change.mode
      columns.reasons[node] = change.reasons.reduce((bits, word) => bits | bitOf(word), 0)
      columns.uid[node] = change.uid
      columns.gid[node] = change.gid
      columns.size[node] = change.size ?? Number.NaN
      columns.mtime[node] = change.mtime
      columns.nsec[node] = change.nsec
      columns.lower[node] = change.lower ?? -1
      keep(rare.lowerSize, node, change.op === 'C' ? change.lowerSize : null)
      keep(rare.link, node, change.link)
      return node
    },
    drop(node) {
      if (columns.op[node] === NOTHING) return
      columns.op[node] = NOTHING
      for (const map of Object.values(rare)) map.delete(node)
      count--
    },
    tidy() {
      if (tree.nodes <= Math.max(FEW, tidied * 2) || tree.nodes <= count * 4) return null
      const next = new PathTree({ shared: true })
      const nodeOf = new Int32Array(tree.nodes).fill(-1)
      nodeOf[0] = 0
      const needed = new Uint8Array(tree.nodes)
      for (let node = tree.nodes - 1; node > 0; node--) {
        if (columns.op[node] !== NOTHING) needed[node] = 1
        if (needed[node]) needed[tree.parent[node]!] = 1
      }
      for (let node = 1; node < tree.nodes; node++) {
        if (!needed[node]) continue
        const parent = nodeOf[tree.parent[node]!]!
        nodeOf[node] = next.insert(parent, tree.names, tree.nameStart[node]!, tree.nameStart[node + 1]!)
      }
      columns = moved(columns, nodeOf, next.nodes)
      rare = movedRarities(rare, nodeOf)
      tree = next
      lineage = {}
      tidied = next.nodes
      return nodeOf
    },
    letter: node => ops[columns.op[node]!]!,
    reasons(node) {
      const bits = columns.reasons[node]!
      const words = known.get(bits) ?? reasonWords.filter((_, at) => bits & (1 << at))
      known.set(bits, words)
      return words
    },
  }
}

/** A word that we do not know is no reason. */
function bitOf(word: string): number {
  const at = (reasonWords as readonly string[]).indexOf(word)
  return at < 0 ? 0 : 1 << at
}

function keep<T>(map: Map<number, T>, node: number, value: T | null): void {
  if (value === null) map.delete(node)
  else map.set(node, value)
}

function noRarities(): Rarities {
  return { link: new Map(), lowerSize: new Map(), total: new Map(), growth: new Map() }
}

function movedRarities(from: Rarities, nodeOf: Int32Array): Rarities {
  const to = noRarities()
  for (const name of Object.keys(to) as (keyof Rarities)[]) {
    const map = to[name] as Map<number, unknown>
    for (const [node, value] of from[name]) map.set(nodeOf[node]!, value)
  }
  return to
}

function emptyColumns(length: number): Columns {
  return {
    op: new Uint8Array(length),
    kind: new Uint8Array(length),
    mode: new Uint16Array(length),
    reasons: new Uint8Array(length),
    uid: new Uint32Array(length),
    gid: new Uint32Array(length),
    size: new Float64Array(length),
    mtime: new Float64Array(length),
    nsec: new Uint32Array(length),
    lower: new Int16Array(length),
    changedAt: new Uint32Array(length),
  }
}

function grown(columns: Columns, length: number): Columns {
  const bigger = emptyColumns(length)
  for (const name of Object.keys(bigger) as (keyof Columns)[]) bigger[name].set(columns[name])
  return bigger
}

function moved(columns: Columns, nodeOf: Int32Array, nodes: number): Columns {
  const fewer = emptyColumns(Math.max(1024, nodes))
  for (const name of Object.keys(fewer) as (keyof Columns)[]) {
    const [from, to] = [columns[name], fewer[name]]
    for (let node = 0; node < nodeOf.length; node++) if (nodeOf[node]! >= 0) to[nodeOf[node]!] = from[node]!
  }
  return fewer
}

/** The kind as it was put. */
export function kindAt({ columns }: LiveColumns, node: number): Kind {
  return columns.kind[node]! as Kind
}

/**
 * The score that dive prints, for people who compare (`--score dive`). It is reproduced with its defects: leaves only,
 * whiteouts under the name they hide, deleted directories counted once under their own name, opaque directories
 * ignored, a layer's walk that ends at a whiteout of something unknown.
 */
import { compareBytes } from '../base/paths.ts'
import { Kind } from './entry.ts'
import type { LayerIndex } from './layer-index.ts'
import type { Stack } from './stack.ts'

export interface DiveScore {
  /** Sum of the smallest copy of each path over the sum of all copies; 1 when nothing is stored. */
  efficiency: number
  wastedBytes: number
  /** wastedBytes / bytes of all layers but the first; null when there are none. A ratio, in spite of its name. */
  userWastedPercent: number | null
  /** Paths stored more than once, biggest first. */
  files: { path: Uint8Array; count: number; bytes: number }[]
}

/** A path in dive's stacked tree: not there, there, or there as a directory that some layer lists. */
const GONE = 0
const THERE = 1
const LISTED_DIR = 2

/** dive's numbers for the layers of a stack. Linear in their entries. */
export function diveScore(stack: Stack): DiveScore {
  const tally = new Tally(stack.tree.nodes)
  const restack = new Restack(stack)
  let userBytes = 0
  stack.layers.forEach((layer, i) => {
    if (i > 0) userBytes += layer.stored
    const own = new OwnTree(layer, stack.ownNodes(i))
    own.leaves(restack, (node, entry) => {
      if (layer.kind[entry] !== Kind.whiteout) tally.visit(node, layer.size[entry]!)
      else if (restack.state[node] !== GONE) tally.visit(node, restack.directoryBytes(node))
      else {
        tally.unknown(node)
        return false
      }
      return true
    })
    own.stackOn(restack)
  })
  return tally.score(stack, userBytes)
}

/** What has been seen of each path. */
class Tally {
  readonly #count: Uint32Array
  readonly #total: Float64Array
  readonly #smallest: Float64Array

  constructor(nodes: number) {
    this.#count = new Uint32Array(nodes)
    this.#total = new Float64Array(nodes)
    this.#smallest = new Float64Array(nodes)
  }

  visit(node: number, size: number): void {
    this.#smallest[node] = this.#count[node] === 0 ? size : Math.min(this.#smallest[node]!, size)
    this.#count[node]!++
    this.#total[node]! += size
  }

  /** dive leaves such a path in its sums with the size that means "none seen yet". */
  unknown(node: number): void {
    if (this.#count[node] === 0) this.#smallest[node] = -1
  }

  score(stack: Stack, userBytes: number): DiveScore {
    let smallest = 0
    let total = 0
    let wastedBytes = 0
    const files: DiveScore['files'] = []
    for (let node = 0; node < this.#count.length; node++) {
      smallest += this.#smallest[node]!
      total += this.#total[node]!
      if (this.#count[node]! < 2) continue
      wastedBytes += this.#total[node]!
      files.push({ path: stack.tree.path(node), count: this.#count[node]!, bytes: this.#total[node]! })
    }
    files.sort((a, b) => b.bytes - a.bytes || compareBytes(a.path, b.path))
    return {
      efficiency: total === 0 ? 1 : smallest / total,
      wastedBytes,
      userWastedPercent: userBytes === 0 ? null : wastedBytes / userBytes,
      files,
    }
  }
}

/** dive's stacked tree: what each path holds, without regard to types. */
class Restack {
  readonly state: Uint8Array
  readonly #size: Float64Array
  readonly #tree: Stack['tree']

  constructor(stack: Stack) {
    this.#tree = stack.tree
    this.state = new Uint8Array(stack.tree.nodes)
    this.#size = new Float64Array(stack.tree.nodes)
  }

  put(node: number, size: number, isDir: boolean): void {
    for (let at = this.#tree.parent[node]!; at !== 0 && this.state[at] === GONE; at = this.#tree.parent[at]!) {
      this.state[at] = THERE
    }
    this.#size[node] = size
    this.state[node] = isDir ? LISTED_DIR : THERE
  }

  remove(node: number): void {
    this.#below(node, at => {
      this.state[at] = GONE
      this.#size[at] = 0
    })
  }

  /** Bytes below a directory that some layer lists; 0 for files and for directories that are only implied. */
  directoryBytes(node: number): number {
    if (this.state[node] !== LISTED_DIR) return 0
    let bytes = 0
    this.#below(node, at => {
      bytes += this.#size[at]!
    })
    return bytes
  }

  #below(node: number, visit: (node: number) => void): void {
    const todo = [node]
    while (todo.length > 0) {
      const at = todo.pop()!
      if (this.state[at] === GONE) continue
      for (let child = this.#tree.firstChild[at]!; child !== 0; child = this.#tree.nextSibling[child]!) todo.push(child)
      visit(at)
    }
  }
}

/** One layer as dive sees it: whiteouts are leaves of their own beside what they hide. */
class OwnTree {
  readonly #layer: LayerIndex
  readonly #nodeOf: Uint32Array
  /** By node of the layer: its last entry that is no marker, and its whiteout; -1 for none. */
  readonly #entry: Int32Array
  readonly #whiteout: Int32Array
  /** By node: something stands at or below it. */
  readonly #present: Uint8Array
  readonly #hasBelow: Uint8Array
  /** Nodes of the layer that a whiteout stands for. */
  readonly #hidden: number[] = []
  #children: Map<number, number[]> | null = null

  constructor(layer: LayerIndex, nodeOf: Uint32Array) {
    const { nodes, entries, kind, node, parent } = layer
    this.#layer = layer
    this.#nodeOf = nodeOf
    this.#entry = new Int32Array(nodes).fill(-1)
    this.#whiteout = new Int32Array(nodes).fill(-1)
    this.#present = new Uint8Array(nodes)
    this.#hasBelow = new Uint8Array(nodes)
    for (let entry = 0; entry < entries; entry++) {
      if (kind[entry] === Kind.opaque) continue
      if (kind[entry] === Kind.whiteout) this.#hidden.push(node[entry]!)
      const column = kind[entry] === Kind.whiteout ? this.#whiteout : this.#entry
      column[node[entry]!] = entry
      this.#present[node[entry]!] = 1
    }
    for (let at = nodes - 1; at > 0; at--)
      if (this.#present[at]) this.#hasBelow[parent[at]!] = this.#present[parent[at]!] = 1
  }

  /** The leaves until `visit` says stop. Their order matters only where a whiteout may make it stop. */
  leaves(state: Restack, visit: (node: number, entry: number) => boolean): void {
    if (this.#hidden.some(node => state.state[this.#nodeOf[node]!] === GONE)) return this.#walk(visit, () => {})
    for (const node of this.#hidden) visit(this.#nodeOf[node]!, this.#whiteout[node]!)
    for (let node = 1; node < this.#layer.nodes; node++) {
      if (this.#entry[node]! >= 0 && !this.#hasBelow[node]) visit(this.#nodeOf[node]!, this.#entry[node]!)
    }
  }

  /** Adds the layer to the stacked tree. Order matters only where a whiteout hides what the layer has as well. */
  stackOn(state: Restack): void {
    const { kind, size, nodes } = this.#layer
    const put = (node: number, entry: number) =>
      state.put(node, entry < 0 ? 0 : size[entry]!, entry >= 0 && kind[entry] === Kind.dir)
    if (this.#hidden.some(node => this.#entry[node]! >= 0 || this.#hasBelow[node])) {
      return this.#walk((node, entry) => {
        if (kind[entry] === Kind.whiteout) state.remove(node)
        else put(node, entry)
        return true
      }, put)
    }
    for (const node of this.#hidden) state.remove(this.#nodeOf[node]!)
    for (let node = 1; node < nodes; node++) {
      if (this.#entry[node]! >= 0 || this.#hasBelow[node]) put(this.#nodeOf[node]!, this.#entry[node]!)
    }
  }

  /** Depth first in the order of names; a whiteout comes where its own `.wh.` name sorts. */
  #walk(leaf: (node: number, entry: number) => boolean, inner: (node: number, entry: number) => void): void {
    const todo = this.#items(0).reverse()
    while (todo.length > 0) {
      const { node, whiteout } = todo.pop()!
      if (whiteout >= 0) {
        if (!leaf(this.#nodeOf[node]!, whiteout)) return
      } else if (this.#hasBelow[node]) {
        inner(this.#nodeOf[node]!, this.#entry[node]!)
        for (const item of this.#items(node).reverse()) todo.push(item)
      } else if (!leaf(this.#nodeOf[node]!, this.#entry[node]!)) return
    }
  }

  #items(node: number): { node: number; whiteout: number }[] {
    this.#children ??= this.#childLists()
    const items: { node: number; whiteout: number; name: Uint8Array }[] = []
    for (const child of this.#children.get(node) ?? []) {
      const name = this.#layer.names.subarray(this.#layer.nameStart[child]!, this.#layer.nameStart[child + 1]!)
      const whiteout = this.#whiteout[child]!
      if (whiteout >= 0) items.push({ node: child, whiteout, name: Buffer.concat([WH, name]) })
      if (this.#entry[child]! >= 0 || this.#hasBelow[child]) items.push({ node: child, whiteout: -1, name })
    }
    return items.sort((a, b) => compareBytes(a.name, b.name))
  }

  #childLists(): Map<number, number[]> {
    const lists = new Map<number, number[]>()
    for (let node = 1; node < this.#layer.nodes; node++) {
      if (!this.#present[node]) continue
      const siblings = lists.get(this.#layer.parent[node]!)
      if (siblings === undefined) lists.set(this.#layer.parent[node]!, [node])
      else siblings.push(node)
    }
    return lists
  }
}

const WH = Buffer.from('.wh.')

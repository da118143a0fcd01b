/**
 * The score that dive prints, for people who compare (`--score dive`). It is reproduced with its defects: leaves only,
 * whiteouts under the name they hide, deleted directories counted once under their own name, opaque directories
 * ignored, a layer's walk that ends at a whiteout of something unknown. The rule is in the README.
 */
import { compareBytes } from '../base/paths.ts'
import { Kind } from './entry.ts'
import type { LayerIndex } from './layer-index.ts'
import { PathTree } from './path-tree.ts'

export interface DiveScore {
  /** Sum of the smallest copy of each path over the sum of all copies; 1 when nothing is stored. */
  efficiency: number
  wastedBytes: number
  /** wastedBytes / bytes of all layers but the first; null when there are none. A ratio, in spite of its name. */
  userWastedPercent: number | null
  /** Paths stored more than once, biggest first. */
  files: { path: Uint8Array; count: number; bytes: number }[]
}

/** dive's numbers for these layers, bottom first. Linear in the entries. */
export function diveScore(layers: readonly LayerIndex[]): DiveScore {
  const state = new Restack()
  const tally = new Map<number, { count: number; total: number; smallest: number }>()
  let userBytes = 0
  layers.forEach((layer, i) => {
    if (i > 0) userBytes += layer.stored
    const own = new LayerTree(layer, state.tree)
    own.leaves((node, entry) => {
      const whiteout = layer.kind[entry] === Kind.whiteout
      if (whiteout && i > 0 && !state.has(node)) return false
      if (whiteout && i === 0) return false
      const size = whiteout ? state.directoryBytes(node) : layer.size[entry]!
      const seen = tally.get(node)
      if (seen === undefined) tally.set(node, { count: 1, total: size, smallest: size })
      else {
        seen.count++
        seen.total += size
        seen.smallest = Math.min(seen.smallest, size)
      }
      return true
    })
    own.stackOn(state)
  })
  let smallest = 0
  let total = 0
  let wastedBytes = 0
  const files: DiveScore['files'] = []
  for (const [node, seen] of tally) {
    smallest += seen.smallest
    total += seen.total
    if (seen.count < 2) continue
    wastedBytes += seen.total
    files.push({ path: state.tree.path(node), count: seen.count, bytes: seen.total })
  }
  files.sort((a, b) => b.bytes - a.bytes || compareBytes(a.path, b.path))
  return {
    efficiency: total === 0 ? 1 : smallest / total,
    wastedBytes,
    userWastedPercent: userBytes === 0 ? null : wastedBytes / userBytes,
    files,
  }
}

/** dive's stacked tree: what each path holds, without regard to types. */
class Restack {
  readonly tree = new PathTree({ linked: true })
  readonly #size = new Map<number, number>()
  readonly #listedDirs = new Set<number>()

  has(node: number): boolean {
    return this.#size.has(node)
  }

  put(node: number, size: number, isDir: boolean): void {
    for (let at = this.tree.parent[node]!; at !== 0 && !this.#size.has(at); at = this.tree.parent[at]!) {
      this.#size.set(at, 0)
    }
    this.#size.set(node, size)
    if (isDir) this.#listedDirs.add(node)
    else this.#listedDirs.delete(node)
  }

  remove(node: number): void {
    this.#below(node, at => {
      this.#size.delete(at)
      this.#listedDirs.delete(at)
    })
  }

  /** Bytes below a directory that some layer lists; 0 for files and for directories that are only implied. */
  directoryBytes(node: number): number {
    if (!this.#listedDirs.has(node)) return 0
    let bytes = 0
    this.#below(node, at => {
      bytes += this.#size.get(at)!
    })
    return bytes
  }

  #below(node: number, visit: (node: number) => void): void {
    const todo = [node]
    while (todo.length > 0) {
      const at = todo.pop()!
      if (!this.#size.has(at)) continue
      for (let child = this.tree.firstChild[at]!; child !== 0; child = this.tree.nextSibling[child]!) todo.push(child)
      visit(at)
    }
  }
}

/** One layer as dive sees it: whiteouts are nodes of their own beside what they hide. */
class LayerTree {
  readonly #layer: LayerIndex
  /** Node of the common tree by node of the layer. */
  readonly #nodeOf: Uint32Array
  /** By node of the layer: its last entry that is no marker, and its whiteout; -1 for none. */
  readonly #entry: Int32Array
  readonly #whiteout: Int32Array
  readonly #children: Map<number, number[]> = new Map()

  constructor(layer: LayerIndex, tree: PathTree) {
    this.#layer = layer
    this.#nodeOf = new Uint32Array(layer.nodes)
    this.#entry = new Int32Array(layer.nodes).fill(-1)
    this.#whiteout = new Int32Array(layer.nodes).fill(-1)
    for (let node = 1; node < layer.nodes; node++) {
      const parent = layer.parent[node]!
      this.#nodeOf[node] = tree.insert(
        this.#nodeOf[parent]!,
        layer.names,
        layer.nameStart[node]!,
        layer.nameStart[node + 1]!,
      )
    }
    for (let entry = 0; entry < layer.entries; entry++) {
      const kind = layer.kind[entry]!
      if (kind === Kind.whiteout) this.#whiteout[layer.node[entry]!] = entry
      else if (kind !== Kind.opaque) this.#entry[layer.node[entry]!] = entry
    }
    const present = this.#present()
    for (let node = 1; node < layer.nodes; node++) {
      if (!present[node]) continue
      const siblings = this.#children.get(layer.parent[node]!)
      if (siblings === undefined) this.#children.set(layer.parent[node]!, [node])
      else siblings.push(node)
    }
  }

  /** Leaves in dive's order until `visit` says stop; a whiteout comes where its own `.wh.` name sorts. */
  leaves(visit: (node: number, entry: number) => boolean): void {
    this.#walk(visit, () => {})
  }

  /** Adds the layer to the stacked tree in dive's order: names and whiteouts by name, each as it comes. */
  stackOn(state: Restack): void {
    const { kind, size } = this.#layer
    this.#walk(
      (node, entry) => {
        if (kind[entry] === Kind.whiteout) state.remove(node)
        else state.put(node, size[entry]!, kind[entry] === Kind.dir)
        return true
      },
      (node, entry) => state.put(node, 0, entry >= 0 && kind[entry] === Kind.dir),
    )
  }

  #walk(leaf: (node: number, entry: number) => boolean, inner: (node: number, entry: number) => void): void {
    const todo = this.#items(0).reverse()
    while (todo.length > 0) {
      const { node, whiteout } = todo.pop()!
      if (whiteout >= 0) {
        if (!leaf(this.#nodeOf[node]!, whiteout)) return
        continue
      }
      const below = this.#items(node)
      if (below.length === 0) {
        if (this.#entry[node]! >= 0 && !leaf(this.#nodeOf[node]!, this.#entry[node]!)) return
        continue
      }
      inner(this.#nodeOf[node]!, this.#entry[node]!)
      for (const item of below.reverse()) todo.push(item)
    }
  }

  #items(node: number): { node: number; whiteout: number }[] {
    const items: { node: number; whiteout: number; name: Uint8Array }[] = []
    for (const child of this.#children.get(node) ?? []) {
      const name = this.#layer.names.subarray(this.#layer.nameStart[child]!, this.#layer.nameStart[child + 1]!)
      const whiteout = this.#whiteout[child]!
      if (whiteout >= 0) items.push({ node: child, whiteout, name: Buffer.concat([WH, name]) })
      if (this.#entry[child]! >= 0 || this.#children.has(child)) items.push({ node: child, whiteout: -1, name })
    }
    return items.sort((a, b) => compareBytes(a.name, b.name))
  }

  /** Which nodes have an entry at or below them: paths that only an opaque marker names do not exist for dive. */
  #present(): Uint8Array {
    const { nodes, parent } = this.#layer
    const present = new Uint8Array(nodes)
    for (let node = nodes - 1; node > 0; node--) {
      if (this.#entry[node]! >= 0 || this.#whiteout[node]! >= 0) present[node] = 1
      if (present[node]) present[parent[node]!] = 1
    }
    return present
  }
}

const WH = Buffer.from('.wh.')

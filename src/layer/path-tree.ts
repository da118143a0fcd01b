/**
 * Interned paths: every distinct path is one node, a number. Node 0 is the root; a parent's number is smaller than its
 * children's, so that sums over directories are one loop backwards. Names are bytes. Used twice: by the builder of a
 * layer's index for that layer's paths, and by a stack for the paths of all its layers.
 */
import { components } from '../base/paths.ts'

const DOTS = 0x2e

/** The columns of a tree that is finished, as a LayerIndex holds them. */
export interface PathColumns {
  readonly nodes: number
  readonly parent: Uint32Array
  readonly nameStart: Uint32Array
  readonly names: Uint8Array
}

export class PathTree implements PathColumns {
  nodes = 1
  parent = new Uint32Array(1024)
  nameStart = new Uint32Array(1025)
  names = new Uint8Array(16384)
  /** Children as linked lists, newest first; 0 ends one. Kept only when asked for. */
  firstChild: Uint32Array
  nextSibling: Uint32Array

  /** Open addressing over (parent, name): node numbers, 0 is free. */
  #slots = new Uint32Array(4096)
  readonly #linked: boolean
  readonly #shared: boolean

  /** `linked`: children are kept as lists. `shared`: others look at the columns while it grows. */
  constructor(options: { linked?: boolean; shared?: boolean } = {}) {
    this.#linked = options.linked ?? false
    this.#shared = options.shared ?? this.#linked
    this.firstChild = new Uint32Array(this.#linked ? 1024 : 0)
    this.nextSibling = new Uint32Array(this.#linked ? 1024 : 0)
  }

  /**
   * Takes the paths of another tree in, in slices of so many nodes. Gives the node here by node there. `known`: what that
   * is for the first of them, where they came before.
   */
  *take(columns: PathColumns, slice: number, known?: Uint32Array): Generator<void, Uint32Array> {
    const nodeOf = new Uint32Array(columns.nodes)
    if (known) nodeOf.set(known)
    if (this.nodes === 1) {
      yield* this.#adopt(columns, slice)
      for (let node = 1; node < nodeOf.length; node++) nodeOf[node] = node
      return nodeOf
    }
    const { parent, nameStart, names } = columns
    for (let from = known?.length ?? 1; from < nodeOf.length; from += slice) {
      const to = Math.min(from + slice, nodeOf.length)
      for (let node = from; node < to; node++) {
        nodeOf[node] = this.insert(nodeOf[parent[node]!]!, names, nameStart[node]!, nameStart[node + 1]!)
      }
      yield
    }
    return nodeOf
  }

  /** Shares the other tree's columns until this one grows: nothing is written into them. Empty until the end. */
  *#adopt({ nodes, parent, nameStart, names }: PathColumns, slice: number): Generator<void> {
    const firstChild = new Uint32Array(nodes)
    const nextSibling = new Uint32Array(nodes)
    let size = this.#slots.length
    while (size * 0.7 < nodes) size *= 2
    const slots = new Uint32Array(size)
    const mask = size - 1
    for (let from = 1; from < nodes; from += slice) {
      const to = Math.min(from + slice, nodes)
      for (let node = from; node < to; node++) {
        const above = parent[node]!
        nextSibling[node] = firstChild[above]!
        firstChild[above] = node
        let slot = hash(above, names, nameStart[node]!, nameStart[node + 1]!) & mask
        while (slots[slot] !== 0) slot = (slot + 1) & mask
        slots[slot] = node
      }
      yield
    }
    Object.assign(this, { nodes, parent, nameStart, names, firstChild, nextSibling })
    this.#slots = slots
  }

  /** The first nodes of this tree as another one, which goes on from there. Only of a linked tree. */
  first(nodes: number): PathTree {
    const tree = new PathTree({ linked: true })
    const firstChild = this.firstChild.slice(0, nodes)
    // Children are listed newest first.
    for (let node = 0; node < nodes; node++) {
      while (firstChild[node]! >= nodes) firstChild[node] = this.nextSibling[firstChild[node]!]!
    }
    Object.assign(tree, {
      nodes,
      parent: this.parent.subarray(0, nodes),
      nameStart: this.nameStart.subarray(0, nodes + 1),
      names: this.names.subarray(0, this.nameStart[nodes]!),
      firstChild,
      nextSibling: this.nextSibling.slice(0, nodes),
    })
    let size = 4096
    while (size * 0.7 < nodes) size *= 2
    tree.#rehash(size)
    return tree
  }

  /** The node of the child of `parent` with the name `bytes[start, end)`, made when there is none. */
  insert(parent: number, bytes: Uint8Array, start: number, end: number): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = hash(parent, bytes, start, end) & mask
    for (let node = slots[slot]!; node !== 0; node = slots[(slot = (slot + 1) & mask)]!) {
      if (this.parent[node] === parent && this.#named(node, bytes, start, end)) return node
    }
    const node = this.nodes
    if (node + 1 >= this.nameStart.length) this.#growNodes((node + 1) * 2)
    const at = this.nameStart[node]!
    const length = end - start
    if (at + length > this.names.length) this.#growNames((at + length) * 2)
    if (length < 24) for (let i = 0; i < length; i++) this.names[at + i] = bytes[start + i]!
    else this.names.set(bytes.subarray(start, end), at)
    this.parent[node] = parent
    this.nameStart[node + 1] = at + length
    if (this.#linked) {
      this.nextSibling[node] = this.firstChild[parent]!
      this.firstChild[parent] = node
    }
    slots[slot] = node
    this.nodes = node + 1
    if (this.nodes > slots.length * 0.7) this.#rehash(slots.length * 2)
    return node
  }

  /** The node of the child with that name, -1 when there is none. */
  child(parent: number, bytes: Uint8Array, start = 0, end: number = bytes.length): number {
    const slots = this.#slots
    const mask = slots.length - 1
    let slot = hash(parent, bytes, start, end) & mask
    for (let node = slots[slot]!; node !== 0; node = slots[(slot = (slot + 1) & mask)]!) {
      if (this.parent[node] === parent && this.#named(node, bytes, start, end)) return node
    }
    return -1
  }

  /** The node of a path, -1 when no layer has it. `..` is taken lexically and never climbs out of the root. */
  find(path: Uint8Array): number {
    let node = 0
    for (const { start, end } of components(path)) {
      if (end - start === 2 && path[start] === DOTS && path[start + 1] === DOTS) {
        node = node === 0 ? 0 : this.parent[node]!
        continue
      }
      node = this.child(node, path, start, end)
      if (node < 0) return -1
    }
    return node
  }

  /** The columns, cut to size and taken out: the tree is not to be used again. */
  done(): PathColumns {
    const nameBytes = this.nameStart[this.nodes]!
    return {
      nodes: this.nodes,
      parent: new Uint32Array(moved(this.parent, this.nodes * 4)),
      nameStart: new Uint32Array(moved(this.nameStart, (this.nodes + 1) * 4)),
      names: new Uint8Array(moved(this.names, nameBytes)),
    }
  }

  /** The name of a node as a view: one path component. */
  name(node: number): Uint8Array {
    return this.names.subarray(this.nameStart[node]!, this.nameStart[node + 1]!)
  }

  /** The path of a node without a leading slash; the root's is empty. */
  path(node: number): Uint8Array {
    return pathOf(this, node)
  }

  /** The children of a node in no particular order. Only of a linked tree. */
  children(node: number): number[] {
    const children: number[] = []
    for (let child = this.firstChild[node]!; child !== 0; child = this.nextSibling[child]!) children.push(child)
    return children
  }

  #named(node: number, bytes: Uint8Array, start: number, end: number): boolean {
    let at = this.nameStart[node]!
    if (this.nameStart[node + 1]! - at !== end - start) return false
    for (let i = start; i < end; i++, at++) if (this.names[at] !== bytes[i]) return false
    return true
  }

  #growNodes(capacity: number): void {
    if (capacity < this.nameStart.length) return
    this.parent = new Uint32Array(this.#grown(this.parent, capacity * 4))
    this.nameStart = new Uint32Array(this.#grown(this.nameStart, (capacity + 1) * 4))
    if (!this.#linked) return
    this.firstChild = new Uint32Array(this.#grown(this.firstChild, capacity * 4))
    this.nextSibling = new Uint32Array(this.#grown(this.nextSibling, capacity * 4))
  }

  #growNames(capacity: number): void {
    if (capacity > this.names.length) this.names = new Uint8Array(this.#grown(this.names, capacity))
  }

  /**
   * A larger buffer with what is in the column. A shared tree grows while others look at it, so they keep what they
   * have; a builder's is its own, and the old buffer is given up at once.
   */
  #grown(column: Uint32Array | Uint8Array, bytes: number): ArrayBuffer {
    if (!this.#shared) return moved(column, bytes)
    const buffer = new ArrayBuffer(bytes)
    new Uint8Array(buffer).set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength))
    return buffer
  }

  #rehash(size: number): void {
    const slots = new Uint32Array(size)
    const mask = size - 1
    for (let node = 1; node < this.nodes; node++) {
      let slot = hash(this.parent[node]!, this.names, this.nameStart[node]!, this.nameStart[node + 1]!) & mask
      while (slots[slot] !== 0) slot = (slot + 1) & mask
      slots[slot] = node
    }
    this.#slots = slots
  }
}

/** The buffer of a column of our own at another length; the column is not to be used again. */
function moved(column: Uint32Array | Uint8Array, bytes: number): ArrayBuffer {
  return (column.buffer as ArrayBuffer).transfer(bytes)
}

/** The path of a node of any columns. Bounded by what the names hold. */
export function pathOf(tree: PathColumns, node: number): Uint8Array {
  let length = 0
  for (let n = node; n !== 0; n = tree.parent[n]!) length += tree.nameStart[n + 1]! - tree.nameStart[n]! + 1
  if (length === 0) return new Uint8Array(0)
  const path = new Uint8Array(length - 1)
  let end = path.length
  for (let n = node; n !== 0; n = tree.parent[n]!) {
    const start = tree.nameStart[n]!
    const size = tree.nameStart[n + 1]! - start
    path.set(tree.names.subarray(start, start + size), end - size)
    end -= size
    if (end > 0) path[--end] = 0x2f
  }
  return path
}

/** FNV-1a over the name, seeded with the parent, with a final mix because the slots take the low bits. */
function hash(parent: number, bytes: Uint8Array, start: number, end: number): number {
  let h = (parent ^ 0x811c9dc5) | 0
  for (let i = start; i < end; i++) h = Math.imul(h ^ bytes[i]!, 0x01000193)
  h ^= h >>> 15
  h = Math.imul(h, 0x85ebca6b)
  return (h ^ (h >>> 13)) >>> 0
}

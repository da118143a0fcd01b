/**
 * The rows of the Tree tab: a flat list over typed arrays, made anew only when folds, step, filter or sort change. A
 * key that moves the cursor touches none of this.
 */
import type { Scene } from './scene.ts'
import type { Sliced } from './slices.ts'
import { type Compare, sortNodes } from './sort.ts'
import { autoOpen, type Folds } from './folds.ts'

export type SortOrder = 'name' | 'size' | 'change' | 'time'
export const sortOrders: readonly SortOrder[] = ['name', 'size', 'change', 'time']

export interface TreeRows {
  count: number
  nodes: Uint32Array
  depths: Uint16Array
  /** OPEN and PARENT bits. */
  flags: Uint8Array
}

/** The directory's children follow. */
export const OPEN = 1
/** There is something to open. */
export const PARENT = 2

/** What a filter found: by node, MATCH and ABOVE bits. */
export type Marks = Uint8Array
export const MATCH = 1
/** Something below matches. */
export const ABOVE = 2

export interface TreeWish {
  folds: Folds
  sort: SortOrder
  onlyChanges: boolean
  /** null: no filter. */
  marks: Marks | null
}

export const noRows: TreeRows = {
  count: 0,
  nodes: new Uint32Array(0),
  depths: new Uint16Array(0),
  flags: new Uint8Array(0),
}

/** The rows of a scene, in slices. Linear in what is shown and in the size of the directories that stand open. */
export function* treeRows(scene: Scene, wish: TreeWish): Sliced<TreeRows> {
  const wanted = wantedNodes(scene, wish)
  const opened = wish.folds.rest === 'auto' && !wish.marks ? autoOpen(scene, wanted) : null
  const rows = new RowColumns()
  const todo = new Todo()
  todo.push(yield* sortedChildren(scene, 0, wish.sort, wanted), 0, false)
  for (let pace = 1; todo.length > 0; pace++) {
    if ((pace & 1023) === 0) yield
    const { node, depth, whole } = todo.pop()
    const parent = scene.isDir(node) && hasChild(scene, node, whole ? scene.shown : wanted, wish, whole)
    const open = parent && isOpen(node, wish, opened)
    rows.add(node, depth, (open ? OPEN : 0) | (parent ? PARENT : 0))
    if (!open) continue
    const all = whole || opensWhole(node, wish)
    todo.push(yield* sortedChildren(scene, node, wish.sort, all ? scene.shown : wanted), depth + 1, all)
  }
  return rows.done()
}

/** The children of a directory that have rows, in their order. */
export function* sortedChildren(
  scene: Scene,
  directory: number,
  order: SortOrder,
  wanted: (node: number) => boolean,
): Sliced<Uint32Array> {
  const { tree } = scene.stack
  let found = new Uint32Array(16)
  let count = 0
  for (let child = tree.firstChild[directory]!; child !== 0; child = tree.nextSibling[child]!) {
    if (!scene.shown(child) || !wanted(child)) continue
    if (count === found.length) found = grow(found)
    found[count++] = child
    if ((count & 8191) === 0) yield
  }
  const children = found.subarray(0, count).reverse()
  if (count < 2) return children
  const keys = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    keys[i] = sortKey(scene, children[i]!, order)
    if ((i & 4095) === 4095) yield
  }
  const places = new Uint32Array(count)
  for (let i = 0; i < count; i++) places[i] = i
  const byName = compareNames(scene)
  yield* sortNodes(places, (a, b) => keys[a]! - keys[b]! || byName(children[a]!, children[b]!))
  for (let i = 0; i < count; i++) places[i] = children[places[i]!]!
  return places
}

/** Names as bytes, shorter first where one begins the other. */
export function compareNames(scene: Scene): Compare {
  const { names, nameStart } = scene.stack.tree
  return (a, b) => {
    let i = nameStart[a]!
    let j = nameStart[b]!
    const endI = nameStart[a + 1]!
    const endJ = nameStart[b + 1]!
    for (; i < endI && j < endJ; i++, j++) if (names[i] !== names[j]) return names[i]! - names[j]!
    return endI - i - (endJ - j)
  }
}

/** What a row comes first by, smallest first; names decide where it is equal. */
export function sortKey(scene: Scene, node: number, order: SortOrder): number {
  if (order === 'name') return scene.isDir(node) ? 0 : 1
  if (order === 'size') return -scene.bytes(node)
  if (order === 'change') return changeRank(scene, node)
  return -timeOf(scene, node)
}

function changeRank(scene: Scene, node: number): number {
  const letter = scene.letter(node)
  if (letter !== null) return letter === 'A' ? 0 : letter === 'C' ? 1 : 2
  return scene.below && scene.below[node]! > 0 ? 3 : 4
}

function timeOf(scene: Scene, node: number): number {
  const ref = scene.ref(node)
  if (ref < 0) return 0
  const { stack } = scene
  const layer = stack.layers[stack.layerOf(ref)]!
  return layer.mtime[stack.indexOf(ref)]!
}

/** Which nodes a wish gives rows to, of those that are shown. */
export function wantedNodes(scene: Scene, wish: TreeWish): (node: number) => boolean {
  const { below } = scene
  const { marks, onlyChanges } = wish
  if (!marks && !onlyChanges) return () => true
  return node => {
    if (onlyChanges && scene.letter(node) === null && !(below && below[node]! > 0)) return false
    return !marks || marks[node]! !== 0
  }
}

function isOpen(node: number, wish: TreeWish, opened: Set<number> | null): boolean {
  const said = wish.folds.said.get(node)
  if (said !== undefined) return said
  if (wish.folds.rest !== 'auto') return wish.folds.rest === 'open'
  if (wish.marks) return (wish.marks[node]! & ABOVE) !== 0
  return opened?.has(node) ?? false
}

/** Under a filter, a directory that matches itself and is opened by hand shows all that it holds. */
function opensWhole(node: number, wish: TreeWish): boolean {
  return wish.marks !== null && wish.marks[node] === MATCH && !wish.onlyChanges
}

function hasChild(scene: Scene, node: number, wanted: (n: number) => boolean, wish: TreeWish, whole: boolean): boolean {
  const { firstChild, nextSibling } = scene.stack.tree
  const test = !whole && opensWhole(node, wish) ? scene.shown : wanted
  for (let child = firstChild[node]!; child !== 0; child = nextSibling[child]!) {
    if (scene.shown(child) && test(child)) return true
  }
  return false
}

function grow(column: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const bigger = new Uint32Array(column.length * 2)
  bigger.set(column)
  return bigger
}

class RowColumns {
  #count = 0
  #nodes = new Uint32Array(256)
  #depths = new Uint16Array(256)
  #flags = new Uint8Array(256)

  add(node: number, depth: number, flags: number): void {
    const at = this.#count++
    if (at === this.#nodes.length) {
      const { nodes, depths, flags: old } = this.done()
      this.#nodes = grow(nodes as Uint32Array<ArrayBuffer>)
      this.#depths = new Uint16Array(at * 2)
      this.#depths.set(depths)
      this.#flags = new Uint8Array(at * 2)
      this.#flags.set(old)
    }
    this.#nodes[at] = node
    this.#depths[at] = Math.min(depth, 0xffff)
    this.#flags[at] = flags
  }

  done(): TreeRows {
    const count = Math.min(this.#count, this.#nodes.length)
    return { count, nodes: this.#nodes, depths: this.#depths, flags: this.#flags }
  }
}

/** What is still to be shown, a stack of sorted lists of siblings: the memory of one path, not of all siblings twice. */
class Todo {
  #lists: { nodes: Uint32Array; at: number; depth: number; whole: boolean }[] = []

  get length(): number {
    return this.#lists.length
  }

  push(nodes: Uint32Array, depth: number, whole: boolean): void {
    if (nodes.length > 0) this.#lists.push({ nodes, at: 0, depth, whole })
  }

  pop(): { node: number; depth: number; whole: boolean } {
    const list = this.#lists.at(-1)!
    const node = list.nodes[list.at++]!
    if (list.at === list.nodes.length) this.#lists.pop()
    return { node, depth: list.depth, whole: list.whole }
  }
}

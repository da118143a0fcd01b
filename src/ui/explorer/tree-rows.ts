/**
 * The rows of the Tree tab: a flat list over typed arrays, made anew only when step, filter or sort change; a fold cuts
 * its rows out or puts them in. A key that moves the cursor touches none of this.
 */
import { autoOpen, type Folds } from './folds.ts'
import type { Scene } from './scene.ts'
import type { Sliced } from './slices.ts'
import { type SortOrder, sortedChildren } from './tree-order.ts'

export interface TreeRows {
  count: number
  nodes: Uint32Array
  depths: Uint16Array
  /** OPEN, PARENT and WHOLE bits. */
  flags: Uint8Array
  /** The directories that opened by themselves. */
  opened: ReadonlySet<number>
}

/** The directory's children follow. */
export const OPEN = 1
/** There is something to open. */
export const PARENT = 2
/** The filter no longer counts here: a directory above matched and was opened by hand. */
export const WHOLE = 4

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
  opened: new Set(),
}

/** The rows of a scene, in slices. Linear in what is shown and in the size of the directories that stand open. */
export function* treeRows(scene: Scene, wish: TreeWish): Sliced<TreeRows> {
  const auto = wish.folds.rest === 'auto' && !wish.marks
  const opened = auto ? autoOpen(scene, wantedNodes(scene, wish)) : noRows.opened
  return yield* flatten(scene, wish, opened, { node: 0, depth: -1, whole: false })
}

/** The rows with the children of one more row: it has to be a PARENT that is not OPEN, and `wish` has to open it. */
export function* openRow(scene: Scene, wish: TreeWish, rows: TreeRows, row: number): Sliced<TreeRows> {
  const start = { node: rows.nodes[row]!, depth: rows.depths[row]!, whole: (rows.flags[row]! & WHOLE) !== 0 }
  return putBack(rows, row, yield* flatten(scene, wish, rows.opened, start))
}

/** The rows without what stands below one of them, and that by itself. */
export function closeRow(rows: TreeRows, row: number): { rows: TreeRows; below: TreeRows } {
  let end = row + 1
  while (end < rows.count && rows.depths[end]! > rows.depths[row]!) end++
  const below = {
    count: end - row - 1,
    nodes: rows.nodes.slice(row + 1, end),
    depths: rows.depths.slice(row + 1, end),
    flags: rows.flags.slice(row + 1, end),
    opened: rows.opened,
  }
  const fewer = splice(rows, row + 1, end, noRows)
  fewer.flags[row]! &= ~OPEN
  return { rows: fewer, below }
}

/** The rows with what `closeRow` took away. */
export function putBack(rows: TreeRows, row: number, below: TreeRows): TreeRows {
  const more = splice(rows, row + 1, row + 1, below)
  more.flags[row]! |= OPEN
  return more
}

/** The rows with every directory above a node open; `wish` has to open them. Null: something else hides the node. */
export function* revealRows(scene: Scene, wish: TreeWish, rows: TreeRows, node: number): Sliced<TreeRows | null> {
  const { parent } = scene.stack.tree
  const above: number[] = []
  for (let up = parent[node]!; up !== 0; up = parent[up]!) above.push(up)
  for (const directory of above.reverse()) {
    const row = rowOf(rows, directory)
    if (row < 0 || !(rows.flags[row]! & PARENT)) return null
    if (!(rows.flags[row]! & OPEN)) rows = yield* openRow(scene, wish, rows, row)
  }
  return rowOf(rows, node) < 0 ? null : rows
}

/** The row of the directory that a row stands in; -1 at the top. */
export function parentRow(rows: TreeRows, row: number): number {
  for (let at = row - 1; at >= 0; at--) if (rows.depths[at]! < rows.depths[row]!) return at
  return -1
}

/** The row of a node, -1 when it has none. */
export function rowOf(rows: TreeRows, node: number): number {
  return rows.nodes.subarray(0, rows.count).indexOf(node)
}

/** Which nodes a wish gives rows to, of those that are shown. */
export function wantedNodes(scene: Scene, wish: Pick<TreeWish, 'marks' | 'onlyChanges'>): (node: number) => boolean {
  const { below } = scene
  const { marks, onlyChanges } = wish
  if (!marks && !onlyChanges) return () => true
  return node => {
    if (onlyChanges && scene.letter(node) === null && !(below && below[node]! > 0)) return false
    return !marks || marks[node]! !== 0
  }
}

interface Start {
  node: number
  depth: number
  whole: boolean
}

/** The rows below a directory. */
function* flatten(scene: Scene, wish: TreeWish, opened: ReadonlySet<number>, start: Start): Sliced<TreeRows> {
  const wanted = wantedNodes(scene, wish)
  const rows = new RowColumns()
  const todo = new Todo()
  const enter = function* (node: number, depth: number, above: boolean): Sliced<void> {
    const whole = above || opensWhole(node, wish)
    todo.push(yield* sortedChildren(scene, node, wish.sort, whole ? scene.shown : wanted), depth, whole)
  }
  yield* enter(start.node, start.depth + 1, start.whole)
  for (let pace = 1; todo.length > 0; pace++) {
    if ((pace & 511) === 0) yield
    const { node, depth, whole } = todo.pop()
    const parent = scene.isDir(node) && hasChild(scene, node, whole || opensWhole(node, wish) ? scene.shown : wanted)
    const open = parent && isOpen(node, wish, opened)
    rows.add(node, depth, (open ? OPEN : 0) | (parent ? PARENT : 0) | (whole ? WHOLE : 0))
    if (open) yield* enter(node, depth + 1, whole)
  }
  return rows.done(opened)
}

function isOpen(node: number, wish: TreeWish, opened: ReadonlySet<number>): boolean {
  const said = wish.folds.said.get(node)
  if (said !== undefined) return said
  if (wish.folds.rest !== 'auto') return wish.folds.rest === 'open'
  if (wish.marks) return (wish.marks[node]! & ABOVE) !== 0
  return opened.has(node)
}

/** Under a filter, a directory that matches itself and is opened by hand shows all that it holds. */
function opensWhole(node: number, wish: TreeWish): boolean {
  return wish.marks !== null && wish.marks[node] === MATCH && !wish.onlyChanges
}

function hasChild(scene: Scene, node: number, wanted: (node: number) => boolean): boolean {
  const { firstChild, nextSibling } = scene.stack.tree
  for (let child = firstChild[node]!; child !== 0; child = nextSibling[child]!) {
    if (scene.shown(child) && wanted(child)) return true
  }
  return false
}

/** The rows with `inside` in the place of rows `from` to `to`. */
function splice(rows: TreeRows, from: number, to: number, inside: TreeRows): TreeRows {
  const count = rows.count - (to - from) + inside.count
  const result = {
    count,
    nodes: new Uint32Array(count),
    depths: new Uint16Array(count),
    flags: new Uint8Array(count),
    opened: rows.opened,
  }
  for (const column of ['nodes', 'depths', 'flags'] as const) {
    result[column].set(rows[column].subarray(0, from))
    result[column].set(inside[column].subarray(0, inside.count), from)
    result[column].set(rows[column].subarray(to, rows.count), from + inside.count)
  }
  return result
}

class RowColumns {
  #count = 0
  #nodes = new Uint32Array(256)
  #depths = new Uint16Array(256)
  #flags = new Uint8Array(256)

  add(node: number, depth: number, flags: number): void {
    const at = this.#count++
    if (at === this.#nodes.length) {
      const old = [this.#nodes, this.#depths, this.#flags] as const
      this.#nodes = new Uint32Array(at * 2)
      this.#depths = new Uint16Array(at * 2)
      this.#flags = new Uint8Array(at * 2)
      this.#nodes.set(old[0])
      this.#depths.set(old[1])
      this.#flags.set(old[2])
    }
    this.#nodes[at] = node
    this.#depths[at] = Math.min(depth, 0xffff)
    this.#flags[at] = flags
  }

  done(opened: ReadonlySet<number>): TreeRows {
    return { count: this.#count, nodes: this.#nodes, depths: this.#depths, flags: this.#flags, opened }
  }
}

/** What is still to be shown, a stack of sorted lists of siblings: the memory of one path, not of all siblings twice. */
class Todo {
  readonly #lists: { nodes: Uint32Array; at: number; depth: number; whole: boolean }[] = []

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

/** The rows of the Changes tab: what the step, or the range of steps, does, as a flat list of paths. */
import { noFolds } from './folds.ts'
import type { Scene } from './scene.ts'
import type { Sliced } from './slices.ts'
import { sortNumbers } from './sort.ts'
import { type SortOrder, sortKey } from './tree-order.ts'
import { MATCH, type Marks, treeRows } from './tree-rows.ts'

/**
 * The changed nodes in the given order; by name is in order of the tree. What goes with a deleted directory has no row
 * of its own, unless a filter asks for it.
 */
export function* changeRows(scene: Scene, order: SortOrder, marks: Marks | null): Sliced<Uint32Array> {
  const folds = { ...noFolds(), rest: 'open' as const }
  const rows = yield* treeRows(scene, { folds, sort: 'name', onlyChanges: true, marks })
  const { parent } = scene.stack.tree
  const nodes = new Uint32Array(rows.count)
  let count = 0
  for (let row = 0; row < rows.count; row++) {
    if ((row & 4095) === 4095) yield
    const node = rows.nodes[row]!
    const letter = scene.letter(node)
    if (letter === null) continue
    const own = marks ? (marks[node]! & MATCH) !== 0 : letter !== 'D' || scene.letter(parent[node]!) !== 'D'
    if (own) nodes[count++] = node
  }
  return yield* inOrder(scene, nodes.slice(0, count), order)
}

function* inOrder(scene: Scene, nodes: Uint32Array, order: SortOrder): Sliced<Uint32Array> {
  if (order === 'name') return nodes
  yield
  const keys = new Float64Array(nodes.length)
  const places = new Uint32Array(nodes.length)
  for (let at = 0; at < nodes.length; at++) {
    keys[at] = sortKey(scene, nodes[at]!, order)
    places[at] = at
    if ((at & 4095) === 4095) yield
  }
  yield* sortNumbers(places, keys)
  return places.map(place => nodes[place]!)
}

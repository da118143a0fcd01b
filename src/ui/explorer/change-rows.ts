/** The rows of the Changes tab: what the step, or the range of steps, does, as a flat list of paths. */
import { noFolds } from './folds.ts'
import type { Scene } from './scene.ts'
import type { Sliced } from './slices.ts'
import { sortNodes } from './sort.ts'
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
  const nodes = rows.nodes.slice(0, rows.count).filter(node => {
    const letter = scene.letter(node)
    if (letter === null) return false
    if (marks) return (marks[node]! & MATCH) !== 0
    return letter !== 'D' || scene.letter(parent[node]!) !== 'D'
  })
  if (order === 'name') return nodes
  yield
  const keys = Float64Array.from(nodes, node => sortKey(scene, node, order))
  const places = Uint32Array.from(nodes, (_, place) => place)
  yield* sortNodes(places, (a, b) => keys[a]! - keys[b]!)
  return places.map(place => nodes[place]!)
}

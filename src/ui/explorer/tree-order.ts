/** In which order the children of a directory stand. */
import type { Scene } from './scene.ts'
import type { Sliced } from './slices.ts'
import { sortByKey } from './sort.ts'

export type SortOrder = 'name' | 'size' | 'change' | 'time' | 'rate' | 'growth'
export const sortOrders: readonly SortOrder[] = ['name', 'size', 'change', 'time']
/** Of a layer that is alive. */
export const liveSortOrders: readonly SortOrder[] = [...sortOrders, 'rate', 'growth']

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
    if ((count & 4095) === 0) yield
  }
  // The tree lists its newest child first: turned round it is in the order of the tar, which mostly is that of names.
  const children = found.subarray(0, count).reverse()
  if (count < 2) return children
  const keys = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    keys[i] = sortKey(scene, children[i]!, order)
    if ((i & 4095) === 4095) yield
  }
  yield* sortByKey(children, keys, tree)
  return children
}

/** What a row comes first by, smallest first; names decide where it is equal. */
export function sortKey(scene: Scene, node: number, order: SortOrder): number {
  if (order === 'name') return scene.isDir(node) ? 0 : 1
  if (order === 'size') return 0 - scene.bytes(node)
  if (order === 'change') return changeRank(scene, node)
  if (order === 'rate') return 0 - (scene.live?.rate(node) ?? 0)
  if (order === 'growth') return 0 - (scene.live?.growth(node) ?? 0)
  return 0 - timeOf(scene, node)
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

function grow(column: Uint32Array<ArrayBuffer>): Uint32Array<ArrayBuffer> {
  const bigger = new Uint32Array(column.length * 2)
  bigger.set(column)
  return bigger
}

/** What directories hold: sums over everything below each node. */
import { Kind } from './entry.ts'
import { IMPLIED, type Stack, type View } from './stack.ts'

/**
 * Visible bytes at and below each node of a view. A body with several names counts once: at the name that stores it
 * while that is visible, else at the first other name.
 */
export function totals(stack: Stack, view: View): Float64Array {
  const { current } = view
  const nodes = current.length
  const sums = new Float64Array(nodes)
  const counted = new Set<number>()
  const { parent } = stack.tree
  // Neighbours mostly come from the same layer: the one of the last entry is tried first.
  let layer = 0
  let base = 0
  let end = 0
  for (let node = nodes - 1; node >= 0; node--) {
    const ref = current[node]!
    if (ref >= 0) {
      if (ref < base || ref >= end) {
        layer = stack.layerOf(ref)
        base = stack.refOf(layer, 0)
        end = base + stack.layers[layer]!.entries
      }
      const { kind, size } = stack.layers[layer]!
      const type = kind[ref - base]!
      if (type === Kind.file) sums[node]! += size[ref - base]!
      else if (type === Kind.hardlink) sums[node]! += linkBytes(stack, current, ref, counted)
    } else if (ref !== IMPLIED) continue
    if (node > 0) sums[parent[node]!]! += sums[node]!
  }
  return sums
}

function linkBytes(stack: Stack, current: Int32Array, ref: number, counted: Set<number>): number {
  const inode = stack.inodeOf(ref)
  if (inode < 0 || counted.has(inode) || current[stack.nodeOf(inode)] === inode) return 0
  counted.add(inode)
  return stack.sizeOf(inode)
}

/** A walk through the paths of a stack in their order, one node at a time: nothing is gathered, however large it is. */
import type { PathTree } from '../layer/path-tree.ts'

export interface Visit {
  node: number
  /** 0 for the children of where the walk begins. */
  depth: number
}

/**
 * Everything below `from`, directories before what is in them, names in byte order. `enter` says for each node whether
 * it is handed out and looked into.
 */
export function* walk(tree: PathTree, from: number, enter: (node: number) => boolean): Generator<Visit> {
  const todo: { nodes: number[]; at: number }[] = [{ nodes: sorted(tree, from, enter), at: 0 }]
  while (todo.length > 0) {
    const level = todo[todo.length - 1]
    if (level.at === level.nodes.length) {
      todo.pop()
      continue
    }
    const node = level.nodes[level.at++]
    yield { node, depth: todo.length - 1 }
    if (tree.firstChild[node] !== 0) todo.push({ nodes: sorted(tree, node, enter), at: 0 })
  }
}

/** Marks these nodes and everything that leads to them, by node: what a walk has to enter to find them. */
export function ancestry(tree: PathTree, nodes: Iterable<number>): Uint8Array {
  const marked = new Uint8Array(tree.nodes)
  for (const node of nodes) {
    for (let at = node; marked[at] === 0; at = tree.parent[at]) marked[at] = 1
  }
  return marked
}

function sorted(tree: PathTree, node: number, enter: (node: number) => boolean): number[] {
  const { names, nameStart } = tree
  return tree
    .children(node)
    .filter(enter)
    .sort((a, b) => {
      let i = nameStart[a]
      let j = nameStart[b]
      const aEnd = nameStart[a + 1]
      const bEnd = nameStart[b + 1]
      while (i < aEnd && j < bEnd) {
        const difference = names[i++] - names[j++]
        if (difference !== 0) return difference
      }
      return aEnd - i - (bEnd - j)
    })
}

/**
 * Which directories stand open. What the person opened or closed is kept by path (a node of the stack's tree is an
 * interned path, the same in every layer) and wins; everything else follows the scene: directories open by themselves
 * where the step changed something, as long as that is about a screenful.
 */
import type { Scene } from './scene.ts'

export interface Folds {
  /** What the person said, by node. */
  said: Map<number, boolean>
  /** What holds for everything else. */
  rest: 'auto' | 'open' | 'closed'
}

export function noFolds(): Folds {
  return { said: new Map(), rest: 'auto' }
}

/** The folds with one directory opened or closed. The given ones stay as they are. */
export function withFold(folds: Folds, node: number, open: boolean): Folds {
  return { ...folds, said: new Map(folds.said).set(node, open) }
}

/** The same folds of nodes that have other numbers now; -1: the path is forgotten. */
export function renumberedFolds({ said, rest }: Folds, now: (node: number) => number): Folds {
  return {
    said: new Map([...said].map(([node, open]) => [now(node), open] as const).filter(([node]) => node >= 0)),
    rest,
  }
}

/** How many rows the directories that open by themselves may bring. */
const AUTO_ROWS = 60

/**
 * The directories that open by themselves: those with changes below, breadth first, each only if all of it fits into
 * what is left of the budget. `wanted` says which children would get a row.
 */
export function autoOpen(scene: Scene, wanted: (node: number) => boolean, budget: number = AUTO_ROWS): Set<number> {
  const open = new Set<number>()
  const { below } = scene
  if (!below) return open
  const { firstChild, nextSibling } = scene.stack.tree
  const queue = [0]
  for (let at = 0; at < queue.length && budget > 0; at++) {
    const children: number[] = []
    const limit = queue[at] === 0 ? Number.POSITIVE_INFINITY : budget
    for (let child = firstChild[queue[at]!]!; child !== 0 && children.length <= limit; child = nextSibling[child]!) {
      if (scene.shown(child) && wanted(child)) children.push(child)
    }
    if (children.length > limit) continue
    if (queue[at] !== 0) {
      open.add(queue[at]!)
      budget -= children.length
    }
    for (const child of children) if (below[child]! > 0 && scene.isDir(child)) queue.push(child)
    if (queue.length > 4096) break
  }
  return open
}

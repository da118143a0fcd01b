/** The scene that the search over all layers looks at: every path that any layer has, as its newest version. */
import { Kind } from '../../layer/entry.ts'
import { ABSENT, type Stack } from '../../layer/stack.ts'
import type { Filter } from './filter-language.ts'
import { type FilterWorld, matchScene } from './filter-match.ts'
import { noFolds } from './folds.ts'
import type { Scene } from './scene.ts'
import type { Sliced } from './slices.ts'
import { MATCH, treeRows } from './tree-rows.ts'

/** All paths of all layers laid so far. A directory's bytes are not counted: no such file system ever was. */
export function* everything(stack: Stack): Sliced<Scene> {
  const newest = new Int32Array(stack.tree.nodes).fill(ABSENT)
  for (const { nodes, after } of stack.deltas) {
    for (let i = 0; i < nodes.length; i++) if (after[i] !== ABSENT) newest[nodes[i]!] = after[i]!
    yield
  }
  const isDir = (node: number) => stack.kindOf(newest[node]!) === Kind.dir
  return {
    stack,
    live: null,
    from: stack.layers.length,
    to: stack.layers.length - 1,
    changes: null,
    below: null,
    nodes: newest.length,
    shown: node => node < newest.length && newest[node] !== ABSENT,
    ref: node => newest[node]!,
    isDir,
    letter: () => null,
    reasons: () => [],
    bytes: node => (newest[node]! < 0 || isDir(node) ? 0 : stack.sizeOf(newest[node]!)),
  }
}

/** The nodes that the filter finds among all paths of all layers, in order of the tree. */
export function* findEverywhere(scene: Scene, filter: Filter, world: FilterWorld): Sliced<Uint32Array> {
  const { marks } = yield* matchScene(scene, filter, world)
  const folds = { ...noFolds(), rest: 'open' as const }
  const rows = yield* treeRows(scene, { folds, sort: 'name', onlyChanges: false, marks })
  return rows.nodes.slice(0, rows.count).filter(node => (marks[node]! & MATCH) !== 0)
}

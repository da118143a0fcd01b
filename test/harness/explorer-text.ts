/** What the Explorer's model makes of layer tars, as text: for tests that read like the rules. */
import { Buffer } from 'node:buffer'
import type { Stack } from '../../src/layer/stack.ts'
import { parseFilter } from '../../src/ui/explorer/filter-language.ts'
import { type FilterWorld, matchScene } from '../../src/ui/explorer/filter-match.ts'
import { noFolds } from '../../src/ui/explorer/folds.ts'
import { noOwners } from '../../src/ui/explorer/owners.ts'
import { makeScene, type Scene } from '../../src/ui/explorer/scene.ts'
import { runNow } from '../../src/ui/explorer/slices.ts'
import { OPEN, PARENT, type TreeRows, type TreeWish, treeRows } from '../../src/ui/explorer/tree-rows.ts'
import { stackOf } from './stacks.ts'
import { tar } from './tar.ts'

export const world: FilterWorld & { stepOf(layer: number): number } = {
  owners: noOwners,
  stepOf: layer => layer + 1,
  layerOfStep: step => step - 1,
}

/** A stack of layers in the language of tar.ts. */
export function stackOfText(...layers: string[]): Stack {
  return stackOf(...layers.map(layer => tar(layer)))
}

/** The scene of the topmost layer, or of a range. */
export function sceneOf(stack: Stack, from = stack.layers.length - 1, to = stack.layers.length - 1): Scene {
  return makeScene(stack, from, to)
}

export function wish(more: Partial<TreeWish> = {}): TreeWish {
  return { folds: noFolds(), sort: 'name', onlyChanges: false, marks: null, ...more }
}

/** The wish with a filter in the filter language. */
export function filtered(scene: Scene, text: string, more: Partial<TreeWish> = {}): TreeWish {
  const parsed = parseFilter(text)
  if (!parsed.ok) throw new Error(parsed.error)
  return wish({ marks: runNow(matchScene(scene, parsed.filter, world)).marks, ...more })
}

/** One row a line: letter, indent, `v` or `>` for what can be opened, name. */
export function rowsText(scene: Scene, rows: TreeRows): string {
  const lines: string[] = []
  for (let row = 0; row < rows.count; row++) {
    const node = rows.nodes[row]!
    const flags = rows.flags[row]!
    const fold = flags & PARENT ? (flags & OPEN ? 'v ' : '> ') : '  '
    const name = Buffer.from(scene.stack.tree.name(node)).toString('utf8')
    const dir = scene.isDir(node) ? '/' : ''
    lines.push(`${scene.letter(node) ?? ' '} ${'  '.repeat(rows.depths[row]!)}${fold}${name}${dir}`.trimEnd())
  }
  return lines.join('\n')
}

/** The same, made from a wish. */
export function treeText(scene: Scene, wanted: TreeWish = wish()): string {
  return rowsText(scene, runNow(treeRows(scene, wanted)))
}

/** The paths of nodes. */
export function paths(stack: Stack, nodes: Iterable<number>): string[] {
  return Array.from(nodes, node => Buffer.from(stack.tree.path(node)).toString('utf8'))
}

/** Lines without the indent of the code around them. */
export function text(strings: TemplateStringsArray): string {
  const lines = strings[0]!.split('\n').slice(1, -1)
  const indent = Math.min(...lines.filter(line => line.trim() !== '').map(line => /^ */.exec(line)![0].length))
  return lines.map(line => line.slice(indent)).join('\n')
}

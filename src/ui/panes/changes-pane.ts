/** The Changes tab as lines: letter, size, whole path, reason. Only visible rows are formatted. */
import { formatBytes, formatCount } from '../../base/sizes.ts'
import { cutEnd, cutMiddle, fit as fitted, safeBytes, width } from '../../base/text.ts'
import type { Scene } from '../explorer/scene.ts'
import type { Theme } from '../theme.ts'
import { line, type Part } from '../widgets/line.ts'
import { drawList, type ListState } from '../widgets/list.ts'
import { fitColumns } from './columns.ts'
import { describe, type NoteWorld, noteOf } from './notes.ts'
import { glowing } from './tree-pane.ts'

export interface ChangesModel {
  scene: Scene
  nodes: Uint32Array
  world: NoteWorld
}

/** The header line with the counts and the rows, exactly `rows` lines. */
export function changesPane(
  theme: Theme,
  model: ChangesModel,
  options: { columns: number; rows: number; state: ListState; focused: boolean },
): string[] {
  const { columns, rows, state, focused } = options
  const { scene, nodes, world } = model
  const { kept, rest } = fitColumns(
    [
      { name: 'owner', width: 8, worth: 1 },
      { name: 'permissions', width: 10, worth: 2 },
      { name: 'size', width: 7, worth: 3 },
      ...(scene.live ? [{ name: 'rate', width: 9, worth: 4 }] : []),
    ],
    columns - 2,
    44,
  )
  const row = (index: number): Part[] => {
    const node = nodes[index]!
    const letter = scene.letter(node)
    const about = describe(scene, node, world.owners)
    const parts: Part[] = [[theme.letter(letter), `${letter ?? ' '} `]]
    if (kept.has('permissions')) parts.push([theme.dim, `${about.permissions} `])
    if (kept.has('owner')) parts.push([theme.dim, `${fitted(about.owner, 8, 'right')} `])
    if (kept.has('size')) parts.push(`${fitted(formatBytes(scene.bytes(node)), 7, 'right')} `)
    if (kept.has('rate')) {
      const rate = scene.live!.rate(node)
      parts.push([theme.accent, `${fitted(rate > 0 ? `${formatBytes(rate)}/s` : '', 9, 'right')} `])
    }
    const note = noteOf(scene, node, world, letter === 'D' && scene.isDir(node))
    const path = safeBytes(scene.stack.tree.path(node)) + (scene.isDir(node) ? '/' : '')
    const room = Math.max(12, rest - Math.min(width(note), rest >> 1) - (note ? 2 : 0))
    const glow = world.live && scene.live ? world.live.glow(node, false) : 0
    parts.push([glowing(theme, glow, letter === 'D' ? theme.deleted : plain), cutMiddle(path, room)])
    return note
      ? [...parts, [theme.dim, `  ${cutEnd(note, Math.max(0, rest - width(cutMiddle(path, room)) - 2))}`]]
      : parts
  }
  const list = drawList({ theme, columns, rows: rows - 1, count: nodes.length, state, focused, row })
  return [line(columns, countParts(theme, scene)), ...list]
}

/** `3 added  2 changed  1 deleted`. */
export function countParts(theme: Theme, scene: Scene): Part[] {
  if (!scene.changes) return [[theme.dim, 'no step is marked']]
  const { added, changed, deleted } = scene.changes.counts
  return [
    [theme.added, `A ${formatCount(added)} added`],
    '   ',
    [theme.changed, `C ${formatCount(changed)} changed`],
    '   ',
    [theme.deleted, `D ${formatCount(deleted)} deleted`],
  ]
}

function plain(text: string): string {
  return text
}

/** The Tree tab as lines: one row a path, with the letter of what the step did to it. Only visible rows are formatted. */
import { formatBytes } from '../../base/sizes.ts'
import { cutEnd, cutMiddle, fit as fitted, safeBytes, width } from '../../base/text.ts'
import { type Entry, Kind } from '../../layer/entry.ts'
import type { Scene } from '../explorer/scene.ts'
import type { SortOrder } from '../explorer/tree-order.ts'
import { MATCH, type Marks, OPEN, PARENT, type TreeRows } from '../explorer/tree-rows.ts'
import type { Style, Theme } from '../theme.ts'
import { line, type Part } from '../widgets/line.ts'
import { drawList, type ListState } from '../widgets/list.ts'
import { fitColumns } from './columns.ts'
import { describe, type NoteWorld, noteOf } from './notes.ts'

export interface TreeModel {
  scene: Scene
  rows: TreeRows
  marks: Marks | null
  sort: SortOrder
  world: NoteWorld
}

/** The header line and the rows, exactly `rows` lines. */
export function treePane(
  theme: Theme,
  model: TreeModel,
  options: { columns: number; rows: number; state: ListState; focused: boolean },
): string[] {
  const { columns, rows, state, focused } = options
  const live = model.world.live?.view.number === model.scene.to
  const shape = treeShape(columns, model.sort, live)
  const cells = new Map<number, RowCells>()
  const cellsOf = (index: number) => {
    const known = cells.get(index) ?? rowCells(theme, model, shape, index)
    cells.set(index, known)
    return known
  }
  const list = drawList({
    theme,
    columns,
    rows: rows - 1,
    count: model.rows.count,
    state,
    focused,
    row: index => cellsOf(index).left,
    right: index => cellsOf(index).right,
  })
  return [line(columns, header(theme, shape, model.sort)), ...list]
}

interface Shape {
  kept: Set<string>
  name: number
}

const LETTER = 2
const widths = { permissions: 10, owner: 8, size: 7, rate: 9, growth: 8, bar: 8, time: 16 } as const

/** Which columns there are at a width. */
function treeShape(columns: number, sort: SortOrder, live: boolean): Shape {
  const wanted = [
    { name: 'permissions', width: widths.permissions, worth: 2 },
    { name: 'owner', width: widths.owner, worth: 3 },
    { name: 'time', width: widths.time, worth: sort === 'time' ? 5 : 1 },
    { name: 'size', width: widths.size, worth: 4 },
    ...(live ? [{ name: 'rate', width: widths.rate, worth: sort === 'growth' ? 2.5 : 6 }] : []),
    ...(live && (columns >= 140 || sort === 'growth') ? [{ name: 'growth', width: widths.growth, worth: 5 }] : []),
    ...(sort === 'size' ? [{ name: 'bar', width: widths.bar, worth: 1.5 }] : []),
  ]
  const { kept, rest } = fitColumns(wanted, columns - LETTER, 27)
  if (columns < 110 && sort !== 'time') {
    const had = kept.delete('time')
    return { kept, name: had ? rest + widths.time + 1 : rest }
  }
  return { kept, name: rest }
}

function header(theme: Theme, { kept }: Shape, sort: SortOrder): Part[] {
  const title = (text: string, on: boolean): Part => [on ? theme.accent : theme.dim, text]
  const parts: Part[] = [title('± ', sort === 'change')]
  if (kept.has('permissions')) parts.push(title(fitted('PERMISSIONS', widths.permissions + 1), false))
  if (kept.has('owner')) parts.push(title(`${fitted('OWNER', widths.owner, 'right')} `, false))
  if (kept.has('time')) parts.push(title(fitted('MODIFIED', widths.time + 1), sort === 'time'))
  if (kept.has('size')) parts.push(title(`${fitted('SIZE', widths.size, 'right')} `, sort === 'size'))
  if (kept.has('rate')) parts.push(title(`${fitted('RATE', widths.rate, 'right')} `, sort === 'rate'))
  if (kept.has('bar')) parts.push(' '.repeat(widths.bar + 1))
  if (kept.has('growth')) parts.push(title(`${fitted('GROWTH', widths.growth, 'right')} `, sort === 'growth'))
  return [...parts, title('NAME', sort === 'name')]
}

interface RowCells {
  left: Part[]
  right: Part[]
}

function rowCells(theme: Theme, model: TreeModel, shape: Shape, index: number): RowCells {
  const { scene, rows, world } = model
  const node = rows.nodes[index]!
  const flags = rows.flags[index]!
  const { entry, permissions, owner, time } = describe(scene, node, world.owners)
  const letter = scene.letter(node)
  const inside = (scene.below?.[node] ?? 0) > 0
  const left: Part[] = [
    letter ? [theme.letter(letter), `${letter} `] : inside ? [theme.dim, `${theme.glyph.dot} `] : '  ',
  ]
  if (shape.kept.has('permissions')) {
    const special = entry !== null && entry.kind !== Kind.dir && (entry.mode & 0o6000) !== 0
    left.push([special ? theme.warning : theme.dim, `${permissions} `])
  }
  if (shape.kept.has('owner')) left.push([theme.dim, `${fitted(owner, widths.owner, 'right')} `])
  if (shape.kept.has('time')) left.push([theme.dim, fitted(time, widths.time + 1)])
  const dir = scene.isDir(node)
  if (shape.kept.has('size')) {
    const size = sizeText(scene, node, entry)
    left.push([size === '0 B' ? theme.dim : plainStyle, `${fitted(size, widths.size, 'right')} `])
  }
  if (shape.kept.has('rate')) {
    const rate = world.live!.rate(node)
    left.push([theme.accent, `${fitted(rate > 0 ? `${formatBytes(rate)}/s` : '', widths.rate, 'right')} `])
  }
  if (shape.kept.has('growth')) left.push(growthPart(theme, world.live!.growth(node)))
  if (shape.kept.has('bar')) left.push([theme.accent, `${bar(theme, scene, node)} `])
  const note = noteOf(scene, node, world, dir && (flags & OPEN) === 0, !shape.kept.has('growth'))
  const name = nameParts(theme, model, index, entry, shape.name)
  const used = name.reduce((sum, part) => sum + width(typeof part === 'string' ? part : part[1]), 0)
  const room = shape.name - used - 2
  const shown = width(note) <= room ? note : room >= 8 ? cutEnd(note, room) : ''
  if (!shown) return { left: [...left, ...name], right: [] }
  // Where there is much room, the note stays near the name that it is about.
  const gap = NOTE_FROM - used
  const beside = shape.name >= NOTE_FROM * 1.5 && width(shown) <= shape.name - Math.max(used + 2, NOTE_FROM)
  if (!beside) return { left: [...left, ...name], right: [[theme.dim, ` ${shown}`]] }
  return { left: [...left, ...name, ' '.repeat(Math.max(2, gap)), [theme.dim, shown]], right: [] }
}

/** `+1.2 MB` since it was opened. */
function growthPart(theme: Theme, bytes: number): Part {
  const text = bytes === 0 ? '' : `${bytes > 0 ? '+' : '-'}${formatBytes(Math.abs(bytes))}`
  return [bytes > 0 ? theme.added : theme.deleted, `${fitted(text, widths.growth, 'right')} `]
}

function sizeText(scene: Scene, node: number, entry: Entry | null): string {
  if (!entry || entry.kind === Kind.dir || entry.kind === Kind.file || entry.kind === Kind.hardlink) {
    return formatBytes(scene.bytes(node))
  }
  if (entry.kind === Kind.char || entry.kind === Kind.block) return `${entry.devMajor},${entry.devMinor}`
  return ''
}

/** How much of its directory's bytes the row holds. */
function bar(theme: Theme, scene: Scene, node: number): string {
  const all = scene.bytes(scene.stack.tree.parent[node]!)
  const share = all > 0 ? Math.min(1, scene.bytes(node) / all) : 0
  const full = Math.round(share * widths.bar)
  return theme.glyph.barFull.repeat(full).padEnd(widths.bar)
}

/** The column of the name in which notes begin. */
const NOTE_FROM = 44

/** Deeper rows are not indented further than this share of the name column: names outlive everything. */
const INDENT_SHARE = 0.4

function nameParts(theme: Theme, model: TreeModel, index: number, entry: Entry | null, columns: number): Part[] {
  const { scene, rows, marks } = model
  const node = rows.nodes[index]!
  const flags = rows.flags[index]!
  const depth = rows.depths[index]!
  const indent = indentText(depth, Math.floor(columns * INDENT_SHARE))
  const deleted = scene.letter(node) === 'D'
  const dir = scene.isDir(node)
  const fold = dir ? `${flags & PARENT ? (flags & OPEN ? theme.glyph.open : theme.glyph.closed) : ' '} ` : '  '
  const found = marks !== null && (marks[node]! & MATCH) !== 0
  const glow = glowOf(model, node, dir && (flags & OPEN) === 0)
  const base = deleted ? theme.deleted : dir ? theme.directory : entry?.kind === Kind.symlink ? theme.link : plainStyle
  const style = glowing(theme, glow, found ? (text: string) => theme.match(base(text)) : base)
  const room = Math.max(1, columns - indent.length - 2)
  const name = cutMiddle(safeBytes(scene.stack.tree.name(node)) + (dir ? '/' : ''), room)
  const parts: Part[] = [
    [theme.dim, indent + fold],
    [style, name],
  ]
  const target = targetText(entry)
  const left = room - width(name)
  if (target && left > 6) parts.push([theme.dim, cutMiddle(` ${theme.glyph.arrow} ${target}`, left)])
  return parts
}

/** How new the change is of a path, or of anything in a directory that is closed. */
function glowOf({ scene, world }: TreeModel, node: number, closed: boolean): 0 | 1 | 2 {
  return world.live && scene.live ? world.live.glow(node, closed) : 0
}

/** The style of a name that stands out for as long as its change is new. */
export function glowing(theme: Theme, glow: 0 | 1 | 2, style: Style): Style {
  if (glow === 0) return style
  return glow === 1 ? text => theme.accent(style(text)) : text => theme.strong(theme.accent(style(text)))
}

function targetText(entry: Entry | null): string {
  if (!entry?.link) return ''
  return entry.kind === Kind.hardlink ? `${safeBytes(entry.link)} (hard link)` : safeBytes(entry.link)
}

/** Two columns a level; where that is too much, the level's number stands for what is left out. */
function indentText(depth: number, most: number): string {
  if (depth * 2 <= most) return '  '.repeat(depth)
  const number = `${depth}`
  return `${' '.repeat(Math.max(0, most - number.length - 1))}${number} `
}

function plainStyle(text: string): string {
  return text
}

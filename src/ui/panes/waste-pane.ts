/** The Waste tab as lines: advice first, then the ledger, biggest first, each group with its story and its files. */
import { formatBytes, formatCount } from '../../base/sizes.ts'
import { cutMiddle, fit as fitted, safe, safeBytes, safeLines } from '../../base/text.ts'
import type { Cause, Stack } from '../../layer/stack.ts'
import type { WastedPath, WasteGroup } from '../explorer/waste-rows.ts'
import type { Theme } from '../theme.ts'
import { line, type Part } from '../widgets/line.ts'
import { drawList, type ListState } from '../widgets/list.ts'
import { wrap } from './wrap.ts'

export interface AdviceRow {
  title: string
  bytes: number
  fix: string
}

/** What a row of the tab stands for; headings and blanks can not be acted on. */
export type WasteItem =
  | { kind: 'heading'; text: string }
  | { kind: 'text'; text: string }
  /** Stands for advice that is not shown yet. */
  | { kind: 'more'; text: string }
  | { kind: 'advice'; advice: AdviceRow; text: string; part: 'title' | 'more' | 'fix' }
  | { kind: 'group'; group: WasteGroup; open: boolean }
  | { kind: 'story'; group: WasteGroup }
  | { kind: 'file'; group: WasteGroup; row: number }
  | { kind: 'path'; path: WastedPath }

/** The advice as rows for a width: its sentence, then what to write instead, each in as many lines as it takes. */
export function adviceItems(theme: Theme, advice: readonly AdviceRow[], columns: number): WasteItem[] {
  const room = Math.max(8, columns - INDENT - 1)
  return advice.flatMap(one => {
    const title = wrap(safe(one.title), room)
    const fix = safeLines(one.fix).flatMap((line, at) =>
      wrap(`${at === 0 ? `${theme.glyph.arrow} ` : '  '}${line}`, room, '  '),
    )
    return [
      ...title.map((text, at): WasteItem => ({ kind: 'advice', advice: one, text, part: at === 0 ? 'title' : 'more' })),
      ...fix.map((text): WasteItem => ({ kind: 'advice', advice: one, text, part: 'fix' })),
    ]
  })
}

/** The column of bytes. */
const INDENT = 10

export interface WasteModel {
  stack: Stack
  count: number
  item(index: number): WasteItem
  stepOf(layer: number): number
  /** The command of a step on one line. */
  commandOf(layer: number): string
}

/** The line with the sums and the rows, exactly `rows` lines. */
export function wastePane(
  theme: Theme,
  model: WasteModel,
  options: { columns: number; rows: number; state: ListState; focused: boolean },
): string[] {
  const { columns, rows, state, focused } = options
  const { stack } = model
  const wasted = stack.stored - stack.visible
  const head: Part[] = [
    [theme.strong, `${formatBytes(wasted)} wasted`],
    [theme.dim, `  of ${formatBytes(stack.stored)} stored, ${formatBytes(stack.visible)} can be reached`],
  ]
  const row = (index: number) => itemParts(theme, model, model.item(index), columns)
  return [line(columns, head), ...drawList({ theme, columns, rows: rows - 1, count: model.count, state, focused, row })]
}

function itemParts(theme: Theme, model: WasteModel, item: WasteItem, columns: number): Part[] {
  const { stack } = model
  switch (item.kind) {
    case 'heading':
      return [[theme.accent, item.text]]
    case 'more':
      return [' '.repeat(INDENT), [theme.accent, item.text]]
    case 'text':
      return [[theme.dim, item.text]]
    case 'advice': {
      const bytes = item.part === 'title' && item.advice.bytes > 0 ? formatBytes(item.advice.bytes) : ''
      return [[theme.strong, `${fitted(bytes, 8, 'right')}  `], item.part === 'fix' ? [theme.ok, item.text] : item.text]
    }
    case 'group':
      return groupParts(theme, model, item.group, item.open, columns)
    case 'story':
      return storyParts(theme, model, item.group)
    case 'file': {
      const { node, bytes } = stack.waste[item.row]!
      const path = cutMiddle(safeBytes(stack.tree.path(node)), Math.max(8, columns - 14))
      return [`${fitted(formatBytes(bytes), 8, 'right')}      `, [theme.dim, path]]
    }
    case 'path': {
      const { node, bytes, copies, causes } = item.path
      const why = `  ${copies === 1 ? '' : `${formatCount(copies)} copies, `}${causes.join(', ')}`
      const path = cutMiddle(safeBytes(stack.tree.path(node)), Math.max(8, columns - 10 - why.length))
      return [`${fitted(formatBytes(bytes), 8, 'right')}  `, path, [theme.dim, why]]
    }
  }
}

function groupParts(theme: Theme, model: WasteModel, group: WasteGroup, open: boolean, columns: number): Part[] {
  const many = group.rows.length
  const where = safeBytes(model.stack.tree.path(group.node))
  const what = many === 1 ? where : `${formatCount(many)} files${where ? ` in ${where}/` : ''}`
  return [
    [theme.strong, `${fitted(formatBytes(group.bytes), 8, 'right')}  `],
    [theme.dim, many === 1 ? '  ' : `${open ? theme.glyph.open : theme.glyph.closed} `],
    cutMiddle(what, Math.max(8, columns - INDENT - 2)),
  ]
}

function storyParts(theme: Theme, model: WasteModel, group: WasteGroup): Part[] {
  const [stored, lost] = [model.stepOf(group.storedIn), model.stepOf(group.lostIn)]
  return [
    ' '.repeat(INDENT + 2),
    [theme.warning, causeWords[group.cause](lost)],
    [theme.dim, stored === lost ? '' : `, stored by step ${stored}`],
    [theme.dim, `: ${model.commandOf(group.lostIn)}`],
  ]
}

const causeWords: Record<Cause, (step: number) => string> = {
  overwritten: step => `overwritten by step ${step}`,
  deleted: step => `deleted by step ${step}`,
  opaque: step => `hidden by an opaque directory of step ${step}`,
  replaced: step => `replaced by step ${step}`,
  shadowed: step => `stored more than once in step ${step}`,
}

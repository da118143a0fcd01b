/** The Waste tab as lines: advice first, then the ledger, biggest first, each group with its story and its files. */
import { formatBytes, formatCount } from '../../base/sizes.ts'
import { cutMiddle, fit, safe, safeBytes } from '../../base/text.ts'
import type { Cause, Stack } from '../../layer/stack.ts'
import type { WastedPath, WasteGroup } from '../explorer/waste-rows.ts'
import type { Theme } from '../theme.ts'
import { line, type Part } from '../widgets/line.ts'
import { drawList, type ListState } from '../widgets/list.ts'

export interface AdviceRow {
  title: string
  bytes: number
  fix: string
}

/** What a row of the tab stands for; a heading and a blank can not be acted on. */
export type WasteItem =
  | { kind: 'advice'; advice: AdviceRow }
  | { kind: 'fix'; advice: AdviceRow }
  | { kind: 'group'; group: WasteGroup; open: boolean }
  | { kind: 'file'; group: WasteGroup; row: number }
  | { kind: 'path'; path: WastedPath }
  | { kind: 'text'; text: string }

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
    case 'text':
      return [[theme.dim, item.text]]
    case 'advice':
      return [[theme.ok, `${fit(formatBytes(item.advice.bytes), 8, 'right')}  `], safe(item.advice.title)]
    case 'fix':
      return [' '.repeat(10), [theme.ok, `${theme.glyph.arrow} ${safe(item.advice.fix)}`]]
    case 'group':
      return groupParts(theme, model, item.group, item.open)
    case 'file': {
      const { node, bytes } = stack.waste[item.row]!
      const path = cutMiddle(safeBytes(stack.tree.path(node)), Math.max(8, columns - 14))
      return [`${fit(formatBytes(bytes), 8, 'right')}      `, [theme.dim, path]]
    }
    case 'path': {
      const { node, bytes, copies, causes } = item.path
      const why = `  ${copies === 1 ? '' : `${formatCount(copies)} copies, `}${causes.join(', ')}`
      const path = cutMiddle(safeBytes(stack.tree.path(node)), Math.max(8, columns - 10 - why.length))
      return [`${fit(formatBytes(bytes), 8, 'right')}  `, path, [theme.dim, why]]
    }
  }
}

function groupParts(theme: Theme, model: WasteModel, group: WasteGroup, open: boolean): Part[] {
  const { stack } = model
  const many = group.rows.length
  const where = safeBytes(stack.tree.path(group.node))
  const what = many === 1 ? where : `${formatCount(many)} files${where ? ` in ${where}/` : ''}`
  const [stored, lost] = [model.stepOf(group.storedIn), model.stepOf(group.lostIn)]
  return [
    [theme.strong, `${fit(formatBytes(group.bytes), 8, 'right')}  `],
    [theme.dim, many === 1 ? '  ' : `${open ? theme.glyph.open : theme.glyph.closed} `],
    cutMiddle(what, 48),
    [theme.warning, `  ${causeWords[group.cause](lost)}`],
    [theme.dim, stored === lost ? '' : ` (of step ${stored})`],
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

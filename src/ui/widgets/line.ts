/**
 * Lines of the canvas: strings of exactly so many columns, styled by the theme. Text is measured and cut before it is
 * styled, so nothing here has to understand an escape sequence.
 */
import { cutEnd, width } from '../../base/text.ts'
import type { Style, Theme } from '../theme.ts'

/** Harmless text, plain or with the style to draw it in. */
export type Part = string | readonly [Style, string]

/** A line of exactly `columns`: the parts from the left, cut with `…`, and those of `right` at its end, cut last. */
export function line(columns: number, parts: readonly Part[], right: readonly Part[] = []): string {
  if (columns <= 0) return ''
  const rightWidth = right.length === 0 ? 0 : Math.min(columns, partsWidth(right))
  const left = cutParts(columns - rightWidth, parts)
  const end = cutParts(rightWidth, right)
  return left.text + ' '.repeat(columns - left.used - end.used) + end.text
}

/** The same line without its styles. */
export function plain(parts: readonly Part[]): string {
  return parts.map(textOf).join('')
}

/** How many columns the parts take. */
export function partsWidth(parts: readonly Part[]): number {
  let total = 0
  for (const part of parts) total += width(textOf(part))
  return total
}

/** A row of a list: a bar when it is the cursor of the pane that has the keys, bold when that of another. */
export function rowLine(
  theme: Theme,
  columns: number,
  parts: readonly Part[],
  state: { cursor?: boolean; focused?: boolean; right?: readonly Part[] } = {},
): string {
  const { cursor, focused, right = [] } = state
  if (!cursor) return line(columns, parts, right)
  const bare = line(columns, [plain(parts)], right.length === 0 ? [] : [plain(right)])
  return focused ? theme.cursor(bare) : theme.cursorIdle(bare)
}

/** A rule of `columns`, the parts laid over it from its left and `right` over its end. */
export function rule(
  theme: Theme,
  columns: number,
  style: Style,
  parts: readonly Part[],
  right: readonly Part[] = [],
): string {
  const rightWidth = Math.min(columns, partsWidth(right))
  const left = cutParts(columns - rightWidth, parts)
  const end = cutParts(rightWidth, right)
  return left.text + style(theme.glyph.horizontal.repeat(columns - left.used - end.used)) + end.text
}

/** Blank lines. */
export function blank(columns: number, rows: number): string[] {
  return Array.from({ length: Math.max(0, rows) }, () => ' '.repeat(columns))
}

/** Exactly `rows` lines: cut, or filled with blank ones. */
export function exactly(lines: string[], columns: number, rows: number): string[] {
  return lines.length >= rows ? lines.slice(0, rows) : [...lines, ...blank(columns, rows - lines.length)]
}

/** Two blocks of lines of one height beside each other. */
export function sideBySide(left: readonly string[], right: readonly string[]): string[] {
  return left.map((one, row) => one + right[row])
}

function textOf(part: Part): string {
  return typeof part === 'string' ? part : part[1]
}

function cutParts(columns: number, parts: readonly Part[]): { text: string; used: number } {
  let text = ''
  let used = 0
  for (const part of parts) {
    const own = textOf(part)
    const room = columns - used
    const wide = width(own)
    const shown = wide <= room ? own : cutEnd(own, room)
    text += typeof part === 'string' ? shown : part[0](shown)
    used += wide <= room ? wide : width(shown)
    if (wide > room) break
  }
  return { text, used }
}

/** The breadcrumb line: where we are on the left, what matters most of it on the right. */
import { cutMiddle, width } from '../../base/text.ts'
import type { Theme } from '../theme.ts'
import { line, type Part, partsWidth } from './line.ts'

/** The outermost screens beside each other, by number. */
export interface HomeTitles {
  name: string
  titles: readonly string[]
  at: number
}

/** One line: titles from the outermost to the one on top, and the summaries that fit beside them. */
export function breadcrumb(
  theme: Theme,
  columns: number,
  titles: readonly string[] | HomeTitles,
  summary: readonly (string | readonly Part[])[] = [],
): string {
  const crumbs = 'titles' in titles ? homeTitles(theme, columns - 2, titles) : titlesThatFit(theme, columns - 2, titles)
  const right: Part[] = []
  let room = columns - 2 - partsWidth(crumbs) - GAP
  for (const one of summary) {
    const parts: readonly Part[] = typeof one === 'string' ? [[theme.dim, one]] : one
    const separator: Part[] = right.length === 0 ? [] : [[theme.dim, ` ${theme.glyph.dot} `]]
    room -= partsWidth(parts) + partsWidth(separator)
    if (room < 0) break
    right.push(...separator, ...parts)
  }
  return line(columns, [' ', ...crumbs], right.length === 0 ? [] : [...right, ' '])
}

/** Columns that stay free between the two ends. */
const GAP = 2

/** `strata  1 Images  2 Containers`, the one that is shown standing out; alone where there is no room for all. */
function homeTitles(theme: Theme, columns: number, { name, titles, at }: HomeTitles): Part[] {
  const all = titles.flatMap((title, index): Part[] => [
    '  ',
    [index === at ? theme.key : theme.dim, String(index + 1)],
    ' ',
    [index === at ? theme.title : theme.dim, title],
  ])
  const named: Part[] = [[theme.dim, name], ...all]
  if (partsWidth(named) <= columns) return named
  return partsWidth(all) - 2 <= columns ? all.slice(1) : [[theme.title, titles[at] ?? name]]
}

/** The innermost titles, as many as fit; the last one is cut in its middle when it alone is too long. */
function titlesThatFit(theme: Theme, columns: number, titles: readonly string[]): Part[] {
  const separator = ` ${theme.glyph.crumb} `
  const last = titles.at(-1) ?? ''
  let first = titles.length - 1
  let used = width(last)
  while (first > 0 && used + width(titles[first - 1]!) + width(separator) <= columns) {
    used += width(titles[--first]!) + width(separator)
  }
  const outer = titles.slice(Math.max(0, first), -1)
  return [
    ...outer.flatMap((title): Part[] => [
      [theme.dim, title],
      [theme.dim, separator],
    ]),
    [theme.title, cutMiddle(last, Math.max(1, columns))],
  ]
}

/** The Processes tab: what runs in the container, asked again every few seconds while it is shown. */
import { reasonOf } from '../../../base/errors.ts'
import { formatCount } from '../../../base/sizes.ts'
import { fit as fitted, safe, width } from '../../../base/text.ts'
import { exactly, line, type Part } from '../../widgets/line.ts'
import { drawList } from '../../widgets/list.ts'
import { createLinesTab } from '../lines-tab.ts'
import type { Tab } from '../tab.ts'
import type { Held } from './held.ts'

/** Milliseconds between two questions, and the share of the time that asking may take. */
const LEAST = 2000
const SHARE = 20
/** More processes are not listed. */
const MOST = 5000
/** Columns that a command should have, and what is left out for it. */
const COMMAND = 30
const LEAST_TELLING = ['C', 'TTY', 'STIME', 'PPID', 'TIME']
/** A column other than the last is never wider. */
const WIDEST = 12

export function createProcessesTab(held: Held, changed: () => void): Tab {
  let titles: string[] = []
  let rows: string[][] = []
  let widths: number[] = []
  let trouble: string | null = null
  let asked = false
  let timer: NodeJS.Timeout | null = null
  let shown = false

  const ask = async () => {
    timer = null
    const began = performance.now()
    try {
      const { engine, id } = await held.now()
      const found = await engine.containers.top(id)
      titles = found.titles.map(safe)
      rows = found.rows.slice(0, MOST).map(row => row.map(safe))
      widths = titles.map((title, at) =>
        Math.min(WIDEST, Math.max(width(title), ...rows.slice(0, 200).map(row => width(row[at] ?? '')))),
      )
      trouble = null
    } catch (error) {
      rows = []
      trouble = safe(reasonOf(error))
    }
    asked = true
    if (!shown) return
    changed()
    timer ??= setTimeout(() => void ask(), Math.max(LEAST, (performance.now() - began) * SHARE))
  }

  /** Which columns there is room for: what tells least goes first, the command never. */
  const shownAt = (columns: number): number[] => {
    let kept = titles.map((_, at) => at)
    const left = () => columns - 1 - kept.slice(0, -1).reduce((sum, at) => sum + widths[at]! + 2, 0)
    for (const title of LEAST_TELLING) if (left() < COMMAND) kept = kept.filter(at => titles[at] !== title)
    return kept
  }
  const parts = (row: readonly string[], kept: readonly number[]): Part[] =>
    kept.map(at => {
      const text = row[at] ?? ''
      if (at === titles.length - 1) return text
      return `${fitted(text, widths[at]!, isNumber(text) ? 'right' : 'left')}  `
    })

  return createLinesTab<string[]>({
    name: 'Processes',
    pane: 'processes',
    header: 1,
    lines: () => rows,
    draw(theme, all, { columns, rows: height, state, focused }) {
      const kept = shownAt(columns)
      const head = kept.map(at => (at === titles.length - 1 ? titles[at]! : fitted(titles[at]!, widths[at]! + 2)))
      const says = trouble ?? (asked ? 'Nothing runs in it.' : `Asking the engine ${theme.glyph.ellipsis}`)
      if (all.length === 0) {
        return exactly([line(columns, [[trouble ? theme.warning : theme.dim, ` ${says}`]])], columns, height)
      }
      const list = drawList({
        theme,
        columns,
        rows: height - 1,
        count: all.length,
        state,
        focused,
        row: index => [' ', ...parts(all[index]!, kept)],
      })
      return exactly([line(columns, [[theme.dim, ` ${head.join('')}`]]), ...list], columns, height)
    },
    copies: row => [
      { text: row.at(-1) ?? '', what: 'command' },
      ...row.slice(0, -1).map((text, at) => ({ text, what: titles[at] ?? 'value' })),
    ],
    attend(on) {
      shown = on
      if (!on) {
        if (timer) clearTimeout(timer)
        timer = null
      } else if (!timer) void ask()
    },
    count: () =>
      rows.length === 0 ? '' : `${formatCount(rows.length)} ${rows.length === 1 ? 'process' : 'processes'}`,
  })
}

function isNumber(text: string): boolean {
  return /^[\d.:%]+$/.test(text)
}

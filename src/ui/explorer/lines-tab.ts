/** A tab that shows lines that follow from the step alone: Config and Dockerfile. */
import type { Pane } from '../../actions/explorer.ts'
import { formatCount } from '../../base/sizes.ts'
import type { Theme } from '../theme.ts'
import { keepVisible, type ListState, moveList, moveTo } from '../widgets/list.ts'
import type { Tab, TabView } from './tab.ts'

export interface LinesTab extends Tab {
  /** Puts the cursor on a line. */
  to(line: number): void
}

export interface LinesModel<T> {
  name: string
  pane: Pane
  /** The lines for a width; called for every frame, so whoever is slow keeps what it made. */
  lines(columns: number): readonly T[]
  draw(theme: Theme, lines: readonly T[], view: TabView & { state: ListState }): string[]
  copies(line: T): { text: string; what: string }[]
  /** Lines that `draw` puts above the list. */
  header?: number
  /** What the footer says in place of the cursor's line. */
  count?(): string
  attend?(shown: boolean): void
  /** Where the cursor goes when the step is another one; null: it stays. */
  home?(lines: readonly T[]): number | null
}

export function createLinesTab<T>(model: LinesModel<T>): LinesTab {
  let list: ListState = { cursor: 0, top: 0 }
  let height = 10
  let columns = 80
  let moved = false
  const header = model.header ?? 0
  const lines = () => model.lines(columns)
  return {
    name: model.name,
    pane: model.pane,
    update() {
      moved = true
    },
    draw(theme, view) {
      height = Math.max(1, view.rows - header)
      columns = view.columns
      const all = lines()
      const home = moved ? (model.home?.(all) ?? null) : null
      moved = false
      if (home !== null) list = moveTo(list, home, all.length, height)
      list = keepVisible(list, all.length, height)
      return model.draw(theme, all, { ...view, state: list })
    },
    move(by) {
      list = moveList(list, by, lines().length, height)
    },
    to(line) {
      list = moveTo(list, line, lines().length, height)
    },
    point(line) {
      const row = line - header
      if (row < 0 || list.top + row >= lines().length) return false
      const before = list.cursor
      list = moveTo(list, list.top + row, lines().length, height)
      return before === list.cursor
    },
    footer: () => model.count?.() ?? `${formatCount(list.cursor + 1)} of ${formatCount(lines().length)}`,
    node: () => null,
    enter: () => false,
    copies() {
      const line = lines()[list.cursor]
      return line === undefined ? [] : model.copies(line)
    },
    busy: () => false,
    ...(model.attend && { attend: model.attend }),
    close: () => model.attend?.(false),
  }
}

/** A screen that is one page of text: lines that scroll, made anew for each width. */
import { bind } from '../../actions/action.ts'
import type { Move } from '../../actions/moving.ts'
import { pageActions } from '../../actions/page.ts'
import { formatCount } from '../../base/sizes.ts'
import type { Screen } from '../screen.ts'
import type { Theme } from '../theme.ts'
import type { Ui } from '../ui.ts'
import { frame } from '../widgets/frame.ts'
import { exactly } from '../widgets/line.ts'
import { moveList } from '../widgets/list.ts'

export interface PageOptions {
  id: string
  title: string
  /** Exactly `columns` wide each. */
  lines(theme: Theme, columns: number): string[]
  /** What `y` copies and `o` shows in the pager: plain, harmless. */
  text(): string
  what: string
}

export function createPage(ui: Ui, options: PageOptions): Screen {
  let top = 0
  let count = 0
  let height = 10
  const context = {
    move(by: Move) {
      const rows = Math.max(0, count - height) + 1
      top = moveList({ cursor: top, top }, by, rows, height).cursor
      ui.changed()
    },
    copy: () => ui.copy(options.text(), options.what),
    page: () => ui.page(options.text().split('\n')),
  }
  return {
    id: options.id,
    title: () => options.title,
    scopes: () => ['page'],
    actions: bind(pageActions, context),
    draw(size, theme) {
      const inner = size.columns - 2
      height = Math.max(1, size.rows - 2)
      const lines = options.lines(theme, inner)
      count = lines.length
      top = Math.max(0, Math.min(top, count - height))
      const shown = exactly(lines.slice(top, top + height), inner, height)
      const last = Math.min(count, top + height)
      const footer = count > height ? `${formatCount(top + 1)}–${formatCount(last)} of ${formatCount(count)}` : ''
      return frame(theme, {
        columns: size.columns,
        sections: [{ title: [options.title], lines: shown }],
        footer: footer ? [[theme.dim, footer]] : [],
        focused: true,
      })
    },
    subscribe: () => () => {},
    mouse(event) {
      if (event.kind === 'wheel') context.move(event.by * 3)
    },
  }
}

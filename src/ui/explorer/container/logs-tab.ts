/** The Logs tab: the screen of what a container says, in the Explorer's frame, read while it is shown. */
import type { BoundAction } from '../../../actions/action.ts'
import { createLogs, type LogsScreen } from '../../containers/logs.ts'
import type { Ui } from '../../ui.ts'
import { exactly, line } from '../../widgets/line.ts'
import type { Tab } from '../tab.ts'
import type { Held } from './held.ts'

export interface LogsTab extends Tab {
  /** What can be done with what it shows now. */
  actions(): readonly BoundAction[]
  /** `esc`: true when it closed something of its own. */
  back(): boolean
}

export function createLogsTab(ui: Ui, held: Held, name: string, changed: () => void): LogsTab {
  let screen: LogsScreen | null = null
  let end = () => {}
  let shown = false
  const begin = async () => {
    try {
      const { engine, id } = await held.now()
      if (!shown || screen) return
      screen = createLogs(ui, [{ engine: () => engine, id, name }])
      end = screen.subscribe(changed)
    } catch {} // `held` says why
    changed()
  }
  const stop = () => {
    end()
    void screen?.close?.()
    screen = null
  }
  return {
    name: 'Logs',
    pane: 'logs',
    update() {},
    attend(on) {
      shown = on
      if (on) void begin()
      else stop()
    },
    actions: () => screen?.actions ?? [],
    back: () => screen?.back?.() ?? false,
    draw(theme, { columns, rows }) {
      if (screen) return screen.inside(theme, columns, rows)
      const trouble = held.trouble()
      const text = trouble ?? `Asking the engine ${theme.glyph.ellipsis}`
      return exactly([line(columns, [[trouble ? theme.warning : theme.dim, ` ${text}`]])], columns, rows)
    },
    move: by => screen?.move(by),
    point(row) {
      const press = {
        kind: 'press',
        button: 0,
        x: 1,
        y: row + 1,
        by: 0,
        shift: false,
        ctrl: false,
        alt: false,
      } as const
      screen?.mouse?.(press)
      return false
    },
    footer: () => screen?.place() ?? '',
    node: () => null,
    enter: () => false,
    copies: () => [],
    busy: () => false,
    close: stop,
  }
}

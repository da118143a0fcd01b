/** What a container says, on the whole screen: the past and what comes, searched, wrapped, with times. */
import { bind } from '../../actions/action.ts'
import { type LogsContext, logsActions } from '../../actions/text.ts'
import { formatCount } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { ContainerEngine } from '../../engine/containers.ts'
import type { Screen } from '../screen.ts'
import type { Ui } from '../ui.ts'
import { frame } from '../widgets/frame.ts'
import { line, type Part } from '../widgets/line.ts'
import { tailState } from './panel.ts'
import { followLog, type Tail } from './tail.ts'
import { textContext } from './text-context.ts'
import { createTextView, linesWith } from './text-view.ts'

export interface LogsOptions {
  engine: ContainerEngine
  id: string
  name: string
}

/** Lines that are kept, and so many of the past to begin with. */
const MOST = 100_000
const PAST = 10_000

/** The screen; it reads while it is open. */
export function createLogs(ui: Ui, { engine, id, name }: LogsOptions): Screen {
  const listeners = new Set<() => void>()
  const changed = () => {
    for (const listener of listeners) listener()
  }
  const log: Tail = followLog({ engine, id, tail: PAST, most: MOST, changed })
  const view = createTextView(log, true)
  const all = () => {
    const texts: string[] = []
    for (let number = log.first(); number < log.end(); number++) texts.push(log.line(number)!.text)
    return texts
  }
  const context: LogsContext = {
    ...textContext(ui, { view, all, fileName: `${name}.log`, what: 'lines' }),
    follow() {
      view.follow(!view.following())
      ui.changed()
    },
    toggleTimes() {
      view.toggleTimes()
      ui.changed()
    },
  }
  return {
    id: 'logs',
    title: () => `${safe(name)} logs`,
    summary: theme =>
      [tailState(theme, log), `${formatCount(log.end() - log.first())} lines`].filter(one => one.length > 0),
    scopes: () => ['logs'],
    actions: bind(logsActions, context),
    draw(size, theme) {
      const inner = size.columns - 2
      const rows = Math.max(0, size.rows - 2)
      const lines = view.draw(theme, inner, rows)
      const state = log.state()
      if (log.end() === 0 && lines.length > 0) {
        const why = state === 'reading' ? '' : typeof state === 'object' ? state.trouble : 'It has said nothing yet.'
        lines[0] = line(inner, [[theme.dim, ` ${why}`]])
      }
      const footer: Part[] = [
        [theme.dim, view.needle() === '' ? '' : `${linesWith(view)}  `],
        view.following() ? [theme.ok, 'following'] : [theme.dim, 'f follows'],
      ]
      return frame(theme, {
        columns: size.columns,
        sections: [{ title: [[theme.title, 'Logs']], right: [[theme.dim, safe(name)]], lines }],
        footer,
        focused: true,
      })
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    back() {
      if (view.needle() === '') return false
      view.search('')
      changed()
      return true
    },
    mouse(event) {
      if (event.kind === 'wheel') context.move(event.by * 3)
    },
    close() {
      listeners.clear()
      log.stop()
    },
  }
}

/** All that an engine says of a container, as JSON; what looks like a secret is masked until somebody asks for it. */
import { bind } from '../../actions/action.ts'
import { type InspectContext, inspectActions } from '../../actions/text.ts'
import { formatCount } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { Screen } from '../screen.ts'
import type { Ui } from '../ui.ts'
import { frame } from '../widgets/frame.ts'
import type { Part } from '../widgets/line.ts'
import { maskSecrets } from './secrets.ts'
import { textContext } from './text-context.ts'
import { createTextView, linesWith } from './text-view.ts'

export function inspectScreen(ui: Ui, name: string, raw: unknown): Screen {
  const { masked, count } = maskSecrets(raw)
  const linesOf = (value: unknown) => (JSON.stringify(value, null, 2) ?? 'null').split('\n').map(safe)
  let shown = false
  let texts = linesOf(masked)
  const view = createTextView(
    {
      first: () => 0,
      end: () => texts.length,
      line: number => ({ text: texts[number]!, looks: '', error: false, number }),
    },
    { grows: false },
  )
  const context: InspectContext = {
    ...textContext(ui, { view, all: () => texts, fileName: `${name}.json`, what: 'lines' }),
    hasSecrets: () => count > 0,
    toggleSecrets() {
      shown = !shown
      texts = linesOf(shown ? raw : masked)
      ui.changed()
    },
  }
  return {
    id: 'inspect',
    title: () => `${safe(name)} inspect`,
    scopes: () => ['inspect'],
    actions: bind(inspectActions, context),
    draw(size, theme) {
      const lines = view.draw(theme, size.columns - 2, Math.max(0, size.rows - 2))
      const secrets = `${formatCount(count)} secret${count === 1 ? '' : 's'} ${shown ? 'shown' : 'masked'}`
      const right: Part[] = count === 0 ? [] : [[shown ? theme.warning : theme.dim, secrets]]
      const found = view.needle() === '' ? '' : `${linesWith(view)}  `
      return frame(theme, {
        columns: size.columns,
        sections: [{ title: [[theme.title, 'Inspect']], right, lines }],
        footer: [[theme.dim, `${found}${formatCount(texts.length)} lines`]],
        focused: true,
      })
    },
    subscribe: () => () => {},
    back() {
      if (view.needle() === '') return false
      view.search('')
      ui.changed()
      return true
    },
    mouse(event) {
      if (event.kind === 'wheel') context.move(event.by * 3)
    },
  }
}

/** The keys that are valid here, searchable; enter runs the one under the cursor. */
import type { BoundAction } from '../../actions/action.ts'
import { keyLabels } from '../../actions/keys.ts'
import { fit as fitted, width } from '../../base/text.ts'
import type { Size } from '../layout.ts'
import type { Theme } from '../theme.ts'
import type { Overlay, OverlayBox } from '../ui.ts'
import type { Dialogs } from './confirm.ts'
import { field } from './field.ts'
import type { Part } from './line.ts'
import { type Found, highlighted, search } from './search.ts'
import { drawSearch, type SearchState, searchInput } from './search-box.ts'

/** What help needs of the program. */
export interface Runner extends Dialogs {
  validActions(): BoundAction[]
  watch(result: void | Promise<void>, doing: string): void
}

/** Help for what is valid at this moment. */
export function createHelp(runner: Runner): Overlay {
  const actions = runner.validActions()
  const state: SearchState = { query: field(), list: { cursor: 0, top: 0 }, height: 1 }
  const found = () => search(state.query.text, actions, action => `${action.title} ${keyLabels(action.keys)}`)
  const overlay: Overlay = {
    id: 'help',
    draw: (size, theme) => drawHelp(size, theme, { ...state, found: found(), total: actions.length }),
    hints: () => [
      { key: 'enter', label: 'do it', worth: 60 },
      { key: 'esc', label: 'close', worth: 90 },
    ],
    input: event =>
      searchInput(event, state, found().length, {
        close: () => runner.dismiss(overlay),
        choose: index => {
          const action = found()[index]?.item
          runner.dismiss(overlay)
          if (action) runner.watch(action.run(), `${action.title} did not work`)
        },
      }),
  }
  return overlay
}

interface HelpView extends SearchState {
  found: readonly Found<BoundAction>[]
  total: number
}

/** Help as a box; exported for its frames. */
export function drawHelp(size: Size, theme: Theme, view: HelpView): OverlayBox {
  const ascii = theme.glyph.vertical === '|'
  const labels = view.found.map(({ item }) => keyLabels(item.keys, ascii))
  const keys = Math.min(20, Math.max(6, ...labels.map(width)))
  const row = (index: number, cursor: boolean): Part[] => {
    const { item } = view.found[index]!
    const mark = item.danger ? theme.danger : (text: string) => text
    return [
      cursor ? ` ${theme.glyph.cursor} ` : '   ',
      [theme.key, fitted(labels[index]!, keys)],
      '  ',
      ...(view.query.text === '' ? [[mark, item.title] as Part] : highlighted(theme, item.title, view.found[index]!)),
    ]
  }
  return drawSearch(size, theme, { ...view, title: 'Keys', count: view.found.length, row, of: view.total }, view)
}

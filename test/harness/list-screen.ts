/** A screen for tests of what all screens share: a list of names in a frame, with a filter. */

import { createStore } from 'zustand/vanilla'
import { type Action, bind } from '../../src/actions/action.ts'
import { type Movable, moving } from '../../src/actions/moving.ts'
import { twoPanes } from '../../src/ui/layout.ts'
import type { Screen } from '../../src/ui/screen.ts'
import type { Ui } from '../../src/ui/ui.ts'
import { frame, tabs } from '../../src/ui/widgets/frame.ts'
import { line, type Part, sideBySide } from '../../src/ui/widgets/line.ts'
import { drawList, keepVisible, moveList } from '../../src/ui/widgets/list.ts'

interface ListContext extends Movable {
  ui: Ui
  filter(): void
  name(): string
}

/** A list of `count` rows, in two panes where there is room. */
export function listScreen(ui: Ui, count = 1000, more: Action<ListContext>[] = []): Screen {
  const store = createStore(() => ({ cursor: 0, top: 0, filter: '' }))
  const all = Array.from({ length: count }, (_, index) => `row ${index + 1}`)
  let shown = { filter: '', rows: all }
  const rows = () => {
    const { filter } = store.getState()
    if (shown.filter !== filter) shown = { filter, rows: all.filter(name => name.includes(filter)) }
    return shown.rows
  }
  const height = () => ui.bodySize().rows - 2
  const context: ListContext = {
    ui,
    move: by => store.setState(state => moveList(state, by, rows().length, height())),
    name: () => rows()[store.getState().cursor] ?? '',
    filter() {
      ui.prompt({
        label: 'filter',
        pass: true,
        change(filter) {
          store.setState({ filter })
          store.setState(state => keepVisible(state, rows().length, height()))
        },
        submit() {},
        cancel: () => store.setState({ filter: '' }),
        status: () => `${rows().length} of ${count}`,
      })
    },
  }
  const actions: Action<ListContext>[] = [
    {
      id: 'list.take',
      title: 'Take the row',
      keys: ['enter'],
      scope: 'list',
      hint: 'take',
      worth: 90,
      run: c => c.ui.toast(c.name()),
    },
    {
      id: 'list.filter',
      title: 'Filter the rows',
      keys: ['/'],
      scope: 'list',
      hint: 'filter',
      worth: 80,
      run: c => c.filter(),
    },
    ...more,
    ...moving<ListContext>('list'),
  ]
  return {
    id: 'list',
    title: () => 'List',
    summary: () => [`${count} rows`, '916 MB', '97.3 % efficient'],
    scopes: () => ['list'],
    actions: bind(actions, context),
    subscribe: changed => store.subscribe(changed),
    draw(size, theme) {
      const state = store.getState()
      const names = rows()
      const row = (index: number): Part[] => [
        index === state.cursor ? theme.glyph.cursor : ' ',
        [theme.letter('C'), 'C '],
        [theme.dim, 'drwxr-xr-x  root  '],
        names[index]!,
      ]
      const footer: Part[] = [`${state.cursor + 1} of ${names.length}`]
      const pane = (columns: number, title: readonly Part[], focused: boolean) => {
        const lines = focused
          ? drawList({ theme, columns: columns - 2, rows: size.rows - 2, count: names.length, state, focused, row })
          : Array.from({ length: size.rows - 2 }, (_, at) => line(columns - 2, [` ${at + 1}`]))
        return frame(theme, { columns, sections: [{ title, lines }], footer: focused ? footer : [], focused })
      }
      const panes = twoPanes(size.columns)
      const title = tabs(theme, ['Tree', 'Changes', 'Waste'], 0)
      if (!panes) return pane(size.columns, title, true)
      return sideBySide(pane(panes[0], [[theme.dim, 'Layers']], false), pane(panes[1], title, true))
    },
  }
}

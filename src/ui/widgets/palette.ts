/** The command palette: every action that is valid here and every place to go, found by a few letters of its name. */
import { keyLabel } from '../../actions/keys.ts'
import type { Size } from '../layout.ts'
import type { Place, Screen } from '../screen.ts'
import type { Theme } from '../theme.ts'
import type { Overlay, OverlayBox } from '../ui.ts'
import { field } from './field.ts'
import type { Runner } from './help.ts'
import type { Part } from './line.ts'
import { type Found, highlighted, search } from './search.ts'
import { drawSearch, type SearchState, searchInput } from './search-box.ts'

export interface PaletteRunner extends Runner {
  top(): Screen | undefined
}

interface Command {
  title: string
  detail: string
  danger: boolean
  run(): void | Promise<void>
}

/** The palette of what can be done at this moment. */
export function createPalette(runner: PaletteRunner): Overlay {
  const commands = [
    ...runner
      .validActions()
      .map(action => ({ ...action, detail: keyLabel(action.keys[0] ?? ''), danger: !!action.danger })),
    ...(runner.top()?.places?.() ?? []).map(toCommand),
  ]
  const state: SearchState = { query: field(), list: { cursor: 0, top: 0 }, height: 1 }
  const found = () => search(state.query.text, commands, command => command.title)
  const overlay: Overlay = {
    id: 'palette',
    draw: (size, theme) => drawPalette(size, theme, state, found(), commands.length),
    hints: () => [
      { key: 'enter', label: 'do it', worth: 60 },
      { key: 'esc', label: 'close', worth: 90 },
    ],
    input: event =>
      searchInput(event, state, found().length, {
        close: () => runner.dismiss(overlay),
        choose: index => {
          const command = found()[index]?.item
          runner.dismiss(overlay)
          if (command) runner.watch(command.run(), `${command.title} did not work`)
        },
      }),
  }
  return overlay
}

function toCommand({ label, detail, go }: Place): Command {
  return { title: label, detail, danger: false, run: go }
}

function drawPalette(
  size: Size,
  theme: Theme,
  state: SearchState,
  found: readonly Found<Command>[],
  of: number,
): OverlayBox {
  const row = (index: number, cursor: boolean): Part[] => [
    cursor ? ` ${theme.glyph.cursor} ` : '   ',
    ...highlighted(theme, found[index]!.item.title, found[index]!),
  ]
  const right = (index: number): Part[] => [[theme.dim, found[index]!.item.detail], ' ']
  const box = { ...state, title: 'Command', count: found.length, of, row, right }
  return drawSearch(size, theme, box, state)
}

/** What every screen of lines does with its keys. */
import type { TextContext } from '../../actions/text.ts'
import type { Ui } from '../ui.ts'
import { saveText } from './saving.ts'
import type { TextView } from './text-view.ts'

export interface TextOptions {
  view: TextView
  /** All lines as they are saved and paged. */
  all(): string[]
  /** What a file of it would be called. */
  fileName: string
  what: string
}

/** The context; all that it changes is drawn anew by `ui.changed`. */
export function textContext(ui: Ui, { view, all, fileName, what }: TextOptions): TextContext {
  const redrawn = <A extends unknown[]>(run: (...args: A) => void) => {
    return (...args: A) => {
      run(...args)
      ui.changed()
    }
  }
  const seek = (text: string) => {
    if (!view.search(text)) ui.toast(`“${text}” is not there.`, 'warning')
    ui.changed()
  }
  return {
    move: redrawn(view.move),
    search() {
      ui.prompt({
        label: 'search',
        text: view.needle(),
        pass: true,
        submit: seek,
        cancel: () => seek(''),
      })
    },
    searched: () => view.needle() !== '',
    again(by) {
      if (!view.again(by)) ui.toast(by === 1 ? 'No more below.' : 'No more above.')
      ui.changed()
    },
    toggleWrap: redrawn(view.toggleWrap),
    shift: redrawn(view.shift),
    canShift: () => !view.wrapped(),
    save: () =>
      saveText(ui, fileName, [
        { label: 'all of it', lines: all },
        { label: 'what is on the screen', lines: view.visible },
      ]),
    copy() {
      const one = view.currentText()
      if (one === null) ui.copy(view.visible().join('\n'), what)
      else ui.copy(one, 'the line')
    },
    page: () => ui.page(all()),
  }
}

/** What every screen of lines does with its keys. */
import type { TextContext } from '../../actions/text.ts'
import { formatCount } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { Ui } from '../ui.ts'
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
    save() {
      ui.prompt({
        label: 'save to',
        text: fileName,
        complete: text => ui.services.completePath(text),
        submit(path) {
          if (path.trim() === '') return
          const lines = all()
          ui.services.containers.save(path.trim(), lines).then(
            () => ui.toast(`saved ${formatCount(lines.length)} lines to ${path.trim()}`),
            error => ui.fail(error, `${safe(path.trim())} could not be written`),
          )
        },
      })
    },
    copy: () => ui.copy(view.visible().join('\n'), what),
    page: () => ui.page(all()),
  }
}

/** The journal: what was done through the screens, newest first, with the command lines that do the same. */
import { bind } from '../../actions/action.ts'
import { type JournalEntry, journalScript } from '../../actions/journal.ts'
import { type JournalContext, journalActions } from '../../actions/journal-screen.ts'
import { shellLine } from '../../base/shell-words.ts'
import { formatCount } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { Screen } from '../screen.ts'
import type { Ui } from '../ui.ts'
import { keepVisible, type ListState, moveList } from '../widgets/list.ts'
import { drawJournal, journalHeight } from './draw.ts'

export function createJournalScreen(ui: Ui): Screen {
  const { journal, containers, now } = ui.services
  const listeners = new Set<() => void>()
  let list: ListState = { cursor: 0, top: 0 }
  /** The row under the cursor stays the same while others come above it; null: the newest, whichever that is. */
  let at: number | null = null
  const rows = (): readonly JournalEntry[] => journal.entries().toReversed()
  const height = () => journalHeight(ui.bodySize())
  const placed = (): ListState => {
    const all = rows()
    const found = at === null ? 0 : all.findIndex(one => one.number === at)
    list = keepVisible({ ...list, cursor: found < 0 ? list.cursor : found }, all.length, height())
    return list
  }
  const here = () => rows()[placed().cursor]
  const context: JournalContext = {
    hasRow: () => rows().length > 0,
    move(by) {
      const all = rows()
      list = moveList(placed(), by, all.length, height())
      at = list.cursor === 0 ? null : (all[list.cursor]?.number ?? null)
      ui.changed()
    },
    copy() {
      const one = here()
      if (one) ui.copy(shellLine(one.command), 'the command')
    },
    copyAll: () => ui.copy(journalScript(journal.entries()), `${formatCount(rows().length)} commands`),
    save() {
      ui.prompt({
        label: 'save to',
        text: `strata-${new Date(now()).toISOString().slice(0, 10)}.sh`,
        complete: text => ui.services.completePath(text),
        submit(path) {
          if (path.trim() === '') return
          const lines = journalScript(journal.entries()).replace(/\n$/, '').split('\n')
          containers.save(path.trim(), lines).then(
            () => ui.toast(`saved ${formatCount(rows().length)} commands to ${path.trim()}`),
            error => ui.fail(error, `${safe(path.trim())} could not be written`),
          )
        },
      })
    },
    failed: () => here()?.fault != null,
    showFault() {
      const one = here()
      if (one?.fault) ui.fail(one.fault, safe(one.what))
    },
  }
  let unsubscribe = () => {}
  return {
    id: 'journal',
    title: () => 'Journal',
    scopes: () => ['journal'],
    actions: bind(journalActions, context),
    draw: (size, theme) => drawJournal(size, theme, { rows: rows(), list: placed(), readOnly: containers.readOnly }),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    mouse(event) {
      if (event.kind === 'wheel') context.move(event.by * 3)
      if (event.kind !== 'press' || event.button !== 0) return
      const index = list.top + event.y - 2
      if (event.y >= 2 && event.y < 2 + height() && index < rows().length) context.move(index - list.cursor)
    },
    shown() {
      unsubscribe()
      unsubscribe = journal.subscribe(() => {
        for (const listener of listeners) listener()
      })
    },
    hidden: () => unsubscribe(),
    close: () => unsubscribe(),
  }
}

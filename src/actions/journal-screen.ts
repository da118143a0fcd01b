/** What can be done on the journal of what was done. */
import type { Action } from './action.ts'
import { type Movable, moving } from './moving.ts'

export interface JournalContext extends Movable {
  hasRow(): boolean
  /** The command of the row under the cursor. */
  copy(): void
  /** All of them as a shell script, oldest first. */
  copyAll(): void
  save(): void
  failed(): boolean
  showFault(): void
}

const scope = 'journal'

export const journalActions: readonly Action<JournalContext>[] = [
  {
    id: 'journal.copy',
    title: 'Copy the command that does the same',
    keys: ['y'],
    scope,
    hint: 'copy',
    worth: 80,
    needs: journal => journal.hasRow(),
    run: journal => journal.copy(),
  },
  {
    id: 'journal.copy-all',
    title: 'Copy all of it as a shell script',
    keys: ['Y'],
    scope,
    hint: 'copy all as a script',
    worth: 70,
    needs: journal => journal.hasRow(),
    run: journal => journal.copyAll(),
  },
  {
    id: 'journal.save',
    title: 'Save all of it as a shell script',
    keys: ['s'],
    scope,
    hint: 'save',
    worth: 60,
    needs: journal => journal.hasRow(),
    run: journal => journal.save(),
  },
  {
    id: 'journal.fault',
    title: 'Why it failed, with the raw error',
    keys: ['enter'],
    scope,
    hint: 'why it failed',
    worth: 75,
    needs: journal => journal.failed(),
    run: journal => journal.showFault(),
  },
  ...moving<JournalContext>(scope),
]

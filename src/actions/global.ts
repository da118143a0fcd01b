/** What can be done on every screen. */
import type { Action } from './action.ts'

/** What the program as a whole offers to its actions. */
export interface Program {
  /** Closes something of this screen, or leaves it, or leaves the program. */
  back(): void
  /** Closes something of this screen; never leaves it. */
  close(): void
  help(): void
  palette(): void
  /** What was done through the screens. */
  journal(): void
  canJournal(): boolean
  redraw(): void
  suspend(): void
  mouse(): void
  quit(): void
  /** Whether `back` would leave the program. */
  atTop(): boolean
  /** The outermost screens, by number from 0. */
  goHome(at: number): void
  canGoHome(at: number): boolean
}

export const globalActions: readonly Action<Program>[] = [
  {
    id: 'global.back',
    title: 'One level back',
    keys: ['esc', 'q'],
    scope: 'global',
    hint: 'back',
    worth: 20,
    needs: program => !program.atTop(),
    run: program => program.back(),
  },
  {
    id: 'global.leave',
    title: 'Quit',
    keys: ['q'],
    scope: 'global',
    hint: 'quit',
    worth: 20,
    needs: program => program.atTop(),
    run: program => program.back(),
  },
  {
    id: 'global.close',
    title: 'Close a filter, take marks away, cancel work',
    keys: ['esc'],
    scope: 'global',
    needs: program => program.atTop(),
    run: program => program.close(),
  },
  {
    id: 'global.images',
    title: 'The images',
    keys: ['1'],
    scope: 'global',
    needs: program => program.canGoHome(0),
    run: program => program.goHome(0),
  },
  {
    id: 'global.containers',
    title: 'The containers',
    keys: ['2'],
    scope: 'global',
    needs: program => program.canGoHome(1),
    run: program => program.goHome(1),
  },
  {
    id: 'global.storage',
    title: 'The storage: what the disk holds, and what could be freed',
    keys: ['3'],
    scope: 'global',
    needs: program => program.canGoHome(2),
    run: program => program.goHome(2),
  },
  {
    id: 'global.palette',
    title: 'Find a command by its name',
    keys: [':', 'ctrl-p'],
    scope: 'global',
    hint: 'command',
    worth: 40,
    run: program => program.palette(),
  },
  {
    id: 'global.journal',
    title: 'The journal: what was done, as commands',
    keys: ['J'],
    scope: 'global',
    needs: program => program.canJournal(),
    run: program => program.journal(),
  },
  {
    id: 'global.help',
    title: 'The keys that are valid here',
    keys: ['?', 'f1'],
    scope: 'global',
    hint: 'help',
    worth: 100,
    run: program => program.help(),
  },
  { id: 'global.redraw', title: 'Draw the screen anew', keys: ['ctrl-l'], scope: 'global', run: p => p.redraw() },
  {
    id: 'global.suspend',
    title: 'To the shell; fg comes back',
    keys: ['ctrl-z'],
    scope: 'global',
    run: p => p.suspend(),
  },
  { id: 'global.mouse', title: 'Mouse on or off', keys: ['alt-m'], scope: 'global', run: p => p.mouse() },
  { id: 'global.quit', title: 'Quit at once', keys: ['ctrl-c'], scope: 'global', run: program => program.quit() },
]

/** What can be done with two versions of a file that are laid side by side. */
import type { Action } from './action.ts'
import { type Movable, moving } from './moving.ts'

export interface CompareContext extends Movable {
  /** To the next difference, or the one before. */
  jump(by: 1 | -1): void
  /** Whether there is any. */
  differs(): boolean
  /** The equal lines too, or only those around differences. */
  toggleWhole(): void
  isText(): boolean
  /** Side by side, or one below the other. */
  toggleSides(): void
  toggleHex(): void
  shift(columns: number): void
  view(which: 'before' | 'after'): void
  copy(): void
  page(): void | Promise<void>
}

const scope = 'compare'

export const compareActions: readonly Action<CompareContext>[] = [
  {
    id: 'compare.next',
    title: 'The next difference',
    keys: ['n', 'J', 'space'],
    scope,
    hint: 'next difference',
    worth: 90,
    needs: context => context.differs(),
    run: context => context.jump(1),
  },
  {
    id: 'compare.previous',
    title: 'The difference before',
    keys: ['N', 'K', 'p'],
    scope,
    hint: 'previous',
    worth: 80,
    needs: context => context.differs(),
    run: context => context.jump(-1),
  },
  {
    id: 'compare.whole',
    title: 'Equal lines too, or only those around differences',
    keys: ['a'],
    scope,
    hint: 'all lines',
    worth: 75,
    needs: context => context.isText() && context.differs(),
    run: context => context.toggleWhole(),
  },
  {
    id: 'compare.sides',
    title: 'Side by side, or one below the other',
    keys: ['s', 'tab'],
    scope,
    hint: 'sides',
    worth: 70,
    needs: context => context.isText(),
    run: context => context.toggleSides(),
  },
  {
    id: 'compare.hex',
    title: 'As bytes, or as text',
    keys: ['x'],
    scope,
    hint: 'hex',
    worth: 60,
    run: context => context.toggleHex(),
  },
  {
    id: 'compare.before',
    title: 'View the version on the left',
    keys: ['['],
    scope,
    hint: 'left file',
    worth: 45,
    run: context => context.view('before'),
  },
  {
    id: 'compare.after',
    title: 'View the version on the right',
    keys: [']', 'enter', 'v'],
    scope,
    hint: 'right file',
    worth: 50,
    run: context => context.view('after'),
  },
  {
    id: 'compare.copy',
    title: 'Copy the difference as a patch',
    keys: ['y'],
    scope,
    hint: 'copy patch',
    worth: 55,
    needs: context => context.isText() && context.differs(),
    run: context => context.copy(),
  },
  {
    id: 'compare.pager',
    title: 'Show the difference in $PAGER',
    keys: ['o'],
    scope,
    hint: 'in pager',
    worth: 40,
    needs: context => context.isText() && context.differs(),
    run: context => context.page(),
  },
  {
    id: 'compare.left',
    title: 'To the left',
    keys: ['left', 'h'],
    scope,
    run: context => context.shift(-8),
  },
  {
    id: 'compare.right',
    title: 'To the right',
    keys: ['right', 'l'],
    scope,
    run: context => context.shift(8),
  },
  ...moving<CompareContext>(scope),
]

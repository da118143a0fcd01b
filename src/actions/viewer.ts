/** What can be done with a file that is viewed. */
import type { Action } from './action.ts'
import { type Movable, moving } from './moving.ts'

export interface ViewerContext extends Movable {
  hex(): boolean
  toggleHex(): void
  toggleWrap(): void
  /** Sideways, in columns; only where lines are not wrapped. */
  shift(columns: number): void
  canShift(): boolean
  search(): void
  searched(): boolean
  again(by: 1 | -1): void | Promise<void>
  extract(): void
  /** Whether a step below had the file too. */
  hasBefore(): boolean
  compare(): void
  copy(): void
  page(): void | Promise<void>
}

export const viewerActions: readonly Action<ViewerContext>[] = [
  {
    id: 'viewer.search',
    title: 'Search in the file: text, or 0x7f45 for bytes',
    keys: ['/'],
    scope: 'viewer',
    hint: 'search',
    worth: 90,
    run: context => context.search(),
  },
  {
    id: 'viewer.next',
    title: 'The next place found',
    keys: ['n'],
    scope: 'viewer',
    hint: 'next',
    worth: 80,
    needs: context => context.searched(),
    run: context => context.again(1),
  },
  {
    id: 'viewer.previous',
    title: 'The place found before',
    keys: ['N'],
    scope: 'viewer',
    needs: context => context.searched(),
    run: context => context.again(-1),
  },
  {
    id: 'viewer.hex',
    title: 'As bytes, or as text',
    keys: ['x'],
    scope: 'viewer',
    hint: 'hex',
    worth: 70,
    run: context => context.toggleHex(),
  },
  {
    id: 'viewer.wrap',
    title: 'Wrap long lines, or cut them',
    keys: ['w'],
    scope: 'viewer',
    hint: 'wrap',
    worth: 65,
    needs: context => !context.hex(),
    run: context => context.toggleWrap(),
  },
  {
    id: 'viewer.compare',
    title: 'Side by side with the version before',
    keys: ['d'],
    scope: 'viewer',
    hint: 'side by side',
    worth: 75,
    needs: context => context.hasBefore(),
    run: context => context.compare(),
  },
  {
    id: 'viewer.extract',
    title: 'Extract the file to a place on this machine',
    keys: ['e'],
    scope: 'viewer',
    hint: 'extract',
    worth: 60,
    run: context => context.extract(),
  },
  {
    id: 'viewer.copy',
    title: 'Copy the path',
    keys: ['y'],
    scope: 'viewer',
    hint: 'copy path',
    worth: 40,
    run: context => context.copy(),
  },
  {
    id: 'viewer.pager',
    title: 'Show it in $PAGER',
    keys: ['o'],
    scope: 'viewer',
    hint: 'in pager',
    worth: 45,
    run: context => context.page(),
  },
  {
    id: 'viewer.left',
    title: 'To the left',
    keys: ['left', 'h'],
    scope: 'viewer',
    needs: context => context.canShift(),
    run: context => context.shift(-8),
  },
  {
    id: 'viewer.right',
    title: 'To the right',
    keys: ['right', 'l'],
    scope: 'viewer',
    needs: context => context.canShift(),
    run: context => context.shift(8),
  },
  ...moving<ViewerContext>('viewer'),
]

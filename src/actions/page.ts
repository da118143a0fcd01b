/** What can be done with a page of text. */
import type { Action } from './action.ts'
import { type Movable, moving } from './moving.ts'

export interface PageContext extends Movable {
  copy(): void
  /** All of it in the person's own pager. */
  page(): void | Promise<void>
}

export const pageActions: readonly Action<PageContext>[] = [
  {
    id: 'page.copy',
    title: 'Copy all of it',
    keys: ['y'],
    scope: 'page',
    hint: 'copy',
    run: context => context.copy(),
  },
  {
    id: 'page.pager',
    title: 'Show it in $PAGER',
    keys: ['o'],
    scope: 'page',
    hint: 'in pager',
    run: context => context.page(),
  },
  ...moving<PageContext>('page'),
]

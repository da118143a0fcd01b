/** What can be done with what was found in all layers. */
import type { Action } from './action.ts'
import { type Movable, moving } from './moving.ts'

export interface FindContext extends Movable {
  found(): boolean
  go(): void
  ask(): void
  copy(): void
}

export const findActions: readonly Action<FindContext>[] = [
  {
    id: 'find.go',
    title: 'Show it in the tree, as of the newest step that has it',
    keys: ['enter', 'right', 'l'],
    scope: 'find',
    hint: 'show in tree',
    worth: 90,
    needs: context => context.found(),
    run: context => context.go(),
  },
  {
    id: 'find.ask',
    title: 'Look for something else',
    keys: ['/', 'F'],
    scope: 'find',
    hint: 'find',
    worth: 80,
    run: context => context.ask(),
  },
  {
    id: 'find.copy',
    title: 'Copy the path',
    keys: ['y'],
    scope: 'find',
    hint: 'copy path',
    worth: 40,
    needs: context => context.found(),
    run: context => context.copy(),
  },
  ...moving<FindContext>('find'),
]

/** What can be done with the history of one path. */
import type { Action } from './action.ts'
import { type Movable, moving } from './moving.ts'

export interface BlameContext extends Movable {
  /** Whether the version under the cursor is a file that can be looked at. */
  hasContent(): boolean
  view(): void
  show(): void
  scroll(by: number): void
  /** Whether there are two files to be laid side by side. */
  canCompare(): boolean
  compare(): void
  mark(): void
  copy(): void
}

export const blameActions: readonly Action<BlameContext>[] = [
  {
    id: 'blame.view',
    title: 'View this version of the file',
    keys: ['enter', 'v'],
    scope: 'blame',
    hint: 'view version',
    worth: 90,
    needs: context => context.hasContent(),
    run: context => context.view(),
  },
  {
    id: 'blame.compare',
    title: 'Side by side: what this step changed, or the marked version and this one',
    keys: ['d'],
    scope: 'blame',
    hint: 'side by side',
    worth: 85,
    needs: context => context.canCompare(),
    run: context => context.compare(),
  },
  {
    id: 'blame.mark',
    title: 'Mark this version, to be laid beside another one',
    keys: ['m'],
    scope: 'blame',
    hint: 'mark version',
    worth: 60,
    needs: context => context.hasContent(),
    run: context => context.mark(),
  },
  {
    id: 'blame.show',
    title: 'Show the path in the tree as of this step',
    keys: ['o'],
    scope: 'blame',
    hint: 'show in tree',
    worth: 80,
    run: context => context.show(),
  },
  {
    id: 'blame.down',
    title: 'Scroll the difference down',
    keys: ['J', 'shift-down', 'space'],
    scope: 'blame',
    hint: 'scroll difference',
    worth: 70,
    run: context => context.scroll(1),
  },
  {
    id: 'blame.up',
    title: 'Scroll the difference up',
    keys: ['K', 'shift-up'],
    scope: 'blame',
    run: context => context.scroll(-1),
  },
  {
    id: 'blame.copy',
    title: 'Copy the path',
    keys: ['y'],
    scope: 'blame',
    hint: 'copy path',
    worth: 40,
    run: context => context.copy(),
  },
  ...moving<BlameContext>('blame'),
]

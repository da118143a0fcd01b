/** What can be done on the Storage screen, and in the preview of a prune. */
import type { Action } from './action.ts'
import { type Movable, moving } from './moving.ts'

export interface StorageContext extends Movable {
  hasRow(): boolean
  hasRows(): boolean
  /** To the next view: layers, images, containers, volumes, build cache. */
  turn(by: 1 | -1): void
  /** Whether there is something that can be opened in the Explorer. */
  canExplore(): boolean
  explore(): void
  /** Whether something of what is marked, or the row under the cursor, may be removed. */
  canRemove(): boolean
  remove(): Promise<void>
  canPrune(): boolean
  prune(): void
  mark(): void
  copy(): void
  filter(): void
  sort(): Promise<void>
  refresh(): void
}

const scope = 'storage'

export const storageActions: readonly Action<StorageContext>[] = [
  {
    id: 'storage.explore',
    title: 'Open the image or container in the Explorer',
    keys: ['enter', 'right'],
    scope,
    hint: 'explore',
    worth: 90,
    needs: storage => storage.canExplore(),
    run: storage => storage.explore(),
  },
  {
    id: 'storage.next',
    title: 'The next view: layers, images, containers, volumes, build cache',
    keys: ['tab'],
    scope,
    hint: 'next view',
    worth: 88,
    run: storage => storage.turn(1),
  },
  {
    id: 'storage.previous',
    title: 'The view before',
    keys: ['shift-tab'],
    scope,
    run: storage => storage.turn(-1),
  },
  {
    id: 'storage.remove',
    title: 'Remove what is marked, or this one, after a question that says what is freed',
    keys: ['d', 'delete'],
    scope,
    hint: 'remove…',
    worth: 75,
    danger: true,
    needs: storage => storage.canRemove(),
    run: storage => storage.remove(),
  },
  {
    id: 'storage.prune',
    title: 'Prune: what nobody needs, shown before it goes',
    keys: ['P'],
    scope,
    hint: 'prune…',
    worth: 85,
    needs: storage => storage.canPrune(),
    run: storage => storage.prune(),
  },
  {
    id: 'storage.mark',
    title: 'Mark or unmark',
    keys: ['space'],
    scope,
    hint: 'mark',
    worth: 35,
    needs: storage => storage.hasRow(),
    run: storage => storage.mark(),
  },
  {
    id: 'storage.copy',
    title: 'Copy the names of what is marked, or of this one',
    keys: ['y'],
    scope,
    worth: 30,
    needs: storage => storage.hasRow(),
    run: storage => storage.copy(),
  },
  {
    id: 'storage.filter',
    title: 'Show only what contains some text',
    keys: ['/'],
    scope,
    hint: 'filter',
    worth: 70,
    needs: storage => storage.hasRows(),
    run: storage => storage.filter(),
  },
  {
    id: 'storage.sort',
    title: 'Sort by size, name, what it is shared with …',
    keys: ['o'],
    scope,
    hint: 'sort',
    worth: 40,
    needs: storage => storage.hasRow(),
    run: storage => storage.sort(),
  },
  {
    id: 'storage.refresh',
    title: 'Measure again',
    keys: ['ctrl-r', 'f5'],
    scope,
    run: storage => storage.refresh(),
  },
  ...moving<StorageContext>(scope),
]

export interface PruneContext extends Movable {
  /** Whether the cursor is on a line that can be turned on or off. */
  canToggle(): boolean
  toggle(by: 1 | -1): void
  /** Whether there is something to remove, and it may be. */
  canCarryOut(): boolean
  carryOut(): Promise<void>
}

const pruneScope = 'prune'

export const pruneActions: readonly Action<PruneContext>[] = [
  {
    id: 'prune.toggle',
    title: 'Take it in, or leave it out',
    keys: ['space', 'right'],
    scope: pruneScope,
    hint: 'in/out',
    worth: 80,
    needs: prune => prune.canToggle(),
    run: prune => prune.toggle(1),
  },
  {
    id: 'prune.back',
    title: 'The choice before',
    keys: ['left'],
    scope: pruneScope,
    needs: prune => prune.canToggle(),
    run: prune => prune.toggle(-1),
  },
  {
    id: 'prune.carry-out',
    title: 'Remove what is shown, after a question',
    keys: ['enter', 'd'],
    scope: pruneScope,
    hint: 'remove…',
    worth: 90,
    danger: true,
    needs: prune => prune.canCarryOut(),
    run: prune => prune.carryOut(),
  },
  ...moving<PruneContext>(pruneScope),
]

/** What can be done with all that an engine says of something. */
import type { Action } from './action.ts'
import { type Movable, moving } from './moving.ts'

export interface InspectContext extends Movable {
  /** Whether the row under the cursor can be opened or closed. */
  folds(): boolean
  fold(): void
  open(): void
  /** Closes it, or goes to the row that it is in. */
  shut(): void
  openAll(): void
  shutAll(): void
  search(): void
  searched(): boolean
  again(by: 1 | -1): void
  /** Whether the row under the cursor is a secret. */
  isSecret(): boolean
  unmask(): void
  hasSecrets(): boolean
  unmaskAll(): void
  copy(): void
  copyPath(): void
  save(): void | Promise<void>
  page(): void | Promise<void>
}

const scope = 'inspect'

export const inspectActions: readonly Action<InspectContext>[] = [
  {
    id: 'inspect.fold',
    title: 'Open or close',
    keys: ['enter', 'space'],
    scope,
    hint: 'open/close',
    worth: 80,
    needs: inspect => inspect.folds(),
    run: inspect => inspect.fold(),
  },
  {
    id: 'inspect.search',
    title: 'Search keys and values',
    keys: ['/'],
    scope,
    hint: 'search',
    worth: 90,
    run: inspect => inspect.search(),
  },
  {
    id: 'inspect.next',
    title: 'The next place found',
    keys: ['n'],
    scope,
    hint: 'next',
    worth: 85,
    needs: inspect => inspect.searched(),
    run: inspect => inspect.again(1),
  },
  {
    id: 'inspect.previous',
    title: 'The place found before',
    keys: ['N'],
    scope,
    needs: inspect => inspect.searched(),
    run: inspect => inspect.again(-1),
  },
  {
    id: 'inspect.unmask',
    title: 'Show this secret, or mask it',
    keys: ['m'],
    scope,
    hint: 'unmask',
    worth: 82,
    needs: inspect => inspect.isSecret(),
    run: inspect => inspect.unmask(),
  },
  {
    id: 'inspect.secrets',
    title: 'Show all that looks like a secret, or mask it',
    keys: ['x'],
    scope,
    hint: 'all secrets',
    worth: 60,
    needs: inspect => inspect.hasSecrets(),
    run: inspect => inspect.unmaskAll(),
  },
  {
    id: 'inspect.copy',
    title: 'Copy the value',
    keys: ['y'],
    scope,
    hint: 'copy value',
    worth: 70,
    run: inspect => inspect.copy(),
  },
  {
    id: 'inspect.path',
    title: 'Copy the way to it, as jq takes it',
    keys: ['Y'],
    scope,
    hint: 'copy path',
    worth: 58,
    run: inspect => inspect.copyPath(),
  },
  {
    id: 'inspect.openall',
    title: 'Open everything',
    keys: ['+'],
    scope,
    hint: 'open all',
    worth: 50,
    run: inspect => inspect.openAll(),
  },
  {
    id: 'inspect.shutall',
    title: 'Close everything',
    keys: ['-'],
    scope,
    hint: 'close all',
    worth: 48,
    run: inspect => inspect.shutAll(),
  },
  {
    id: 'inspect.save',
    title: 'Save it to a file on this machine',
    keys: ['s'],
    scope,
    hint: 'save',
    worth: 45,
    run: inspect => inspect.save(),
  },
  {
    id: 'inspect.pager',
    title: 'Show it in $PAGER',
    keys: ['o'],
    scope,
    hint: 'in pager',
    worth: 40,
    run: inspect => inspect.page(),
  },
  { id: 'inspect.right', title: 'Open', keys: ['right', 'l'], scope, run: inspect => inspect.open() },
  {
    id: 'inspect.left',
    title: 'Close it, or to what it is in',
    keys: ['left', 'h'],
    scope,
    run: inspect => inspect.shut(),
  },
  ...moving<InspectContext>(scope),
]

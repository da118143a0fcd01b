/** What can be done with lines of text that are looked through: what a container says, what an engine says of one. */
import type { Action } from './action.ts'
import { type Movable, moving } from './moving.ts'

export interface TextContext extends Movable {
  search(): void
  searched(): boolean
  again(by: 1 | -1): void
  toggleWrap(): void
  /** Sideways, in columns; only where lines are not wrapped. */
  shift(columns: number): void
  canShift(): boolean
  save(): void
  copy(): void
  page(): void | Promise<void>
}

/** What every screen of lines can do. */
export function textActions<C extends TextContext>(scope: string): Action<C>[] {
  return [
    {
      id: `${scope}.search`,
      title: 'Search',
      keys: ['/'],
      scope,
      hint: 'search',
      worth: 90,
      run: text => text.search(),
    },
    {
      id: `${scope}.next`,
      title: 'The next place found',
      keys: ['n'],
      scope,
      hint: 'next',
      worth: 80,
      needs: text => text.searched(),
      run: text => text.again(1),
    },
    {
      id: `${scope}.previous`,
      title: 'The place found before',
      keys: ['N'],
      scope,
      needs: text => text.searched(),
      run: text => text.again(-1),
    },
    {
      id: `${scope}.wrap`,
      title: 'Wrap long lines, or cut them',
      keys: ['w'],
      scope,
      hint: 'wrap',
      worth: 65,
      run: text => text.toggleWrap(),
    },
    {
      id: `${scope}.save`,
      title: 'Save it to a file on this machine',
      keys: ['s'],
      scope,
      hint: 'save',
      worth: 55,
      run: text => text.save(),
    },
    {
      id: `${scope}.pager`,
      title: 'Show it in $PAGER',
      keys: ['o'],
      scope,
      hint: 'in pager',
      worth: 45,
      run: text => text.page(),
    },
    {
      id: `${scope}.copy`,
      title: 'Copy what is on the screen, or the chosen line',
      keys: ['y'],
      scope,
      hint: 'copy',
      worth: 40,
      run: text => text.copy(),
    },
    {
      id: `${scope}.left`,
      title: 'To the left',
      keys: ['left', 'h'],
      scope,
      needs: text => text.canShift(),
      run: text => text.shift(-8),
    },
    {
      id: `${scope}.right`,
      title: 'To the right',
      keys: ['right', 'l'],
      scope,
      needs: text => text.canShift(),
      run: text => text.shift(8),
    },
    ...moving<C>(scope),
  ]
}

/** Moving in a list: arrows and vi's keys, the same wherever there is a list. */
import type { Action } from './action.ts'

/** How far a list is moved: so many rows, a page, half a page, or to an end. */
export type Move = number | 'page' | '-page' | 'half' | '-half' | 'first' | 'last'

/** What moves. */
export interface Movable {
  move(by: Move): void
}

/** The actions that move the cursor of a list, for a scope. */
export function moving<C extends Movable>(scope: string): Action<C>[] {
  return moves.map(([name, title, keys, by]) => ({
    id: `${scope}.${name}`,
    title,
    keys,
    scope,
    run: context => context.move(by),
  }))
}

const moves: [name: string, title: string, keys: string[], by: Move][] = [
  ['down', 'Down', ['j', 'down'], 1],
  ['up', 'Up', ['k', 'up'], -1],
  ['page-down', 'A page down', ['pagedown', 'ctrl-f'], 'page'],
  ['page-up', 'A page up', ['pageup', 'ctrl-b'], '-page'],
  ['half-down', 'Half a page down', ['ctrl-d'], 'half'],
  ['half-up', 'Half a page up', ['ctrl-u'], '-half'],
  ['first', 'To the first', ['g', 'home'], 'first'],
  ['last', 'To the last', ['G', 'end'], 'last'],
]

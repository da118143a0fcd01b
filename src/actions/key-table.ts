/** The table of keys for people who read: made from the actions, so that it can not be wrong. */
import type { Action } from './action.ts'
import { keyLabel } from './keys.ts'

/** A Markdown table of the keys of some actions, in their order. */
export function keyTable(actions: readonly Pick<Action<never>, 'keys' | 'title'>[]): string {
  const rows = actions.map(({ keys, title }) => `| ${keys.map(key => `\`${keyLabel(key)}\``).join(' ')} | ${title} |`)
  return ['| key | |', '|---|---|', ...rows, ''].join('\n')
}

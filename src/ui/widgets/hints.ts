/** The hint line: keys and what they do, as many as fit. It drops its least useful hint first and never wraps. */
import type { BoundAction } from '../../actions/action.ts'
import { keyLabel } from '../../actions/keys.ts'
import { width } from '../../base/text.ts'
import type { Theme } from '../theme.ts'
import { line, type Part } from './line.ts'

export interface Hint {
  key: string
  label: string
  /** 0 to 100: the least is dropped first, of equals the last. */
  worth: number
}

/** The hints of valid actions, in their order; none for a key that means something else before. */
export function hintsOf(actions: readonly BoundAction[]): Hint[] {
  const taken = new Set<string>()
  return actions.flatMap(({ keys, hint, worth = 50 }) => {
    const [key] = keys
    const free = key !== undefined && !taken.has(key)
    for (const one of keys) taken.add(one)
    return hint && free ? [{ key, label: hint, worth }] : []
  })
}

/** One line of hints, dimmed words after keys that stand out. */
export function hintLine(theme: Theme, columns: number, hints: readonly Hint[]): string {
  const parts = hintParts(theme, columns - 1, hints)
  return line(columns, parts.length === 0 ? [] : [' ', ...parts])
}

/** The hints that fit into so many columns. */
export function hintParts(theme: Theme, columns: number, hints: readonly Hint[]): Part[] {
  const ascii = theme.glyph.vertical === '|'
  const shown = hints.map(hint => ({ ...hint, key: keyLabel(hint.key, ascii) }))
  const taken = (hint: Hint) => width(hint.key) + 1 + width(hint.label)
  let total = shown.reduce((sum, hint) => sum + taken(hint), 0) + GAP.length * Math.max(0, shown.length - 1)
  while (shown.length > 0 && total > columns) {
    const least = shown.reduce((at, hint, index) => (hint.worth <= shown[at]!.worth ? index : at), 0)
    total -= taken(shown[least]!) + GAP.length
    shown.splice(least, 1)
  }
  return shown.flatMap((hint, at): Part[] => [at === 0 ? '' : GAP, [theme.key, hint.key], ' ', [theme.dim, hint.label]])
}

const GAP = '  '

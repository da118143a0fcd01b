/** The names of containers before their lines: each with its own glyph and colour, the same wherever it is. */
import { fit as fitted, safe, width } from '../../base/text.ts'
import type { Theme } from '../theme.ts'
import type { Part } from '../widgets/line.ts'
import type { LogState } from './log-source.ts'
import { colourLook, styleOf } from './looks.ts'

export interface LogNames {
  /** Columns of the name and the blank after it in a line of so many; 0 where there is only one. */
  columns(columns: number): number
  parts(theme: Theme, source: number, columns: number): Part[]
  /** The whole name, harmless. */
  full(source: number): string
  /** All of them with how they are, in at most so many columns. */
  legend(theme: Theme, state: (source: number) => LogState, columns: number): Part[]
}

/** Neither red nor yellow: those mean something else here. */
const colours = [6, 2, 5, 4, 14, 10, 13, 12]
const glyphs = [...'●■▲◆★◉▼▰']
const letters = [...'abcdefgh']

/** Columns of a name at most. */
const MOST = 18

export function namesOf(names: readonly string[]): LogNames {
  const full = names.map(safe)
  const widest = full.reduce((most, name) => Math.max(most, width(name)), 0)
  const nameColumns = (columns: number) => Math.min(widest, MOST, Math.max(4, Math.floor(columns / 5)))
  const glyph = (theme: Theme, source: number) => {
    const set = theme.glyph.marked === '●' ? glyphs : letters
    return set[source % set.length]!
  }
  const style = (theme: Theme, source: number) =>
    theme.level === 'none' ? (one: string) => one : styleOf(colourLook(colours[source % colours.length]!))
  return {
    columns: columns => (names.length === 1 ? 0 : nameColumns(columns) + 3),
    parts(theme, source, columns) {
      if (names.length === 1) return []
      const name = fitted(full[source] ?? '', nameColumns(columns))
      return [[style(theme, source), `${glyph(theme, source)} ${name}`], ' ']
    },
    full: source => full[source] ?? '',
    legend(theme, state, columns) {
      if (names.length === 1) return [[theme.dim, full[0]!]]
      const parts: Part[] = []
      let used = 0
      for (const [source, name] of full.entries()) {
        const now = state(source)
        const more = typeof now === 'object' ? ' lost' : now === 'ended' ? ' ended' : ''
        used += width(name) + more.length + 4
        if (used > columns) {
          parts.push([theme.dim, `${parts.length > 0 ? '  ' : ''}${names.length - source} more`])
          break
        }
        parts.push(
          source === 0 ? '' : '  ',
          [style(theme, source), `${glyph(theme, source)} ${name}`],
          [theme.dim, more],
        )
      }
      return parts
    },
  }
}

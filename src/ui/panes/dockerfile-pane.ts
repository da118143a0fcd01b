/** The Dockerfile tab as lines: the step that is looked at stands out, comments stay back. */
import type { DockerfileLine } from '../../image/dockerfile.ts'
import type { Theme } from '../theme.ts'
import type { Part } from '../widgets/line.ts'
import { drawList, type ListState } from '../widgets/list.ts'
import { wrap } from './wrap.ts'

export interface WrappedLine extends DockerfileLine {
  /** Whether it begins a line of the file. */
  first: boolean
}

/** The lines broken for a width. */
export function wrapDockerfile(lines: readonly DockerfileLine[], columns: number): WrappedLine[] {
  return lines.flatMap(({ text, step }) =>
    wrap(text.slice(0, LONGEST), Math.max(8, columns - 3), '    ').map((part, at) => ({
      text: part,
      step,
      first: at === 0,
    })),
  )
}

/** More of one line is not shown; copying gives all of it. */
const LONGEST = 20_000

/** Exactly `rows` lines. */
export function dockerfilePane(
  theme: Theme,
  lines: readonly WrappedLine[],
  options: { columns: number; rows: number; state: ListState; focused: boolean; step: number },
): string[] {
  const { columns, rows, state, focused, step } = options
  const row = (index: number): Part[] => {
    const line = lines[index]!
    const here = line.step === step
    const edge: Part = here ? [theme.accent, `${theme.glyph.scroll} `] : '  '
    if (line.text.startsWith('#')) return [edge, [theme.dim, line.text]]
    const keyword = line.first ? (/^[A-Z]{3,}(?= )/.exec(line.text)?.[0] ?? '') : ''
    const rest = line.text.slice(keyword.length)
    return [edge, [here ? theme.accent : theme.strong, keyword], here ? [theme.strong, rest] : rest]
  }
  return drawList({ theme, columns, rows, count: lines.length, state, focused, row })
}

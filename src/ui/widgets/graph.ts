/** Graphs of cells: a column a sample, the newest on the right, eight heights a row. */
import type { Theme } from '../theme.ts'

/** The rows of a graph from the top, each of `columns` characters. `most`: what fills it; samples beyond are cut. */
export function graph(
  theme: Theme,
  samples: readonly number[],
  { columns, rows, most }: { columns: number; rows: number; most: number },
): string[] {
  const steps = [...theme.glyph.bars]
  const shown = samples.slice(-columns)
  const heights = shown.map(sample => {
    const share = most > 0 ? Math.min(1, Math.max(0, sample / most)) : 0
    // What is something is seen.
    return Math.max(sample > 0 ? 1 : 0, Math.round(share * rows * steps.length))
  })
  return Array.from({ length: rows }, (_, row) => {
    const below = (rows - 1 - row) * steps.length
    const cells = heights.map(height => {
      const own = Math.min(steps.length, height - below)
      return own > 0 ? steps[own - 1]! : ' '
    })
    return cells.join('').padStart(columns)
  })
}

/** The number at or above it that a scale ends with: 1, 2 or 5 times a power of ten. */
export function roundUp(value: number): number {
  if (!(value > 0)) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  const step = [1, 2, 5, 10].find(one => one * power >= value * 0.999_999) ?? 10
  return step * power
}

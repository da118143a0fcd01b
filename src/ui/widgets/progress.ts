/** How far long work is, in one line: a bar, bytes, rate and time left. */
import type { Progress } from '../../base/progress.ts'
import { formatBytes, formatDuration } from '../../base/sizes.ts'
import type { Theme } from '../theme.ts'
import { line, type Part, partsWidth } from './line.ts'

export interface TaskView extends Progress {
  title: string
  /** Bytes a second; 0 while it is not known. */
  rate: number
}

/** One line for a task; what is least needed goes first where it is narrow: time left, rate, bytes, the bar. */
export function progressLine(theme: Theme, columns: number, task: TaskView): string {
  const cancel: Part[] = [[theme.key, 'esc'], ' ', [theme.dim, 'cancel'], ' ']
  const facts = factsOf(task)
  const room = columns - partsWidth(cancel) - 1
  const shown = { facts: facts.length, bar: true, title: true }
  const parts = () => [
    ...(shown.title ? [` ${task.title}`] : []),
    ...(shown.bar && task.total !== null ? ['  ', ...bar(theme, BAR, task.done / Math.max(1, task.total))] : []),
    ...facts.slice(0, shown.facts).flatMap((fact): Part[] => ['  ', [theme.dim, fact]]),
  ]
  while (shown.facts > 1 && partsWidth(parts()) > room) shown.facts--
  if (partsWidth(parts()) > room) shown.bar = false
  return line(columns, parts(), partsWidth(cancel) < columns / 2 ? cancel : [])
}

/** A bar of so many cells, `share` (0 to 1) of it full. */
export function bar(theme: Theme, cells: number, share: number): Part[] {
  const full = Math.max(0, Math.min(cells, Math.round(share * cells)))
  return [
    [theme.accent, theme.glyph.barFull.repeat(full)],
    [theme.dim, theme.glyph.barEmpty.repeat(cells - full)],
  ]
}

const BAR = 16

function factsOf({ done, total, rate }: TaskView): string[] {
  const facts = []
  if (total !== null) facts.push(`${formatBytes(Math.min(done, total))} of ${formatBytes(total)}`)
  else if (done > 0) facts.push(formatBytes(done))
  if (rate > 0) facts.push(`${formatBytes(rate)}/s`)
  if (rate > 0 && total !== null && done < total) facts.push(`${formatDuration(((total - done) / rate) * 1000)} left`)
  return facts
}

/** The time of a line of a log: on the person's own clock, on that of the world, or how long ago it was. Pure. */
import { formatAge } from '../../base/sizes.ts'

export type TimeMode = 'off' | 'local' | 'utc' | 'relative'

/** In the order in which a key goes through them. */
export const timeModes: readonly TimeMode[] = ['off', 'local', 'utc', 'relative']

/** What is said of each when it is chosen. */
export const timeWords: Record<TimeMode, string> = {
  off: 'Without times.',
  local: 'Times on this machine’s clock.',
  utc: 'Times in UTC.',
  relative: 'How long ago each line was said.',
}

/** Columns of a time and the blank after it. */
export function stampColumns(mode: TimeMode): number {
  return { off: 0, local: 13, utc: 14, relative: 12 }[mode]
}

/** `14:02:31.007 `, `14:02:31.007Z `, `  5 min ago `: always `stampColumns` wide. Times and `now` in milliseconds. */
export function stampOf(time: number | null, mode: TimeMode, now: number): string {
  const columns = stampColumns(mode)
  if (time === null || mode === 'off') return ' '.repeat(columns)
  if (mode === 'relative') return `${agoWords(now - time).padStart(columns - 1)} `
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return ' '.repeat(columns)
  if (mode === 'utc') return `${date.toISOString().slice(11)} `.padStart(columns)
  const two = (value: number) => String(value).padStart(2, '0')
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  return `${clock}.${String(date.getMilliseconds()).padStart(3, '0')} `
}

/** Seconds up to a minute: what is being followed is young. */
function agoWords(ms: number): string {
  if (ms < 0) return 'now'
  return ms < 60_000 ? `${Math.floor(ms / 1000)} s ago` : formatAge(ms)
}

/** A whole moment for a file: `2026-11-22T14:02:31.007Z `. */
export function fullStamp(time: number | null): string {
  return time === null ? '' : `${new Date(time).toISOString()} `
}

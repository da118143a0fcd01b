/** From where on a log is read: asked for with a menu, said in words. */
import { parseMoment } from '../../base/durations.ts'
import { formatCount } from '../../base/sizes.ts'
import type { Ui } from '../ui.ts'
import type { LogBegin } from './log-source.ts'

export interface LogRange {
  begin: LogBegin
  /** What it goes by in the menu. */
  label: string
}

const lastLines = (tail: number): LogRange => ({ begin: { tail }, label: `the last ${formatCount(tail)} lines` })
const spans: readonly [key: string, words: string, seconds: number][] = [
  ['5', '5 min', 300],
  ['h', '1 h', 3600],
  ['d', '24 h', 86_400],
]

export const usualRange: LogRange = lastLines(10_000)

/** null: it stays as it is. */
export async function askRange(ui: Ui, now: LogRange): Promise<LogRange | null> {
  const seconds = ui.services.now() / 1000
  const since = (words: string, ago: number): LogRange => ({
    begin: { since: seconds - ago },
    label: `since ${words} ago`,
  })
  const ranges: { key: string; range: LogRange }[] = [
    { key: '1', range: lastLines(100) },
    { key: '2', range: lastLines(1_000) },
    { key: '3', range: usualRange },
    { key: 'a', range: { begin: {}, label: 'all lines' } },
    ...spans.map(([key, words, ago]) => ({ key, range: since(words, ago) })),
  ]
  const items = [
    ...ranges.map(({ key, range }) => ({ key, label: range.label, detail: range.label === now.label ? 'now' : '' })),
    { key: 't', label: 'since a time …', detail: '  10m  14:30  2026-11-22' },
  ]
  const at = Math.max(
    0,
    ranges.findIndex(({ range }) => range.label === now.label),
  )
  const choice = await ui.choose({ title: 'Which lines', items, at })
  if (choice === null) return null
  return ranges[choice]?.range ?? askTime(ui)
}

function askTime(ui: Ui): Promise<LogRange | null> {
  const { promise, resolve } = Promise.withResolvers<LogRange | null>()
  ui.prompt({
    label: 'since',
    submit(text) {
      const written = text.trim()
      const moment = momentOf(written, ui.services.now())
      if (moment === null && written !== '')
        ui.toast(`“${written}” is no time: 10m, 1h30m, 14:30, 2026-11-22`, 'warning')
      resolve(moment === null ? null : { begin: { since: moment }, label: `since ${written}` })
    },
    cancel: () => resolve(null),
  })
  return promise
}

/** Seconds since 1970. A time of day is the last one that was: yesterday's, where today's is still to come. */
export function momentOf(text: string, now: number): number | null {
  const clock = /^(\d{1,2}):(\d\d)(?::(\d\d))?$/.exec(text)
  if (!clock) return parseMoment(text, now)
  const [hour, minute, second] = [clock[1], clock[2], clock[3] ?? 0].map(Number) as [number, number, number]
  if (hour > 23 || minute > 59 || second > 59) return null
  const date = new Date(now)
  date.setHours(hour, minute, second, 0)
  if (date.getTime() > now) date.setDate(date.getDate() - 1)
  return date.getTime() / 1000
}

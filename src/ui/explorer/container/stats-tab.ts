/** The Stats tab: what a container uses, with its history while somebody looks. The engine is asked only while it is shown. */
import { formatBytes, formatCount } from '../../../base/sizes.ts'
import { fit as fitted } from '../../../base/text.ts'
import type { Stats } from '../../../engine/containers.ts'
import type { Theme } from '../../theme.ts'
import { graph, roundUp } from '../../widgets/graph.ts'
import { exactly, line, type Part } from '../../widgets/line.ts'
import type { Tab } from '../tab.ts'
import type { Held } from './held.ts'

/** Samples that are kept: what the widest terminal shows. */
const MOST = 300

/** One sample a second of everything that is drawn: rates are bytes a second. */
interface Sample {
  cpu: number
  memory: number
  received: number
  sent: number
  read: number
  written: number
  pids: number
}

export function createStatsTab(held: Held, changed: () => void): Tab {
  let samples: Sample[] = []
  let last: Stats | null = null
  let trouble: string | null = null
  let stop: AbortController | null = null

  const take = (now: Stats, before: Stats | null) => {
    last = now
    trouble = null
    if (before === null) return
    const seconds = Math.max(0.001, (now.time - before.time) / 1000)
    const rate = (key: 'netReceived' | 'netSent' | 'blockRead' | 'blockWritten') =>
      Math.max(0, (now[key] - before[key]) / seconds)
    samples = [
      ...samples.slice(1 - MOST),
      {
        cpu: now.cpuPercent ?? 0,
        memory: now.memory,
        received: rate('netReceived'),
        sent: rate('netSent'),
        read: rate('blockRead'),
        written: rate('blockWritten'),
        pids: now.pids,
      },
    ]
  }
  const follow = async ({ signal }: AbortController) => {
    try {
      const { engine, id } = await held.now()
      let before: Stats | null = null
      for await (const now of engine.containers.stats(id, { signal })) {
        if (signal.aborted) return
        take(now, before)
        before = now
        changed()
      }
      trouble = 'It does not run: nothing is used.'
    } catch {
      trouble = held.trouble() ?? 'What it uses is not told any more.'
    }
    if (!signal.aborted) changed()
  }

  return {
    name: 'Stats',
    pane: 'stats',
    update() {},
    attend(shown) {
      if (!shown) {
        stop?.abort()
        stop = null
      } else if (!stop) {
        stop = new AbortController()
        void follow(stop)
      }
    },
    draw(theme, { columns, rows }) {
      const lines: string[] = []
      if (trouble) lines.push(line(columns, [' ', [theme.warning, trouble]]))
      if (last === null) {
        const text = trouble ? '' : `Asking the engine ${theme.glyph.ellipsis}`
        return exactly([...lines, line(columns, [[theme.dim, ` ${text}`]])], columns, rows)
      }
      return exactly([...lines, ...meters(theme, samples, last, columns, rows - lines.length)], columns, rows)
    },
    move() {},
    point: () => false,
    footer: () => (samples.length === 0 ? '' : `${formatCount(samples.length)} s`),
    node: () => null,
    enter: () => false,
    copies: () => (last ? [{ text: JSON.stringify(last), what: 'sample' }] : []),
    busy: () => false,
    close() {
      stop?.abort()
      stop = null
    },
  }
}

interface Meter {
  title: string
  /** As it is now. */
  now: string
  values: number[]
  /** What fills the graph; null: the greatest that was seen. */
  most: number | null
  say(value: number): string
}

function metersOf(samples: readonly Sample[], last: Stats): Meter[] {
  const all = (key: keyof Sample) => samples.map(sample => sample[key])
  const newest = samples.at(-1)
  const percent = (value: number) => `${value.toFixed(1)} %`
  const speed = (value: number) => `${formatBytes(value)}/s`
  const rate = (title: string, key: 'received' | 'sent' | 'read' | 'written', total: number): Meter => ({
    title,
    now: `${fitted(speed(newest?.[key] ?? 0), 10, 'right')}  ${formatBytes(total)} in all`,
    values: all(key),
    most: null,
    say: speed,
  })
  const limit = last.memoryLimit
  const ofLimit = limit ? ` of ${formatBytes(limit)}, ${percent((last.memory / limit) * 100)}` : ''
  return [
    { title: 'CPU', now: percent(last.cpuPercent ?? 0), values: all('cpu'), most: null, say: percent },
    {
      title: 'Memory',
      now: `${formatBytes(last.memory)}${ofLimit}`,
      values: all('memory'),
      most: null,
      say: formatBytes,
    },
    rate('Received', 'received', last.netReceived),
    rate('Sent', 'sent', last.netSent),
    rate('Read', 'read', last.blockRead),
    rate('Written', 'written', last.blockWritten),
    { title: 'Processes', now: formatCount(last.pids), values: all('pids'), most: null, say: formatCount },
  ]
}

/** A line of words and a graph below it for each, as high as there is room; where there is little, the words alone. */
function meters(theme: Theme, samples: readonly Sample[], last: Stats, columns: number, rows: number): string[] {
  const all = metersOf(samples, last)
  const each = Math.floor(rows / all.length)
  if (each < 2) return all.flatMap(meter => line(columns, [' ', [theme.strong, fitted(meter.title, 10)], meter.now]))
  // CPU and memory are what people look for first: they get what is left over.
  const extra = Math.min(4, Math.floor((rows - each * all.length) / 2))
  return all.flatMap((meter, at) => {
    const height = Math.min(at < 2 ? 8 : 4, each - 1 + (at < 2 ? extra : 0))
    return meterLines(theme, meter, columns, height)
  })
}

function meterLines(theme: Theme, meter: Meter, columns: number, height: number): string[] {
  const seen = Math.max(0, ...meter.values.slice(2 - columns))
  const most = meter.most ?? roundUp(seen)
  const scale: Part[] = seen > 0 && columns >= 50 ? [[theme.dim, `up to ${meter.say(seen)} `]] : []
  const cells = graph(theme, meter.values, { columns: columns - 2, rows: height, most })
  return [
    line(columns, [' ', [theme.strong, fitted(meter.title, 10)], meter.now], scale),
    ...cells.map((text, row) =>
      line(columns, [
        ' ',
        ...(row < height - 1 ? [[theme.accent, text] as Part] : grounded(theme, text, meter.values.length)),
      ]),
    ),
  ]
}

/** The lowest row stands on a line as long as the history is, so that nothing used can be told from nothing known. */
function grounded(theme: Theme, text: string, samples: number): Part[] {
  const before = Math.max(0, text.length - samples)
  const parts: Part[] = [text.slice(0, before)]
  for (const piece of text.slice(before).match(/ +|[^ ]+/g) ?? []) {
    parts.push(piece[0] === ' ' ? [theme.dim, theme.glyph.dot.repeat(piece.length)] : [theme.accent, piece])
  }
  return parts
}

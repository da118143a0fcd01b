/** The tabs that follow from the step alone: Config as of it, and the Dockerfile with the step standing out. */
import { dockerfileLines, dockerfileOf } from '../../image/dockerfile.ts'
import { configLines, configPane } from '../panes/config-pane.ts'
import { dockerfilePane, wrapDockerfile } from '../panes/dockerfile-pane.ts'
import { type ConfigRow, configRows, replaysOf } from './config-rows.ts'
import { createLinesTab, type LinesTab } from './lines-tab.ts'
import type { Look } from './tab.ts'

export function createConfigTab(look: Look): LinesTab {
  const replays = once(() => replaysOf(look.image))
  let rows: readonly ConfigRow[] = []
  const rowsNow = memo((step: number) => configRows(look.image, replays(), step))
  const linesNow = memo((step: number, columns: number) => {
    rows = rowsNow(step)
    return configLines(rows, columns, step)
  })
  return createLinesTab({
    name: 'Config',
    lines: columns => linesNow(look.step, columns),
    draw: configPane,
    copies(line) {
      const row = rows[line.row]
      if (!row || row.raw === '') return []
      const label = labelOf(rows, line.row)
      return [
        { text: row.raw, what: label },
        ...(label === 'env' ? [{ text: row.raw.slice(row.raw.indexOf('=') + 1), what: 'value' }] : []),
        {
          text: JSON.stringify(replays()[Math.min(look.step, replays().length - 1)]!.run, null, 2),
          what: 'whole config',
        },
      ]
    },
  })
}

function labelOf(rows: readonly ConfigRow[], at: number): string {
  while (at > 0 && rows[at]!.label === '') at--
  return rows[at]!.label.toLowerCase() || 'value'
}

export function createDockerfileTab(look: Look): LinesTab {
  const lines = once(() => dockerfileLines(look.image.config, look.image.steps))
  const wrapped = memo((columns: number, _unused: number) => wrapDockerfile(lines(), columns))
  return createLinesTab({
    name: 'Dockerfile',
    lines: columns => wrapped(columns, 0),
    draw: (theme, all, view) => dockerfilePane(theme, all, { ...view, step: look.step }),
    home: all => {
      const at = all.findIndex(line => line.step === look.step)
      return at < 0 ? null : at
    },
    copies(line) {
      const block = lines().filter(one => one.step === line.step && line.step !== null)
      return [
        { text: dockerfileOf(look.image.config, look.image.steps), what: 'Dockerfile' },
        ...(block.length > 0 ? [{ text: block.map(one => one.text).join('\n'), what: `step ${line.step}` }] : []),
      ]
    },
  })
}

function once<T>(make: () => T): () => T {
  let value: { made: T } | null = null
  return () => (value ??= { made: make() }).made
}

/** Keeps the last answer. */
function memo<T>(make: (a: number, b: number) => T): (a: number, b?: number) => T {
  let last: { a: number; b: number; value: T } | null = null
  return (a, b = 0) => {
    if (last?.a !== a || last.b !== b) last = { a, b, value: make(a, b) }
    return last.value
  }
}

/** The tabs that follow from the step alone: Config as of it, and the Dockerfile with the step standing out. */
import { safe } from '../../base/text.ts'
import { type DockerfileLine, dockerfileLines, dockerfileOf } from '../../image/dockerfile.ts'
import { stepsWritten } from '../../image/written-steps.ts'
import type { Image } from '../../source/types.ts'
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
    pane: 'config',
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
  const lines = once(() => linesOf(look.image))
  const wrapped = memo((columns: number, _unused: number) => wrapDockerfile(lines(), columns))
  return createLinesTab({
    name: 'Dockerfile',
    pane: 'dockerfile',
    lines: columns => wrapped(columns, 0),
    draw: (theme, all, view) => dockerfilePane(theme, all, { ...view, step: look.step }),
    home: all => {
      const at = all.findIndex(line => line.step === look.step)
      return at < 0 ? null : at
    },
    copies(line) {
      const block = lines().filter(one => one.step === line.step && line.step !== null)
      return [
        { text: textOf(look.image), what: 'Dockerfile' },
        ...(block.length > 0 ? [{ text: block.map(one => one.text).join('\n'), what: `step ${line.step}` }] : []),
      ]
    },
  })
}

/** The Dockerfile as it was written, where it is known; else as the history tells it. */
function linesOf(image: Image): DockerfileLine[] {
  if (!image.written) return dockerfileLines(image.config, image.steps)
  const { file, target } = image.written
  const stepAt = new Map<number, number>()
  for (const [step, { from, to }] of stepsWritten(file, image.steps, target))
    for (let line = from; line <= to; line++) stepAt.set(line, step)
  return file.lines.map((text, at) => ({ text: safe(text.replaceAll('\t', '    ')), step: stepAt.get(at + 1) ?? null }))
}

function textOf(image: Image): string {
  return image.written ? image.written.file.lines.join('\n') : dockerfileOf(image.config, image.steps)
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

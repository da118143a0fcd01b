/** `strata stats`: what containers use, about once a second, in docker's columns. */
import { formatBytes } from '../../base/sizes.ts'
import { safe, safeJson } from '../../base/text.ts'
import type { ContainerEngine, Stats } from '../../engine/containers.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { type Column, writeLines, writeTable } from '../table.ts'
import { withEngines } from './engines.ts'

interface Row {
  engine: string
  id: string
  name: string
  stats: Stats | null
}

export async function stats(io: Io, wanted: string[], options: Options): Promise<number> {
  return withEngines(io, options, async engines => {
    const rows: (Row & { from: ContainerEngine })[] = []
    for (const one of wanted) {
      const { engine, id } = await engines.find(one)
      const facts = await engine.containers.inspect(id)
      rows.push({ engine: engine.id, id: facts.id, name: facts.name, stats: null, from: engine })
    }
    if (wanted.length === 0) {
      for (const engine of (await engines.all()).engines) {
        const list = await engine.containers.list({ all: options.all === true, signal: io.signal })
        rows.push(...list.map(({ id, name }) => ({ engine: engine.id, id, name, stats: null, from: engine })))
      }
    }
    if (options.stream === false) {
      await Promise.all(rows.map(row => once(row, io.signal)))
      await show(io, rows, options)
      return 0
    }
    return follow(io, rows, options)
  })
}

/** Two samples: the first one knows no rate. */
async function once(row: Row & { from: ContainerEngine }, signal: AbortSignal): Promise<void> {
  const stop = new AbortController()
  const both = AbortSignal.any([signal, stop.signal])
  for await (const sample of row.from.containers.stats(row.id, { signal: both })) {
    row.stats = sample
    if (sample.cpuPercent !== null) break
  }
  stop.abort()
}

/** Painted anew with each round; in a pipe one table after the other. */
async function follow(io: Io, rows: (Row & { from: ContainerEngine })[], options: Options): Promise<number> {
  let wake = () => {}
  let open = rows.length
  const runs = rows.map(async row => {
    try {
      for await (const sample of row.from.containers.stats(row.id, { signal: io.signal })) {
        row.stats = sample
        wake()
      }
    } finally {
      open--
      row.stats = null
      wake()
    }
  })
  const all = Promise.all(runs)
  all.catch(() => wake())
  while (!io.signal.aborted) {
    if (io.out.terminal && !options.json) await io.out.write('\x1b[H\x1b[J')
    await show(io, rows, options)
    await io.out.flush()
    if (open === 0) break
    await new Promise<void>(resolve => {
      wake = resolve
      io.signal.addEventListener('abort', () => resolve(), { once: true })
    })
    // The samples of one second come together.
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  await all
  return 0
}

async function show(io: Io, rows: readonly Row[], options: Options): Promise<void> {
  if (options.json)
    await writeLines(
      io.out,
      rows.map(({ engine, id, name, stats }) => safeJson({ engine, id, name, ...stats })),
    )
  else await writeTable(io.out, columns(options.trunc === false), rows)
}

const none = '--'

function columns(whole: boolean): Column<Row>[] {
  const percent = (value: number | null | undefined) =>
    value === null || value === undefined ? none : `${value.toFixed(2)}%`
  const two = (a: number | undefined, b: number | null | undefined) =>
    a === undefined ? none : `${formatBytes(a)} / ${b === null || b === undefined ? '–' : formatBytes(b)}`
  return [
    { title: 'CONTAINER ID', value: row => row.id, shown: row => (whole ? row.id : row.id.slice(0, 12)) },
    { title: 'NAME', value: row => safe(row.name) },
    { title: 'CPU %', value: row => percent(row.stats?.cpuPercent) },
    { title: 'MEM USAGE / LIMIT', value: row => two(row.stats?.memory, row.stats?.memoryLimit) },
    { title: 'MEM %', value: row => percent(shareOf(row.stats)) },
    { title: 'NET I/O', value: row => two(row.stats?.netReceived, row.stats?.netSent) },
    { title: 'BLOCK I/O', value: row => two(row.stats?.blockRead, row.stats?.blockWritten) },
    { title: 'PIDS', value: row => row.stats?.pids ?? null, shown: row => String(row.stats?.pids ?? none) },
    { title: 'ENGINE', value: row => safe(row.engine) },
  ]
}

function shareOf(stats: Stats | null): number | null {
  return stats?.memoryLimit ? (100 * stats.memory) / stats.memoryLimit : null
}

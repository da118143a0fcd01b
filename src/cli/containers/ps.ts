/** `strata ps`: the containers of every engine, in docker's columns. */
import { roughDuration } from '../../base/durations.ts'
import { formatBytes } from '../../base/sizes.ts'
import { cutEnd, safe, safeJson } from '../../base/text.ts'
import type { Container, Port } from '../../engine/containers.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { type Column, writeLines, writeTable } from '../table.ts'
import { withEngines } from './engines.ts'
import { filterOf } from './filters.ts'

export interface Row extends Container {
  engine: string
}

export async function ps(io: Io, _: string[], options: Options): Promise<number> {
  const matches = filterOf((options.filter as string[] | undefined) ?? [])
  const last = options.latest === true ? 1 : options.last === undefined ? null : Number(options.last)
  const all = options.all === true || last !== null || matches.wantsAll
  return withEngines(io, options, async engines => {
    const rows: Row[] = []
    const answered = await engines.all()
    const silent = [...answered.silent]
    const lists = answered.engines.map(async ({ id, containers }) => {
      try {
        const list = await containers.list({ all, sizes: options.size === true, signal: io.signal })
        rows.push(...list.map(one => ({ ...one, engine: id })))
      } catch (error) {
        if (io.signal.aborted) throw error
        silent.push({ name: id, reason: (error as Error).message })
      }
    })
    await Promise.all(lists)
    const chosen = rows.filter(matches).sort((a, b) => b.created - a.created || (a.name < b.name ? -1 : 1))
    await show(io, last === null ? chosen : chosen.slice(0, last), options)
    await io.out.flush()
    for (const { name, reason } of silent) await io.err.write(`strata: ${safe(name)}: ${safe(reason)}\n`)
    await io.err.flush()
    return silent.length > 0 ? 1 : 0
  })
}

async function show(io: Io, rows: Row[], options: Options): Promise<void> {
  const whole = options.trunc === false
  if (options.quiet)
    await writeLines(
      io.out,
      rows.map(row => (whole ? row.id : row.id.slice(0, 12))),
    )
  else if (options.json) await writeLines(io.out, rows.map(rowJson))
  else await writeTable(io.out, columns(whole, options.size === true), rows)
}

function rowJson({ upperBytes, ...row }: Row): string {
  return safeJson({ ...row, created: new Date(row.created * 1000).toISOString(), size: upperBytes })
}

function columns(whole: boolean, size: boolean): Column<Row>[] {
  const now = Date.now()
  const short = (text: string, most: number) => (whole ? text : cutEnd(text, most))
  const sizes: Column<Row> = {
    title: 'SIZE',
    value: row => row.upperBytes,
    shown: row => formatBytes(row.upperBytes ?? Number.NaN),
  }
  return [
    { title: 'CONTAINER ID', value: row => row.id, shown: row => (whole ? row.id : row.id.slice(0, 12)) },
    { title: 'IMAGE', value: row => safe(row.image) },
    {
      title: 'COMMAND',
      value: row => safe(row.command),
      shown: row => `"${short(safe(row.command), 20)}"`,
    },
    {
      title: 'CREATED',
      value: row => new Date(row.created * 1000).toISOString(),
      shown: row => `${roughDuration(now - row.created * 1000)} ago`,
    },
    { title: 'STATUS', value: row => safe(row.status), style: row => styleOf(row) },
    { title: 'PORTS', value: row => row.ports.map(portText).join(', ') },
    { title: 'NAMES', value: row => safe(row.name) },
    { title: 'ENGINE', value: row => safe(row.engine) },
    ...(size ? [sizes] : []),
  ]
}

function styleOf({ state }: Row): 'green' | 'yellow' | 'red' | null {
  if (state === 'running') return 'green'
  if (state === 'paused' || state === 'restarting') return 'yellow'
  return state === 'dead' || state === 'lost' ? 'red' : null
}

/** `0.0.0.0:8080->80/tcp` */
function portText({ host, hostPort, port, protocol }: Port): string {
  const own = `${port}/${protocol}`
  if (hostPort === null) return own
  return `${safe(host.includes(':') ? `[${host}]` : host)}:${hostPort}->${own}`
}

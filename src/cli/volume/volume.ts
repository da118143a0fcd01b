/** `strata volume create|ls|rm|inspect|prune`. */
import { Fault } from '../../base/errors.ts'
import { formatBytes } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { EngineVolume, VolumeFilters, Volumes } from '../../engine/volumes.ts'
import { withEngines } from '../containers/engines.ts'
import { pair } from '../containers/mounts.ts'
import { told } from '../containers/told.ts'
import { writeJsonLines } from '../json.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { type Column, writeLines, writeTable } from '../table.ts'
import { usage } from '../usage.ts'

export async function create(io: Io, [name]: string[], options: Options): Promise<number> {
  return withVolumes(io, options, async volumes => {
    const made = await volumes.create({
      name,
      driver: options.driver as string | undefined,
      options: pairs(options.opt),
      labels: pairs(options.label),
    })
    await io.out.write(`${safe(made)}\n`)
    return 0
  })
}

export async function ls(io: Io, _: string[], options: Options): Promise<number> {
  const filters = filtersOf(options.filter, ['dangling', 'driver', 'label', 'name'])
  return withVolumes(io, options, async (volumes, engine) => {
    const rows = (await volumes.list(filters)).sort((a, b) => (a.name < b.name ? -1 : 1))
    if (options.json)
      await writeJsonLines(
        io.out,
        rows.map(row => ({ engine, ...row })),
      )
    else if (options.quiet)
      await writeLines(
        io.out,
        rows.map(row => safe(row.name)),
      )
    else await writeTable(io.out, columns(rows), rows)
    return 0
  })
}

export async function rm(io: Io, wanted: string[], options: Options): Promise<number> {
  return withVolumes(io, options, async volumes => {
    let code = 0
    for (const name of wanted) {
      try {
        await volumes.remove(name, { force: options.force === true })
        await io.out.write(`${safe(name)}\n`)
      } catch (error) {
        await told(io, error)
        code = 1
      }
    }
    return code
  })
}

export async function inspect(io: Io, wanted: string[], options: Options): Promise<number> {
  return withVolumes(io, options, async (volumes, engine) => {
    let code = 0
    for (const name of wanted) {
      try {
        await writeJsonLines(io.out, [{ engine, ...(await volumes.inspect(name)) }])
      } catch (error) {
        await told(io, error)
        code = 1
      }
    }
    return code
  })
}

export async function prune(io: Io, _: string[], options: Options): Promise<number> {
  const filters = filtersOf(options.filter, ['label'])
  if (options.force !== true && !(await confirmed(io))) return 0
  return withVolumes(io, options, async volumes => {
    const { names, bytes } = await volumes.prune(filters)
    if (options.json) await writeJsonLines(io.out, [{ bytes, volumes: names }])
    else {
      await writeLines(
        io.out,
        names.map(name => `Deleted volume: ${safe(name)}`),
      )
      await io.out.write(`Space freed: ${bytes === null ? 'unknown' : formatBytes(bytes)}\n`)
    }
    return 0
  })
}

async function withVolumes(
  io: Io,
  options: Options,
  use: (volumes: Volumes, engine: string) => Promise<number>,
): Promise<number> {
  return withEngines(io, options, async engines => {
    const engine = await engines.wanted()
    if (engine.volumes) return use(engine.volumes, engine.id)
    throw new Fault(`${safe(engine.id)} has no volumes.`)
  })
}

async function confirmed(io: Io): Promise<boolean> {
  if (process.stdin.isTTY !== true)
    throw new Fault('Nobody can be asked whether all unused volumes are to be removed.', {
      hint: 'strata volume prune --force removes them without asking.',
    })
  const { createInterface } = await import('node:readline/promises')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question('Remove all volumes that no container has? [y/N] ', { signal: io.signal })
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}

function columns(rows: readonly EngineVolume[]): Column<EngineVolume>[] {
  const all: Column<EngineVolume>[] = [
    { title: 'DRIVER', value: row => safe(row.driver) },
    { title: 'VOLUME NAME', value: row => safe(row.name) },
  ]
  const users: Column<EngineVolume> = { title: 'USED BY', value: row => safe(row.users?.join(', ') ?? ''), cut: true }
  return rows.some(row => row.users !== null) ? [...all, users] : all
}

function pairs(texts: unknown): Record<string, string> {
  return Object.fromEntries(((texts as string[] | undefined) ?? []).map(pair))
}

function filtersOf<Name extends keyof VolumeFilters>(
  texts: unknown,
  names: readonly Name[],
): Partial<Record<Name, string[]>> {
  const filters: Partial<Record<Name, string[]>> = {}
  for (const text of (texts as string[] | undefined) ?? []) {
    const [key, value] = pair(text)
    const name = names.find(one => one === key)
    if (name === undefined || value === '')
      throw usage(
        `There is no filter “${safe(text)}”.`,
        `Filters are ${names.join(', ')}: --filter ${names.at(-1)}=web`,
      )
    filters[name] = [...(filters[name] ?? []), value]
  }
  return filters
}

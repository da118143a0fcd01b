/** `strata prune`: frees what nobody needs, on every engine or the wanted one. The Storage screen's prune does the same. */
import process from 'node:process'
import { Fault } from '../../base/errors.ts'
import { formatBytes } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import { type Plan, type PruneKinds, planPrune, type Victim } from '../../engine/prune.ts'
import { carryOut, type Outcome } from '../../engine/prune-carry.ts'
import { addSums, type Sum } from '../../engine/usage-sums.ts'
import { writeJsonLines } from '../json.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { type Column, writeTable } from '../table.ts'
import { type Disk, withDisks } from './df.ts'

type Planned = Disk & { plan: Plan }

export async function prune(io: Io, _: string[], options: Options): Promise<number> {
  const dryRun = options.dryRun === true
  return withDisks(io, options, async disks => {
    const planned = disks.map(disk => ({ ...disk, plan: planPrune(disk.usage, kindsOf(options)) }))
    if (dryRun) {
      await tell(io, options, planned.map(asIfDone), planned)
      return 0
    }
    const wanted = planned.filter(one => one.plan.victims.length > 0)
    if (wanted.length > 0 && options.force !== true && !(await confirmed(io, wanted))) return 0
    const outcomes: (Outcome & { id: string })[] = []
    for (const { id, engine, usage, plan } of wanted)
      outcomes.push({ id, ...(await carryOut(engine.storage, usage, plan, { signal: io.signal })) })
    await tell(io, options, outcomes, planned)
    return outcomes.some(one => one.stayed.length > 0) ? 1 : 0
  })
}

function kindsOf({ all, volumes, namedVolumes, buildCache }: Options): PruneKinds {
  return {
    containers: true,
    images: all === true ? 'unused' : 'dangling',
    volumes: namedVolumes === true ? 'all' : volumes === true ? 'anonymous' : 'none',
    cache: buildCache === true,
    layers: true,
  }
}

function asIfDone({ id, plan }: Planned): Outcome & { id: string } {
  return { id, gone: plan.victims, stayed: [], frees: plan.frees }
}

/** Shows what would go, and asks. */
async function confirmed(io: Io, planned: readonly Planned[]): Promise<boolean> {
  if (process.stdin.isTTY !== true)
    throw new Fault('Nobody can be asked whether all of that is to be removed.', {
      hint: 'strata prune --dry-run shows it, strata prune --force removes it without asking.',
      exitCode: 2,
    })
  const rows = planned.flatMap(({ id, plan }) => plan.victims.map(victim => ({ id, victim })))
  await writeTable(io.err, columns, rows)
  await io.err.write(`${spaceLine('Space that would be freed', addSums(planned.map(one => one.plan.frees)))}\n`)
  await io.err.flush()
  const { createInterface } = await import('node:readline/promises')
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return /^y(es)?$/i.test((await terminal.question('Remove it? [y/N] ', { signal: io.signal })).trim())
  } finally {
    terminal.close()
  }
}

const columns: Column<{ id: string; victim: Victim }>[] = [
  { title: 'ENGINE', value: row => safe(row.id) },
  { title: 'KIND', value: row => row.victim.kind },
  { title: 'WHAT', value: row => safe(row.victim.names.join(', ') || row.victim.name) },
  {
    title: 'FREES',
    value: row => row.victim.bytes,
    shown: row => (row.victim.bytes === null ? '?' : formatBytes(row.victim.bytes)),
    align: 'right',
  },
]

async function tell(
  io: Io,
  options: Options,
  outcomes: readonly (Outcome & { id: string })[],
  planned: readonly Planned[],
): Promise<void> {
  const dryRun = options.dryRun === true
  const frees = addSums(outcomes.map(one => one.frees))
  if (options.json) {
    const removed = outcomes.flatMap(({ id, gone }) => gone.map(one => ({ engine: id, ...one })))
    const refused = outcomes.flatMap(({ id, stayed }) =>
      stayed.map(({ victim, why }) => ({ engine: id, kind: victim.kind, id: victim.id, name: victim.name, why })),
    )
    const stays = planned.flatMap(({ id, plan }) => plan.stays.map(one => ({ engine: id, ...one })))
    const { bytes, atLeast } = frees
    await writeJsonLines(io.out, [{ dryRun, bytes, atLeast, removed, refused, stays }])
    return io.out.flush()
  }
  const several = new Set(outcomes.map(one => one.id)).size > 1
  for (const { id, gone, stayed } of outcomes) {
    const before = several ? `${safe(id)}: ` : ''
    for (const victim of gone) {
      for (const name of victim.names)
        await io.out.write(`${before}${dryRun ? 'Would untag' : 'Untagged'}: ${safe(name)}\n`)
      await io.out.write(`${before}${linesOf(victim, dryRun ? 'Would delete' : 'Deleted')}\n`)
    }
    await io.out.flush()
    for (const { victim, why } of stayed)
      await io.err.write(`strata: ${before}${safe(victim.name)} stays: ${safe(why)}.\n`)
    await io.err.flush()
  }
  await io.out.write(`${spaceLine(dryRun ? 'Space that would be freed' : 'Space freed', frees)}\n`)
  await io.out.flush()
}

function linesOf({ kind, id, name, bytes }: Victim, verb: string): string {
  const size = bytes === null ? 'size not known' : formatBytes(bytes)
  if (kind === 'image') return `${verb}: ${safe(id)}`
  if (kind === 'layer')
    return `${verb} ${/^(?:blob|partial) /.test(id) ? safe(id) : `unpacked layer ${safe(id)}`}: ${size}`
  return `${verb} ${kind === 'cache' ? 'cache entry' : kind} ${safe(kind === 'cache' ? id : name)}: ${size}`
}

function spaceLine(words: string, { bytes, atLeast }: Sum): string {
  return `${words}: ${atLeast ? 'at least ' : ''}${formatBytes(bytes)}`
}

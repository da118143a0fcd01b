/** Removing what plans name, engine by engine: the question, the doing with its journal, what came of it. */
import { addSums, carryOut, chosenOf, freedBy, shortId, verbLine } from '../../actions/disks.ts'
import { asFault } from '../../base/errors.ts'
import { shellLine } from '../../base/shell-words.ts'
import { formatBytes } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { ContainerEngine } from '../../engine/containers.ts'
import type { PieceKind, Plan, Victim } from '../../engine/prune.ts'
import type { Outcome } from '../../engine/prune-carry.ts'
import type { DiskUsage, Storage } from '../../engine/usage.ts'
import type { Sum } from '../../engine/usage-sums.ts'
import type { Question, Ui } from '../ui.ts'

import { formatSum, some } from './table.ts'

/** What is to go from one engine. */
export interface EnginePlan {
  id: string
  engine: ContainerEngine & { storage: Storage }
  usage: DiskUsage
  plan: Plan
}

/** What came of it on one engine. */
export interface EngineOutcome extends Outcome {
  id: string
}

/** The question before it, with every victim and the bytes that are really freed. */
export function questionOf(plans: readonly EnginePlan[]): Question {
  const victims = plans.flatMap(({ id, plan }) => plan.victims.map(victim => ({ id, victim })))
  const stays = plans.flatMap(({ plan }) => plan.stays)
  const several = new Set(victims.map(one => one.id)).size > 1
  const width = Math.max(0, ...victims.map(({ victim }) => kindNames[victim.kind].length))
  const what = tally(victims.map(one => one.victim))
  const kept = plans.reduce((sum, { plan }) => sum + plan.kept, 0)
  const together = plans.reduce((sum, { plan }) => sum + plan.together, 0)
  return {
    title: `Remove ${what}?`,
    lines: [
      freesLine(addSums(plans.map(({ plan }) => plan.frees))),
      ...(together > 0 ? [`${formatBytes(together)} of that they share with each other and nobody else.`] : []),
      ...(kept > 0 ? [`${formatBytes(kept)} of their layers stay: others need them.`] : []),
      ...(victims.some(({ victim }) => victim.kind === 'volume' && victim.bytes !== 0)
        ? ['What is in the volumes is lost for good.']
        : []),
      '',
      ...victims.map(({ id, victim }) => {
        const size = victim.bytes === null ? 'size not known' : formatBytes(victim.bytes)
        return `${kindNames[victim.kind].padEnd(width)}  ${victimName(victim)}${several ? `  ${safe(id)}` : ''}  ${size}`
      }),
      ...(stays.length > 0 ? ['', ...stays.map(one => `stays: ${safe(nameOf(one))}, for ${safe(one.why)}`)] : []),
    ],
    yes: `remove ${what}`,
    danger: true,
    commands: plans.flatMap(one => commandsOf(one)),
  }
}

/** Removes it; undefined when it was cancelled or nothing could be done. */
export async function carryOutAll(ui: Ui, plans: readonly EnginePlan[]): Promise<EngineOutcome[] | undefined> {
  const total = plans.reduce((sum, { plan }) => sum + plan.victims.length, 0)
  return ui.work('Removing', async ({ signal, onProgress }) => {
    const outcomes: EngineOutcome[] = []
    let done = 0
    for (const { id, engine, usage, plan } of plans) {
      const gone: Victim[] = []
      const stayed: { victim: Victim; why: string }[] = []
      for (const victims of byKind(plan.victims)) {
        const deed = { what: `removed ${tally(victims)}`, engine: id, command: commandOf(engine, victims) }
        const run = () =>
          carryOut(
            engine.storage,
            usage,
            { victims },
            { signal, onProgress: one => onProgress({ done: done + one.done, total }) },
          )
        try {
          const outcome = await ui.services.journal.record(deed, run)
          gone.push(...outcome.gone)
          stayed.push(...outcome.stayed)
        } catch (error) {
          if (signal.aborted) throw error
          const { message } = asFault(error, `${id} did not answer`)
          stayed.push(...victims.map(victim => ({ victim, why: message.replace(/\.$/, '') })))
        }
        done += victims.length
      }
      outcomes.push({ id, gone, stayed, frees: freedBy(usage, chosenOf(gone)) })
    }
    return outcomes
  })
}

/** `freed 20.9 MB: 1 container, 4 images`, and what stayed. */
export function tellOutcome(ui: Ui, outcomes: readonly EngineOutcome[]): void {
  const gone = outcomes.flatMap(one => one.gone)
  const stayed = outcomes.flatMap(one => one.stayed)
  if (gone.length > 0) ui.toast(`freed ${formatSum(addSums(outcomes.map(one => one.frees)))}: ${tally(gone)}`)
  if (stayed.length === 0) return
  const lines = stayed.map(({ victim, why }) => `${victimName(victim)}: ${safe(why)}`)
  void ui.confirm({ title: `${some(stayed.length, 'thing')} stayed`, lines, yes: 'well' })
}

/** `1 container, 4 images` */
export function tally(victims: readonly Pick<Victim, 'kind'>[]): string {
  const words = (Object.keys(kindNames) as PieceKind[]).flatMap(kind => {
    const count = victims.filter(one => one.kind === kind).length
    if (count === 0) return []
    if (kind === 'cache') return [count === 1 ? '1 cache entry' : `${count} cache entries`]
    return [some(count, kindNames[kind])]
  })
  return words.join(', ') || 'nothing'
}

/** Harmless, and short where nobody gave it. */
export function victimName(victim: Pick<Victim, 'kind' | 'id' | 'name'> & { names?: readonly string[] }): string {
  const name = safe(nameOf(victim))
  const others = (victim.names?.length ?? 0) - 1
  return others > 0 ? `${name} and ${some(others, 'other name')}` : name
}

export const kindNames: Record<PieceKind, string> = {
  container: 'container',
  image: 'image',
  volume: 'volume',
  cache: 'cache',
  layer: 'layer',
}

function nameOf({ kind, id, name }: Pick<Victim, 'kind' | 'id' | 'name'>): string {
  if (kind === 'layer') return shortId(id)
  if (kind === 'volume' && /^[0-9a-f]{64}$/.test(name)) return shortId(name)
  return name
}

function freesLine(frees: Sum): string {
  if (frees.bytes === 0) return frees.atLeast ? 'How much is freed is not known.' : 'Nothing is freed by it.'
  return `${frees.atLeast ? 'At least ' : ''}${formatBytes(frees.bytes)} are really freed.`
}

function byKind(victims: readonly Victim[]): Victim[][] {
  const order = Object.keys(kindNames) as PieceKind[]
  return order.map(kind => victims.filter(one => one.kind === kind)).filter(one => one.length > 0)
}

function commandsOf({ engine, plan }: EnginePlan): string[] {
  return byKind(plan.victims).map(victims => safe(shellLine(commandOf(engine, victims))))
}

const verbs: Record<PieceKind, string[]> = {
  container: ['rm'],
  image: ['rmi'],
  volume: ['volume', 'rm'],
  cache: ['builder', 'prune', '-a'],
  layer: ['prune'],
}

/** The same by hand. Layers of the native store are not removed one by one there. */
function commandOf(engine: ContainerEngine, victims: readonly Victim[]): string[] {
  const kind = victims[0]?.kind ?? 'layer'
  const names = victims.flatMap(one =>
    one.names.length > 0 ? one.names : [one.kind === 'image' ? shortId(one.id) : one.name],
  )
  if (kind === 'cache')
    return verbLine(engine, verbs.cache, ['--filter', `id=^(${victims.map(one => one.id).join('|')})$`])
  return verbLine(engine, verbs[kind], kind === 'layer' ? [] : names)
}

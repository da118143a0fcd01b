/** Removes what a plan names and nothing else: what began to be used since it was made stays. */
import type { Work } from '../base/progress.ts'
import type { Plan, Victim } from './prune.ts'
import type { DiskUsage, Holders, Piece, Storage } from './usage.ts'
import { choose, freedBy, isStopped, type Sum } from './usage-sums.ts'

export interface Outcome {
  gone: readonly Victim[]
  stayed: readonly { victim: Victim; why: string }[]
  /** What is freed by those that went, from the sizes of when the plan was made. */
  frees: Sum
}

/** Asks who uses what now, and removes in the plan's order. Throws a Fault when the engine does not answer. */
export async function carryOut(
  storage: Pick<Storage, 'holders' | 'remove'>,
  usage: DiskUsage,
  { victims }: Pick<Plan, 'victims'>,
  { signal, onProgress }: Work = {},
): Promise<Outcome> {
  const changed = changedSince(usage, victims, await storage.holders({ signal }))
  const stayed = victims.flatMap(victim => {
    const why = changed.get(victim)
    return why === undefined ? [] : [{ victim, why }]
  })
  const left = victims.filter(victim => !changed.has(victim))
  const gone: Victim[] = []
  for (const some of inTurns(left)) {
    const reasons = await storage.remove(some.map(pieceOf), { signal })
    for (const [at, victim] of some.entries()) {
      const why = reasons[at] ?? null
      if (why === null) gone.push(victim)
      else stayed.push({ victim, why })
    }
    onProgress?.({ done: gone.length + stayed.length, total: victims.length })
  }
  return { gone, stayed, frees: freedBy(usage, chosenOf(gone)) }
}

/** Why a victim is none any more. Pure. */
export function changedSince(usage: DiskUsage, victims: readonly Victim[], now: Holders): Map<Victim, string> {
  const going = new Set(victims.filter(one => one.kind === 'container').map(one => one.id))
  const before = new Map(usage.images.map(one => [one.id, new Set(one.names)]))
  const changed = new Map<Victim, string>()
  for (const victim of victims) {
    const why = whyNow(victim)
    if (why === null) continue
    changed.set(victim, why)
    if (victim.kind === 'container') going.delete(victim.id)
  }
  return changed

  function whyNow({ kind, id }: Victim): string | null {
    const others = now.containers.filter(one => !going.has(one.id))
    if (kind === 'container') {
      const container = now.containers.find(one => one.id === id)
      return container && !isStopped(container) ? 'it runs by now' : null
    }
    if (kind === 'volume') {
      const user = others.find(one => one.volumes.includes(id))
      return user ? `${user.name} mounts it by now` : null
    }
    if (kind !== 'image') return null
    const user = others.find(one => one.imageId === id)
    if (user) return `${user.name} is made of it by now`
    const named = now.images.find(one => one.id === id)?.names.find(name => !before.get(id)?.has(name))
    return named === undefined ? null : `it is called ${named} by now`
  }
}

/** Ids by kind, for the sums. */
export function chosenOf(victims: readonly Victim[]) {
  const of = (kind: Victim['kind']) => new Set(victims.filter(one => one.kind === kind).map(one => one.id))
  return choose({
    containers: of('container'),
    images: of('image'),
    volumes: of('volume'),
    cache: of('cache'),
    layers: of('layer'),
  })
}

/** One by one, so that it can be followed and stopped; the build cache and the native store's layers at once. */
function inTurns(victims: readonly Victim[]): Victim[][] {
  const turns: Victim[][] = []
  for (const victim of victims) {
    const last = turns.at(-1)
    const atOnce = victim.kind === 'cache' || victim.kind === 'layer'
    if (atOnce && last?.[0]?.kind === victim.kind) last.push(victim)
    else turns.push([victim])
  }
  return turns
}

function pieceOf({ kind, id, names }: Victim): Piece {
  return kind === 'image' ? { kind, id, names } : { kind, id }
}

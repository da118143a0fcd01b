/** What the preview of a prune shows: choices, exact victims, and why the rest stays. Pure. */
import type { PieceKind, Plan, PruneKinds, Staying, Victim } from '../../engine/prune.ts'
import { planPrune, planRemoval } from '../../engine/prune.ts'
import type { EngineDisk } from '../../engine/usage-watch.ts'
import type { EnginePlan } from './deed.ts'

export interface PruneState {
  kinds: PruneKinds
  /** Engines that are left out. */
  without: ReadonlySet<string>
  /** Victims that a person spares, by their keys. */
  spared: ReadonlySet<string>
}

export const usualKinds: PruneKinds = {
  containers: true,
  images: 'dangling',
  volumes: 'none',
  cache: false,
  layers: true,
}

/** A line that can be turned on and off. */
export interface Choice {
  id: keyof PruneKinds | 'engine'
  label: string
  /** Of several ways the one that is chosen; null where it is only on or off. */
  way: string | null
  on: boolean
  /** Of the engine that it is about. */
  engineId: string | null
  /** What of it goes. */
  count: number
  bytes: number
}

export interface PruneVictim {
  key: string
  engineId: string
  victim: Victim
  spared: boolean
}

export interface PruneView {
  plans: EnginePlan[]
  choices: Choice[]
  victims: PruneVictim[]
  stays: (Staying & { engineId: string })[]
}

/** Everything that follows from what is chosen. */
export function pruneView(disks: readonly EngineDisk[], state: PruneState): PruneView {
  const able = disks.flatMap(({ id, engine, usage }) =>
    usage && engine?.storage ? [{ id, usage, engine: { ...engine, storage: engine.storage } }] : [],
  )
  const whole = able
    .filter(one => !state.without.has(one.id))
    .map(one => ({ ...one, plan: planPrune(one.usage, state.kinds) }))
  const keyOf = (id: string, victim: Victim) => `${id} ${victim.kind} ${victim.id}`
  const victims = whole.flatMap(({ id, plan }) =>
    plan.victims.map((victim): PruneVictim => {
      const key = keyOf(id, victim)
      return { key, engineId: id, victim, spared: state.spared.has(key) }
    }),
  )
  const plans = whole.map((one): EnginePlan => {
    const left = one.plan.victims.filter(victim => !state.spared.has(keyOf(one.id, victim)))
    return left.length === one.plan.victims.length ? one : { ...one, plan: sparing(one, left) }
  })
  const going = plans.flatMap(({ id, plan }) => plan.victims.map(victim => ({ id, victim })))
  const tally = (fits: (id: string, kind: PieceKind) => boolean) => {
    const all = going.filter(({ id, victim }) => fits(id, victim.kind))
    return { count: all.length, bytes: all.reduce((sum, one) => sum + (one.victim.bytes ?? 0), 0) }
  }
  const { kinds } = state
  const has = (what: 'volumes' | 'cache' | 'layers') => able.some(one => one.engine.storage.holds[what])
  const kind = (id: keyof PruneKinds, label: string, of: PieceKind, way: string | null, on: boolean): Choice => ({
    ...{ id, label, way, on, engineId: null },
    ...tally((_, kind) => kind === of),
  })
  return {
    plans,
    victims: victims.map(one => ({ ...one, victim: fresh(plans, one) })),
    stays: plans.flatMap(({ id, plan }) => plan.stays.map(one => ({ ...one, engineId: id }))),
    choices: [
      kind('containers', 'Containers that do not run', 'container', null, kinds.containers),
      kind('images', 'Images', 'image', imageWays[kinds.images], kinds.images !== 'none'),
      ...(has('volumes')
        ? [kind('volumes', 'Volumes', 'volume', volumeWays[kinds.volumes], kinds.volumes !== 'none')]
        : []),
      ...(has('cache') ? [kind('cache', 'Build cache', 'cache', null, kinds.cache)] : []),
      ...(has('layers') ? [kind('layers', 'Layers that nobody needs', 'layer', null, kinds.layers)] : []),
      ...(able.length > 1
        ? able.map(({ id }): Choice => {
            const sums = tally(one => one === id)
            return { id: 'engine', label: id, way: null, on: !state.without.has(id), engineId: id, ...sums }
          })
        : []),
    ],
  }
}

/** The state with one of its choices turned on, off, or to its next way. */
export function toggled(state: PruneState, { id, engineId }: Choice, by: 1 | -1): PruneState {
  const { kinds } = state
  if (id === 'engine') return { ...state, without: flipped(state.without, engineId ?? '') }
  if (id === 'images')
    return { ...state, kinds: { ...kinds, images: next(['none', 'dangling', 'unused'], kinds.images, by) } }
  if (id === 'volumes')
    return { ...state, kinds: { ...kinds, volumes: next(['none', 'anonymous', 'all'], kinds.volumes, by) } }
  return { ...state, kinds: { ...kinds, [id]: !kinds[id] } }
}

export function flipped(set: ReadonlySet<string>, one: string): Set<string> {
  const changed = new Set(set)
  if (!changed.delete(one)) changed.add(one)
  return changed
}

const imageWays = { none: 'none', dangling: 'without a name', unused: 'all without a container' }
const volumeWays = { none: 'none', anonymous: 'that nobody named', all: 'all without a container' }

function next<T>(ways: readonly T[], now: T, by: 1 | -1): T {
  return ways[(ways.indexOf(now) + by + ways.length) % ways.length]!
}

/** What is left when some are spared: what only they would have let go stays too. */
function sparing(
  { usage, plan }: EnginePlan | { usage: EnginePlan['usage']; plan: Plan },
  left: readonly Victim[],
): Plan {
  const picked = planRemoval(usage, left)
  return { ...picked, stays: [...picked.stays, ...plan.stays] }
}

/** Sizes are those of what is left. */
function fresh(plans: readonly EnginePlan[], { engineId, victim, spared }: PruneVictim): Victim {
  const left = plans.find(one => one.id === engineId)?.plan.victims
  return (
    left?.find(one => one.kind === victim.kind && one.id === victim.id) ?? (spared ? victim : { ...victim, bytes: 0 })
  )
}

/** What the preview of a prune shows: choices, exact victims, and why the rest stays. Pure. */
import { planPrune, planRemoval } from '../../actions/disks.ts'
import type { PieceKind, Plan, PruneKinds, Staying, Victim } from '../../engine/prune.ts'
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
  /** A person spares it. */
  spared: boolean
  /** false: it is spared, or stays because of one that is. */
  goes: boolean
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
      return { key, engineId: id, victim, spared: state.spared.has(key), goes: false }
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
    victims: victims.map(one => fresh(plans, one)),
    stays: plans.flatMap(({ id, plan }) => plan.stays.map(one => ({ ...one, engineId: id }))),
    choices: [
      kind('containers', 'Stopped containers', 'container', null, kinds.containers),
      kind('images', 'Images', 'image', imageWays[kinds.images], kinds.images !== 'none'),
      ...(has('volumes')
        ? [kind('volumes', 'Volumes', 'volume', volumeWays[kinds.volumes], kinds.volumes !== 'none')]
        : []),
      ...(has('cache') ? [kind('cache', 'Build cache', 'cache', null, kinds.cache)] : []),
      ...(has('layers') ? [kind('layers', 'Unused layers', 'layer', null, kinds.layers)] : []),
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

const imageWays = { none: 'none', dangling: 'nameless', unused: 'all unused' }
const volumeWays = { none: 'none', anonymous: 'nameless', all: 'all unused' }

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
function fresh(plans: readonly EnginePlan[], one: PruneVictim): PruneVictim {
  const left = plans.find(({ id }) => id === one.engineId)?.plan.victims
  const victim = left?.find(({ kind, id }) => kind === one.victim.kind && id === one.victim.id)
  return victim ? { ...one, victim, goes: true } : one
}

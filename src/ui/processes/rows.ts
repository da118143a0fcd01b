/** Processes with what they did since they were looked at last, in an order. Pure. */
import type { ContainerProcess } from '../../engine/containers.ts'

export interface Sampled extends ContainerProcess {
  /** Milliseconds on some clock that only goes forward. */
  at: number
  /** Per cent of one core since the look before; null where there was none, or nobody tells. */
  busy: number | null
}

export type SortBy = 'cpu' | 'memory' | 'number' | 'time'

/** The same process has the same key at every look. */
export function keyOf({ pid, inside, started }: ContainerProcess): string {
  return `${pid ?? ''} ${inside ?? ''} ${started ?? ''}`
}

/** What was seen at a moment, with how busy each was since the look before. */
export function sampled(
  processes: readonly ContainerProcess[],
  at: number,
  before: readonly Sampled[] | null,
): Sampled[] {
  const known = new Map((before ?? []).map(one => [keyOf(one), one]))
  return processes.map(one => {
    const last = known.get(keyOf(one))
    // Whole seconds of a program's time tell nothing about a moment.
    const exact = one.started !== null && one.cpu !== null && last?.cpu != null && at > last.at
    return { ...one, at, busy: exact ? (100_000 * Math.max(0, one.cpu! - last!.cpu!)) / (at - last!.at) : null }
  })
}

/** In an order that stays where nothing changes. */
export function sorted(rows: readonly Sampled[], by: SortBy): Sampled[] {
  const value = (one: Sampled) =>
    by === 'cpu' ? (one.busy ?? -1) : by === 'memory' ? (one.resident ?? -1) : by === 'time' ? (one.cpu ?? -1) : 0
  return rows.toSorted((a, b) => value(b) - value(a) || number(a) - number(b))
}

function number({ inside, pid }: ContainerProcess): number {
  return inside ?? pid ?? 0
}

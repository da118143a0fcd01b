/** The rows of the list of containers: which are shown, in what order. Pure. */
import type { Container, ContainerEngine, ContainerState } from '../../engine/containers.ts'
import type { WatchedEngine } from '../../engine/watching.ts'

export interface ContainerRow {
  /** Stays the same while the row means the same container. */
  key: string
  engineId: string
  /** To act on; null while there is no connection. */
  engine: ContainerEngine | null
  /** Whether it may be other than this by now. */
  stale: boolean
  container: Container
}

export type SortBy = 'state' | 'name' | 'created' | 'image' | 'engine'

export interface Order {
  by: SortBy
  /** The other way round. */
  turned: boolean
}

/** The orders that the menu offers. */
export const orders: readonly { by: SortBy; label: string; key: string }[] = [
  { by: 'state', label: 'state, running ones first', key: 's' },
  { by: 'name', label: 'name', key: 'n' },
  { by: 'created', label: 'age, newest first', key: 'a' },
  { by: 'image', label: 'image', key: 'i' },
  { by: 'engine', label: 'engine', key: 'e' },
]

/** Every container of every engine. */
export function allRows(engines: readonly WatchedEngine[]): ContainerRow[] {
  return engines.flatMap(({ id, engine, stale, containers }) =>
    containers.map(container => ({ key: `${id} ${container.id}`, engineId: id, engine, stale, container })),
  )
}

export interface Shown {
  filter: string
  order: Order
  runningOnly: boolean
}

/** Those that contain every word of the filter, in order. */
export function shownRows(rows: readonly ContainerRow[], { filter, order, runningOnly }: Shown): ContainerRow[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  const kept = rows.filter(({ engineId, container }) => {
    if (runningOnly && !runs(container)) return false
    const { name, image, id, status, state, command } = container
    const text = `${name} ${image} ${id} ${state} ${status} ${engineId} ${command}`.toLowerCase()
    return words.every(word => text.includes(word))
  })
  const sign = order.turned ? -1 : 1
  return kept.sort((a, b) => sign * compare(a, b, order.by) || newest(a, b))
}

/** Whether it is there to be stopped. */
export function runs({ state }: Pick<Container, 'state'>): boolean {
  return state === 'running' || state === 'paused' || state === 'restarting'
}

const rank: Record<ContainerState, number> = {
  running: 0,
  restarting: 1,
  paused: 2,
  removing: 3,
  dead: 4,
  lost: 4,
  exited: 5,
  created: 6,
}

function compare(a: ContainerRow, b: ContainerRow, by: SortBy): number {
  if (by === 'state') return rank[a.container.state] - rank[b.container.state]
  if (by === 'created') return newest(a, b)
  if (by === 'engine') return compareText(a.engineId, b.engineId)
  return compareText(a.container[by], b.container[by])
}

function newest(a: ContainerRow, b: ContainerRow): number {
  return b.container.created - a.container.created || compareText(a.container.name, b.container.name)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

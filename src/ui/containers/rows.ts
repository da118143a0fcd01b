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

/** What a list tells; what is measured; what is asked for one by one. */
export type SortBy = 'state' | 'name' | 'created' | 'image' | 'engine' | 'ports' | 'health' | Measured
export type Measured = 'cpu' | 'memory' | 'size' | 'restarts' | 'since'

/** A number that rows are sorted by; null while it is not known. */
export type Measure = (row: ContainerRow, what: Measured) => number | null

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
  { by: 'cpu', label: 'CPU, most first', key: 'c' },
  { by: 'memory', label: 'memory, most first', key: 'm' },
  { by: 'size', label: 'live layer, biggest first', key: 'l' },
  { by: 'restarts', label: 'restarts, most first', key: 'r' },
  { by: 'since', label: 'started or ended, last first', key: 't' },
  { by: 'health', label: 'health, unhealthy ones first', key: 'h' },
  { by: 'ports', label: 'ports', key: 'p' },
  { by: 'image', label: 'image', key: 'i' },
  { by: 'engine', label: 'engine', key: 'e' },
]

const measured: readonly string[] = ['cpu', 'memory', 'size', 'restarts', 'since'] satisfies Measured[]

/** Whether rows change places by themselves in this order. */
export function isMeasured(by: SortBy): by is Measured {
  return measured.includes(by)
}

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
export function shownRows(
  rows: readonly ContainerRow[],
  { filter, order, runningOnly }: Shown,
  measure: Measure = () => null,
): ContainerRow[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  const kept = rows.filter(({ engineId, container }) => {
    if (runningOnly && !runs(container)) return false
    const { name, image, id, status, state, command } = container
    const text = `${name} ${image} ${id} ${state} ${status} ${engineId} ${command}`.toLowerCase()
    return words.every(word => text.includes(word))
  })
  const sign = order.turned ? -1 : 1
  const { by } = order
  if (isMeasured(by)) return byMeasure(kept, row => measure(row, by), sign)
  return kept.sort((a, b) => sign * compare(a, b, by) || newest(a, b))
}

/** The most first; what is not known comes last, whichever way round. */
function byMeasure(rows: ContainerRow[], measure: (row: ContainerRow) => number | null, sign: number): ContainerRow[] {
  const numbers = new Map(rows.map(row => [row, measure(row)]))
  return rows.sort((a, b) => {
    const [one, other] = [numbers.get(a) ?? null, numbers.get(b) ?? null]
    if (one === null || other === null) return one === other ? newest(a, b) : one === null ? 1 : -1
    return sign * (other - one) || newest(a, b)
  })
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

const healthRank: Record<string, number> = { unhealthy: 0, starting: 1, healthy: 2 }

function compare(a: ContainerRow, b: ContainerRow, by: Exclude<SortBy, Measured>): number {
  if (by === 'health') return (healthRank[a.container.health ?? ''] ?? 3) - (healthRank[b.container.health ?? ''] ?? 3)
  if (by === 'ports') return firstPort(a) - firstPort(b)
  if (by === 'state') return rank[a.container.state] - rank[b.container.state]
  if (by === 'created') return newest(a, b)
  if (by === 'engine') return compareText(a.engineId, b.engineId)
  return compareText(a.container[by], b.container[by])
}

/** Those without come last. */
function firstPort({ container }: ContainerRow): number {
  return Math.min(65_536, ...container.ports.map(port => port.hostPort ?? port.port))
}

function newest(a: ContainerRow, b: ContainerRow): number {
  return b.container.created - a.container.created || compareText(a.container.name, b.container.name)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

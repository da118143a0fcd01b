/** All rows and those that are shown; worked out again only when what they follow from has changed. */
import type { WatchedEngine } from '../../engine/watching.ts'
import { allRows, type ContainerRow, type Measure, type Order, shownRows } from './rows.ts'

interface Follows {
  engines: readonly WatchedEngine[]
  filter: string
  order: Order
  runningOnly: boolean
  /** Counts when rows that are measured are sorted again. */
  sorted: number
}

export function rememberRows(measure: Measure) {
  let all: ContainerRow[] = []
  let last: Follows | null = null
  let shown: ContainerRow[] = []
  return (state: Follows): { all: ContainerRow[]; shown: ContainerRow[] } => {
    const { engines, filter, order, runningOnly, sorted } = state
    if (engines !== last?.engines) all = allRows(engines)
    const same =
      engines === last?.engines &&
      filter === last.filter &&
      order === last.order &&
      runningOnly === last.runningOnly &&
      sorted === last.sorted
    if (!same) shown = shownRows(all, { filter, order, runningOnly }, measure)
    last = { engines, filter, order, runningOnly, sorted }
    return { all, shown }
  }
}

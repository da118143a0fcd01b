/** The rows of the list: which are shown, in what order. Pure. */
import type { ImageRow } from '../../actions/image-list.ts'

export type SortBy = 'created' | 'name' | 'size' | 'unique' | 'engine'

export interface Order {
  by: SortBy
  /** Largest, newest first. */
  down: boolean
}

/** The orders that the menu offers, and which way round each begins. */
export const orders: readonly { by: SortBy; label: string; key: string; down: boolean }[] = [
  { by: 'created', label: 'age', key: 'a', down: true },
  { by: 'name', label: 'name', key: 'n', down: false },
  { by: 'size', label: 'size', key: 's', down: true },
  { by: 'unique', label: 'unique bytes', key: 'u', down: true },
  { by: 'engine', label: 'engine', key: 'e', down: false },
]

/** The rows that contain every word of the filter, ordered; what is not known comes last either way. */
export function shownRows(rows: readonly ImageRow[], filter: string, order: Order): ImageRow[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean)
  const kept = rows.filter(row => {
    const text = `${nameOf(row)} ${row.engine} ${row.id}`.toLowerCase()
    return words.every(word => text.includes(word))
  })
  return kept.sort((a, b) => compare(a, b, order))
}

/** `repository:tag`, `<none>` where there is no name. */
export function nameOf({ repository, tag }: ImageRow): string {
  if (repository === null) return '<none>'
  return tag === null ? repository : `${repository}:${tag}`
}

function compare(a: ImageRow, b: ImageRow, { by, down }: Order): number {
  const byName = compareText(nameOf(a), nameOf(b)) || compareText(a.key, b.key)
  if (by === 'name') return down ? -byName : byName
  if (by === 'engine') return (down ? -1 : 1) * compareText(a.engine, b.engine) || byName
  const [first, second] = [a[by], b[by]]
  if (first === null || second === null) return Number(first === null) - Number(second === null) || byName
  return (down ? second - first : first - second) || byName
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

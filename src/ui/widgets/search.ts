/** Fuzzy search over a short list. */
import fuzzysort from 'fuzzysort'
import type { Theme } from '../theme.ts'
import type { Part } from './line.ts'

export interface Found<T> {
  item: T
  /** Which characters of the searched text were found. */
  at: ReadonlySet<number>
}

/** The items whose text matches, best first; all of them in their own order for an empty query. */
export function search<T>(query: string, items: readonly T[], textOf: (item: T) => string): Found<T>[] {
  if (query.trim() === '') return items.map(item => ({ item, at: nothing }))
  const targets = items.map(item => ({ item, text: textOf(item) }))
  return fuzzysort
    .go(query, targets, { key: 'text', limit: 1000, threshold: 0.3 })
    .map(result => ({ item: result.obj.item, at: new Set(result.indexes) }))
}

/** A text with the letters that the search found standing out. */
export function highlighted(theme: Theme, text: string, found: Found<unknown>): Part[] {
  const parts: Part[] = []
  let start = 0
  for (let at = 1; at <= text.length; at++) {
    if (at < text.length && found.at.has(at) === found.at.has(start)) continue
    const run = text.slice(start, at)
    parts.push(found.at.has(start) ? [theme.match, run] : run)
    start = at
  }
  return parts
}

const nothing: ReadonlySet<number> = new Set()

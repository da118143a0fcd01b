/** Which of many lines have a text: counted as they come, found upwards and downwards. Small letters find capitals too. */
import type { Theme } from '../theme.ts'
import { type Part, plain } from '../widgets/line.ts'

interface Searched {
  line(at: number): { text: string; gap?: boolean } | undefined
  first(): number
  end(): number
}

export interface Finder {
  needle(): string
  /** Looks anew; '' for nothing. */
  search(needle: string): void
  /** The first place with it from `from` on, downwards or upwards. */
  next(from: number, by: 1 | -1): number | null
  /** How many lines have it, and which of them is at that place, from 1 on; 0 for none of them. */
  matches(at: number | null): { count: number; at: number }
}

/** `also`: what else a line can be found by. */
export function createFinder(lines: Searched, also?: (text: string) => string | null): Finder {
  let needle = ''
  let matcher = textMatcher('')
  /** Places of those that have it, and how many of them are gone. */
  let found: number[] = []
  let gone = 0
  let upTo = 0

  const look = () => {
    if (needle === '') return
    for (let at = Math.max(lines.first(), upTo); at < lines.end(); at++) {
      const line = lines.line(at)!
      if (!line.gap && matcher(line.text)) found.push(at)
    }
    upTo = lines.end()
    while (gone < found.length && found[gone]! < lines.first()) gone++
    if (gone > 4096) {
      found = found.slice(gone)
      gone = 0
    }
  }
  /** The index of the first that is not before `at`. */
  const indexOf = (at: number): number => {
    let low = gone
    let high = found.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (found[middle]! < at) low = middle + 1
      else high = middle
    }
    return low
  }

  return {
    needle: () => needle,
    search(text) {
      needle = text
      matcher = textMatcher(text, also)
      found = []
      gone = 0
      upTo = 0
      look()
    },
    next(from, by) {
      look()
      const index = indexOf(from)
      const at = by === 1 || found[index] === from ? index : index - 1
      return at >= gone && at < found.length ? found[at]! : null
    },
    matches(at) {
      look()
      const index = at === null ? -1 : indexOf(at)
      return { count: found.length - gone, at: at !== null && found[index] === at ? index - gone + 1 : 0 }
    },
  }
}

/** Whether a text has it, or else what it is also known by: asked only of a text that has every word of it. */
export function textMatcher(needle: string, also?: (text: string) => string | null): (text: string) => boolean {
  const fold = isLower(needle) ? (text: string) => text.toLowerCase() : (text: string) => text
  const words = needle.split(/[\s="]+/).filter(Boolean)
  if (!also || words.join('') === needle) return text => fold(text).includes(needle)
  return text => {
    const folded = fold(text)
    if (folded.includes(needle)) return true
    return words.every(word => folded.includes(word)) && fold(also(text) ?? '').includes(needle)
  }
}

function isLower(needle: string): boolean {
  return needle === needle.toLowerCase()
}

/** The parts with what was found in them underlined, over the bounds of parts too. */
export function highlighted(theme: Theme, parts: readonly Part[], needle: string): readonly Part[] {
  if (needle === '') return parts
  const text = plain(parts)
  const lower = isLower(needle) ? text.toLowerCase() : text
  // A letter whose small form is longer would shift everything behind it.
  const hay = lower.length === text.length ? lower : text
  const cuts: number[] = []
  for (let at = hay.indexOf(needle); at >= 0; at = hay.indexOf(needle, at + needle.length))
    cuts.push(at, at + needle.length)
  return cuts.length === 0 ? parts : marked(theme, parts, cuts)
}

/** `cuts`: where what was found begins and ends, in turns. */
function marked(theme: Theme, parts: readonly Part[], cuts: readonly number[]): Part[] {
  const result: Part[] = []
  let begun = 0
  let cut = 0
  for (const part of parts) {
    const text = typeof part === 'string' ? part : part[1]
    for (let from = begun; from < begun + text.length; ) {
      while (cut < cuts.length && cuts[cut]! <= from) cut++
      const to = Math.min(begun + text.length, cuts[cut] ?? Number.POSITIVE_INFINITY)
      const some = text.slice(from - begun, to - begun)
      if (cut % 2 === 1) result.push([theme.match, some])
      else result.push(typeof part === 'string' ? some : [part[0], some])
      from = to
    }
    begun += text.length
  }
  return result
}

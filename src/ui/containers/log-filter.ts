/** The lines of a log that have a text, or that have it not, with some around each. Pure. */
import { textMatcher } from './finder.ts'
import type { ViewLine } from './text-view.ts'

interface Source<L> {
  line(number: number): L | undefined
  first(): number
  end(): number
}

export interface LogFilter<L extends ViewLine> extends Source<L> {
  /** How many lines have it. */
  matches(): number
  /** The place of a line by its number, or of the next one that is shown. */
  placeOf(number: number): number
  /** The numbers of what is shown, without the gaps. */
  numbers(): Iterable<number>
}

/** A gap between lines that do not follow each other. */
const GAP = -1

/**
 * `wish`: a text; with `!` in front, lines without it. `around`: lines that are shown before and after each. Places go
 * up with what comes; what the source has dropped goes. `also`: what else a line can be found by.
 */
export function createFilter<L extends ViewLine>(
  source: Source<L>,
  wish: string,
  around: number,
  also?: (text: string) => string | null,
): LogFilter<L> {
  const turned = wish.startsWith('!') && wish.length > 1
  const has = textMatcher(turned ? wish.slice(1) : wish, also)
  let shown: number[] = []
  /** Places before the first of `shown`. */
  let gone = 0
  let matches: number[] = []
  let upTo = source.first()
  let last = GAP
  let owed = 0

  const show = (number: number) => {
    if (around > 0 && last !== GAP && number > last + 1) shown.push(GAP)
    shown.push(number)
    last = number
  }
  const look = () => {
    for (let number = Math.max(upTo, source.first()); number < source.end(); number++) {
      const hit = has(source.line(number)!.text) !== turned
      if (hit) {
        matches.push(number)
        const before = Math.max(source.first(), number - around, last + 1)
        for (let one = before; one <= number; one++) show(one)
        owed = around
      } else if (owed > 0) {
        owed--
        show(number)
      }
    }
    upTo = source.end()
    const first = source.first()
    const left = firstAt(matches, first)
    if (left > 1024) matches = matches.slice(left)
    const dropped = goneIn(first)
    if (dropped < 1024 && dropped < shown.length) return
    shown = shown.slice(dropped)
    gone += dropped
  }
  const goneIn = (first: number) => {
    let at = 0
    // Gaps lie between, so that no search by halves is sure; the bound of the ring bounds this.
    while (at < shown.length && (shown[at] === GAP || shown[at]! < first)) at++
    return at
  }
  const first = () => {
    look()
    return gone + goneIn(source.first())
  }

  return {
    first,
    end() {
      look()
      return gone + shown.length
    },
    line(place) {
      const number = shown[place - gone]
      if (number === undefined) return undefined
      if (number !== GAP) return source.line(number)
      const next = source.line(shown[place - gone + 1]!)
      return next && { ...next, text: '', looks: '', gap: true }
    },
    matches() {
      look()
      return matches.length - firstAt(matches, source.first())
    },
    placeOf(number) {
      look()
      const at = shown.findIndex(one => one >= number)
      return gone + (at < 0 ? shown.length : at)
    },
    *numbers() {
      for (const number of shown) if (number !== GAP && number >= source.first()) yield number
    },
  }
}

/** The index of the first number that is not below `least`. */
function firstAt(numbers: readonly number[], least: number): number {
  let low = 0
  let high = numbers.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (numbers[middle]! < least) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * A window on lines of text that may grow at their end and be dropped at their beginning: scrolling, following, wrapping,
 * searching. Lines are known by their numbers, so that the window stays where it is whatever comes and goes.
 */
import type { Move } from '../../actions/moving.ts'
import { formatCount } from '../../base/sizes.ts'
import { safe, width } from '../../base/text.ts'
import { takeColumns } from '../panes/wrap.ts'
import type { Theme } from '../theme.ts'
import { blank, line, type Part } from '../widgets/line.ts'
import type { Tail, TailLine } from './tail.ts'

export type Lines = Pick<Tail, 'line' | 'first' | 'end'>

/** A row of the window: a line, and which of its wrapped parts. */
interface Place {
  number: number
  part: number
}

export interface TextView {
  following(): boolean
  follow(on: boolean): void
  move(by: Move): void
  wrapped(): boolean
  toggleWrap(): void
  /** Sideways, in columns. */
  shift(columns: number): void
  times(): boolean
  toggleTimes(): void
  needle(): string
  /** Looks for a text from the top of the window on; '' for nothing. Whether it is there. */
  search(needle: string): boolean
  /** The next place, or the one before. Whether there is one. */
  again(by: 1 | -1): boolean
  /** How many lines have it. */
  matches(): number
  /** The lines of the window as text. */
  visible(): string[]
  /** Exactly `rows` lines of `columns`. */
  draw(theme: Theme, columns: number, rows: number): string[]
}

/** `grows`: it begins at the end and stays there while more comes. */
export function createTextView(lines: Lines, grows: boolean): TextView {
  let top: Place = { number: 0, part: 0 }
  let follow = grows
  let wrap = false
  let left = 0
  let times = false
  let size = { columns: 80, rows: 20 }
  let needle = ''
  let at: number | null = null
  let counted = { upTo: 0, matches: 0 }

  const room = () => Math.max(4, size.columns - 1 - (times ? STAMP : 0))
  const parts = (number: number) => (wrap ? split(lines.line(number)?.text ?? '', room()) : 1)
  const count = (number: number) => {
    const all = parts(number)
    return typeof all === 'number' ? all : all.length
  }
  const back = ({ number, part }: Place, rows: number): Place => {
    let missing = rows
    let place = { number, part }
    while (missing > 0) {
      if (place.part >= missing) return { number: place.number, part: place.part - missing }
      missing -= place.part + 1
      if (place.number <= lines.first()) return { number: lines.first(), part: 0 }
      place = { number: place.number - 1, part: count(place.number - 1) - 1 }
    }
    return place
  }
  const onward = ({ number, part }: Place, rows: number): Place => {
    let missing = rows
    let place = { number, part }
    while (missing > 0 && place.number < lines.end()) {
      const rest = count(place.number) - 1 - place.part
      if (rest >= missing) return { number: place.number, part: place.part + missing }
      missing -= rest + 1
      place = { number: place.number + 1, part: 0 }
    }
    return place
  }
  /** Where the window stands when it shows the end. */
  const lowest = () => back({ number: lines.end(), part: 0 }, size.rows)
  const place = () => {
    const end = lowest()
    if (follow || isAfter(top, end)) return end
    return top.number < lines.first() ? { number: lines.first(), part: 0 } : top
  }
  const has = (text: string) => (isLower(needle) ? text.toLowerCase() : text).includes(needle)
  const recount = () => {
    for (let number = Math.max(lines.first(), counted.upTo); number < lines.end(); number++) {
      if (has(lines.line(number)!.text)) counted.matches++
    }
    counted.upTo = lines.end()
  }
  const find = (from: number, by: 1 | -1): boolean => {
    for (let number = from; number >= lines.first() && number < lines.end(); number += by) {
      if (!has(lines.line(number)!.text)) continue
      at = number
      follow = false
      const shown = place()
      const inView = number >= shown.number && isAfter(onward(shown, size.rows), { number, part: 0 })
      if (!inView || top.number !== shown.number) top = back({ number, part: 0 }, Math.floor(size.rows / 3))
      return true
    }
    return false
  }

  return {
    following: () => follow,
    follow(on) {
      top = place()
      follow = on
    },
    move(by) {
      const start = place()
      const page = Math.max(1, size.rows - 1)
      if (by === 'first') top = { number: lines.first(), part: 0 }
      else if (by === 'last') top = lowest()
      else {
        const rows = typeof by === 'number' ? by : { page, '-page': -page, half: page >> 1, '-half': -(page >> 1) }[by]
        top = rows < 0 ? back(start, -rows) : onward(start, rows)
      }
      const end = lowest()
      follow = grows && !isAfter(end, top) && by !== 'first' && !(typeof by === 'number' && by < 0)
    },
    wrapped: () => wrap,
    toggleWrap() {
      top = { number: place().number, part: 0 }
      wrap = !wrap
      left = 0
    },
    shift(columns) {
      left = Math.max(0, left + columns)
    },
    times: () => times,
    toggleTimes() {
      times = !times
    },
    needle: () => needle,
    search(text) {
      needle = text
      at = null
      counted = { upTo: 0, matches: 0 }
      if (text === '') return true
      recount()
      const from = place().number
      return find(from, 1) || find(from, -1)
    },
    again(by) {
      const from = at === null ? place().number : at + by
      return needle !== '' && find(from, by)
    },
    matches() {
      if (needle !== '') recount()
      return counted.matches
    },
    visible() {
      const texts: string[] = []
      const end = onward(place(), size.rows)
      for (let number = place().number; number < lines.end() && isAfter(end, { number, part: 0 }); number++)
        texts.push(lines.line(number)!.text)
      return texts
    },
    draw(theme, columns, rows) {
      size = { columns, rows }
      const start = place()
      if (!follow) top = start
      const drawn: string[] = []
      for (let { number, part } = start; drawn.length < rows && number < lines.end(); number++, part = 0) {
        const one = lines.line(number)!
        const texts = wrap
          ? split(one.text, room())
          : [left > 0 ? one.text.slice(takeColumns(one.text, left).length) : one.text]
        for (; part < texts.length && drawn.length < rows; part++) {
          const found = needle === '' ? [texts[part]!] : highlighted(theme, texts[part]!, needle)
          const stamp: Part[] = times ? [[theme.dim, part === 0 ? stampOf(one.time) : ' '.repeat(STAMP)]] : []
          drawn.push(line(columns, [edge(theme, one, part, number === at), ...stamp, ...found]))
        }
      }
      return [...drawn, ...blank(columns, rows - drawn.length)]
    },
  }
}

/** `3 lines with needle`, for a footer. */
export function linesWith(view: TextView): string {
  const count = view.matches()
  return `${formatCount(count)} line${count === 1 ? '' : 's'} with ${safe(view.needle())}`
}

function edge(theme: Theme, { error }: TailLine, part: number, current: boolean): Part {
  if (part > 0) return [theme.dim, theme.glyph.dot]
  if (current) return [theme.accent, theme.glyph.cursor]
  return error ? [theme.warning, '!'] : ' '
}

/** Columns of a time and the blank after it. */
const STAMP = 13

/** `14:02:31.007`, on the person's own clock. */
function stampOf(time: number | null): string {
  if (time === null) return ' '.repeat(STAMP)
  const date = new Date(time)
  const two = (value: number) => String(value).padStart(2, '0')
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`
  return `${clock}.${String(date.getMilliseconds()).padStart(3, '0')} `
}

/** A text in parts of at most so many columns; at least one. */
function split(text: string, columns: number): string[] {
  if (text.length <= columns && width(text) <= columns) return [text]
  const parts: string[] = []
  for (let rest = text; rest !== ''; ) {
    const head = takeColumns(rest, columns)
    parts.push(head)
    rest = rest.slice(head.length)
  }
  return parts
}

/** Small letters find both. */
function isLower(needle: string): boolean {
  return needle === needle.toLowerCase()
}

function highlighted(theme: Theme, text: string, needle: string): Part[] {
  const lower = isLower(needle) ? text.toLowerCase() : text
  // A letter whose small form is longer would shift everything behind it.
  const hay = lower.length === text.length ? lower : text
  const parts: Part[] = []
  let from = 0
  for (let found = hay.indexOf(needle); found >= 0; found = hay.indexOf(needle, from)) {
    parts.push(text.slice(from, found), [theme.match, text.slice(found, found + needle.length)])
    from = found + needle.length
  }
  return [...parts, text.slice(from)]
}

function isAfter(a: Place, b: Place): boolean {
  return a.number > b.number || (a.number === b.number && a.part > b.part)
}

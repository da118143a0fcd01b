/**
 * A window on lines of text that may grow at their end and be dropped at their beginning: scrolling, following, wrapping,
 * searching, opening one. Lines are known by their places, so that the window stays where it is whatever comes and goes.
 */
import type { Move } from '../../actions/moving.ts'
import { formatCount } from '../../base/sizes.ts'
import { safe, width } from '../../base/text.ts'
import { takeColumns } from '../panes/wrap.ts'
import type { Theme } from '../theme.ts'
import { blank, line, type Part } from '../widgets/line.ts'
import { createFinder, highlighted } from './finder.ts'
import type { KeptLine } from './log-ring.ts'
import type { Said } from './log-text.ts'
import { lookParts } from './looks.ts'

export interface ViewLine extends Pick<KeptLine, 'text' | 'looks' | 'error' | 'number'> {
  /** Lines are missing between it and the one before: it is only a rule. */
  gap?: boolean
}

export interface Lines<L extends ViewLine = ViewLine> {
  line(at: number): L | undefined
  /** The place of the oldest. */
  first(): number
  /** One more than the place of the newest. */
  end(): number
}

export interface ViewOptions<L extends ViewLine> {
  /** It begins at the end and stays there while more comes. */
  grows: boolean
  /** What stands before a line, and how wide that is. */
  head?: { columns(columns: number): number; parts(theme: Theme, line: L, columns: number): Part[] }
  /** How a line looks; as it is without it. */
  show?(line: L): Said
  /** What else than its own text a line can be found by. */
  also?(text: string): string | null
  /** What is marked in lines where nothing is searched for. */
  marked?(): string
  /** What is below a line that is open; null: only the line, wrapped. */
  opened?(line: L): readonly Said[] | null
}

/** A row of the window: a line, and which of its rows. */
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
  needle(): string
  /** Looks for a text from the top of the window on; '' for nothing. Whether it is there. */
  search(needle: string): boolean
  /** The next place, or the one before. Whether there is one. */
  again(by: 1 | -1): boolean
  /** How many lines have it, and which of them is the current one, from 1 on; 0 for none of them. */
  matches(): { count: number; at: number }
  /** The line that keys act on; null while nobody has chosen one. */
  current(): number | null
  setCurrent(at: number | null): void
  /** Its text. */
  currentText(): string | null
  /** Opens or closes the current line; chooses the last one of the window when there is none. */
  toggleOpen(): void
  /** The place of the line in a row of the window. */
  lineAt(row: number): number | null
  /** Other lines now: the window shows the one at `to`, its end when that is null. */
  reset(to: number | null): void
  /** Place of the first line of the window. */
  top(): number
  /** The lines of the window as text. */
  visible(): string[]
  /** Exactly `rows` lines of `columns`. */
  draw(theme: Theme, columns: number, rows: number): string[]
}

export function createTextView<L extends ViewLine>(lines: Lines<L>, options: ViewOptions<L>): TextView {
  const { grows, head, opened, show = one => one } = options
  let top: Place = { number: 0, part: 0 }
  let follow = grows
  let wrap = false
  let left = 0
  let size = { columns: 80, rows: 20 }
  let current: number | null = null
  const open = new Set<number>()
  const finder = createFinder(lines, options.also)

  const headColumns = () => head?.columns(size.columns) ?? 0
  const room = () => Math.max(4, size.columns - 1 - headColumns())
  /** The rows of a line, each a piece of some text. */
  const piecesOf = (one: L): readonly Piece[] => {
    const isOpen = open.has(one.number)
    const below = isOpen ? (opened?.(one) ?? null) : null
    const said = show(one)
    const own = wrap || (isOpen && below === null) ? split(said, room()) : [{ said, from: 0, to: said.text.length }]
    return below === null ? own : [...own, ...below.flatMap(said => split(said, room()))]
  }
  const count = (number: number) => {
    if (!wrap && open.size === 0) return 1
    const one = lines.line(number)
    return one && (wrap || open.has(one.number)) ? piecesOf(one).length : 1
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
  /** Makes a line the current one and moves the window as little as shows it; far away it comes to a third of it. */
  const choose = (number: number) => {
    const shown = place()
    current = number
    follow = false
    const end = onward(shown, size.rows)
    const last = onward({ number, part: 0 }, count(number) - 1)
    const isIn = !isAfter(shown, { number, part: 0 }) && isAfter(end, last)
    const isNear = number >= shown.number - 1 && number <= end.number
    if (isIn) top = shown
    else if (!isNear) top = back({ number, part: 0 }, Math.floor(size.rows / 3))
    else if (isAfter(shown, { number, part: 0 }) || count(number) >= size.rows) top = { number, part: 0 }
    else top = back(last, size.rows - 1)
  }
  const distance = (by: Exclude<Move, 'first' | 'last'>) => {
    const page = Math.max(1, size.rows - 1)
    return typeof by === 'number' ? by : { page, '-page': -page, half: page >> 1, '-half': -(page >> 1) }[by]
  }
  const moveCurrent = (by: Move, from: number) => {
    const to = by === 'first' ? lines.first() : by === 'last' ? lines.end() - 1 : from + distance(by)
    choose(Math.max(lines.first(), Math.min(lines.end() - 1, to)))
  }
  const moveWindow = (by: Move) => {
    const start = place()
    if (by === 'first') top = { number: lines.first(), part: 0 }
    else if (by === 'last') top = lowest()
    else top = distance(by) < 0 ? back(start, -distance(by)) : onward(start, distance(by))
    const end = lowest()
    follow = grows && !isAfter(end, top) && by !== 'first' && !(typeof by === 'number' && by < 0)
  }
  const find = (from: number, by: 1 | -1): boolean => {
    const found = finder.next(from, by)
    if (found === null) return false
    choose(found)
    return true
  }

  return {
    following: () => follow,
    follow(on) {
      top = place()
      follow = on
      if (on) current = null
    },
    move(by) {
      if (current === null || lines.end() === lines.first()) moveWindow(by)
      else moveCurrent(by, current)
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
    needle: finder.needle,
    search(text) {
      finder.search(text)
      if (text === '') {
        current = null
        return true
      }
      const from = place().number
      return find(from, 1) || find(from, -1)
    },
    again(by) {
      const from = current === null ? place().number : current + by
      return finder.needle() !== '' && find(from, by)
    },
    matches: () => finder.matches(current),
    current: () => current,
    currentText: () => (current === null ? null : (lines.line(current)?.text ?? null)),
    setCurrent(at) {
      if (at !== null && lines.line(at)) choose(at)
      else current = null
    },
    toggleOpen() {
      const at = current ?? onward(place(), size.rows - 1).number
      const one = lines.line(Math.min(at, lines.end() - 1))
      if (!one || one.gap) return
      if (!open.delete(one.number)) open.add(one.number)
      for (const number of open) if (number < (lines.line(lines.first())?.number ?? 0)) open.delete(number)
      choose(Math.min(at, lines.end() - 1))
    },
    lineAt(row) {
      const { number } = onward(place(), row)
      return number < lines.end() ? number : null
    },
    reset(to) {
      finder.search(finder.needle())
      current = null
      follow = to === null && grows
      top = { number: to ?? lines.end(), part: 0 }
    },
    top: () => place().number,
    visible() {
      const texts: string[] = []
      const end = onward(place(), size.rows)
      for (let number = place().number; number < lines.end() && isAfter(end, { number, part: 0 }); number++) {
        const one = lines.line(number)!
        if (!one.gap) texts.push(one.text)
      }
      return texts
    },
    draw(theme, columns, rows) {
      size = { columns, rows }
      if (current !== null && current < lines.first()) current = null
      const start = place()
      if (!follow) top = start
      const drawn: string[] = []
      for (let { number, part } = start; drawn.length < rows && number < lines.end(); number++, part = 0) {
        const one = lines.line(number)!
        if (one.gap) {
          drawn.push(line(columns, [[theme.dim, ` ${theme.glyph.dot.repeat(3)}`]]))
          continue
        }
        const pieces = piecesOf(one)
        for (; part < pieces.length && drawn.length < rows; part++)
          drawn.push(drawnRow(theme, columns, one, pieces[part]!, part, number === current))
      }
      return [...drawn, ...blank(columns, rows - drawn.length)]
    },
  }

  function drawnRow(theme: Theme, columns: number, one: L, piece: Piece, part: number, isCurrent: boolean): string {
    const indent = headColumns()
    const before = part === 0 ? (head?.parts(theme, one, columns) ?? []) : [' '.repeat(indent)]
    const from = wrap || left === 0 || part > 0 ? piece.from : takeColumns(piece.said.text, left).length
    // What no screen has room for need not be measured.
    const parts = lookParts(theme, piece.said, from, Math.min(piece.to, from + columns * 8))
    const found = highlighted(theme, parts, finder.needle() || (options.marked?.() ?? ''))
    return line(columns, [edge(theme, one, part, isCurrent), ...before, ...found])
  }
}

/** `3 lines with needle`, for a footer. */
export function linesWith(view: Pick<TextView, 'matches' | 'needle'>): string {
  const { count, at } = view.matches()
  const which = at > 0 && count > 1 ? `${formatCount(at)} of ` : ''
  return `${which}${formatCount(count)} line${count === 1 ? '' : 's'} with ${safe(view.needle())}`
}

function edge(theme: Theme, { error }: ViewLine, part: number, current: boolean): Part {
  if (part > 0) return [theme.dim, theme.glyph.dot]
  if (current) return [theme.accent, theme.glyph.cursor]
  return error ? [theme.warning, '!'] : ' '
}

interface Piece {
  said: Said
  from: number
  to: number
}

/** A text in pieces of at most so many columns; at least one. */
function split(said: Said, columns: number): Piece[] {
  const { text } = said
  if (text.length <= columns && width(text) <= columns) return [{ said, from: 0, to: text.length }]
  const pieces: Piece[] = []
  for (let from = 0; from < text.length; ) {
    const head = takeColumns(text.slice(from, from + columns * 8 + 16), columns)
    pieces.push({ said, from, to: from + head.length })
    from += head.length
  }
  return pieces
}

function isAfter(a: Place, b: Place): boolean {
  return a.number > b.number || (a.number === b.number && a.part > b.part)
}

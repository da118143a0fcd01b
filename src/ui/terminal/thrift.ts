/**
 * A terminal that is written to sparingly. Ink writes every line that changes from its first change to its end, panes beside
 * the change and all; a slow line has to carry that. Here what is on the terminal is remembered cell by cell, and only the
 * cells that are others are written. Whatever is not understood is passed on as it is, and nothing is presumed afterwards.
 */
import { width } from '../../base/text.ts'

interface Cell {
  text: string
  /** Columns. */
  wide: number
  /** The SGR sequences that it is drawn with. */
  style: string
}

interface Row {
  cells: Cell[]
  /** Whether every terminal agrees on how wide its characters are. */
  sure: boolean
}

/** A stream in the place of the terminal's: `write` spares, everything else is the terminal's own. */
export function sparing<T extends NodeJS.WriteStream>(stdout: T): T {
  const spare = createThrift()
  const write = (chunk: unknown, ...rest: unknown[]) => {
    const text = typeof chunk === 'string' ? spare(chunk, stdout.columns, stdout.rows) : chunk
    return (stdout.write as (...all: unknown[]) => boolean)(text, ...rest)
  }
  return new Proxy(stdout, {
    get(target, name) {
      if (name === 'write') return write
      const value = Reflect.get(target, name, target) as unknown
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

/** Gives what to write in place of a text, on a terminal of so many columns and rows. */
export function createThrift(): (text: string, columns: number, rows: number) => string {
  let shown: Row[] | null = null
  let size = ''
  return (text, columns, rows) => {
    if (neutral.test(text)) return text
    const now = `${columns}x${rows}`
    if (now !== size) shown = null
    size = now
    const lines = shown && changedLines(text, shown)
    if (shown && lines) {
      const update = updateOf(shown, lines)
      shown = update.rows
      return update.text
    }
    shown = wholeFrame(text, rows)
    return text
  }
}

/** Marks around a frame, and modes: none of them moves the cursor or draws. The other screen is no such mode. */
const neutral = /^(?:\x1b\[(?:\?(?!1049|1047|47)[\d;]*[hlu]|>\d*u)|\x1b\]52;[^\x07\x1b]*(?:\x07|\x1b\\))*$/

/** A frame that draws every row: what clears, then the lines. null when it is none. */
function wholeFrame(text: string, rows: number): Row[] | null {
  const body = text.replace(/^(?:\x1b\[(?:\d*[AGKJH]|2K|1A|2J|3J)|\x1b\[\?25[lh])*/, '')
  const lines = body.split('\n')
  if (lines.length !== rows) return null
  const parsed = lines.map(line => rowOf(line))
  return parsed.includes(null) ? null : (parsed as Row[])
}

/** A frame of Ink's that goes up, and down line by line: the lines that it changes. null when it is none. */
function changedLines(text: string, shown: readonly Row[]): Map<number, Row> | null {
  const up = /^\x1b\[(\d+)A/.exec(text)
  if (!up || Number(up[1]) !== shown.length - 1) return null
  const changed = new Map<number, Row>()
  let at = up[0].length
  for (let row = 0; row < shown.length; row++) {
    if (text.startsWith(NEXT_LINE, at)) {
      at += NEXT_LINE.length
      continue
    }
    const isLast = row === shown.length - 1
    if (isLast && at === text.length) return changed
    const begin = /^\x1b\[(\d*)G\x1b\[K/.exec(text.slice(at, at + 16))
    if (!begin) return null
    at += begin[0].length
    const end = text.indexOf('\n', at)
    if (isLast !== end < 0) return null
    const rest = rowOf(text.slice(at, end < 0 ? text.length : end))
    const head = rest && headOf(shown[row]!, Number(begin[1] || 1) - 1)
    if (!rest || !head) return null
    changed.set(row, { cells: [...head, ...rest.cells], sure: shown[row]!.sure && rest.sure })
    at = end < 0 ? text.length : end + 1
  }
  return at === text.length ? changed : null
}

const NEXT_LINE = '\x1b[E'

/** The cells in the first so many columns; null when that would split one. */
function headOf({ cells }: Row, columns: number): Cell[] | null {
  let used = 0
  let count = 0
  while (used < columns && count < cells.length) used += cells[count++]!.wide
  return used === columns ? cells.slice(0, count) : null
}

/** A line as cells; null when it holds anything but text and SGR. */
function rowOf(line: string): Row | null {
  const cells: Cell[] = []
  let sure = true
  let style = ''
  let at = 0
  for (const found of line.matchAll(/\x1b\[([\d;:]*)m/g)) {
    if (!put(line.slice(at, found.index))) return null
    style = restyled(style, found[1]!)
    at = found.index + found[0].length
  }
  if (!put(line.slice(at))) return null
  return { cells, sure }

  function put(text: string): boolean {
    if (/[\x00-\x1f\x7f]/.test(text)) return false
    if (!unsure.test(text)) {
      for (const character of text) cells.push({ text: character, wide: 1, style })
      return true
    }
    sure = false
    for (const { segment } of segmenter.segment(text)) cells.push({ text: segment, wide: width(segment), style })
    return true
  }
}

/** Printable ASCII, Latin-1, general punctuation, arrows, box drawing, blocks, geometric shapes: a column each. */
const unsure = /[^\x20-\x7e\xa1-\xac\xae-\xff\u2010-\u2027\u2030-\u205e\u2190-\u2199\u2500-\u25fc]/
const segmenter = new Intl.Segmenter()

/** A style after one more SGR sequence: only what is on, in the order in which it was switched on. */
function restyled(style: string, parameters: string): string {
  if (parameters === '' || parameters === '0') return ''
  if (/^(?![34]8)\d*;/.test(parameters)) return parameters.split(';').reduce(restyled, style)
  const on = style === '' ? [] : style.split('|')
  const number = Number(parameters)
  const off = closes[number]
  if (off) return on.filter(one => !off(one)).join('|')
  const kind = kindOf(parameters)
  return [...on.filter(one => kindOf(one) !== kind), parameters].join('|')
}

const isText = (one: string) => kindOf(one) === 'text'
const isBehind = (one: string) => kindOf(one) === 'behind'
const closes: Record<number, (one: string) => boolean> = {
  22: one => one === '1' || one === '2',
  23: one => one === '3',
  24: one => one === '4',
  25: one => one === '5',
  27: one => one === '7',
  28: one => one === '8',
  29: one => one === '9',
  39: isText,
  49: isBehind,
}

function kindOf(parameters: string): string {
  if (/^(?:3[0-8]|9[0-7])(?:[;:]|$)/.test(parameters)) return 'text'
  return /^(?:4[0-8]|10[0-7])(?:[;:]|$)/.test(parameters) ? 'behind' : parameters
}

/** Equal cells that are written again rather than passed over: a movement costs as much. */
const BRIDGE = 5

function updateOf(shown: readonly Row[], lines: ReadonlyMap<number, Row>): { rows: Row[]; text: string } {
  const rows = [...shown]
  let text = ''
  for (const [at, row] of lines) {
    text +=
      row.sure && shown[at]!.sure ? changedCells(at, shown[at]!.cells, row.cells) : changedRest(at, shown[at]!, row)
    rows[at] = row
  }
  // Ink takes the cursor to be in the last row.
  return { rows, text: text === '' ? '' : `${text}\x1b[${shown.length}H` }
}

/** Every run of cells that are others. Cells of a column each. */
function changedCells(row: number, before: readonly Cell[], now: readonly Cell[]): string {
  let text = ''
  const most = Math.max(before.length, now.length)
  for (let from = 0; from < most; ) {
    if (same(before[from], now[from])) {
      from++
      continue
    }
    let to = from + 1
    for (let equal = 0, at = to; at < most && equal <= BRIDGE; at++) {
      equal = same(before[at], now[at]) ? equal + 1 : 0
      if (equal === 0) to = at + 1
    }
    text += `\x1b[${row + 1};${from + 1}H${drawn(now.slice(from, to))}`
    if (to > now.length) text += '\x1b[K'
    from = to
  }
  return text
}

/**
 * From the first cell that is another one to the end of the row; where terminals do not agree on how wide something before
 * it is, from that on: what stands behind it may be anywhere.
 */
function changedRest(row: number, { cells: before }: Row, { cells: now }: Row): string {
  let from = 0
  let column = 0
  const isSure = (cell: Cell | undefined) => cell === undefined || !unsure.test(cell.text)
  while (from < now.length && same(before[from], now[from]) && isSure(now[from])) column += now[from++]!.wide
  const rest = Math.max(before.length, now.length)
  let equal = from
  while (equal < rest && same(before[equal], now[equal])) equal++
  return equal === rest ? '' : `\x1b[${row + 1};${column + 1}H\x1b[K${drawn(now.slice(from))}`
}

function same(a: Cell | undefined, b: Cell | undefined): boolean {
  return a !== undefined && b !== undefined && a.text === b.text && a.style === b.style
}

/** Cells with their styles, none of them left on. */
function drawn(cells: readonly Cell[]): string {
  let text = ''
  let style = ''
  for (const cell of cells) {
    if (cell.style !== style) {
      const on = cell.style.replaceAll('|', ';')
      // What is on already need not be switched on again.
      if (style === '' || cell.style.startsWith(`${style}|`))
        text += `\x1b[${style === '' ? on : on.slice(style.length + 1)}m`
      else text += on === '' ? '\x1b[m' : `\x1b[0;${on}m`
      style = cell.style
    }
    text += cell.text
  }
  return style === '' ? text : `${text}\x1b[m`
}

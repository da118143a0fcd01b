/** Rows for people and for programs: an aligned table on a terminal, tab-separated text with exact values in a pipe. */
import { cutEnd, fit as fitted, width } from '../base/text.ts'
import type { Output, Style } from './output.ts'

export interface Column<Row> {
  title: string
  /** The exact value, for a pipe: bytes as a number, absent as nothing. Harmless text without tabs. */
  value(row: Row): string | number | null
  /** What a person sees; the value when it is not given. */
  shown?(row: Row): string
  align?: 'right'
  /** For the last column only: cut at the edge of the terminal. Nothing is ever cut in a pipe. */
  cut?: boolean
  style?(row: Row): Style | null
}

/** Rows that are looked at before the widths are settled; later and longer ones push their own line only. */
const lookAhead = 1000

/** Writes a heading and the rows, as they come: no more than the first thousand are held. */
export async function writeTable<Row>(out: Output, columns: Column<Row>[], rows: Iterable<Row>): Promise<void> {
  if (!out.terminal) {
    await writeLines(out, separated(columns, rows))
    return
  }
  const first: Row[] = []
  const rest = rows[Symbol.iterator]()
  let next = rest.next()
  while (!next.done && first.length < lookAhead) {
    first.push(next.value)
    next = rest.next()
  }
  const widths = columns.map(column =>
    first.reduce((most, row) => Math.max(most, width(shown(column, row))), width(column.title)),
  )
  await writeLines(out, aligned(out, columns, widths, first, next, rest))
}

/** Writes lines, waiting for the reader where it is slower. */
export async function writeLines(out: Output, lines: Iterable<string>): Promise<void> {
  for (const line of lines) {
    const wait = out.write(`${line}\n`)
    if (wait) await wait
  }
}

function* separated<Row>(columns: Column<Row>[], rows: Iterable<Row>): Generator<string> {
  yield columns.map(column => column.title).join('\t')
  for (const row of rows) yield columns.map(column => column.value(row) ?? '').join('\t')
}

function* aligned<Row>(
  out: Output,
  columns: Column<Row>[],
  widths: number[],
  first: Row[],
  next: IteratorResult<Row>,
  rest: Iterator<Row>,
): Generator<string> {
  yield line(out, columns, widths, column => ({ text: column.title, style: 'bold' }))
  const cells = (row: Row) => line(out, columns, widths, one => ({ text: shown(one, row), style: one.style?.(row) }))
  for (const row of first) yield cells(row)
  for (; !next.done; next = rest.next()) yield cells(next.value)
}

function line<Row>(
  out: Output,
  columns: Column<Row>[],
  widths: number[],
  cell: (column: Column<Row>) => { text: string; style?: Style | null | undefined },
): string {
  let used = 0
  const cells = columns.map((column, at) => {
    const { text, style } = cell(column)
    const last = at === columns.length - 1
    const room = column.cut && last ? Math.max(8, out.columns - used) : Number.POSITIVE_INFINITY
    const sized =
      last && column.align !== 'right'
        ? cutEnd(text, room)
        : fitted(text, Math.max(widths[at], width(text)), column.align)
    used += width(sized) + 2
    return style ? out.style(style, sized) : sized
  })
  return cells.join('  ').trimEnd()
}

function shown<Row>(column: Column<Row>, row: Row): string {
  return column.shown ? column.shown(row) : String(column.value(row) ?? '')
}

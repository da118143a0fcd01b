/**
 * JSON for programs: nothing that drives a terminal in it, and never a whole array in memory. An object has one member
 * a line, and a long array one element a line.
 */
import { safeJson } from '../base/text.ts'
import type { Output } from './output.ts'

const rowsOf = Symbol('rows')

/** An array that is written element by element as it is made. */
export function streamed(rows: Iterable<unknown>): unknown {
  return { [rowsOf]: rows }
}

/** Writes one object, its members in their order. */
export async function writeObject(out: Output, members: Record<string, unknown>): Promise<void> {
  let before = '{\n  '
  for (const [key, value] of Object.entries(members)) {
    const wait = out.write(`${before}${JSON.stringify(key)}: `)
    if (wait) await wait
    const rows = (value as { [rowsOf]?: Iterable<unknown> } | null)?.[rowsOf]
    if (rows) await writeArray(out, rows)
    else await out.write(safeJson(value))
    before = ',\n  '
  }
  await out.write('\n}\n')
}

/** Writes one object a line. */
export async function writeJsonLines(out: Output, rows: Iterable<unknown>): Promise<void> {
  for (const row of rows) {
    const wait = out.write(`${safeJson(row)}\n`)
    if (wait) await wait
  }
}

async function writeArray(out: Output, rows: Iterable<unknown>): Promise<void> {
  let before = '[\n    '
  for (const row of rows) {
    const wait = out.write(before + safeJson(row))
    if (wait) await wait
    before = ',\n    '
  }
  await out.write(before.startsWith('[') ? '[]' : '\n  ]')
}

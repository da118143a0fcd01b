/** `strata waste`: the ledger. Every byte that is stored and can not be seen, where it is, and what hid it. */
import { formatBytes } from '../base/sizes.ts'
import type { WasteRow } from '../layer/stack.ts'
import type { Analysis } from './analysis.ts'
import { writeJsonLines } from './json.ts'
import type { Io } from './output.ts'
import type { Options } from './program.ts'
import { type Column, writeTable } from './table.ts'
import { withAnalysis } from './target.ts'
import { jsonPath, pathText } from './text.ts'

export async function waste(io: Io, [text]: string[], options: Options): Promise<number> {
  return withAnalysis(io, { text, options }, async analysis => {
    const rows = biggestFirst(analysis)
    if (options.json) await writeJsonLines(io.out, wasteJson(analysis, rows))
    else await writeTable(io.out, wasteColumns(analysis), rows)
    return 0
  })
}

/** The ledger in the order in which it is shown. */
export function biggestFirst({ stack }: Analysis): WasteRow[] {
  return [...stack.waste].sort((a, b) => b.bytes - a.bytes || a.ref - b.ref)
}

/** The rows as the public JSON has them. */
export function* wasteJson({ stack }: Analysis, rows: Iterable<WasteRow>): Generator<unknown> {
  for (const { node, bytes, storedIn, lostIn, cause } of rows) {
    yield { ...jsonPath(stack.tree.path(node)), bytes, storedIn, lostIn, cause }
  }
}

export function wasteColumns({ stack }: Analysis): Column<WasteRow>[] {
  return [
    { title: 'BYTES', value: row => row.bytes, shown: row => formatBytes(row.bytes), align: 'right' },
    { title: 'STORED IN', value: row => row.storedIn, align: 'right' },
    { title: 'LOST IN', value: row => row.lostIn, align: 'right' },
    { title: 'CAUSE', value: row => row.cause },
    { title: 'PATH', value: row => pathText(stack.tree.path(row.node)) },
  ]
}

/** `strata top`: the processes of a container. */
import { safe } from '../../base/text.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { type Column, writeTable } from '../table.ts'
import { withEngines } from './engines.ts'

export async function top(io: Io, [wanted]: string[], options: Options): Promise<number> {
  return withEngines(io, options, async engines => {
    const { engine, id } = await engines.find(wanted)
    const { titles, rows } = await engine.containers.top(id)
    const columns: Column<string[]>[] = titles.map((title, at) => ({
      title: safe(title),
      value: row => safe(row[at] ?? ''),
      cut: at === titles.length - 1,
    }))
    await writeTable(io.out, columns, rows)
    return 0
  })
}

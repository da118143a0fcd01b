/** `strata diff`: what a container has added, changed and deleted. */
import { safe, safeJson } from '../../base/text.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { writeLines } from '../table.ts'
import { withEngines } from './engines.ts'

export async function diff(io: Io, [wanted]: string[], options: Options): Promise<number> {
  return withEngines(io, options, async engines => {
    const { engine, id } = await engines.find(wanted)
    const changes = await engine.containers.changes(id, { signal: io.signal })
    const lines = options.json
      ? changes.map(one => safeJson(one))
      : changes.map(({ change, path }) => `${change} ${safe(path)}`)
    await writeLines(io.out, lines)
    return 0
  })
}

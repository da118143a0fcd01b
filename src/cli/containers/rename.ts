/** `strata rename`: gives a container another name. */
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { withEngines } from './engines.ts'

export async function rename(io: Io, [wanted, name]: string[], options: Options): Promise<number> {
  return withEngines(io, options, async engines => {
    const { engine, id } = await engines.find(wanted)
    await engine.containers.rename(id, name)
    return 0
  })
}

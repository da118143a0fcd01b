/** `strata unpause`: lets frozen containers go on. */
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { forEach } from './engines.ts'

export async function unpause(io: Io, wanted: string[], options: Options): Promise<number> {
  return forEach(io, options, wanted, async ({ engine, id }) => void (await engine.containers.unpause(id)))
}

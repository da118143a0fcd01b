/** `strata restart`: stop, then start. */
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { forEach } from './engines.ts'
import { timeoutOf } from './stop.ts'

export async function restart(io: Io, wanted: string[], options: Options): Promise<number> {
  const timeout = timeoutOf(options)
  return forEach(io, options, wanted, async ({ engine, id }) => void (await engine.containers.restart(id, { timeout })))
}

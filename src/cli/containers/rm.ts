/** `strata rm`: removes containers, with what they have written. */
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { forEach } from './engines.ts'

export async function rm(io: Io, wanted: string[], options: Options): Promise<number> {
  const how = { force: options.force === true, volumes: options.volumes === true }
  return forEach(io, options, wanted, async ({ engine, id }) => void (await engine.containers.remove(id, how)))
}

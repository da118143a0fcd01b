/** `strata pause`: freezes every process of containers. */
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { forEach } from './engines.ts'

export async function pause(io: Io, wanted: string[], options: Options): Promise<number> {
  return forEach(io, options, wanted, async ({ engine, id }) => void (await engine.containers.pause(id)))
}

/** `strata kill`: a signal to containers. */
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { forEach } from './engines.ts'

export async function kill(io: Io, wanted: string[], options: Options): Promise<number> {
  const signal = (options.signal as string | undefined) ?? 'KILL'
  return forEach(io, options, wanted, async ({ engine, id }) => void (await engine.containers.kill(id, signal)))
}

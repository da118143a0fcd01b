/** `strata wait`: waits until containers have ended, and prints their exit codes. */
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { forEach } from './engines.ts'

export async function wait(io: Io, wanted: string[], options: Options): Promise<number> {
  const { signal } = io
  return forEach(io, options, wanted, async ({ engine, id }) => String(await engine.containers.wait(id, { signal })))
}

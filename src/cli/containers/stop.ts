/** `strata stop`: asks containers to end, and kills those that do not. */
import { safe } from '../../base/text.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { usage } from '../usage.ts'
import { forEach } from './engines.ts'

export async function stop(io: Io, wanted: string[], options: Options): Promise<number> {
  const timeout = timeoutOf(options)
  return forEach(io, options, wanted, async ({ engine, id }) => void (await engine.containers.stop(id, { timeout })))
}

/** Seconds; the container's own when nothing is said. */
export function timeoutOf(options: Options): number | undefined {
  const text = (options.time ?? options.timeout) as string | undefined
  if (text === undefined) return undefined
  if (/^-?\d{1,9}$/.test(text)) return Number(text)
  throw usage(`“${safe(text)}” is no number of seconds.`)
}

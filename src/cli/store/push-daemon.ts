import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
export async function pushByDaemon(_io: Io, _s: string, _t: string | undefined, _options: Options): Promise<number> {
  return 1
}

/** `strata pull --engine docker`: the daemon pulls, with the names and passwords that it would be sent by its own client. */
import type { ImageName } from '../../image/image-name.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'

export async function pullByDaemon(_io: Io, _names: readonly ImageName[], _options: Options): Promise<number> {
  return 1
}

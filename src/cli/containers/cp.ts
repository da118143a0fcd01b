/** `strata cp`: out of a container and into it. `-` is a tar on standard input or output. */
import { Fault } from '../../base/errors.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'

export async function cp(_io: Io, _values: string[], _options: Options): Promise<number> {
  throw new Fault('Copying is not there yet.')
}

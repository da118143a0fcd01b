/** `strata create`: a new container that does not run yet. */
import { safe } from '../../base/text.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { openCidFile } from './cid-file.ts'
import { withEngines } from './engines.ts'
import { as125 } from './told.ts'
import { specOf } from './wishes.ts'

export async function create(io: Io, [image, ...command]: string[], options: Options): Promise<number> {
  const spec = specOf(image, command, options)
  const named = openCidFile(options)
  return as125(() =>
    withEngines(io, options, async engines => {
      const engine = await engines.wanted()
      const { pullerOf, withPull } = await import('../store/pull-missing.ts')
      const { id, warnings } = await withPull(io, image, options, pullerOf(engine), () =>
        engine.containers.create(spec, { signal: io.signal }),
      )
      for (const warning of warnings) await io.err.write(`strata: warning: ${safe(warning)}\n`)
      await io.err.flush()
      await io.out.write(`${id}\n`)
      named?.(id)
      return 0
    }),
  )
}

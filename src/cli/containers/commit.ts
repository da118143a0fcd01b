/** `strata commit`: an image of what a container has made of its own. */
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { withEngines } from './engines.ts'

export async function commit(io: Io, [wanted, reference]: string[], options: Options): Promise<number> {
  return withEngines(io, options, async engines => {
    const { engine, id } = await engines.find(wanted)
    const made = await engine.containers.commit(id, {
      reference,
      author: options.author as string | undefined,
      message: options.message as string | undefined,
      changes: options.change as string[] | undefined,
      pause: options.pause !== false,
    })
    await io.out.write(`${made}\n`)
    return 0
  })
}

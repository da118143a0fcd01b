/** `strata start`: starts containers, with -a at this terminal. */
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { usage } from '../usage.ts'
import { forEach, withEngines } from './engines.ts'

export async function start(io: Io, wanted: string[], options: Options): Promise<number> {
  if (options.attach !== true && options.interactive !== true)
    return forEach(io, options, wanted, async ({ engine, id }) => void (await engine.containers.start(id)))
  if (wanted.length > 1) throw usage('Only one container can have the terminal.')
  const detachKeys = options.detachKeys as string | undefined
  return withEngines(io, options, async engines => {
    const { engine, id } = await engines.find(wanted[0])
    const facts = await engine.containers.inspect(id)
    const stdin = options.interactive === true && facts.openStdin
    if (engine.kind === 'native') {
      const { startHere } = await import('./native-here.ts')
      return startHere(id, { stdin, detachKeys })
    }
    const { attachAndStart } = await import('./attached.ts')
    return attachAndStart(engine.containers, id, {
      tty: facts.tty,
      stdin,
      detachKeys,
      start: () => engine.containers.start(id),
    })
  })
}

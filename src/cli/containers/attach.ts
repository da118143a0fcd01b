/** `strata attach`: the input and output of a running container, until it ends or is let go. */
import { Fault } from '../../base/errors.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { withEngines } from './engines.ts'

export async function attach(io: Io, [wanted]: string[], options: Options): Promise<number> {
  const detachKeys = options.detachKeys as string | undefined
  return withEngines(io, options, async engines => {
    const { engine, id } = await engines.find(wanted)
    const facts = await engine.containers.inspect(id)
    if (facts.state !== 'running')
      throw new Fault(
        facts.state === 'paused'
          ? `The container ${facts.name} is paused.`
          : `The container ${facts.name} does not run.`,
        { hint: facts.state === 'paused' ? `strata unpause ${facts.name}` : `strata start -a ${facts.name}` },
      )
    const stdin = options.stdin !== false && facts.openStdin
    const signals = options.sigProxy !== 'false'
    // The helper passes every signal on.
    if (engine.kind === 'native' && (signals || stdin)) {
      const { attachHere } = await import('./native-here.ts')
      return attachHere(id, { stdin, detachKeys })
    }
    const { attachAndStart } = await import('./attached.ts')
    return attachAndStart(engine.containers, id, { tty: facts.tty, stdin, detachKeys, signals })
  })
}

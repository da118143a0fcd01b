/** `strata exec`: one more command in a running container. Its exit code is ours. */
import type { ExecSpec } from '../../engine/containers.ts'
import { lookUpContainer } from '../../runtime/containers/shelf.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { ownPlaces } from './places.ts'
import { needTerminal } from './run.ts'
import { environment } from './wishes.ts'

export async function exec(io: Io, [wanted, ...command]: string[], options: Options): Promise<number> {
  const detached = options.detach === true
  const spec: ExecSpec = {
    command,
    env: environment(options),
    user: options.user as string | undefined,
    workingDir: options.workdir as string | undefined,
    tty: options.tty === true,
    stdin: options.interactive === true && !detached,
    privileged: options.privileged === true,
  }
  if (spec.tty && spec.stdin) await needTerminal()
  if ((options.engine ?? 'native') === 'native' && options.context === undefined) {
    // The short way: nothing is asked of anybody but the helper.
    const own = lookUpContainer(ownPlaces().containers, wanted)
    if (own) {
      const { execHere } = await import('./native-here.ts')
      return execHere(own.id, spec, detached)
    }
  }
  const { withEngines } = await import('./engines.ts')
  return withEngines(io, options, async engines => {
    const { engine, id } = await engines.find(wanted)
    const session = await engine.containers.exec(id, spec)
    if (detached) {
      // It runs from the moment on that its streams are ours; it goes on without them.
      session.close()
      return 0
    }
    const { join } = await import('./terminal-session.ts')
    const ended = await join(session, {
      tty: spec.tty === true,
      stdin: spec.stdin === true,
      detachKeys: options.detachKeys as string | undefined,
    })
    return typeof ended === 'number' ? ended : 0
  })
}

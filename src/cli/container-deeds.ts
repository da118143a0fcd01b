/** One thing done with a container by its name, for a screen that does not watch the engines. */
import type { ContainersService } from '../actions/containers-service.ts'
import type { ContainerEngine } from '../engine/containers.ts'
import { openEngines } from './containers/engines.ts'
import type { Options } from './program.ts'

/** The word for what was done. Rejects with a Fault. */
export async function actOn(
  engine: string | null,
  name: string,
  deed: Parameters<ContainersService['act']>[2],
  options: Options,
): Promise<string> {
  return reach(
    engine,
    name,
    async ({ containers }, id) => {
      const { state } = await containers.inspect(id)
      if (deed === 'stop') {
        await containers.stop(id)
        return 'stopped'
      }
      if (deed === 'pause') {
        if (state === 'paused') await containers.unpause(id)
        else await containers.pause(id)
        return state === 'paused' ? 'resumed' : 'paused'
      }
      if (state === 'running') await containers.restart(id)
      else await containers.start(id)
      return state === 'running' ? 'restarted' : 'started'
    },
    options,
  )
}

/** The engine that has a container, for as long as `run` takes. Rejects with a Fault when none has it. */
export async function reach<T>(
  engine: string | null,
  name: string,
  run: (engine: ContainerEngine, id: string) => Promise<T>,
  options: Options,
): Promise<T> {
  const asked = engine === null ? options : { ...options, engine }
  const engines = openEngines({ signal: new AbortController().signal }, asked)
  try {
    const { engine: found, id } = await engines.find(name)
    return await run(found, id)
  } finally {
    engines.close()
  }
}

/** Every engine that answers. */
export async function everyEngine(signal: AbortSignal, options: Options) {
  const opened = openEngines({ signal }, options)
  try {
    const { engines } = await opened.all()
    return { engines, close: () => opened.close() }
  } catch (error) {
    opened.close()
    throw error
  }
}

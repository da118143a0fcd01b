/** The engines for screens that do not watch them: the one that has a container, or every one. */
import type { ContainerEngine } from '../engine/containers.ts'
import { openEngines } from './containers/engines.ts'
import type { Options } from './program.ts'

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

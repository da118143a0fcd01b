/** What a bare name means where both an image and a container can have it: the image, where there is one. */
import { containerReference } from '../actions/services.ts'
import type { Work } from '../base/progress.ts'
import { openEngines } from './containers/engines.ts'
import type { Options } from './program.ts'

/** Whether a word can be the name of a container, or the beginning of its id. */
export function mayBeContainer(text: string): boolean {
  return /^[a-zA-Z0-9][\w.-]{0,254}$/.test(text)
}

/** The reference of the container of that name; null where there is none. Throws a Fault where several engines have one. */
export async function containerNamed(name: string, options: Options, { signal }: Work = {}): Promise<string | null> {
  if (!mayBeContainer(name)) return null
  const engines = openEngines({ signal: signal ?? new AbortController().signal }, options)
  try {
    const { engine, id } = await engines.find(name)
    const facts = await engine.containers.inspect(id, { signal })
    return containerReference(engine.id, facts.name)
  } catch (error) {
    if ((error as Error).message.startsWith('There is no container')) return null
    throw error
  } finally {
    engines.close()
  }
}

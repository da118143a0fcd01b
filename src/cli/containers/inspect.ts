/** What a container is, as JSON. */
import { Fault } from '../../base/errors.ts'
import type { ContainerFacts } from '../../engine/containers.ts'
import { lookUpContainer } from '../../runtime/containers/shelf.ts'
import { writeObject } from '../json.ts'
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { withEngines } from './engines.ts'
import { ownPlaces } from './places.ts'

/**
 * null when there is no such container. `here`: only a native one, which costs nothing to look for; `elsewhere`: of any
 * engine; `anywhere`: the same, and it is a Fault when there is none.
 */
export async function inspectContainer(
  io: Io,
  text: string,
  options: Options,
  where: 'here' | 'elsewhere' | 'anywhere',
): Promise<number | null> {
  if (!/^[\w.-]{1,128}$/.test(text) && where !== 'anywhere') return null
  if (where === 'here') {
    const native = (options.engine ?? 'native') === 'native' && options.context === undefined
    if (!native || lookUpContainer(ownPlaces().containers, text) === null) return null
  }
  return withEngines(io, options, async engines => {
    try {
      const { engine, id } = await engines.find(text)
      await write(io, engine.id, await engine.containers.inspect(id, { signal: io.signal }))
      return 0
    } catch (error) {
      if (where === 'elsewhere' && error instanceof Fault && /^There is no container/.test(error.message)) return null
      throw error
    }
  })
}

async function write(io: Io, engine: string, { raw, created, ...facts }: ContainerFacts): Promise<void> {
  const when = new Date(created * 1000).toISOString()
  await writeObject(io.out, { schema: 'strata.container/1', engine, ...facts, created: when, raw })
}

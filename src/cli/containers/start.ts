/** `strata start`: starts containers, with -a at this terminal. */
import type { Io } from '../output.ts'
import type { Options } from '../program.ts'
import { usage } from '../usage.ts'
import { forEach, withEngines } from './engines.ts'
import { ownPlaces } from './places.ts'

export async function start(io: Io, names: string[], options: Options): Promise<number> {
  const wanted = options.byPolicy === true ? [...names, ...(await byPolicy())] : names
  if (wanted.length === 0 && options.byPolicy !== true)
    throw usage('strata start needs a container.', 'strata start <CONTAINER...>')
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

/**
 * Native containers that do not run and whose policy wants them to, as docker's daemon starts them when it starts: nobody
 * else does that after a reboot. One with `unless-stopped` that was stopped stays so.
 */
async function byPolicy(): Promise<string[]> {
  const [{ allRecords }, { allStates, conditionOf }] = await Promise.all([
    import('../../runtime/containers/record.ts'),
    import('../../runtime/containers/states.ts'),
  ])
  const places = ownPlaces()
  const states = await allStates(places)
  return allRecords(places.containers)
    .filter(record => {
      const condition = conditionOf(places, record, states.get(record.id) ?? null)
      if (record.restart?.policy === 'always') return condition === 'exited' || condition === 'lost'
      return record.restart?.policy === 'unless-stopped' && condition === 'lost'
    })
    .map(record => record.name)
}

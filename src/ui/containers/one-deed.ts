/** One thing done with a container by its name, where nobody watches its engine: what the Explorer's keys do. */

import { verbLine } from '../../actions/by-hand.ts'
import type { Deed } from '../../actions/containers.ts'
import type { ContainerEngine, ContainerState } from '../../engine/containers.ts'
import type { Ui } from '../ui.ts'
import { manners } from './acting.ts'

/**
 * Gives the word for what was done: `restart` starts one that does not run, `pause` lets one that is paused go on. The
 * engine is null where nobody named it. Rejects with a Fault.
 */
export async function actOnNamed(
  ui: Ui,
  engine: string | null,
  name: string,
  wanted: 'stop' | 'restart' | 'pause',
): Promise<string> {
  const { containers, journal } = ui.services
  return containers.reach(engine, name, async (on: ContainerEngine, id) => {
    const { state } = await on.containers.inspect(id)
    const deed = deedOf(wanted, state)
    const { done, verb } = manners[deed]
    const told = { what: `${done} ${name}`, engine: on.id, command: verbLine(on, verb({}, false), [name]) }
    await journal.record(told, () => on.containers[deed](id))
    return done
  })
}

function deedOf(wanted: 'stop' | 'restart' | 'pause', state: ContainerState): Exclude<Deed, 'remove' | 'kill'> {
  if (wanted === 'pause') return state === 'paused' ? 'unpause' : 'pause'
  return wanted === 'restart' && state !== 'running' ? 'start' : wanted
}

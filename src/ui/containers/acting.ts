/** What is done with containers from the list: on which of the chosen ones it is possible, the doing, what came of it. */

import { verbLine } from '../../actions/by-hand.ts'
import type { Deed } from '../../actions/containers.ts'
import { asFault, Fault, isAbort } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { ContainerEngine, ContainerState } from '../../engine/containers.ts'
import type { Ui } from '../ui.ts'
import { mayBeDone } from './asking.ts'
import { type ContainerRow, runs } from './rows.ts'

/** A row whose engine is there. */
export type Target = ContainerRow & { engine: ContainerEngine }

export interface Manner {
  states: readonly ContainerState[]
  /** `stopping…`, `stopped web`. */
  doing: string
  done: string
  /** 0 is never asked for, 1 for many at once, 2 and above always. */
  danger: 0 | 1 | 2
  /** What stands before the names on the command line of the engine's client. */
  verb(how: How, force: boolean): string[]
  run(target: Target, how: How): Promise<void>
}

/** What a deed is told besides. */
export interface How {
  /** Of `kill`. */
  signal?: string
  /** Of `remove`: the volumes too that nobody has named. */
  volumes?: boolean
}

const stoppable: readonly ContainerState[] = ['running', 'paused', 'restarting']

export const manners: Record<Deed, Manner> = {
  start: {
    states: ['created', 'exited', 'dead', 'lost'],
    doing: 'starting…',
    done: 'started',
    danger: 0,
    verb: () => ['start'],
    run: ({ engine, container }) => engine.containers.start(container.id),
  },
  stop: {
    states: stoppable,
    doing: 'stopping…',
    done: 'stopped',
    danger: 1,
    verb: () => ['stop'],
    run: ({ engine, container }) => engine.containers.stop(container.id),
  },
  restart: {
    states: ['running', 'restarting'],
    doing: 'restarting…',
    done: 'restarted',
    danger: 1,
    verb: () => ['restart'],
    run: ({ engine, container }) => engine.containers.restart(container.id),
  },
  kill: {
    states: stoppable,
    doing: 'signalling…',
    done: 'signalled',
    danger: 2,
    verb: ({ signal = 'KILL' }) => (signal === 'KILL' ? ['kill'] : ['kill', '-s', signal]),
    run: ({ engine, container }, { signal }) => engine.containers.kill(container.id, signal),
  },
  pause: {
    states: ['running'],
    doing: 'pausing…',
    done: 'paused',
    danger: 0,
    verb: () => ['pause'],
    run: ({ engine, container }) => engine.containers.pause(container.id),
  },
  unpause: {
    states: ['paused'],
    doing: 'resuming…',
    done: 'resumed',
    danger: 0,
    verb: () => ['unpause'],
    run: ({ engine, container }) => engine.containers.unpause(container.id),
  },
  remove: {
    states: ['created', 'exited', 'dead', 'lost', 'running', 'paused', 'restarting'],
    doing: 'removing…',
    done: 'removed',
    danger: 2,
    verb: ({ volumes }, force) => ['rm', ...(force ? ['-f'] : []), ...(volumes ? ['-v'] : [])],
    run: ({ engine, container }, { volumes = false }) =>
      engine.containers.remove(container.id, { force: runs(container), volumes }),
  },
}

/** Those of the chosen rows that it can be done with now. */
export function targetsOf(deed: Deed, chosen: readonly ContainerRow[]): Target[] {
  return chosen.filter((row): row is Target => {
    if (row.engine === null || row.stale || !manners[deed].states.includes(row.container.state)) return false
    return deed === 'pause' ? row.engine.containers.capabilities.pause : true
  })
}

export interface ActOptions {
  /** Told what is being done with a row, and null when that is over. */
  mark(row: ContainerRow, doing: string | null): void
  how?: How
  /** Some of them are not on the screen: it is asked for in any case. */
  unseen?: boolean
}

/** Asks where it has to be asked, does it with each, keeps it in the journal, and says what came of it. */
export async function act(ui: Ui, deed: Deed, targets: readonly Target[], options: ActOptions): Promise<void> {
  const { doing, done, run, verb } = manners[deed]
  if (targets.length === 0) return
  const how = await mayBeDone(ui, deed, targets, { unseen: options.unseen === true, how: options.how ?? {} })
  if (how === null) return
  const one = async (target: Target) => {
    const { container, engine, engineId } = target
    const what = `${done} ${container.name}${how.signal ? ` with ${how.signal}` : ''}`
    const command = verbLine(engine, verb(how, runs(container)), [container.name])
    options.mark(target, doing)
    try {
      await ui.services.journal.record({ what, engine: engineId, command }, () => run(target, how))
    } finally {
      options.mark(target, null)
    }
  }
  tellResults(ui, done, targets, await Promise.allSettled(targets.map(one)))
}

/** `stopped web`, `stopped 3 containers`; what failed as a dialog that names each, its raw error one key away. */
function tellResults(
  ui: Ui,
  done: string,
  targets: readonly Target[],
  results: readonly PromiseSettledResult<void>[],
): void {
  const failed = results.flatMap((result, at) =>
    result.status === 'rejected' && !isAbort(result.reason)
      ? [{ name: safe(targets[at]!.container.name), error: result.reason as unknown }]
      : [],
  )
  const well = results.filter(result => result.status === 'fulfilled').length
  const [first] = failed
  if (!first) {
    if (well > 0) ui.toast(`${done} ${targets.length === 1 ? targets[0]!.container.name : some(well)}`)
    return
  }
  const doing = (name: string) => `${name} could not be ${done}`
  if (targets.length === 1) return ui.fail(asFault(first.error, doing(first.name)), doing(first.name))
  const faults = failed.map(({ name, error }) => ({ name, fault: asFault(error, doing(name)) }))
  const lines = faults.map(({ name, fault }) => [`${name}: ${fault.message}`, fault.hint].filter(Boolean).join(' '))
  const message = `${well === 0 ? 'None was' : some(well)} ${done}, ${failed.length} failed:`
  ui.fail(
    new Fault([message, ...lines].join('\n'), {
      cause: new AggregateError(
        faults.map(one => one.fault),
        message,
      ),
    }),
    message,
  )
}

/** `1 container`, `3 containers` */
export function some(count: number): string {
  return count === 1 ? '1 container' : `${count} containers`
}

/** What is done with containers from the list: on which of the chosen ones it is possible, the question before it, the doing. */
import type { Deed } from '../../actions/containers.ts'
import { asFault, isAbort } from '../../base/errors.ts'
import { formatBytes } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { ContainerEngine, ContainerState } from '../../engine/containers.ts'
import type { Ui } from '../ui.ts'
import { type ContainerRow, runs } from './rows.ts'
import { stateWords } from './words.ts'

/** A row whose engine is there. */
export type Target = ContainerRow & { engine: ContainerEngine }

interface Manner {
  states: readonly ContainerState[]
  /** `stopping…`, `stopped web`. */
  doing: string
  done: string
  run(target: Target): Promise<void>
}

const manners: Record<Deed, Manner> = {
  start: {
    states: ['created', 'exited', 'dead', 'lost'],
    doing: 'starting…',
    done: 'started',
    run: ({ engine, container }) => engine.containers.start(container.id),
  },
  stop: {
    states: ['running', 'paused', 'restarting'],
    doing: 'stopping…',
    done: 'stopped',
    run: ({ engine, container }) => engine.containers.stop(container.id),
  },
  restart: {
    states: ['running', 'restarting'],
    doing: 'restarting…',
    done: 'restarted',
    run: ({ engine, container }) => engine.containers.restart(container.id),
  },
  kill: {
    states: ['running', 'paused', 'restarting'],
    doing: 'killing…',
    done: 'killed',
    run: ({ engine, container }) => engine.containers.kill(container.id),
  },
  pause: {
    states: ['running'],
    doing: 'pausing…',
    done: 'paused',
    run: ({ engine, container }) => engine.containers.pause(container.id),
  },
  unpause: {
    states: ['paused'],
    doing: 'resuming…',
    done: 'resumed',
    run: ({ engine, container }) => engine.containers.unpause(container.id),
  },
  remove: {
    states: ['created', 'exited', 'dead', 'lost', 'running', 'paused', 'restarting'],
    doing: 'removing…',
    done: 'removed',
    run: ({ engine, container }) => engine.containers.remove(container.id, { force: runs(container) }),
  },
}

/** Those of the chosen rows that it can be done with now. */
export function targetsOf(deed: Deed, chosen: readonly ContainerRow[]): Target[] {
  return chosen.filter((row): row is Target => {
    if (row.engine === null || row.stale || !manners[deed].states.includes(row.container.state)) return false
    return deed === 'pause' ? row.engine.containers.capabilities.pause : true
  })
}

/**
 * Asks where it has to be asked, does it with each, and says what came of it. `mark` is told what is being done with a
 * row, and null when that is over.
 */
export async function act(
  ui: Ui,
  deed: Deed,
  targets: readonly Target[],
  mark: (row: ContainerRow, doing: string | null) => void,
): Promise<void> {
  const { doing, done, run } = manners[deed]
  if (targets.length === 0 || !(await mayBeDone(ui, deed, targets))) return
  const one = async (target: Target) => {
    mark(target, doing)
    try {
      await run(target)
    } finally {
      mark(target, null)
    }
  }
  const results = await Promise.allSettled(targets.map(one))
  const failed = results.flatMap((result, at) =>
    result.status === 'rejected' && !isAbort(result.reason) ? [{ at, error: result.reason as unknown }] : [],
  )
  const well = targets.length - failed.length
  if (well > 0) ui.toast(`${done} ${well === 1 && targets.length === 1 ? targets[0]!.container.name : some(well)}`)
  const [first] = failed
  if (!first) return
  const { name } = targets[first.at]!.container
  ui.fail(asFault(first.error, `${safe(name)} could not be ${done}`), `${safe(name)} could not be ${done}`)
}

/** One that is stopped can be started again; many at once, what is killed and what is removed are asked for. */
async function mayBeDone(ui: Ui, deed: Deed, targets: readonly Target[]): Promise<boolean> {
  const names = targets.map(target => `${safe(target.container.name)}  ${safe(target.engineId)}`)
  if (deed === 'remove') return mayBeRemoved(ui, targets)
  if (deed === 'kill') {
    const lines = [...names, '', 'Nothing of what they do is brought to an end.']
    return ui.confirm({ title: `Kill ${some(targets.length)}?`, lines, yes: `kill ${some(targets.length)}` })
  }
  if (targets.length === 1 || (deed !== 'stop' && deed !== 'restart')) return true
  return ui.confirm({
    title: `${titles[deed]} ${some(targets.length)}?`,
    lines: names,
    yes: `${deed} ${some(targets.length)}`,
  })
}

const titles = { stop: 'Stop', restart: 'Restart' } as const

/** Names each one with its state and what it holds of its own. */
async function mayBeRemoved(ui: Ui, targets: readonly Target[]): Promise<boolean> {
  const sizes = await ui.work('Measuring', ({ signal }) =>
    Promise.all(
      targets.map(({ engine, container }) =>
        engine.containers.inspect(container.id, { sizes: true, signal }).then(
          facts => facts.upperBytes,
          error => {
            if (isAbort(error)) throw error
            return null
          },
        ),
      ),
    ),
  )
  if (!sizes) return false
  const rows = targets.map(({ container, engineId }, at) => {
    const size = sizes[at] == null ? 'size not known' : formatBytes(sizes[at])
    return `${safe(container.name)}  ${safe(engineId)}  ${stateWords(container, undefined)}  ${size}`
  })
  const running = targets.filter(target => runs(target.container)).length
  const total = sizes.reduce<number>((sum, size) => sum + (size ?? 0), 0)
  const unknown = sizes.includes(null)
  const lines = [
    ...rows,
    '',
    `${unknown ? 'At least ' : ''}${formatBytes(total)} are freed. Images and volumes stay.`,
    ...(running > 0 ? [`${some(running)} ${running === 1 ? 'runs and is' : 'run and are'} killed first.`] : []),
  ]
  return ui.confirm({
    title: `Remove ${some(targets.length)}?`,
    lines,
    yes: `remove ${some(targets.length)}`,
    danger: true,
  })
}

function some(count: number): string {
  return count === 1 ? '1 container' : `${count} containers`
}

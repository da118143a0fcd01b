/** The questions before something is done with containers: what exactly happens to which, and the command that would do it. */

import { verbLine } from '../../actions/by-hand.ts'
import type { Deed } from '../../actions/containers.ts'
import { isAbort } from '../../base/errors.ts'
import { shellLine } from '../../base/shell-words.ts'
import { formatBytes } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { ContainerEngine, ContainerFacts } from '../../engine/containers.ts'
import type { Ui } from '../ui.ts'
import { type How, manners, some, type Target } from './acting.ts'
import { runs } from './rows.ts'
import { stateWords } from './words.ts'

/** How it is to be done; null: not at all. One that is stopped can be started again: what is many or is gone is asked for. */
export async function mayBeDone(
  ui: Ui,
  deed: Deed,
  targets: readonly Target[],
  { unseen, how }: { unseen: boolean; how: How },
): Promise<How | null> {
  const { danger } = manners[deed]
  if (deed === 'remove') return mayBeRemoved(ui, targets)
  // A signal was chosen from a menu that named them; the one that no program can answer is asked for again.
  const level = deed === 'kill' && how.signal !== 'KILL' ? 1 : danger
  if (!unseen && (level === 0 || (level === 1 && (targets.length === 1 || deed === 'kill')))) return how
  const names = targets.map(target => `${safe(target.container.name)}  ${safe(target.engineId)}`)
  const verb = deed === 'kill' ? `send ${how.signal} to` : deed
  const title = `${verb[0]!.toUpperCase()}${verb.slice(1)} ${some(targets.length)}?`
  const kills = deed === 'kill' && how.signal === 'KILL'
  const sure = await ui.confirm({
    title: kills ? `Kill ${some(targets.length)}?` : title,
    lines: [...names, ...(kills ? ['', 'Nothing of what they do is brought to an end.'] : [])],
    yes: kills ? `kill ${some(targets.length)}` : `${verb} ${some(targets.length)}`,
    commands: commandsOf(deed, targets, how),
  })
  return sure ? how : null
}

/** One line an engine and a way of calling it, for all of its containers. */
function commandsOf(deed: Deed, targets: readonly Target[], how: How): string[] {
  const groups = new Map<string, { engine: ContainerEngine; verb: string[]; names: string[] }>()
  for (const { engineId, engine, container } of targets) {
    const verb = manners[deed].verb(how, runs(container))
    const key = `${engineId} ${verb.join(' ')}`
    const group = groups.get(key) ?? { engine, verb, names: [] }
    group.names.push(container.name)
    groups.set(key, group)
  }
  return [...groups.values()].map(({ engine, verb, names }) => safe(shellLine(verbLine(engine, verb, names))))
}

/** Names each one with its state, what it holds of its own, and the volumes that nobody else has named. */
async function mayBeRemoved(ui: Ui, targets: readonly Target[]): Promise<How | null> {
  const facts = await ui.work('Measuring', ({ signal }) => Promise.all(targets.map(target => lookAt(target, signal))))
  if (!facts) return null
  const rows = targets.map(({ container, engineId }, at) => {
    const size = facts[at]?.upperBytes == null ? 'size not known' : formatBytes(facts[at].upperBytes)
    return `${safe(container.name)}  ${safe(engineId)}  ${stateWords(container, undefined)}  ${size}`
  })
  const running = targets.filter(target => runs(target.container)).length
  const total = facts.reduce((sum, one) => sum + (one?.upperBytes ?? 0), 0)
  const unknown = facts.some(one => one?.upperBytes == null)
  const freed =
    unknown && total === 0
      ? 'How much is freed is not known.'
      : `${unknown ? 'At least ' : ''}${formatBytes(total)} are freed.`
  const volumes = targets.flatMap(({ container }, at) => namelessOf(facts[at]?.mounts ?? container.mounts))
  const lines = (on: boolean) => [
    ...rows,
    '',
    `${freed} Images${on ? ' and named volumes' : ' and volumes'} stay.`,
    ...(running > 0 ? [`${some(running)} ${running === 1 ? 'runs and is' : 'run and are'} killed first.`] : []),
    ...(on ? ['', `What is in ${volumes.length === 1 ? 'this volume' : 'these volumes'} is lost:`, ...volumes] : []),
  ]
  const many = `${volumes.length} nameless volume${volumes.length === 1 ? '' : 's'}`
  const change = (on: boolean) => ({
    lines: lines(on),
    yes: `remove ${some(targets.length)}${on ? ` and ${many}` : ''}`,
    commands: commandsOf('remove', targets, { volumes: on }),
  })
  let withVolumes = false
  const sure = await ui.confirm({
    title: `Remove ${some(targets.length)}?`,
    ...change(false),
    danger: true,
    ...(volumes.length > 0 && {
      also: {
        key: 'v',
        label: many,
        change(on) {
          withVolumes = on
          return change(on)
        },
      },
    }),
  })
  return sure ? { volumes: withVolumes } : null
}

async function lookAt({ engine, container }: Target, signal: AbortSignal): Promise<ContainerFacts | null> {
  try {
    return await engine.containers.inspect(container.id, { sizes: true, signal })
  } catch (error) {
    if (isAbort(error)) throw error
    return null
  }
}

/** Volumes that were made for a container alone are called by 64 digits. */
function namelessOf(mounts: ContainerFacts['mounts']): string[] {
  return mounts.flatMap(({ kind, name, destination }) =>
    kind === 'volume' && name !== null && /^[\da-f]{64}$/.test(name)
      ? [`${safe(destination)}  ${name.slice(0, 12)}`]
      : [],
  )
}

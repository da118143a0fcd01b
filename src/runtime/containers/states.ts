/** Whether containers run, by the helper, which looks at the processes themselves (RUNTIME.md 1.11: exit file, boot, process, monitor's lock). */
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { roughDuration } from '../../base/durations.ts'
import type { Places } from '../places.ts'
import { callHelper } from './call.ts'
import { failureOf } from './failure.ts'
import type { HealthStatus } from './health.ts'
import { type ContainerRecord, folderOf, idsIn } from './record.ts'

/** As the helper says it; times are ISO 8601. */
export interface RuntimeState {
  id: string
  /** `restarting`: it has ended, and its monitor is to start it again. */
  status: 'created' | 'running' | 'paused' | 'stopped' | 'restarting'
  /** Of its first process; 0 when it does not run. */
  pid: number
  startedAt: string | null
  finishedAt: string | null
  exitCode: number | null
  oomKilled: boolean
  /** Below the root of every cgroup tree; '' when it has none. */
  cgroup: string
  /** Why nothing better is known: `lost (reboot)`, `monitor died`. */
  reason: string | null
  /** Why its command could not be started. */
  error: string | null
  /** How often its monitor started it again. */
  restarts: number
}

/** What the states of all containers are, by id. Those that never ran, or whose state is gone, are not in it. */
export async function allStates(places: Places): Promise<Map<string, RuntimeState>> {
  const states = new Map<string, RuntimeState>()
  if (idsIn(places.state).length === 0) return states
  for (const line of (await callHelper(places, ['list'])).split('\n')) {
    const state = parseState(line)
    if (state) states.set(state.id, state)
  }
  return states
}

/** null when the helper knows nothing of the container. */
export async function stateOf(places: Places, id: string): Promise<RuntimeState | null> {
  if (!isMade(places, id)) return null
  try {
    return parseState(await callHelper(places, ['state', id]))
  } catch (error) {
    if (!isMade(places, id)) return null
    throw error
  }
}

export function hasState(places: Places, id: string): boolean {
  return existsSync(join(places.state, id))
}

/** Whether its state is whole; while it is being made there is only the folder. */
function isMade(places: Places, id: string): boolean {
  return existsSync(join(places.state, id, 'state.json'))
}

export type Condition = 'created' | 'running' | 'paused' | 'restarting' | 'exited' | 'lost'

/**
 * A container's state in one word. `lost`: it ran, and nobody knows how it ended. One that said nothing and of which nothing
 * is known did not start: what could not be started has an empty log.
 */
export function conditionOf(places: Places, record: ContainerRecord, state: RuntimeState | null): Condition {
  if (state === null) {
    const hasSaid = (statSync(folderOf(places.containers, record.id).log, { throwIfNoEntry: false })?.size ?? 0) > 0
    const ran = hasSaid && !hasState(places, record.id) && failureOf(places.containers, record.id) === null
    return ran ? 'lost' : 'created'
  }
  if (state.status !== 'stopped') return state.status
  return state.exitCode === null ? 'lost' : 'exited'
}

/** The same in docker's words: `Up 3 hours (healthy)`, `Exited (137) 2 minutes ago`. `now` in milliseconds. */
export function statusOf(
  condition: Condition,
  state: RuntimeState | null,
  now: number,
  health: HealthStatus | null = null,
): string {
  const since = (time: string | null | undefined) => roughDuration(now - Date.parse(time ?? ''))
  switch (condition) {
    case 'created':
      return 'Created'
    case 'running':
      return `Up ${since(state?.startedAt)}${state?.reason ? ` (${state.reason})` : healthWords(health)}`
    case 'paused':
      return `Up ${since(state?.startedAt)} (Paused)`
    case 'restarting':
      return `Restarting (${state?.exitCode ?? ''}) ${since(state?.finishedAt)} ago`
    case 'exited':
      return `Exited (${state?.exitCode}) ${since(state?.finishedAt)} ago`
    case 'lost':
      return `Lost${state?.reason ? ` (${state.reason.replace(/^lost \((.*)\)$/, '$1')})` : ''}`
  }
}

function healthWords(health: HealthStatus | null): string {
  if (health === null) return ''
  return health === 'starting' ? ' (health: starting)' : ` (${health})`
}

function parseState(line: string): RuntimeState | null {
  if (line.trim() === '') return null
  const { id, status, pid, strata = {} } = JSON.parse(line)
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : null)
  return {
    id: String(id),
    status: ['created', 'running', 'paused', 'restarting'].includes(status) ? status : 'stopped',
    pid: Number(pid) || 0,
    startedAt: text(strata.startedAt),
    finishedAt: text(strata.finishedAt),
    exitCode: typeof strata.exitCode === 'number' && strata.exitCode >= 0 ? strata.exitCode : null,
    oomKilled: strata.oomKilled === true,
    cgroup: text(strata.cgroup) ?? '',
    reason: text(strata.reason),
    error: text(strata.error),
    restarts: Number(strata.restarts) || 0,
  }
}

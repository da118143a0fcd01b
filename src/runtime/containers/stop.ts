/** Containers end: asked, waited for, killed. */
import { setTimeout } from 'node:timers/promises'
import { Fault } from '../../base/errors.ts'
import type { Places } from '../places.ts'
import { callHelper } from './call.ts'
import type { ContainerRecord } from './record.ts'
import { discardContainer } from './shelf.ts'
import { signalName } from './signals.ts'
import { conditionOf, stateOf } from './states.ts'

/** Docker's, where neither the image nor the person says another. */
const usualTimeout = 10

/**
 * Sends the stop signal, waits so many seconds (less than 0: for ever), kills. One that does not run is left as it is.
 * `keep`: it stays though it was to be removed at its end.
 */
export async function stopContainer(
  places: Places,
  record: ContainerRecord,
  { timeout, keep = false }: { timeout?: number | undefined; keep?: boolean } = {},
): Promise<void> {
  const state = await stateOf(places, record.id)
  if (state === null || state.status === 'stopped') return keep ? undefined : afterEnd(places, record)
  if (state.status === 'restarting') return endRests(places, record, keep)
  const ended = waitForEnd(places, record.id).then(() => endRests(places, record, keep))
  const seconds = timeout ?? record.stopTimeout ?? usualTimeout
  const removed = () => (keep ? ended : afterEnd(places, record, ended))
  if (seconds !== 0) {
    await send(places, record, signalName(record.stopSignal ?? 'TERM'), { keep, last: true })
    // It hears the signal when it goes on.
    if (state.status === 'paused') await callHelper(places, ['resume', record.id]).catch(() => {})
    if (seconds < 0 || (await within(ended, seconds * 1000))) return removed()
  }
  await send(places, record, 'KILL', { keep, last: true }).catch(() => {})
  await removed()
}

/** One that waits to be started again does not; one that has run its last comes to its end. */
async function endRests(places: Places, record: ContainerRecord, keep = false): Promise<void> {
  if (!record.restart || (await stateOf(places, record.id))?.status !== 'restarting') return
  const ended = waitForEnd(places, record.id)
  await send(places, record, 'TERM', { keep, last: true })
  await ended
}

/** Sends a signal to the first process; KILL to all of them. Throws a Fault when it does not run. */
export async function killContainer(places: Places, record: ContainerRecord, signal = 'KILL'): Promise<void> {
  const name = signalName(signal)
  const state = await stateOf(places, record.id)
  if (state?.status === 'restarting') return endRests(places, record)
  if (state?.status !== 'running' && state?.status !== 'paused') throw notRunning(record)
  const kills = name === 'KILL' || name === '9'
  // docker's rule: what could end it is meant to.
  const last = kills || record.stopSignal === null || name === signalName(record.stopSignal)
  if (!kills) return send(places, record, name, { last })
  const ended = waitForEnd(places, record.id).then(() => endRests(places, record))
  await send(places, record, name, { last })
  await afterEnd(places, record, ended)
}

/** Removes it, its name and what it has written, with `volumes` those of its volumes that nobody named. Throws a Fault when it runs and `force` is not given. */
export async function removeContainer(
  places: Places,
  record: ContainerRecord,
  { force = false, volumes = record.remove }: { force?: boolean; volumes?: boolean } = {},
): Promise<void> {
  const state = await stateOf(places, record.id)
  if (state !== null) {
    if (state.status !== 'stopped' && state.status !== 'created' && !force)
      throw new Fault(`The container ${record.name} runs.`, { hint: `Stop it first, or: strata rm -f ${record.name}` })
    await callHelper(places, ['delete', ...(force || state.status === 'created' ? ['--force'] : []), record.id])
  }
  await discardContainer(places, record, { volumes })
}

/** Waits for the end of one that runs; gives its exit code, null when nobody knows it. */
export async function waitForEnd(places: Places, id: string, signal?: AbortSignal): Promise<number | null> {
  try {
    const answer = JSON.parse(await callHelper(places, ['wait', id], { signal }))
    return typeof answer.exitCode === 'number' && answer.exitCode >= 0 ? answer.exitCode : null
  } catch (error) {
    if (signal?.aborted) throw error
    // Gone while we waited: somebody removed it.
    return null
  }
}

export function notRunning(record: ContainerRecord): Fault {
  return new Fault(`The container ${record.name} does not run.`, { hint: `strata start ${record.name} starts it.` })
}

/** One that was to be removed at its end and that nobody stood by. */
export async function afterEnd(places: Places, record: ContainerRecord, ended?: Promise<unknown>): Promise<void> {
  await ended
  if (!record.remove) return
  const state = await stateOf(places, record.id)
  // Its monitor takes away the state, and then the rest: unless it was killed in between.
  if (state === null ? conditionOf(places, record, null) !== 'lost' : state.status !== 'stopped') return
  await callHelper(places, ['delete', record.id]).catch(() => {})
  await discardContainer(places, record)
}

/** KILL goes to every process. `last`: its monitor does not start it again; `keep`: nor does it remove it at the end. */
async function send(
  places: Places,
  record: ContainerRecord,
  name: string,
  { last = false, keep = false }: { last?: boolean; keep?: boolean },
): Promise<void> {
  const flags = [
    ...(name === 'KILL' ? ['--all'] : []),
    ...((last && record.restart) || keep ? ['--last'] : []),
    ...(keep ? ['--keep'] : []),
  ]
  await callHelper(places, ['kill', ...flags, record.id, name])
}

/** Whether it was over so soon. */
async function within(ended: Promise<unknown>, ms: number): Promise<boolean> {
  const stop = new AbortController()
  const late = setTimeout(ms, false, { signal: stop.signal }).catch(() => false)
  const over = await Promise.race([ended.then(() => true), late])
  stop.abort()
  return over
}

/** The containers of the native engine: the one interface over the helper's verbs and the folders of containers. */
import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { Fault } from '../../base/errors.ts'
import { callHelper } from '../../runtime/containers/call.ts'
import { processesOf } from '../../runtime/containers/processes.ts'
import { allRecords, type ContainerRecord, folderOf } from '../../runtime/containers/record.ts'
import { findContainer, renameContainer, sweepContainers } from '../../runtime/containers/shelf.ts'
import { startContainer } from '../../runtime/containers/start.ts'
import { allStates, conditionOf, type RuntimeState, stateOf } from '../../runtime/containers/states.ts'
import {
  afterEnd,
  killContainer,
  notRunning,
  removeContainer,
  stopContainer,
  waitForEnd,
} from '../../runtime/containers/stop.ts'
import type { Places } from '../../runtime/places.ts'
import type { Change, ContainerCapabilities, Containers } from '../containers.ts'
import { factsOf, rowOf } from './facts.ts'
import { makeContainer } from './make.ts'
import { type PrepareOptions, prepareImage } from './prepare.ts'

export const nativeCapabilities: ContainerCapabilities = {
  pause: true,
  stats: true,
  commit: true,
  local: true,
  ports: true,
  volumes: true,
  restartPolicies: true,
  networks: process.getuid?.() === 0 ? ['bridge', 'none', 'host'] : ['slirp4netns', 'pasta', 'none', 'host'],
}

/** Nothing is asked of the machine until something is called. */
export function nativeContainers(options: PrepareOptions): Containers {
  const { places } = options
  const find = (id: string) => findContainer(places.containers, id)
  const running = async (id: string): Promise<{ record: ContainerRecord; state: RuntimeState }> => {
    const record = find(id)
    const state = await stateOf(places, record.id)
    if (state?.status === 'running' || state?.status === 'paused') return { record, state }
    if (state?.status === 'restarting')
      throw new Fault(`The container ${record.name} is restarting: it does not run now.`, { hint: 'Try it again.' })
    throw notRunning(record)
  }
  const self: Containers = {
    capabilities: nativeCapabilities,

    async list({ all = false, sizes = false } = {}) {
      const [records, states] = await Promise.all([allRecords(places.containers), allStates(places)])
      const rows = []
      for (const record of records) {
        const state = states.get(record.id) ?? null
        const over = ['exited', 'lost'].includes(conditionOf(places, record, state))
        if (record.remove && over && (state?.status ?? 'stopped') === 'stopped') await afterEnd(places, record)
        else rows.push(rowOf(places, record, state, sizes))
      }
      return all ? rows : rows.filter(row => ['running', 'paused', 'restarting'].includes(row.state))
    },

    async inspect(id, { sizes = false } = {}) {
      const record = find(id)
      return factsOf(places, record, await stateOf(places, record.id), sizes)
    },

    async *events(how) {
      const { nativeEvents } = await import('./events.ts')
      yield* nativeEvents(places, how)
    },

    async *stats(id, { signal }) {
      const { nativeStats } = await import('./stats.ts')
      yield* nativeStats(places, find(id).id, signal)
    },

    async create(spec, { signal } = {}) {
      const image = await prepareImage(spec.image, { ...options, signal })
      try {
        const { id, warnings = [] } = await makeContainer(places, image, spec)
        return { id, warnings }
      } finally {
        await image.release()
      }
    },

    async start(id) {
      const record = find(id)
      const state = await stateOf(places, record.id)
      if (state?.status === 'running' || state?.status === 'restarting') return
      if (state?.status === 'paused')
        throw new Fault(`The container ${record.name} is paused.`, { hint: `strata unpause ${record.name}` })
      await startContainer(places, record)
    },

    stop: (id, { timeout } = {}) => stopContainer(places, find(id), { timeout }),

    async restart(id, { timeout } = {}) {
      const record = find(id)
      await stopContainer(places, record, { timeout, keep: record.remove })
      await startContainer(places, record)
    },

    kill: (id, signal) => killContainer(places, find(id), signal),

    async pause(id) {
      const { record, state } = await running(id)
      if (state.status === 'paused') throw new Fault(`The container ${record.name} is paused already.`)
      await callHelper(places, ['pause', record.id])
      touch(join(places.state, record.id, 'state.json'))
    },

    async unpause(id) {
      const { record, state } = await running(id)
      if (state.status !== 'paused') throw new Fault(`The container ${record.name} is not paused.`)
      await callHelper(places, ['resume', record.id])
      touch(join(places.state, record.id, 'state.json'))
    },

    async rename(id, name) {
      renameContainer(places.containers, find(id), name)
    },

    async remove(id, { force = false, volumes = false } = {}) {
      const record = find(id)
      await removeContainer(places, record, { force, volumes: volumes || record.remove })
      await sweepContainers(places.containers)
    },

    async wait(id, { signal } = {}) {
      const record = find(id)
      let state = await stateOf(places, record.id)
      if (state === null) find(record.id) // it may be gone since we found it
      while (conditionOf(places, record, state) === 'created') {
        const { watchPlaces } = await import('./events.ts')
        const watcher = watchPlaces(places)
        const going = await watcher.next(signal ?? new AbortController().signal).finally(() => watcher.close())
        if (!going) throw new Fault('Cancelled.', { exitCode: 130 })
        find(record.id) // one that was removed at its end is not waited for
        state = await stateOf(places, record.id)
      }
      if (state?.status !== 'stopped') return (await waitForEnd(places, record.id, signal)) ?? unknownCode
      return state.exitCode ?? unknownCode
    },

    async exec(id, spec) {
      const { record, state } = await running(id)
      if (state.status === 'paused') throw new Fault(`The container ${record.name} is paused.`)
      const { execSession } = await import('./session.ts')
      return execSession(places, record.id, spec)
    },

    async attach(id, { stdin = true, replay = false } = {}) {
      const { record } = await running(id)
      const { attachSession } = await import('./session.ts')
      return attachSession(places, record.id, { stdin, replay })
    },

    async *logs(id, query) {
      const record = find(id)
      const { readLogs } = await import('./logs.ts')
      const { watchState } = await import('./watch-state.ts')
      yield* readLogs(
        {
          path: folderOf(places.containers, record.id).log,
          goesOn: async () => {
            const state = await stateOf(places, record.id)
            return state !== null && state.status !== 'stopped'
          },
          onChange: changed => watchState(places, record.id, changed),
        },
        query,
      )
    },

    async top(id) {
      const { state } = await running(id)
      const { topOf } = await import('./top.ts')
      return topOf(processesOf(state.pid))
    },

    async processes(id) {
      const { state } = await running(id)
      const { fromProc } = await import('../processes.ts')
      return fromProc(state.pid)
    },

    async signalProcess(id, process, signal) {
      const { signalOne } = await import('../processes.ts')
      return signalOne(self, id, process, signal)
    },

    async changes(id, { signal } = {}) {
      const record = find(id)
      const { upperChanges } = await import('../../runtime/upper-changes.ts')
      const changes: Change[] = []
      for await (const { change, path } of upperChanges(
        folderOf(places.containers, record.id).upper,
        record.lower,
        signal,
      ))
        changes.push({ change, path: Buffer.from(path).toString('utf8') })
      return changes
    },

    async commit(id, spec = {}) {
      const record = find(id)
      const state = await stateOf(places, record.id)
      const { commitContainer } = await import('./commit.ts')
      const freeze = spec.pause !== false && state?.status === 'running'
      if (freeze) await callHelper(places, ['pause', record.id])
      try {
        return await commitContainer(record, spec, options)
      } finally {
        if (freeze) await callHelper(places, ['resume', record.id])
      }
    },

    async copyOut(id, path) {
      const record = find(id)
      const { copyOut } = await import('./copies.ts')
      return copyOut(places, record, await isUp(places, record), path)
    },

    async copyIn(id, path, tar, { signal } = {}) {
      const record = find(id)
      const { copyIn } = await import('./copies.ts')
      await copyIn(places, record, await isUp(places, record), path, tar, signal)
    },
  }
  return self
}

/** Whether it has processes. */
async function isUp(places: Places, record: ContainerRecord): Promise<boolean> {
  const state = await stateOf(places, record.id)
  if (state?.status === 'paused')
    throw new Fault(`The container ${record.name} is paused.`, { hint: `strata unpause ${record.name}` })
  return state?.status === 'running'
}

/** Of a container whose end nobody saw. */
const unknownCode = 255

/** Who watches the state learns of what is in no file of it. */
function touch(path: string): void {
  try {
    const now = new Date()
    utimesSync(path, now, now)
  } catch {}
}

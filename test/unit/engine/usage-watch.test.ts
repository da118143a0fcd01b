/** When engines are asked for their disks: when somebody looks, and after events, but never in a row. */
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { Fault } from '../../../src/base/errors.ts'
import type { ContainerEngine, EngineEvent } from '../../../src/engine/containers.ts'
import { watchDisks } from '../../../src/engine/usage-watch.ts'
import type { WatchedEngine, Watching } from '../../../src/engine/watching.ts'
import { diskOf } from '../../harness/disks.ts'

function engineThat(usage: () => Promise<ReturnType<typeof diskOf>>) {
  const eventListeners = new Set<(engine: string, event: EngineEvent) => void>()
  const listeners = new Set<() => void>()
  const storage = { holds: { volumes: true, cache: true, layers: false }, usage, holders: vi.fn(), remove: vi.fn() }
  const engine = { id: 'docker', kind: 'docker', storage } as unknown as ContainerEngine
  let watched: WatchedEngine = {
    id: 'docker',
    health: { state: 'ok', since: 0 },
    engine,
    containers: [],
    stale: false,
  }
  const watching: Watching = {
    snapshot: () => [watched],
    subscribe: listener => added(listeners, listener),
    onEvent: listener => added(eventListeners, listener),
    refresh: () => {},
    close: () => {},
  }
  return {
    watching,
    happen(kind: EngineEvent['kind'], action: string) {
      const event = { kind, action, id: 'x', name: 'x', time: 1, attributes: {} }
      for (const listener of eventListeners) listener('docker', event)
    },
    set(change: Partial<WatchedEngine>) {
      watched = { ...watched, ...change }
      for (const listener of listeners) listener()
    },
    engine,
    listening: () => listeners.size + eventListeners.size,
  }
}

function added<T>(set: Set<T>, one: T): () => void {
  set.add(one)
  return () => set.delete(one)
}

const settled = () => vi.advanceTimersByTimeAsync(0)
const pace = { rest: 1000, times: 10 }

describe('the disks of the engines', () => {
  test('are asked for when somebody looks, and not before', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const usage = vi.fn(async () => diskOf({}))
    const { watching } = engineThat(usage)
    const disks = watchDisks(watching, { now: () => 7, pace })
    await settled()
    expect(usage).not.toHaveBeenCalled()
    disks.look(true)
    await settled()
    expect(usage).toHaveBeenCalledTimes(1)
    expect(disks.snapshot()).toMatchObject([{ id: 'docker', asking: false, asOf: 7, outdated: false }])
    disks.close()
  })

  test('a storm of events is one more question, after a rest', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const usage = vi.fn(async () => diskOf({}))
    const { watching, happen } = engineThat(usage)
    const disks = watchDisks(watching, { now: () => 7, pace })
    disks.look(true)
    await settled()
    for (let at = 0; at < 1000; at++) happen('container', 'create')
    await vi.advanceTimersByTimeAsync(900)
    expect(usage).toHaveBeenCalledTimes(1)
    expect(disks.snapshot()[0]!.outdated).toBe(true)
    await vi.advanceTimersByTimeAsync(200)
    expect(usage).toHaveBeenCalledTimes(2)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(usage).toHaveBeenCalledTimes(2)
    disks.close()
  })

  test('what happens while nobody looks is asked for when somebody does', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const usage = vi.fn(async () => diskOf({}))
    const { watching, happen } = engineThat(usage)
    const disks = watchDisks(watching, { now: () => 7, pace })
    disks.look(true)
    await settled()
    disks.look(false)
    happen('volume', 'create')
    happen('container', 'exec_start')
    await vi.advanceTimersByTimeAsync(60_000)
    expect(usage).toHaveBeenCalledTimes(1)
    disks.look(true)
    await settled()
    expect(usage).toHaveBeenCalledTimes(2)
    disks.close()
  })

  test('a disk that is not told is a state, and what was known of it stays', async () => {
    const usage = vi.fn(async () => diskOf({ layers: { base: 1 } }))
    const { watching, set, engine, listening } = engineThat(usage)
    const disks = watchDisks(watching, { now: () => 7, pace })
    disks.look(true)
    await vi.waitFor(() => expect(disks.snapshot()[0]!.usage).not.toBe(null))
    usage.mockRejectedValueOnce(new Fault('The engine refused: busy.'))
    disks.refresh()
    await vi.waitFor(() => expect(disks.snapshot()[0]!.fault?.message).toBe('The engine refused: busy.'))
    expect(disks.snapshot()[0]!.usage!.layers).toHaveLength(1)
    set({ engine: null, stale: true })
    expect(disks.snapshot()[0]!.engine).toBe(null)
    set({ engine: { ...engine }, stale: false })
    await vi.waitFor(() => expect(disks.snapshot()[0]!.fault).toBe(null))
    disks.close()
    expect(listening()).toBe(0)
  })

  test('one that answers no question is asked ever less often', async () => {
    vi.useFakeTimers()
    onTestFinished(() => void vi.useRealTimers())
    const usage = vi.fn(() => Promise.reject(new Fault('The engine refused: busy.')))
    const { watching } = engineThat(usage)
    const disks = watchDisks(watching, { now: () => 7, pace })
    disks.look(true)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(usage.mock.calls.length).toBeGreaterThan(3)
    expect(usage.mock.calls.length).toBeLessThan(7)
    disks.close()
    await vi.advanceTimersByTimeAsync(600_000)
    expect(usage.mock.calls.length).toBeLessThan(7)
  })

  test('an engine that is not there is told of, and not asked', async () => {
    const usage = vi.fn(async () => diskOf({}))
    const { watching, set } = engineThat(usage)
    set({ engine: null, stale: true, health: { state: 'lost', since: 0, fault: new Fault('gone.'), retryAt: 0 } })
    const disks = watchDisks(watching, { now: () => 7, pace })
    disks.look(true)
    expect(disks.snapshot()).toMatchObject([{ engine: null, usage: null, lost: { message: 'gone.' } }])
    expect(usage).not.toHaveBeenCalled()
    disks.close()
  })
})

/** Containers of engines that are not there, for the screens: what is on them, what was done with them, what they say. */
import type { ContainersService } from '../../src/actions/containers-service.ts'
import { Fault } from '../../src/base/errors.ts'
import type {
  Container,
  ContainerCapabilities,
  ContainerEngine,
  ContainerFacts,
  ContainerProcess,
  ContainerSpec,
  Containers,
  EngineEvent,
  LogLine,
  LogQuery,
  Stats,
} from '../../src/engine/containers.ts'
import { createBody } from '../../src/engine/daemon-spec.ts'
import type { WatchedEngine } from '../../src/engine/watching.ts'
import { emptyRun } from '../../src/image/config.ts'
import type { RunConfig } from '../../src/image/types.ts'

export interface FakeEngine {
  id: string
  kind: ContainerEngine['kind']
  version: string
  containers: Container[]
  /** What `inspect` tells besides the row, by name. */
  facts: Record<string, Partial<ContainerFacts>>
  /** Samples that come at once, by name; then the stream waits. */
  stats: Record<string, Partial<Stats>[]>
  /** What images start with, by name; one that is not here is not there. */
  images: Record<string, Partial<RunConfig>>
  /** Processes, by name of the container. */
  processes: Record<string, Partial<ContainerProcess>[]>
  capabilities: Partial<ContainerCapabilities>
  /** Lines that come at once, by name; then the log waits for `say`. */
  logs: Record<string, string[]>
  /** The same with the time of each, nanoseconds since 1970. */
  timed: Record<string, { time: bigint; text: string }[]>
  /** What an action ends with, by its verb or by verb and name, in place of nothing. */
  failures: Record<string, Error>
}

export interface FakeContainers {
  service: ContainersService
  /** What was asked of the engines, in order: `stop web`. */
  asked: string[]
  /** What removing was told. */
  removed: unknown[]
  /** What making and committing were told. */
  wishes: unknown[]
  /** Streams that are open now: `stats web`, `logs web`. */
  open: Set<string>
  /** Changes what an engine is seen as. */
  change(id: string, change: Partial<WatchedEngine>): void
  lose(id: string, since: number, why: string): void
  happen(engine: string, event: Partial<EngineEvent>): void
  say(name: string, ...texts: string[]): void
  /** Ends the log of one, as engines do when it stops. */
  end(name: string): void
  /** What logs were asked for: `web tail=100`. */
  queries: string[]
  closed: boolean
}

export function container(name: string, more: Partial<Container> = {}): Container {
  return {
    id: Buffer.from(name).toString('hex').padEnd(64, '0').slice(0, 64),
    name,
    image: 'node:24',
    imageId: null,
    command: 'node server.js',
    created: Date.UTC(2026, 0, 2) / 1000,
    state: 'running',
    status: 'Up 3 hours',
    health: null,
    exitCode: null,
    ports: [],
    labels: {},
    mounts: [],
    networks: [],
    upperBytes: null,
    ...more,
  }
}

/** Engines of a test. Whatever is left out of one is empty. */
export function fakeContainers(
  engines: (Partial<FakeEngine> & { id: string })[],
  options: { readOnly?: boolean; files?: ReadonlySet<string> } = {},
) {
  const listeners = new Set<() => void>()
  const eventListeners = new Set<(engine: string, event: EngineEvent) => void>()
  const speakers: Speakers = new Map()
  const tell = () => {
    for (const listener of listeners) listener()
  }
  const fake: FakeContainers = {
    asked: [],
    removed: [],
    wishes: [],
    open: new Set(),
    closed: false,
    change(id, change) {
      snapshot = snapshot.map(one => (one.id === id ? { ...one, ...change } : one))
      tell()
    },
    lose(id, since, why) {
      const health = { state: 'lost', since, fault: new Fault(why), retryAt: since + 1000 } as const
      fake.change(id, { engine: null, stale: true, health })
    },
    happen(engine, event) {
      const whole = { kind: 'container', action: 'start', id: '', name: '', time: 0, attributes: {}, ...event } as const
      for (const listener of eventListeners) listener(engine, whole)
    },
    say(name, ...texts) {
      for (const text of texts) speakers.get(name)?.(line(text))
    },
    end: name => speakers.get(name)?.(null),
    queries: [],
    service: {
      readOnly: options.readOnly === true,
      watch: () => ({
        snapshot: () => snapshot,
        subscribe: listener => added(listeners, listener),
        onEvent: listener => added(eventListeners, listener),
        refresh: () => void fake.asked.push('refresh'),
        close() {
          fake.closed = true
        },
      }),
      async shell(engine, { name }) {
        fake.asked.push(`shell ${engine} ${name}`)
        return 0
      },
      async engines() {
        return { engines: snapshot.flatMap(one => one.engine ?? []), close() {} }
      },
      async attach(engine, { name }, { start = false } = {}) {
        fake.asked.push(`attach ${engine} ${name}${start ? ' and start it' : ''}`)
        return null
      },
      async copy(engine, _id, { out, inside, here }) {
        fake.asked.push(`copy on ${engine.id} ${out ? `${inside} to ${here}` : `${here} to ${inside}`}`)
      },
      namesInside: async (_engine, _container, path) => (path === '/' ? ['etc/', 'log', 'usr/'] : ['passwd']),
      async reach(id, name, run) {
        const found = snapshot.find(one => (id === null || one.id === id) && one.engine !== null)
        const row = found?.containers.find(one => one.name === name || one.id === name)
        if (!found?.engine || !row) throw new Fault(`There is no container “${name}” here.`)
        return run(found.engine, row.id)
      },
      exportLayer: () => Promise.reject(new Error('This test exports nothing.')),
      asDockerfile: () => Promise.reject(new Error('This test exports nothing.')),
      async save(path, lines, { over = false } = {}) {
        fake.asked.push(`save ${path} ${lines.length}${over ? ' over' : ''}`)
        return over || !options.files?.has(path)
      },
    },
  }
  let snapshot: readonly WatchedEngine[] = engines.map(one => ({
    id: one.id,
    health: { state: 'ok', since: 0 },
    engine: engineOf(one, fake, speakers),
    containers: one.containers ?? [],
    stale: false,
  }))
  return fake
}

/** Who hears what a container says; null: that was all. */
type Speakers = Map<string, (line: LogLine | null) => void>

function engineOf(
  { id, kind = 'docker', version = '28.2.2', containers = [], ...given }: Partial<FakeEngine> & { id: string },
  fake: FakeContainers,
  speakers: Speakers,
): ContainerEngine {
  const counts = new Map<string, number>()
  const nameOf = (wanted: string) => containers.find(one => one.id === wanted)?.name ?? wanted
  const doing = (verb: string) => async (wanted: string, more?: unknown) => {
    fake.asked.push([verb, nameOf(wanted), ...(typeof more === 'string' ? [more] : [])].join(' '))
    if (verb === 'remove') fake.removed.push(more)
    const failure = given.failures?.[`${verb} ${nameOf(wanted)}`] ?? given.failures?.[verb]
    if (failure) throw failure
  }
  const open = async function* <T>(what: string, signal: AbortSignal | undefined, come: () => AsyncGenerator<T>) {
    const count = (by: number) => {
      counts.set(what, (counts.get(what) ?? 0) + by)
      if (counts.get(what) === 0) fake.open.delete(what)
      else fake.open.add(what)
    }
    count(1)
    try {
      yield* come()
      const failure = given.failures?.[what]
      if (failure) throw failure
      if (what.startsWith('logs')) return
      await new Promise<void>(resolve => {
        if (!signal || signal.aborted) resolve()
        signal?.addEventListener('abort', () => resolve(), { once: true })
      })
    } finally {
      count(-1)
    }
  }
  const verbs = ['start', 'stop', 'restart', 'kill', 'pause', 'unpause', 'rename', 'remove'] as const
  return {
    id,
    kind,
    version,
    health: async () => null,
    close() {},
    check(spec) {
      createBody(spec)
    },
    async imageRun(name) {
      const run = given.images?.[name]
      return run ? { ...emptyRun(), ...run } : null
    },
    containers: {
      list: async () => containers,
      async create(spec: ContainerSpec) {
        fake.asked.push(`create ${spec.image}`)
        fake.wishes.push(spec)
        return { id: 'f'.repeat(64), warnings: [] }
      },
      async commit(wanted: string, spec: unknown) {
        fake.asked.push(`commit ${nameOf(wanted)}`)
        fake.wishes.push(spec)
        return `sha256:${'c'.repeat(64)}`
      },
      async processes(wanted: string) {
        return (given.processes?.[nameOf(wanted)] ?? []).map(one => ({ ...noProcess, ...one }))
      },
      async signalProcess(wanted: string, process: ContainerProcess, signal: string) {
        fake.asked.push(`${signal} to ${process.inside} of ${nameOf(wanted)}`)
        return process.pid === null ? 'inside' : 'directly'
      },
      ...Object.fromEntries(verbs.map(verb => [verb, doing(verb)])),
      capabilities: {
        pause: true,
        stats: true,
        commit: true,
        local: true,
        ports: true,
        volumes: true,
        restartPolicies: true,
        networks: 'any',
        ...given.capabilities,
      },
      async inspect(wanted: string) {
        const failure = given.failures?.inspect
        if (failure) throw failure
        const row = containers.find(one => one.id === wanted || one.name === wanted) ?? container('new')
        return { ...noFacts, ...row, ...given.facts?.[row.name] } as ContainerFacts
      },
      stats: (wanted: string, { signal }: { signal: AbortSignal }) =>
        open(`stats ${nameOf(wanted)}`, signal, async function* () {
          for (const sample of given.stats?.[nameOf(wanted)] ?? []) yield { ...noStats, ...sample }
        }),
      logs(wanted: string, { signal, tail, since }: LogQuery = {}) {
        const name = nameOf(wanted)
        fake.queries.push(`${name}${tail === undefined ? '' : ` tail=${tail}`}${since ? ` since=${since}` : ''}`)
        const past = [
          ...(given.logs?.[name] ?? []).map(text => line(text)),
          ...(given.timed?.[name] ?? []).map(({ time, text }) => line(text, time)),
        ]
        const isCut = given.failures?.[`logs ${name}`] !== undefined
        return open(`logs ${name}`, signal, () => said(name, past, isCut ? null : speakers, signal))
      },
    } as unknown as Containers,
  }
}

async function* said(
  name: string,
  past: readonly LogLine[],
  speakers: Speakers | null,
  signal: AbortSignal | undefined,
): AsyncGenerator<LogLine> {
  yield* past
  if (!speakers) return
  const coming: (LogLine | null)[] = []
  let wake = () => {}
  speakers.set(name, one => {
    coming.push(one)
    wake()
  })
  signal?.addEventListener('abort', () => wake(), { once: true })
  while (!signal?.aborted) {
    const next = coming.shift()
    if (next === null) return
    if (next) yield next
    else
      await new Promise<void>(resolve => {
        wake = resolve
      })
  }
}

/** `!` in front: on standard error. */
function line(text: string, time = 1_767_323_045_006_000_000n): LogLine {
  const error = text.startsWith('!')
  const bytes = Buffer.from(error ? text.slice(1) : text)
  return { stream: error ? 'stderr' : 'stdout', time, bytes }
}

function added<T>(set: Set<T>, one: T): () => void {
  set.add(one)
  return () => set.delete(one)
}

const noFacts = {
  startedAt: null,
  finishedAt: null,
  oomKilled: false,
  error: '',
  restarts: 0,
  restartPolicy: 'no',
  raw: {},
}

const noProcess: ContainerProcess = {
  pid: null,
  inside: null,
  parent: null,
  user: 'root',
  cpu: null,
  resident: null,
  started: null,
  command: '',
}

const noStats: Stats = {
  time: 0,
  cpuPercent: null,
  memory: 0,
  memoryLimit: null,
  netReceived: 0,
  netSent: 0,
  blockRead: 0,
  blockWritten: 0,
  pids: 1,
}

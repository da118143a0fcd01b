/** What Docker and Podman answer about containers, read leniently into the records of `containers.ts`. */
import * as z from 'zod'
import type { Container, ContainerFacts, ContainerState, Mount, Port } from './containers.ts'
import { digestOf, flag, labels, lenient, most, nested, number, text, texts } from './fields.ts'

/** `GET /containers/json` */
export const containerListShape: z.ZodType<Container[]> = z
  .array(z.unknown())
  .nullable()
  .transform(list => (list ?? []).slice(0, most.images).map(one => listed(lenient(listItem, one))))

/** `GET /containers/ID/json`. `status` is the state's name: engines say more only in lists. */
export const containerFactsShape: z.ZodType<ContainerFacts> = z
  .looseObject({ Id: z.string() })
  .transform(raw => facts(lenient(inspected, raw), raw))

const count = z.number().int().nonnegative()

const records = <T>(shape: z.ZodType<T>) =>
  z
    .array(z.unknown())
    .transform(list => list.slice(0, most.items).map(one => lenient(shape, one)))
    .catch([])

/** An object by its keys, whatever its values are. */
const keyed = z
  .custom<Record<string, unknown>>(value => typeof value === 'object' && value !== null && !Array.isArray(value))
  .catch({})

const mountItem = z.object({ Type: text, Name: text, Source: text, Destination: text, RW: z.boolean().catch(true) })

const portItem = z.object({ IP: text, PrivatePort: count.catch(0), PublicPort: count.catch(0), Type: text })

const health = z.object({ Status: text }).catch({ Status: '' })

const listItem = z.object({
  Id: text,
  Names: texts,
  Image: text,
  ImageID: text,
  Command: text,
  Created: number,
  State: text,
  Status: text,
  Health: health,
  Ports: records(portItem),
  Labels: labels,
  Mounts: records(mountItem),
  NetworkSettings: z.object({ Networks: keyed }).catch({ Networks: {} }),
  SizeRw: count.nullable().catch(null),
  SizeRootFs: count.nullable().catch(null),
})

const state = z.object({
  Status: text,
  ExitCode: number,
  OOMKilled: flag,
  Error: text,
  Pid: count.catch(0),
  StartedAt: text,
  FinishedAt: text,
  Health: health,
})

const config = z.object({
  Image: text,
  Tty: flag,
  OpenStdin: flag,
  StopSignal: text,
  StopTimeout: count.nullable().catch(null),
  Env: texts,
  User: text,
  WorkingDir: text,
  Entrypoint: z.union([z.string().transform(one => [one]), texts]),
  Cmd: texts,
  Labels: labels,
})

const hostConfig = z.object({
  AutoRemove: flag,
  LogConfig: z.object({ Type: text }).catch({ Type: '' }),
  RestartPolicy: z.object({ Name: text, MaximumRetryCount: count.catch(0) }).catch({ Name: '', MaximumRetryCount: 0 }),
  Tmpfs: keyed,
})

const overlayData = z.object({ UpperDir: text, WorkDir: text, LowerDir: text, MergedDir: text })

const inspected = z.object({
  Id: text,
  Name: text,
  Created: text,
  Path: text,
  Args: texts,
  Image: text,
  LogPath: text,
  RestartCount: count.catch(0),
  Driver: text,
  SizeRw: count.nullable().catch(null),
  Mounts: records(mountItem),
  State: nested(state),
  Config: nested(config),
  HostConfig: nested(hostConfig),
  NetworkSettings: z.object({ Networks: keyed, Ports: keyed }).catch({ Networks: {}, Ports: {} }),
  GraphDriver: z
    .object({ Name: text, Data: nested(overlayData) })
    .catch({ Name: '', Data: { UpperDir: '', WorkDir: '', LowerDir: '', MergedDir: '' } }),
})

function listed(one: z.infer<typeof listItem>): Container {
  const state = stateOf(one.State)
  const sized = one.SizeRw !== null || one.SizeRootFs !== null
  return {
    id: one.Id,
    name: nameOf(one.Names, one.Id),
    image: one.Image,
    imageId: one.ImageID === '' ? null : digestOf(one.ImageID),
    command: one.Command,
    created: Math.max(0, one.Created),
    state,
    status: one.Status,
    health: healthOf(one.Health.Status || /\((?:health: )?(\w+)\)$/.exec(one.Status)?.[1]),
    exitCode: exitCodeOf(state, Number(/^(?:Exited|Restarting) \((-?\d{1,10})\)/.exec(one.Status)?.[1] ?? Number.NaN)),
    ports: one.Ports.map(listedPort).filter(port => port.port > 0),
    labels: one.Labels,
    mounts: one.Mounts.map(mountOf),
    networks: namesIn(one.NetworkSettings.Networks),
    // Docker leaves a size of 0 out.
    upperBytes: sized ? (one.SizeRw ?? 0) : null,
  }
}

function facts(one: z.infer<typeof inspected>, raw: unknown): ContainerFacts {
  const { State, Config, HostConfig, GraphDriver } = one
  const state = stateOf(State.Status)
  const mounts = one.Mounts.map(mountOf)
  const { Name: policy, MaximumRetryCount: tries } = HostConfig.RestartPolicy
  return {
    id: one.Id,
    name: nameOf([one.Name], one.Id),
    image: Config.Image,
    imageId: one.Image === '' ? null : digestOf(one.Image),
    command: (one.Path === '' ? one.Args : [one.Path, ...one.Args]).map(quoted).join(' '),
    created: Math.max(0, Date.parse(one.Created) / 1000 || 0),
    state,
    status: State.Status,
    health: healthOf(State.Health.Status),
    exitCode: exitCodeOf(state, State.ExitCode),
    ports: inspectedPorts(one.NetworkSettings.Ports),
    labels: Config.Labels,
    mounts: [...mounts, ...tmpfsMounts(HostConfig.Tmpfs, mounts)],
    networks: namesIn(one.NetworkSettings.Networks),
    upperBytes: one.SizeRw,
    startedAt: timeOf(State.StartedAt),
    finishedAt: timeOf(State.FinishedAt),
    oomKilled: State.OOMKilled,
    error: State.Error,
    restarts: one.RestartCount,
    pid: State.Pid,
    tty: Config.Tty,
    openStdin: Config.OpenStdin,
    stopSignal: Config.StopSignal || null,
    stopTimeout: Config.StopTimeout,
    env: Config.Env,
    user: Config.User,
    workingDir: Config.WorkingDir,
    entrypoint: Config.Entrypoint,
    cmd: Config.Cmd,
    logPath: one.LogPath || null,
    logDriver: HostConfig.LogConfig.Type,
    autoRemove: HostConfig.AutoRemove,
    restartPolicy: policy === 'on-failure' && tries > 0 ? `${policy}:${tries}` : policy || 'no',
    driver: GraphDriver.Name || one.Driver || null,
    overlay: overlayOf(GraphDriver.Data),
    raw,
  }
}

/** Podman has more words than Docker; a word that is not known says that nothing is known. */
function stateOf(word: string): ContainerState {
  return states[word.toLowerCase()] ?? 'lost'
}

const states: Record<string, ContainerState> = {
  created: 'created',
  configured: 'created',
  initialized: 'created',
  running: 'running',
  stopping: 'running',
  paused: 'paused',
  restarting: 'restarting',
  removing: 'removing',
  exited: 'exited',
  stopped: 'exited',
  dead: 'dead',
}

function exitCodeOf(state: ContainerState, code: number): number | null {
  const ended = state === 'exited' || state === 'dead' || state === 'restarting' || state === 'removing'
  return ended && Number.isInteger(code) ? code : null
}

function healthOf(word: string | undefined): Container['health'] {
  return word === 'starting' || word === 'healthy' || word === 'unhealthy' ? word : null
}

/** `/web`; `/other/web` is a link's name for it. */
function nameOf(names: string[], id: string): string {
  const bare = names.map(name => name.replace(/^\//, ''))
  return bare.find(name => name !== '' && !name.includes('/')) ?? (bare[0] || id.slice(0, 12))
}

function listedPort({ IP, PrivatePort, PublicPort, Type }: z.infer<typeof portItem>): Port {
  return {
    host: PublicPort > 0 ? IP || '0.0.0.0' : '',
    hostPort: PublicPort || null,
    port: PrivatePort,
    protocol: protocolOf(Type),
  }
}

/** `{"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}], "53/udp": null}` */
function inspectedPorts(ports: Record<string, unknown>): Port[] {
  return Object.entries(ports)
    .slice(0, most.items)
    .flatMap(([name, bindings]) => {
      const [port = '', protocol = ''] = name.split('/')
      const bare: Port = { host: '', hostPort: null, port: Number(port) || 0, protocol: protocolOf(protocol) }
      const bound = Array.isArray(bindings) ? bindings.map(one => lenient(binding, one)) : []
      const published = bound
        .filter(one => Number(one.HostPort) > 0)
        .map(one => ({ ...bare, host: one.HostIp || '0.0.0.0', hostPort: Number(one.HostPort) }))
      return published.length > 0 ? published : [bare]
    })
    .filter(({ port }) => port > 0)
}

const binding = z.object({ HostIp: text, HostPort: text })

function protocolOf(word: string): Port['protocol'] {
  return word === 'udp' || word === 'sctp' ? word : 'tcp'
}

function mountOf({ Type, Name, Source, Destination, RW }: z.infer<typeof mountItem>): Mount {
  const kind = Type === 'bind' || Type === 'volume' || Type === 'tmpfs' ? Type : 'other'
  return {
    kind,
    name: kind === 'volume' && Name ? Name : null,
    source: Source,
    destination: Destination,
    readOnly: !RW,
  }
}

/** `--tmpfs` is not among the mounts that an engine tells. */
function tmpfsMounts(tmpfs: Record<string, unknown>, known: Mount[]): Mount[] {
  return namesIn(tmpfs)
    .filter(destination => !known.some(mount => mount.destination === destination))
    .map(destination => ({
      kind: 'tmpfs' as const,
      name: null,
      source: '',
      destination,
      readOnly: /(?:^|,)ro(?:,|$)/.test(String(tmpfs[destination])),
    }))
}

/** Go's zero time stands for never. */
function timeOf(text: string): string | null {
  return text === '' || text.startsWith('0001-') ? null : text
}

/** With Docker the first lower directory is the container's own `-init` layer, above the image's layers. */
function overlayOf({ UpperDir, WorkDir, LowerDir, MergedDir }: z.infer<typeof overlayData>): ContainerFacts['overlay'] {
  if (UpperDir === '') return null
  return { upper: UpperDir, work: WorkDir, lower: LowerDir.split(':').filter(Boolean), merged: MergedDir || null }
}

function namesIn(record: Record<string, unknown>): string[] {
  return Object.keys(record).slice(0, most.items)
}

/** As a shell would want it. */
function quoted(argument: string): string {
  return /^[^\s'"\\]+$/.test(argument) ? argument : `'${argument.replaceAll("'", "'\\''")}'`
}

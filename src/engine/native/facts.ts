/** A container of the native engine as the records that every engine answers with. */
import { join } from 'node:path'
import { failureOf } from '../../runtime/containers/failure.ts'
import { type HealthCheck, readHealth } from '../../runtime/containers/health.ts'
import { type ContainerRecord, folderOf, type MountRecord } from '../../runtime/containers/record.ts'
import { type Condition, conditionOf, type RuntimeState, statusOf } from '../../runtime/containers/states.ts'
import { bytesOf } from '../../runtime/containers/upper-bytes.ts'
import { sharedWith } from '../../runtime/network/plan.ts'
import { readNetwork } from '../../runtime/network/told.ts'
import type { Places } from '../../runtime/places.ts'
import type { Container, ContainerFacts, Mount } from '../containers.ts'
import { restartWords } from './care.ts'
import { networkSettings, portBindings, portsOf } from './network-facts.ts'

/** A row of the list. */
export function rowOf(places: Places, record: ContainerRecord, state: RuntimeState | null, sizes: boolean): Container {
  const condition = conditionOf(places, record, state)
  const up = condition === 'running' || condition === 'paused'
  const health = up && record.health ? (readHealth(places, record.id)?.status ?? 'starting') : null
  return {
    id: record.id,
    name: record.name,
    image: record.image,
    imageId: record.imageId,
    command: [...record.entrypoint, ...record.cmd].join(' '),
    created: Date.parse(record.created) / 1000,
    state: condition,
    status: statusOf(condition, state, Date.now(), health),
    health,
    exitCode: condition === 'exited' ? (state?.exitCode ?? null) : null,
    ports: condition === 'running' || condition === 'paused' ? portsOf(readNetwork(places, record.id)) : [],
    labels: record.labels,
    mounts: record.mounts.map(mountOf),
    networks: [sharedWith(record.network) === null ? record.network : `container:${record.network.slice(10, 22)}`],
    upperBytes: sizes ? bytesOf(folderOf(places.containers, record.id).upper) : null,
  }
}

/** Everything that is known of it. */
export function factsOf(
  places: Places,
  record: ContainerRecord,
  state: RuntimeState | null,
  sizes: boolean,
): ContainerFacts {
  const row = rowOf(places, record, state, sizes)
  const { upper, work, log } = folderOf(places.containers, record.id)
  const facts: Omit<ContainerFacts, 'raw'> = {
    ...row,
    startedAt: state?.startedAt ?? null,
    finishedAt: state?.finishedAt ?? null,
    oomKilled: state?.oomKilled === true,
    error: state?.error ?? (state === null ? failureOf(places.containers, record.id) : null) ?? '',
    restarts: state?.restarts ?? 0,
    pid: state?.pid ?? 0,
    tty: record.tty,
    openStdin: record.openStdin,
    stopSignal: record.stopSignal,
    stopTimeout: record.stopTimeout,
    env: record.env,
    user: record.user,
    workingDir: record.workingDir,
    entrypoint: record.entrypoint,
    cmd: record.cmd,
    logPath: log,
    logDriver: 'json-file',
    autoRemove: record.remove,
    restartPolicy: restartWords(record.restart),
    driver: 'overlay',
    overlay: { upper, work, lower: record.lower, merged: null },
  }
  return { ...facts, raw: inspected(places, record, facts, row.state as Condition) }
}

/** As Docker shows it. */
function healthShown(places: Places, record: ContainerRecord) {
  const { status, failingStreak, log } = readHealth(places, record.id) ?? {
    status: 'starting',
    failingStreak: 0,
    log: [],
  }
  const results = log.map(({ start, end, exitCode, output }) => ({
    Start: start,
    End: end,
    ExitCode: exitCode,
    Output: output,
  }))
  return { Status: status, FailingStreak: failingStreak, Log: results }
}

function checkShown({ test, interval, timeout, startPeriod, retries }: HealthCheck) {
  const ns = (ms: number) => ms * 1e6
  return {
    Test: ['CMD', ...test],
    Interval: ns(interval),
    Timeout: ns(timeout),
    StartPeriod: ns(startPeriod),
    Retries: retries,
  }
}

function mountOf({ kind, name, source, destination, readOnly }: MountRecord): Mount {
  return { kind, name: name ?? null, source, destination, readOnly }
}

/** What `docker inspect` would show, as far as there is something to show. */
function inspected(
  places: Places,
  record: ContainerRecord,
  facts: Omit<ContainerFacts, 'raw'>,
  condition: Condition,
): unknown {
  const folder = folderOf(places.containers, record.id)
  const never = '0001-01-01T00:00:00Z'
  const [path = '', ...args] = [...record.entrypoint, ...record.cmd]
  return {
    Id: record.id,
    Created: record.created,
    Path: path,
    Args: args,
    State: {
      Status: condition,
      Running: condition === 'running' || condition === 'paused' || condition === 'restarting',
      Paused: condition === 'paused',
      Restarting: condition === 'restarting',
      OOMKilled: facts.oomKilled,
      Dead: false,
      Pid: facts.pid,
      ExitCode: facts.exitCode ?? 0,
      Error: facts.error,
      StartedAt: facts.startedAt ?? never,
      FinishedAt: facts.finishedAt ?? never,
      ...(record.health && { Health: healthShown(places, record) }),
    },
    Image: record.imageId,
    ResolvConfPath: join(folder.path, 'resolv.conf'),
    HostnamePath: join(folder.path, 'hostname'),
    HostsPath: join(folder.path, 'hosts'),
    LogPath: folder.log,
    Name: `/${record.name}`,
    RestartCount: facts.restarts,
    Driver: 'overlay',
    Platform: 'linux',
    HostConfig: {
      Binds: record.mounts
        .filter(one => one.kind !== 'tmpfs' && !one.anonymous)
        .map(one => `${one.name ?? one.source}:${one.destination}${one.readOnly ? ':ro' : ''}`),
      NetworkMode: record.network,
      PortBindings: portBindings(record.networkPlan?.ports ?? []),
      Dns: record.networkPlan?.dns.servers ?? [],
      DnsSearch: record.networkPlan?.dns.search ?? [],
      DnsOptions: record.networkPlan?.dns.options ?? [],
      ExtraHosts: (record.networkPlan?.hosts ?? []).map(({ name, address }) => `${name}:${address}`),
      AutoRemove: record.remove,
      ReadonlyRootfs: record.readOnly,
      Memory: record.memory ?? 0,
      NanoCpus: Math.round((record.cpus ?? 0) * 1e9),
      PidsLimit: record.pidsLimit,
      RestartPolicy: { Name: record.restart?.policy ?? 'no', MaximumRetryCount: record.restart?.most ?? 0 },
      LogConfig: { Type: 'json-file', Config: {} },
    },
    GraphDriver: {
      Name: 'overlay',
      Data: { LowerDir: record.lower.join(':'), UpperDir: folder.upper, WorkDir: folder.work },
    },
    NetworkSettings: networkSettings(record, facts.pid > 0 ? readNetwork(places, record.id) : null, facts.pid),
    Mounts: record.mounts.map(one => ({
      Type: one.kind,
      ...(one.name === undefined ? {} : { Name: one.name, Driver: 'local' }),
      Source: one.source,
      Destination: one.destination,
      RW: !one.readOnly,
    })),
    Config: {
      Hostname: record.hostname,
      User: record.user,
      Tty: record.tty,
      OpenStdin: record.openStdin,
      Env: record.env,
      Cmd: record.cmd,
      Image: record.image,
      WorkingDir: record.workingDir,
      Entrypoint: record.entrypoint,
      Labels: record.labels,
      ...(record.health && { Healthcheck: checkShown(record.health) }),
      ...(record.stopSignal === null ? {} : { StopSignal: record.stopSignal }),
      ...(record.stopTimeout === null ? {} : { StopTimeout: record.stopTimeout }),
    },
  }
}

/**
 * The containers of an engine: what they are, what they do, what a person can do with them. Docker, Podman and the native
 * engine answer with the same records, so that nothing above this folder asks which one it is; what differs is data
 * (`ContainerCapabilities`). Everything that comes from an engine is bounded and read through a shape before it is one of these.
 */
import type { Readable, Writable } from 'node:stream'
import type { Fault } from '../base/errors.ts'
import type { Digest, RunConfig } from '../image/types.ts'
import type { Storage } from './usage.ts'
import type { Volumes } from './volumes.ts'

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead' | 'lost'

/** A row of a list. */
export interface Container {
  /** 64 hex digits. */
  id: string
  /** The first name, without the slash. */
  name: string
  image: string
  imageId: Digest | null
  command: string
  /** Seconds since 1970. */
  created: number
  state: ContainerState
  /** The engine's own words: `Up 3 hours (healthy)`. */
  status: string
  health: 'starting' | 'healthy' | 'unhealthy' | null
  /** null while it runs, or when the engine does not tell in a list. */
  exitCode: number | null
  ports: Port[]
  labels: Record<string, string>
  mounts: Mount[]
  networks: string[]
  /** Bytes of the upper layer; null when it was not asked for. */
  upperBytes: number | null
}

export interface Port {
  /** `0.0.0.0`, '' when it is not published. */
  host: string
  hostPort: number | null
  port: number
  protocol: 'tcp' | 'udp' | 'sctp'
}

export interface Mount {
  kind: 'bind' | 'volume' | 'tmpfs' | 'other'
  /** The volume's name; null for another kind. */
  name: string | null
  /** On the engine's machine. */
  source: string
  destination: string
  readOnly: boolean
}

/** One container, whole. */
export interface ContainerFacts extends Container {
  startedAt: string | null
  finishedAt: string | null
  oomKilled: boolean
  /** Why it did not start, in the engine's words; '' for none. */
  error: string
  restarts: number
  /** Of its first process, on the engine's machine; 0 when it does not run. */
  pid: number
  tty: boolean
  openStdin: boolean
  stopSignal: string | null
  /** Seconds. */
  stopTimeout: number | null
  env: string[]
  user: string
  workingDir: string
  entrypoint: string[]
  cmd: string[]
  /** Where the engine's own log of it lies; null when the driver has no file. */
  logPath: string | null
  logDriver: string
  autoRemove: boolean
  restartPolicy: string
  driver: string | null
  /**
   * Directories of the overlay on the engine's machine, lower ones top first; null where the driver tells none. With
   * Docker the first lower one ends in `-init/diff`: the container's own mount points (/etc/hosts, /dev, …), no layer.
   */
  overlay: { upper: string; work: string; lower: string[]; merged: string | null } | null
  /** The whole answer. */
  raw: unknown
}

/** What a person may wish of a new container: docker's flags. Everything but the image can be left out. */
export interface ContainerSpec {
  image: string
  name?: string | undefined
  command?: readonly string[] | undefined
  entrypoint?: readonly string[] | undefined
  env?: readonly string[] | undefined
  labels?: Record<string, string> | undefined
  workingDir?: string | undefined
  user?: string | undefined
  hostname?: string | undefined
  tty?: boolean | undefined
  openStdin?: boolean | undefined
  /**
   * The end of what the first one who is attached types is the end of its standard input; without a terminal so when it
   * is not said. false for a container that is started detached.
   */
  stdinOnce?: boolean | undefined
  remove?: boolean | undefined
  readOnly?: boolean | undefined
  /** `none`, `host`, `bridge`, `container:NAME`, a network's name. */
  network?: string | undefined
  /** What others on its network call it besides its name. */
  networkAliases?: readonly string[] | undefined
  /** Addresses of name servers, in place of this machine's. */
  dns?: readonly string[] | undefined
  dnsSearch?: readonly string[] | undefined
  dnsOptions?: readonly string[] | undefined
  /** `NAME:ADDRESS`, `NAME:host-gateway` */
  addHosts?: readonly string[] | undefined
  /** `HOST:CONTAINER[:ro]` or `NAME:CONTAINER[:ro]`. */
  volumes?: readonly string[] | undefined
  tmpfs?: readonly string[] | undefined
  /** `[IP:]HOST:CONTAINER[/udp]` */
  publish?: readonly string[] | undefined
  /** Bytes. */
  memory?: number | undefined
  /** Cores: 1.5. */
  cpus?: number | undefined
  pidsLimit?: number | undefined
  stopSignal?: string | undefined
  stopTimeout?: number | undefined
  /** `no`, `on-failure[:N]`, `always`, `unless-stopped` */
  restart?: string | undefined
  platform?: string | undefined
  /** docker's --mount. */
  mounts?: readonly MountSpec[] | undefined
  /** Containers whose volumes it gets, `NAME[:ro]`. */
  volumesFrom?: readonly string[] | undefined
  /** `none`: the image's is not used either. */
  health?: HealthSpec | 'none' | undefined
  /** Bytes of memory and swap together; -1 for no limit of swap. */
  memorySwap?: number | undefined
  memoryReservation?: number | undefined
  cpuShares?: number | undefined
  /** Microseconds. */
  cpuPeriod?: number | undefined
  cpuQuota?: number | undefined
  ulimits?: readonly { name: string; soft: number; hard: number }[] | undefined
  /** `CHOWN`, `CAP_CHOWN`, `ALL` */
  capAdd?: readonly string[] | undefined
  capDrop?: readonly string[] | undefined
  privileged?: boolean | undefined
  /** `HOST[:CONTAINER[:rwm]]` */
  devices?: readonly string[] | undefined
  /** `no-new-privileges[:false]`, `seccomp=unconfined`, … */
  securityOptions?: readonly string[] | undefined
  /** Bytes of /dev/shm. */
  shmSize?: number | undefined
  /** Names or numbers. */
  groups?: readonly string[] | undefined
  sysctls?: Record<string, string> | undefined
  oomScore?: number | undefined
  init?: boolean | undefined
}

/** What `--mount` says, docker's keys. */
export interface MountSpec {
  type: 'bind' | 'volume' | 'tmpfs'
  /** '' for none: a volume that nobody names, or memory. */
  source: string
  target: string
  readOnly: boolean
  bind?: { propagation?: string | undefined; nonRecursive?: boolean | undefined } | undefined
  volume?:
    | {
        noCopy?: boolean | undefined
        labels?: Record<string, string> | undefined
        driver?: string | undefined
        options?: Record<string, string> | undefined
      }
    | undefined
  /** Bytes; permissions. */
  tmpfs?: { size?: number | undefined; mode?: number | undefined } | undefined
}

/** What is left out is the image's, else docker's default: every 30 s, at most 30 s, three failures. */
export interface HealthSpec {
  /** For /bin/sh. */
  command?: string | undefined
  /** Milliseconds. */
  interval?: number | undefined
  timeout?: number | undefined
  startPeriod?: number | undefined
  retries?: number | undefined
}

export interface ExecSpec {
  command: readonly string[]
  env?: readonly string[] | undefined
  user?: string | undefined
  workingDir?: string | undefined
  tty?: boolean | undefined
  stdin?: boolean | undefined
  privileged?: boolean | undefined
}

/** A program's standard streams, attached or executed. With a terminal everything comes as `output`. */
export interface Session {
  input: Writable | null
  output: Readable
  errors: Readable | null
  resize(columns: number, rows: number): Promise<void>
  /** Resolves when the streams have ended: the exit code, null when it was let go or is not known. */
  ended: Promise<number | null>
  /** Lets go; the program goes on. */
  close(): void
}

export interface LogQuery {
  follow?: boolean | undefined
  /** The last N lines; all without it. */
  tail?: number | undefined
  /** Seconds since 1970, fractions allowed. */
  since?: number | undefined
  until?: number | undefined
  signal?: AbortSignal | undefined
}

/**
 * A line of a log without its line end, or a part of one that was too long (`LOG_LINE_MOST` bytes). Raw bytes: nothing of
 * it is harmless.
 */
export interface LogLine {
  stream: 'stdout' | 'stderr'
  /** Nanoseconds since 1970; null where the engine gives none. */
  time: bigint | null
  bytes: Uint8Array
  /** No line end followed: the next one of this stream goes on with it, or it was the last thing that was said. */
  partial?: boolean | undefined
}

/** Bytes after which a line of a log is cut into parts. */
export const LOG_LINE_MOST = 64 * 1024

/** What happened. Health checks' exec events never come through. */
export interface EngineEvent {
  kind: 'container' | 'image' | 'volume' | 'network'
  /** `create` `start` `die` `stop` `kill` `pause` `unpause` `destroy` `rename` `oom` `health_status` `tag` `untag` `delete` `load` `pull` … */
  action: string
  id: string
  name: string
  /** Milliseconds since 1970. */
  time: number
  attributes: Record<string, string>
}

/** One sample, about one a second. Absolute counters; rates are for who shows them. */
export interface Stats {
  /** Milliseconds since 1970. */
  time: number
  /** Share of one core as `docker stats` says it: 150 is one and a half cores. null in the first sample. */
  cpuPercent: number | null
  /** Bytes without the page cache that can be dropped, as `docker stats` counts them. */
  memory: number
  memoryLimit: number | null
  netReceived: number
  netSent: number
  blockRead: number
  blockWritten: number
  pids: number
}

export interface Change {
  change: 'A' | 'C' | 'D'
  /** Absolute. */
  path: string
}

/** One path of a container as it is now, volumes and binds included; a symlink itself. */
export interface PathStat {
  kind: 'file' | 'dir' | 'symlink' | 'other'
  size: number
  /** Permissions with setuid, setgid and sticky. */
  mode: number
  /** Milliseconds since 1970. */
  mtime: number
}

export interface CommitSpec {
  /** `repo:tag`, none for an image without a name. */
  reference?: string | undefined
  author?: string | undefined
  message?: string | undefined
  /** Dockerfile lines: `CMD ["x"]`, `ENV A=1`. */
  changes?: readonly string[] | undefined
  pause?: boolean | undefined
}

/** A process of a container. */
export interface ContainerProcess {
  /** On the machine that the engine runs on; null where only the container's own number is told. */
  pid: number | null
  /** The number that it has inside; null where nobody tells. */
  inside: number | null
  parent: number | null
  user: string
  /** Processor seconds that it has used. */
  cpu: number | null
  /** Bytes that are in memory. */
  resident: number | null
  /** Seconds since boot. With the number it means one process. */
  started: number | null
  command: string
}

/** What differs between engines, as data: a key whose capability is missing is not offered. */
export interface ContainerCapabilities {
  pause: boolean
  stats: boolean
  commit: boolean
  /** Whether the upper directory can be on this machine. */
  local: boolean
  ports: boolean
  volumes: boolean
  restartPolicies: boolean
  networks: readonly string[] | 'any'
}

/** The containers of one engine. A name, an id or an unambiguous beginning of an id is good for every `id`. */
export interface Containers {
  capabilities: ContainerCapabilities
  list(options?: { all?: boolean; sizes?: boolean; signal?: AbortSignal | undefined }): Promise<Container[]>
  inspect(id: string, options?: { sizes?: boolean; signal?: AbortSignal | undefined }): Promise<ContainerFacts>
  /**
   * Ends with the signal; throws a Fault when the connection is lost. `since` in seconds since 1970. `onOpen` is called
   * when nothing that happens from now on is missed.
   */
  events(options: { signal: AbortSignal; since?: number; onOpen?: () => void }): AsyncIterable<EngineEvent>
  /** Ends with the signal, and when the container does not run (any more). */
  stats(id: string, options: { signal: AbortSignal }): AsyncIterable<Stats>
  create(
    spec: ContainerSpec,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<{ id: string; warnings: string[] }>
  start(id: string): Promise<void>
  /** Seconds until it is killed; the container's own timeout without it. */
  stop(id: string, options?: { timeout?: number | undefined }): Promise<void>
  restart(id: string, options?: { timeout?: number | undefined }): Promise<void>
  kill(id: string, signal?: string): Promise<void>
  pause(id: string): Promise<void>
  unpause(id: string): Promise<void>
  rename(id: string, name: string): Promise<void>
  remove(id: string, options?: { force?: boolean; volumes?: boolean }): Promise<void>
  /** Its exit code, when it has stopped. */
  wait(id: string, options?: { signal?: AbortSignal | undefined }): Promise<number>
  exec(id: string, spec: ExecSpec): Promise<Session>
  /** `replay` gives what it has said so far first. */
  attach(id: string, options?: { stdin?: boolean; replay?: boolean }): Promise<Session>
  logs(id: string, query?: LogQuery): AsyncIterable<LogLine>
  top(id: string): Promise<{ titles: string[]; rows: string[][] }>
  processes(id: string): Promise<ContainerProcess[]>
  /** A signal to one of them, and how it went: from this machine, or by a program in the container. */
  signalProcess(id: string, process: ContainerProcess, signal: string): Promise<'directly' | 'inside'>
  changes(id: string, options?: { signal?: AbortSignal | undefined }): Promise<Change[]>
  /** Gives the new image's id. */
  commit(id: string, spec?: CommitSpec): Promise<Digest>
  /** null: there is none. An engine without it reads the upper directory itself. */
  stat?(id: string, path: string, options?: { signal?: AbortSignal | undefined }): Promise<PathStat | null>
  /** A tar of a path; back-pressure is the reader's. */
  copyOut(id: string, path: string, options?: { signal?: AbortSignal | undefined }): Promise<Readable>
  /** Unpacks a tar into a directory of the container. */
  copyIn(id: string, path: string, tar: Readable, options?: { signal?: AbortSignal | undefined }): Promise<void>
}

/** Anything that has containers: a daemon's `Engine`, or the native engine. */
export interface ContainerEngine {
  /** `docker`, `podman-rootless`, `native`, a context's name. */
  id: string
  kind: 'docker' | 'podman' | 'native'
  version: string
  containers: Containers
  /** What its disk holds; an engine without it can not tell. */
  storage?: Storage
  volumes?: Volumes
  /** Throws a Fault for what of a wish makes no sense or is not to be had here. Asks nobody. */
  check?(spec: ContainerSpec): void
  /** What a container of this image starts with unless it is said otherwise; null: there is no such image here. */
  imageRun?(reference: string, options: { signal?: AbortSignal | undefined }): Promise<RunConfig | null>
  /** What reaches it by hand, before a verb: `docker --context work`. The kind's own client without it. */
  command?: readonly string[]
  /** Whether it still answers: null, or the fault. */
  health(): Promise<Fault | null>
  close(): void
}

/** From an image's config and a person's wishes to the config.json that the helper reads. Pure. */

import { Fault } from '../base/errors.ts'
import type { RunConfig } from '../image/types.ts'

export interface Volume {
  source: string
  destination: string
  readOnly: boolean
  /** What is mounted below it comes along, which is so where nothing is said. */
  recursive?: boolean | undefined
  propagation?: string | null | undefined
}

export interface ContainerWish {
  /** Layer directories, top first. */
  lower: readonly string[]
  /** null: nothing can be written. */
  writable: { upper: string; work: string; throwAway: boolean } | null
  /** In place of the image's CMD; null: the image's. */
  command: readonly string[] | null
  /** In place of the image's ENTRYPOINT; null: the image's, empty: none. */
  entrypoint: readonly string[] | null
  /** `NAME=value`, over the image's. */
  env: readonly string[]
  user: string | null
  workingDir: string | null
  hostname: string
  terminal: boolean
  /** `host` and `container:ID` have no network namespace of their own. */
  network: string
  /** `strata.network`, for the helper. */
  helperNetwork?: object | undefined
  readOnlyRoot: boolean
  volumes: readonly Volume[]
  tmpfs?: readonly { destination: string; options: readonly string[] }[] | undefined
  /** Limits: bytes, cores, processes. */
  memory?: number | null | undefined
  cpus?: number | null | undefined
  pidsLimit?: number | null | undefined
  /** Programs in place of one that the image does not have. */
  instead?: readonly string[] | undefined
  /** What else is said of it, laid over the rest. */
  parts?: ConfigParts | undefined
}

/** Members of an OCI configuration. */
export interface ConfigParts {
  process?: object | undefined
  linux?: object | undefined
  sysctl?: Record<string, string> | undefined
  resources?: { memory: object; cpu: object } | undefined
  strata?: object | undefined
  /** Bytes of /dev/shm. */
  shmSize?: number | undefined
}

/** An OCI runtime configuration, in the subset of native/README.md. Throws a Fault when there is no command to run. */
export function containerConfig(run: RunConfig, wish: ContainerWish): object {
  const args = commandOf(run, wish)
  if (args.length === 0) {
    throw new Fault('The image has no command of its own.', { hint: 'Say what to run: strata run IMAGE COMMAND.' })
  }
  const namespaces = ['pid', 'mount', 'ipc', 'uts', 'cgroup', ...(ownNetwork(wish) ? ['network'] : [])]
  return {
    ociVersion: '1.2.0',
    process: {
      args,
      env: environment(run.env, wish),
      cwd: wish.workingDir ?? (run.workingDir || '/'),
      terminal: wish.terminal,
      noNewPrivileges: true,
      ...wish.parts?.process,
    },
    root: { readonly: wish.readOnlyRoot },
    hostname: wish.hostname,
    ...mountsOf(wish),
    linux: {
      namespaces: namespaces.map(type => ({ type })),
      ...resourcesOf(wish),
      ...sysctlsOf(wish),
      ...wish.parts?.linux,
    },
    strata: {
      overlay: overlayOf(wish),
      user: wish.user ?? (run.user || '0'),
      instead: wish.instead ?? [],
      ...(wish.helperNetwork && { network: wish.helperNetwork }),
      ...wish.parts?.strata,
    },
  }
}

function ownNetwork({ network }: ContainerWish): boolean {
  return network !== 'host' && !network.startsWith('container:')
}

/** As Docker sets them: whoever the command runs as may listen on any port. */
function sysctlsOf(wish: ContainerWish): object {
  const usual = wish.helperNetwork && ownNetwork(wish) ? { 'net.ipv4.ip_unprivileged_port_start': '0' } : {}
  const all = { ...usual, ...wish.parts?.sysctl }
  return Object.keys(all).length > 0 ? { sysctl: all } : {}
}

/** Docker's rule: another entrypoint drops the image's CMD. */
function commandOf(run: RunConfig, { command, entrypoint }: ContainerWish): string[] {
  if (entrypoint !== null) return [...entrypoint, ...(command ?? [])]
  return [...(run.entrypoint ?? []), ...(command ?? run.cmd ?? [])]
}

const usualPath = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The last value of a name wins, in the place where the name came first; PATH, HOSTNAME and TERM as Docker sets them. */
function environment(image: readonly string[], { env, hostname, terminal }: ContainerWish): string[] {
  const values = new Map<string, string>()
  for (const entry of [usualPath, `HOSTNAME=${hostname}`, ...(terminal ? ['TERM=xterm'] : []), ...image, ...env]) {
    values.set(entry.split('=', 1)[0], entry)
  }
  return [...values.values()].filter(entry => entry.includes('='))
}

function overlayOf({ lower, writable }: ContainerWish): object {
  return writable === null
    ? { lower }
    : { lower, upper: writable.upper, work: writable.work, volatile: writable.throwAway }
}

/** What lies deeper comes later, so that it is not covered. */
function mountsOf({ volumes, tmpfs = [], parts }: ContainerWish): object {
  const own = [...volumes.map(mountOf), ...tmpfs.map(memoryOf)]
  if (own.length === 0 && !parts?.shmSize) return {}
  const depth = ({ destination }: { destination: string }) => destination.split('/').filter(part => part !== '').length
  const usual = dockerMounts.map(one =>
    parts?.shmSize && one.destination === '/dev/shm' ? shared(parts.shmSize) : one,
  )
  return { mounts: [...usual, ...own.sort((a, b) => depth(a) - depth(b))] }
}

function shared(size: number) {
  return { destination: '/dev/shm', type: 'tmpfs', options: [...hardened, 'mode=1777', `size=${size}`] }
}

function memoryOf({ destination, options }: { destination: string; options: readonly string[] }) {
  return { destination, source: 'tmpfs', type: 'tmpfs', options: [...hardened, ...options] }
}

/** As Docker counts cores: a share of periods of a tenth of a second. */
function resourcesOf({ memory, cpus, pidsLimit, parts }: ContainerWish): object {
  const of = (own: object, more: object | undefined) => ({ ...own, ...more })
  const memoryLimits = of(memory ? { limit: memory } : {}, parts?.resources?.memory)
  const cpuLimits = of(cpus ? { quota: Math.round(cpus * 100_000), period: 100_000 } : {}, parts?.resources?.cpu)
  const resources = {
    ...(Object.keys(memoryLimits).length > 0 && { memory: memoryLimits }),
    ...(Object.keys(cpuLimits).length > 0 && { cpu: cpuLimits }),
    ...(pidsLimit && pidsLimit > 0 ? { pids: { limit: pidsLimit } } : {}),
  }
  return Object.keys(resources).length > 0 ? { resources } : {}
}

function mountOf({ source, destination, readOnly, recursive = true, propagation }: Volume) {
  const options = [recursive ? 'rbind' : 'bind', ...(readOnly ? ['ro'] : []), ...(propagation ? [propagation] : [])]
  return { destination, source, type: 'bind', options }
}

const hardened = ['nosuid', 'noexec', 'nodev']

/** What the helper mounts by itself where a config names no mounts. */
const dockerMounts = [
  { destination: '/proc', type: 'proc', options: hardened },
  { destination: '/dev', type: 'tmpfs', options: ['nosuid', 'strictatime', 'mode=0755', 'size=65536k'] },
  {
    destination: '/dev/pts',
    type: 'devpts',
    options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
  },
  { destination: '/dev/shm', type: 'tmpfs', options: [...hardened, 'mode=1777', 'size=65536k'] },
  { destination: '/dev/mqueue', type: 'mqueue', options: hardened },
  { destination: '/sys', type: 'sysfs', options: [...hardened, 'ro'] },
  { destination: '/sys/fs/cgroup', type: 'cgroup', options: [...hardened, 'ro'] },
]

/**
 * Where engines are to be looked for. What the person named comes first and alone, by the rules of Docker's command
 * line: --host, then --context, DOCKER_HOST, DOCKER_CONTEXT, the current context. Otherwise every socket that exists
 * where Docker, Podman and their desktops put it.
 */
import { readdir, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { asFault, type Fault } from '../base/errors.ts'
import { type Address, formatAddress, parseHost, type Tls } from './address.ts'
import { currentContext, readContext, readTls } from './contexts.ts'

export interface Endpoint {
  /** A short name, no two alike: `docker`, `podman`, `colima`, a context's name. */
  name: string
  /** Who says so: `DOCKER_HOST`, `context work`, `socket`. */
  origin: string
  address: Address
  /** Whether the person named it: then it is a failure when it does not answer. */
  asked: boolean
}

/** What of the machine and of the person's environment decides. */
export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>
  home: string
  /** null where users have no number (Windows). */
  uid: number | null
  /** Put before the absolute paths of sockets, so that a test finds its own. */
  root?: string | undefined
}

export interface EndpointOptions {
  /** `-H` */
  host?: string | undefined
  /** `--context` */
  context?: string | undefined
}

/**
 * Every place to look at, likeliest first; those that are the same socket only once. `failures` are the places that
 * were named and make no sense: an unknown context, a host that is none.
 */
export async function findEndpoints(
  around: Surroundings,
  options: EndpointOptions = {},
): Promise<{ endpoints: Endpoint[]; failures: { name: string; fault: Fault }[] }> {
  const failures: { name: string; fault: Fault }[] = []
  const named = async (name: string, find: () => Promise<Endpoint | null>) => {
    try {
      return await find()
    } catch (error) {
      failures.push({ name, fault: asFault(error, `The place of ${name} can not be found out`) })
      return null
    }
  }
  const docker = await named('docker', () => namedDocker(around, options))
  if (options.host !== undefined || options.context !== undefined)
    return { endpoints: docker ? [docker] : [], failures }
  const podman = await named('podman', () => namedPodman(around))
  const dockerFailed = failures.some(one => one.name === 'docker')
  const usual = await existing([...(docker || dockerFailed ? [] : dockerSockets), ...podmanSockets], around)
  return { endpoints: await distinct([docker, podman, ...usual].filter(one => one !== null)), failures }
}

/** Every path at which an engine's socket may lie, now or later; `*` stands for anything in one name. */
export function socketPlaces(around: Surroundings): string[] {
  return [...dockerSockets, ...podmanSockets].flatMap(({ path }) => expanded(path, around))
}

/** Docker's engine as the person named it; null when nobody did. */
async function namedDocker(around: Surroundings, { host, context }: EndpointOptions): Promise<Endpoint | null> {
  const { env } = around
  const folder = env.DOCKER_CONFIG || join(around.home, '.docker')
  const byHost = async (text: string, origin: string): Promise<Endpoint> => {
    return { name: 'docker', origin, address: parseHost(text, origin, { tls: await tlsOf(env, folder) }), asked: true }
  }
  const byContext = async (name: string, origin: string): Promise<Endpoint | null> => {
    if (name === 'default') return null
    return { name: name.slice(0, 64), origin, address: await readContext(folder, name), asked: true }
  }
  if (host !== undefined) return byHost(host, '--host')
  if (context !== undefined) return (await byContext(context, `context ${context}`)) ?? onDefault(around)
  if (env.DOCKER_HOST) return byHost(env.DOCKER_HOST, 'DOCKER_HOST')
  const current = env.DOCKER_CONTEXT || (await currentContext(folder))
  return current ? byContext(current, `context ${current}`) : null
}

/** The context `default` is Docker's own socket, or DOCKER_HOST. */
async function onDefault({ env }: Surroundings): Promise<Endpoint> {
  const address = parseHost(env.DOCKER_HOST || 'unix://', 'DOCKER_HOST')
  return { name: 'docker', origin: 'context default', address, asked: true }
}

async function namedPodman({ env }: Surroundings): Promise<Endpoint | null> {
  if (!env.CONTAINER_HOST) return null
  const address = parseHost(env.CONTAINER_HOST, 'CONTAINER_HOST', { client: 'podman' })
  return { name: 'podman', origin: 'CONTAINER_HOST', address, asked: true }
}

/** As Docker's command line: certificates from DOCKER_CERT_PATH, else from its configuration. */
async function tlsOf(env: Surroundings['env'], folder: string): Promise<Tls | null> {
  if (!env.DOCKER_TLS_VERIFY && !env.DOCKER_TLS) return null
  const from = env.DOCKER_CERT_PATH || folder
  const verify = Boolean(env.DOCKER_TLS_VERIFY)
  return (await readTls(from, verify)) ?? { ca: null, cert: null, key: null, verify }
}

/** A place where sockets lie: a path with `~`, `$RUN` (the person's runtime folder) and one `*` for any folder. */
type Place = { name: string; path: string }

const dockerSockets: Place[] = [
  { name: 'docker', path: '/var/run/docker.sock' },
  { name: 'docker-rootless', path: '$RUN/docker.sock' },
  { name: 'docker-desktop', path: '~/.docker/run/docker.sock' },
  { name: 'docker-desktop', path: '~/.docker/desktop/docker.sock' },
  { name: 'colima', path: '~/.colima/*/docker.sock' },
  { name: 'colima', path: '~/.config/colima/*/docker.sock' },
  { name: 'orbstack', path: '~/.orbstack/run/docker.sock' },
  { name: 'rancher-desktop', path: '~/.rd/docker.sock' },
]

const podmanSockets: Place[] = [
  { name: 'podman', path: '/run/podman/podman.sock' },
  { name: 'podman-rootless', path: '$RUN/podman/podman.sock' },
  { name: 'podman-machine', path: '~/.local/share/containers/podman/machine/podman.sock' },
  { name: 'podman-machine', path: '~/.local/share/containers/podman/machine/*/podman.sock' },
  { name: 'podman-machine', path: '$TMP/podman/*-api.sock' },
]

async function existing(places: Place[], around: Surroundings): Promise<Endpoint[]> {
  const found = await Promise.all(
    places.map(async ({ name, path }) => {
      const paths = (await Promise.all(expanded(path, around).map(glob))).flat()
      return Promise.all(paths.map(async one => ((await maybeSocket(one)) ? [endpointAt(name, path, one)] : [])))
    }),
  )
  return found.flat(2)
}

function endpointAt(name: string, pattern: string, path: string): Endpoint {
  const folder = basename(dirname(path))
  const named = pattern.includes('*/') && folder !== 'default' ? `${name}-${folder}` : name
  return { name: named, origin: 'socket', address: { kind: 'unix', path }, asked: false }
}

function expanded(path: string, { env, home, uid, root = '' }: Surroundings): string[] {
  if (path.startsWith('~/')) return [join(home, path.slice(2))]
  if (path.startsWith('$TMP/')) return env.TMPDIR ? [join(env.TMPDIR, path.slice(5))] : []
  if (!path.startsWith('$RUN/')) return [root + path]
  const runtime = env.XDG_RUNTIME_DIR || (uid === null ? null : `/run/user/${uid}`)
  return runtime ? [join(runtime, path.slice(5))] : []
}

/** A path whose `*` stands for anything within one name. */
async function glob(path: string): Promise<string[]> {
  const star = path.indexOf('*')
  if (star < 0) return [path]
  const folder = path.slice(0, path.lastIndexOf('/', star))
  const [name = '', ...rest] = path.slice(folder.length + 1).split('/')
  const end = name.slice(name.indexOf('*') + 1)
  try {
    const names = (await readdir(folder)).filter(one => one.endsWith(end)).sort()
    return names.slice(0, 32).map(one => join(folder, one, ...rest))
  } catch {
    return []
  }
}

/** A socket, or a place that we may not look into: there the engine's refusal is worth telling. */
async function maybeSocket(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isSocket()
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES'
  }
}

/** One endpoint a socket, the first; names made different by numbers. */
async function distinct(endpoints: Endpoint[]): Promise<Endpoint[]> {
  const seen = new Set<string>()
  const names = new Map<string, number>()
  const kept: Endpoint[] = []
  for (const endpoint of endpoints) {
    const { address } = endpoint
    const key =
      address.kind === 'unix' ? await realpath(address.path).catch(() => address.path) : formatAddress(address)
    if (seen.has(key)) continue
    seen.add(key)
    const count = (names.get(endpoint.name) ?? 0) + 1
    names.set(endpoint.name, count)
    kept.push(count === 1 ? endpoint : { ...endpoint, name: `${endpoint.name}-${count}` })
  }
  return kept
}

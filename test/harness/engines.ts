/**
 * Real engines for tests: dockerd, podman and a registry, each with its own data root, socket and folder, ready when
 * the promise resolves, and gone without a trace after `stop`, or after the death of the test process.
 *
 * They need root and Debian's packages (docker.io, podman, runc, uidmap, docker-registry, …).
 */
import { spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { request } from 'node:http'
import { request as requestTls } from 'node:https'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { command, until } from './command.ts'
import { openScratch, type Scratch } from './engine-scratch.ts'
import { enter, pathInside } from './newer-roots.ts'

export interface TestEngine {
  /** Its folder: what a test writes there goes with it. */
  scratch: Scratch
  /** Path of its unix socket. */
  socket: string
  /** Where its store lies. */
  dataRoot: string
  /** Environment in which the engine's own command line reaches it. */
  env: NodeJS.ProcessEnv
  /** Runs its own command line; gives what it printed. */
  cli(...args: string[]): Promise<string>
  /** The same with more environment. */
  cliWith(env: NodeJS.ProcessEnv, ...args: string[]): Promise<string>
  /** Kills the daemon alone, as a crash does: what it made stays. */
  crash(): Promise<void>
  /** Starts it again at the same place. */
  again(): Promise<void>
  /** Ends it and removes everything that it made. */
  stop(): Promise<void>
}

export interface DockerOptions {
  /** `containerd`: the containerd image store, which newer ones have. */
  driver?: 'overlay2' | 'vfs' | 'containerd'
  /** Runs the Docker of another root file system (newer-roots.ts). */
  root?: string
  /** Further arguments of dockerd, given its folder. */
  args?: (scratch: Scratch) => string[]
  /** What has to be done in the folder before it starts. */
  before?: () => Promise<void>
  /** A bridge of its own, for containers with addresses. */
  bridge?: boolean
}

/** The machine's Docker (20.10) with its graphdriver store, or a newer one. */
export async function startDocker({
  driver = 'overlay2',
  root,
  args = () => [],
  before,
  bridge = false,
}: DockerOptions = {}): Promise<TestEngine> {
  const scratch = await openScratch()
  const { path } = scratch
  const socket = join(path, 'docker.sock')
  const dataRoot = join(path, 'data')
  const group = path.slice(path.lastIndexOf('/') + 1)
  scratch.owns('cgroup', group)
  scratch.owns('pid-file', join(path, 'docker.pid'))
  const containerd = driver === 'containerd'
  writeFileSync(join(path, 'daemon.json'), containerd ? '{"features":{"containerd-snapshotter":true}}' : '{}')
  const own = ['--config-file', join(path, 'daemon.json'), '--data-root', dataRoot, '--exec-root', join(path, 'exec')]
  own.push('--pidfile', join(path, 'docker.pid'), '--host', `unix://${socket}`)
  if (!containerd) own.push('--storage-driver', driver)
  own.push('--cgroup-parent', `/${group}`, '--iptables=false', '--ip-masq=false')
  own.push('--bridge', bridge ? await makeBridge(scratch) : 'none')
  const env = {
    ...process.env,
    DOCKER_HOST: `unix://${socket}`,
    DOCKER_CONFIG: scratch.folder('docker-config'),
    TMPDIR: scratch.folder('tmp'),
  }
  own.push(...args(scratch))
  await before?.()
  return start({ scratch, socket, dataRoot, env, root, program: 'dockerd', args: own, client: [dockerClient] })
}

/** Docker's own client: the one of the same package, which speaks BuildKit without a plugin. */
export const dockerClient = existsSync('/usr/bin/docker') ? '/usr/bin/docker' : 'docker'

export interface PodmanOptions {
  rootless?: boolean
  /** Runs the Podman of another root file system (newer-roots.ts), as root. */
  root?: string
}

/** Podman's service as root, or as an ordinary user who is made for it and removed with it. */
export async function startPodman({ rootless = false, root }: PodmanOptions = {}): Promise<TestEngine> {
  const scratch = await openScratch()
  const { path } = scratch
  const home = scratch.folder('home')
  const user = rootless ? await makeUser(scratch, home) : null
  const socket = join(home, 'podman.sock')
  const dataRoot = join(home, 'storage')
  scratch.owns('cgroup', 'libpod_parent')
  writeFileSync(join(path, 'storage.conf'), storageConf(dataRoot, join(home, 'run', 'containers')))
  writeFileSync(join(path, 'containers.conf'), containersConf(join(home, 'run', 'libpod')))
  const env: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: home,
    XDG_RUNTIME_DIR: scratch.folder('home/run', 0o700),
    TMPDIR: scratch.folder('home/tmp'),
    CONTAINERS_CONF: join(path, 'containers.conf'),
    CONTAINERS_STORAGE_CONF: join(path, 'storage.conf'),
  }
  if (user) await command('chown', ['-R', `${user}:`, home])
  await command('chmod', ['755', path])
  const client = user ? ['setpriv', `--reuid=${user}`, `--regid=${user}`, '--init-groups', 'podman'] : ['podman']
  const [program = '', ...args] = [...client, 'system', 'service', '--time=0', `unix://${socket}`]
  return start({ scratch, socket, dataRoot, env, root, program, args, client, pidFile: 'podman.pid', cwd: home })
}

/** Lines for the registry's configuration, indented as below `http:`, and as a section of their own. */
export interface RegistryOptions {
  http?: string
  auth?: string
  /** Whether `http` makes it speak TLS. */
  tls?: boolean
}

export interface TestRegistry {
  /** `127.0.0.1:PORT` */
  address: string
  scratch: Scratch
  stop(): Promise<void>
}

/** A registry on the loopback address, anonymous or for one user with a password. */
export async function startRegistry(
  login?: { user: string; password: string },
  { http = '', auth = '', tls = false }: RegistryOptions = {},
): Promise<TestRegistry> {
  const scratch = await openScratch()
  const address = `127.0.0.1:${await freePort()}`
  writeFileSync(
    join(scratch.path, 'config.yml'),
    `${registryConf(scratch, address, login !== undefined)}${http}${auth}`,
  )
  if (login) writeFileSync(join(scratch.path, 'htpasswd'), `${login.user}:${await bcrypt(login.password)}\n`)
  const log = join(scratch.path, 'log')
  const failed = daemon(
    scratch,
    'docker-registry',
    ['serve', join(scratch.path, 'config.yml')],
    process.env,
    log,
    'registry.pid',
  )
  await ready(scratch, failed, log, () =>
    answers({ host: '127.0.0.1', port: Number(address.split(':')[1]), path: '/v2/', tls }),
  )
  return { address, scratch, stop: scratch.close }
}

/** A port of the loopback address that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

interface StartOptions {
  scratch: Scratch
  socket: string
  dataRoot: string
  env: NodeJS.ProcessEnv
  root: string | undefined
  program: string
  args: string[]
  /** The command line that reaches the engine. */
  client: string[]
  /** Written by us, where the engine writes none. */
  pidFile?: string
  cwd?: string
}

async function start(options: StartOptions): Promise<TestEngine> {
  const { scratch, socket, dataRoot, root, client, pidFile, cwd } = options
  const log = join(scratch.path, 'log')
  const env = root ? { ...options.env, PATH: pathInside } : options.env
  const [program, args] = root
    ? enter(root, scratch.path, options.program, options.args)
    : [options.program, options.args]
  const begin = async () => {
    const failed = daemon(scratch, program, args, env, log, pidFile, cwd)
    await ready(scratch, failed, log, () => answers({ socketPath: socket, path: '/_ping' }))
    mounts = root ? mountsOf(pid()) : ''
  }
  const pid = () => readFileSync(join(scratch.path, pidFile ?? 'docker.pid'), 'utf8').trim()
  const mountsOf = (thread: string) => {
    try {
      return readlinkSync(`/proc/${thread}/ns/mnt`)
    } catch {
      return '' // it ended meanwhile
    }
  }
  let mounts = ''
  // Podman 5.8 leaves its first thread in a container that it copied into: another one is where it began.
  const thread = () => readdirSync(`/proc/${pid()}/task`).find(one => mountsOf(one) === mounts) ?? pid()
  await begin()
  const inside = () => (root ? ['nsenter', '--target', thread(), '--mount', '--root', '--wd', ...client] : client)
  const run = (more: NodeJS.ProcessEnv, args: string[]) => {
    const [name = '', ...before] = inside()
    return command(name, [...before, ...args], { env: { ...env, ...more }, cwd: root ? undefined : cwd })
  }
  return {
    scratch,
    socket,
    dataRoot,
    env,
    cli: (...args) => run({}, args),
    cliWith: (more, ...args) => run(more, args),
    async crash() {
      process.kill(Number(pid()), 'SIGKILL')
      const containerd = join(scratch.path, 'exec/containerd/containerd')
      await until(() => !isAlive(Number(pid())) && !runs(`${containerd}.toml`))
      // Its containerd has died with it, and seems to be there as long as nobody has reaped it.
      rmSync(`${containerd}.pid`, { force: true })
    },
    again: begin,
    stop: scratch.close,
  }
}

/** A zombie has no program any more. */
function isAlive(pid: number): boolean {
  try {
    return readlinkSync(`/proc/${pid}/exe`) !== ''
  } catch {
    return false
  }
}

/** Whether a program has this argument. */
function runs(argument: string): boolean {
  return readdirSync('/proc').some(name => {
    if (!/^\d+$/.test(name)) return false
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0').includes(argument)
    } catch {
      return false
    }
  })
}

/** Starts a program that goes on; gives a function that says how it ended, null as long as it runs. */
function daemon(
  scratch: Scratch,
  program: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  log: string,
  pidFile?: string,
  cwd?: string,
): () => string | null {
  const output = openSync(log, 'a')
  const child = spawn(program, args, { env, cwd, stdio: ['ignore', output, output], detached: true })
  closeSync(output)
  child.unref()
  let end: string | null = null
  child.on('error', error => (end = error.message))
  child.on('exit', (code, signal) => (end = `it ended with ${signal ?? code}`))
  if (pidFile && child.pid) {
    writeFileSync(join(scratch.path, pidFile), String(child.pid))
    scratch.owns('pid-file', join(scratch.path, pidFile))
  }
  return () => end
}

/** Waits until an engine answers; when it does not, its log is in the error and nothing of it is left. */
async function ready(
  scratch: Scratch,
  failed: () => string | null,
  log: string,
  answered: () => Promise<boolean>,
): Promise<void> {
  try {
    await until(async () => (await answered()) || failed() !== null, { failure: () => 'no answer in time' })
    if (failed() !== null) throw new Error(failed()!)
  } catch (error) {
    const said = readFileSync(log, 'utf8').slice(-4000)
    await scratch.close()
    throw new Error(`an engine did not start (${(error as Error).message}): ${said}`)
  }
}

function answers({
  tls = false,
  ...options
}: {
  path: string
  socketPath?: string
  host?: string
  port?: number
  tls?: boolean
}): Promise<boolean> {
  return new Promise(resolve => {
    const ask = tls ? requestTls : request
    const asked = ask({ ...options, timeout: 5000, rejectUnauthorized: false }, response => {
      response.resume()
      resolve(response.statusCode === 200 || response.statusCode === 401)
    })
    asked.on('error', () => resolve(false))
    asked.on('timeout', () => asked.destroy())
    asked.end()
  })
}

/** Names are short: the kernel takes 15 bytes. Addresses come from the range for tests of networks (RFC 2544). */
async function makeBridge(scratch: Scratch): Promise<string> {
  const name = `st${scratch.path.slice(-6)}`
  scratch.owns('bridge', name)
  await command('ip', ['link', 'add', name, 'type', 'bridge'])
  await command('ip', ['address', 'add', `198.18.${Math.floor(Math.random() * 256)}.1/24`, 'dev', name])
  await command('ip', ['link', 'set', name, 'up'])
  return name
}

async function makeUser(scratch: Scratch, home: string): Promise<string> {
  const name = `st${scratch.path.slice(-6).toLowerCase()}`
  scratch.owns('user', name)
  await command('useradd', ['-M', '-d', home, '-s', '/bin/sh', name])
  return name
}

function storageConf(graphRoot: string, runRoot: string): string {
  return `[storage]\ndriver = "overlay"\ngraphroot = "${graphRoot}"\nrunroot = "${runRoot}"\nrootless_storage_path = "${graphRoot}"\n`
}

/** Small limits and runc: what runs on machines with limits below podman's defaults and with both kinds of cgroups. */
function containersConf(tmp: string): string {
  return `[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
cgroups = "enabled"
netns = "host"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "runc"
tmp_dir = "${tmp}"
`
}

function registryConf(scratch: Scratch, address: string, closed: boolean): string {
  const store = scratch.folder('registry')
  const auth = closed ? `auth:\n  htpasswd:\n    realm: strata\n    path: ${join(scratch.path, 'htpasswd')}\n` : ''
  return `version: 0.1\nlog:\n  level: error\nstorage:\n  filesystem:\n    rootdirectory: ${store}\n  delete:\n    enabled: true\nhttp:\n  addr: ${address}\n${auth}`
}

/** Perl is on every Debian, and its crypt knows the one kind of hash that the registry takes. */
function bcrypt(password: string): Promise<string> {
  return command('perl', ['-e', 'print crypt($ARGV[0], "\\$2y\\$05\\$abcdefghijklmnopqrstuu")', password])
}

/**
 * Names and passwords of registries, where Docker and Podman keep them (docker/cli, cli/config; containers-auth.json(5)):
 * the first of these files that knows the registry counts. Nothing of what is in them is ever shown.
 */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Fault, reasonOf } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { Surroundings } from './access.ts'
import { askHelper } from './helper.ts'
import type { Credentials } from './types.ts'

/** null: nothing is known of the registry. @throws Fault when a file, or a helper that one names, makes no sense. */
export async function findCredentials(
  around: Surroundings,
  host: string,
  repository: string,
): Promise<Credentials | null> {
  for (const file of filesOf(around)) {
    const config = await readConfig(file)
    const found = config && (await lookUp(config, around, host, repository))
    if (found) return found
  }
  return null
}

/** As podman and skopeo, which read Docker's last; one that a variable names goes first. */
function filesOf({ env, home }: Surroundings): string[] {
  const named = [env.REGISTRY_AUTH_FILE, env.DOCKER_CONFIG && join(env.DOCKER_CONFIG, 'config.json')]
  const usual = [
    env.XDG_RUNTIME_DIR && join(env.XDG_RUNTIME_DIR, 'containers/auth.json'),
    join(env.XDG_CONFIG_HOME || join(home, '.config'), 'containers/auth.json'),
    env.DOCKER_CONFIG ? undefined : join(home, '.docker/config.json'),
  ]
  return [...named, ...usual].filter(path => path !== undefined && path !== '') as string[]
}

interface Config {
  auths: Record<string, unknown>
  credHelpers: Record<string, unknown>
  credsStore: string | null
}

const mostBytes = 4 << 20

/** null where there is no such file. */
async function readConfig(path: string): Promise<Config | null> {
  let text: string
  try {
    if ((await stat(path)).size > mostBytes) throw new Fault(`${safe(path)} is too large.`)
    text = await readFile(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ENOTDIR') return null
    throw error instanceof Fault
      ? error
      : new Fault(`${safe(path)} can not be read: ${reasonOf(error)}.`, { cause: error })
  }
  const value = objectIn(text)
  if (value === null) throw new Fault(`${safe(path)} is not what docker login or podman login write.`)
  const { auths, credHelpers, credsStore } = value
  return {
    auths: Object(auths ?? {}),
    credHelpers: Object(credHelpers ?? {}),
    credsStore: typeof credsStore === 'string' && credsStore !== '' ? credsStore : null,
  }
}

/** The parser’s own words quote the text: they are not passed on. */
function objectIn(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null
  } catch {
    return null
  }
}

async function lookUp(
  { auths, credHelpers, credsStore }: Config,
  around: Surroundings,
  host: string,
  repository: string,
): Promise<Credentials | null> {
  const helper = credHelpers[host] ?? (host === 'docker.io' ? credHelpers['index.docker.io'] : undefined)
  if (typeof helper === 'string' && helper !== '') return askHelper(helper, serverOf(host), around.env)
  for (const key of keysOf(auths, host, repository)) {
    const found = entryOf(auths[key])
    if (found !== null) return found
  }
  return credsStore === null ? null : askHelper(credsStore, serverOf(host), around.env)
}

/** What Docker calls a registry in its own file and before its helpers. */
function serverOf(host: string): string {
  return host === 'docker.io' ? 'https://index.docker.io/v1/' : host
}

/** The keys that mean the registry: `HOST/PATH` of podman, the longest first, then the host however it is spelled. */
function keysOf(auths: Record<string, unknown>, host: string, repository: string): string[] {
  const parts = repository.split('/')
  const narrow = parts.map((_, at) => `${host}/${parts.slice(0, parts.length - at).join('/')}`)
  const hosts = new Set(host === 'docker.io' ? ['docker.io', 'index.docker.io', 'registry-1.docker.io'] : [host])
  const spelled = Object.keys(auths).filter(key => hosts.has(key.replace(/^https?:\/\//, '').replace(/\/.*$/, '')))
  const isWhole = (key: string) => /^(?:https?:\/\/[^/]*(?:\/.*)?|[^/]+\/?|[^/]+\/v[12]\/?)$/.test(key)
  return [...narrow.filter(key => Object.hasOwn(auths, key)), ...spelled.filter(isWhole)]
}

/** `{"auth": base64("NAME:PASSWORD"), "identitytoken"}`. */
function entryOf(entry: unknown): Credentials | null {
  const { auth, identitytoken, username, password } = Object(entry ?? {}) as Record<string, unknown>
  if (typeof identitytoken === 'string' && identitytoken !== '') return { identityToken: identitytoken }
  if (typeof username === 'string' && username !== '' && typeof password === 'string') return { username, password }
  if (typeof auth !== 'string' || auth === '') return null
  const text = Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, '')
  const colon = text.indexOf(':')
  return colon <= 0 ? null : { username: text.slice(0, colon), password: text.slice(colon + 1) }
}

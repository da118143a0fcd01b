/**
 * One engine, asked over its API: the version is settled first, answers are checked and bounded, every call can be
 * stopped and has a time limit until its answer begins.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Duplex, Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import type Docker from 'dockerode'
import type * as z from 'zod'
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import { formatAddress } from './address.ts'
import { engineAgent } from './connection.ts'
import type { Endpoint } from './endpoints.ts'
import { unreachable } from './fault.ts'
import { dockerOver } from './transport.ts'

/** The newest and oldest API that Strata knows the shapes of. Newer engines answer in the newest. */
export const newestApi = '1.51'
export const oldestApi = '1.24'

export interface ClientOptions {
  env: Readonly<Record<string, string | undefined>>
  /** Milliseconds until the connection stands and the engine has said its version. */
  connectTimeout?: number | undefined
  /** Milliseconds until a call is answered that is not a long one. */
  callTimeout?: number | undefined
  /** The largest answer that is no stream, bytes. */
  mostBytes?: number | undefined
  /** Whether ssh may ask on the terminal. */
  mayAsk?: boolean | undefined
  signal?: AbortSignal | undefined
}

export interface Client {
  kind: 'docker' | 'podman'
  endpoint: Endpoint
  /** Of the engine, as it says itself: `20.10.24+dfsg1`. '' when it does not. */
  version: string
  /** The API version that is spoken. */
  api: string
  /** Whether that is at least the given one. */
  speaks(version: string): boolean
  /** Asks for JSON and checks its shape. */
  get<T>(path: string, shape: z.ZodType<T>, call?: CallOptions): Promise<T>
  /** Asks for a body that is read as it comes. No time limit: an export may think for minutes before it begins. */
  stream(path: string, call?: Omit<CallOptions, 'timeout'> & StreamOptions): Promise<IncomingMessage>
  /** Asks for the headers alone. */
  head(path: string, call?: CallOptions): Promise<IncomingHttpHeaders>
  /** Has something done. What is answered is JSON, null where nothing is; that it is done already is no failure. */
  send<T>(method: 'POST' | 'PUT' | 'DELETE', path: string, shape: z.ZodType<T>, call?: SendOptions): Promise<T>
  /** Takes the connection over: from now on it carries a program's streams. The caller destroys it. */
  hijack(path: string, call?: SendOptions): Promise<Duplex>
  close(): void
}

export interface CallOptions {
  query?: Record<string, string | string[] | number | boolean | undefined>
  signal?: AbortSignal | undefined
  /** Milliseconds until the answer must be there; Infinity: as long as it takes. */
  timeout?: number
}

export interface StreamOptions {
  /** Something is done, and told of while it is. */
  method?: 'GET' | 'POST'
  /** For a registry that the engine asks on our behalf; never shown. */
  auth?: object | undefined
}

export interface SendOptions extends CallOptions {
  /** Sent as JSON, or as it comes, as a tar. */
  body?: object | Readable | undefined
}

/** Connects, asks who is there, and settles the version. Throws a Fault that says why it can not be reached. */
export async function connectEngine(endpoint: Endpoint, options: ClientOptions): Promise<Client> {
  const { address } = endpoint
  const connectTimeout = options.connectTimeout ?? (address.kind === 'ssh' ? 15_000 : 3_000)
  const agent = engineAgent(address, { connectTimeout, mayAsk: options.mayAsk ?? false, env: options.env })
  const proxyPath = address.kind === 'tcp' ? address.prefix : ''
  const host = address.kind === 'tcp' ? new URL(formatAddress(address)).host : 'localhost'
  let version = ''
  const docker = await dockerOver({
    agent,
    host,
    prefix: () => proxyPath + version,
    mostBytes: options.mostBytes ?? 64 << 20,
  })
  try {
    const ping = await ask(docker, endpoint, '/_ping', {
      isStream: true,
      signal: options.signal,
      timeout: connectTimeout,
    })
    const api = settle(endpoint, ping as IncomingMessage, options.env)
    await finished((ping as IncomingMessage).resume()).catch(() => Promise.reject(late(endpoint, connectTimeout)))
    version = `/v${api}`
    return client(endpoint, docker, api, ping as IncomingMessage, options, () => agent.destroy())
  } catch (error) {
    agent.destroy()
    throw error
  }
}

function client(
  endpoint: Endpoint,
  docker: Docker,
  api: string,
  ping: IncomingMessage,
  { callTimeout = 60_000 }: ClientOptions,
  close: () => void,
): Client {
  return {
    kind: ping.headers['libpod-api-version'] === undefined ? 'docker' : 'podman',
    endpoint,
    version: /^(?:Docker|Libpod)\/([\w.+~-]{1,80})/.exec(String(ping.headers.server))?.[1] ?? '',
    api,
    speaks: wanted => compareVersions(api, wanted) >= 0,
    async get(path, shape, call = {}) {
      return readAs(shape, await ask(docker, endpoint, path, { timeout: callTimeout, ...call }), endpoint, path)
    },
    async send(method, path, shape, call = {}) {
      const value = await ask(docker, endpoint, path, { timeout: callTimeout, ...call, method })
      return readAs(shape, value, endpoint, path)
    },
    async stream(path, call = {}) {
      return (await ask(docker, endpoint, path, { isStream: true, ...call })) as IncomingMessage
    },
    async head(path, call = {}) {
      const wish = { timeout: callTimeout, ...call, method: 'HEAD', isStream: true }
      const answer = (await ask(docker, endpoint, path, wish)) as IncomingMessage
      return answer.resume().headers
    },
    async hijack(path, call = {}) {
      const taken = await ask(docker, endpoint, path, { ...call, method: 'POST', hijack: true })
      return taken as Duplex
    },
    close,
  }
}

function readAs<T>(shape: z.ZodType<T>, value: unknown, endpoint: Endpoint, path: string): T {
  const read = shape.safeParse(value)
  if (read.success) return read.data
  throw new Fault(`${safe(endpoint.name)} answered ${safe(path)} with something unexpected.`, { cause: read.error })
}

interface Ask extends SendOptions {
  method?: string
  auth?: object | undefined
  isStream?: boolean
  hijack?: boolean
}

/** What counts as done: 101 is a connection taken over, 304 what was so already. */
const done = { 101: true, 200: true, 201: true, 202: true, 204: true, 304: true }

/**
 * A body of a length that is known. Left to itself the connection would be taken over with a body that never ends, and
 * Podman, which has to refuse, waits for that end before it says so.
 */
const noBody = { file: Buffer.alloc(0), headers: { 'Content-Type': 'text/plain' } }

/** One call. Its time limit holds until the body is read, of a stream too. */
async function ask(docker: Docker, endpoint: Endpoint, path: string, call: Ask): Promise<unknown> {
  const { method = 'GET', query = {}, body, isStream = false, hijack = false, timeout = Infinity, signal, auth } = call
  const given = Object.entries(query).filter(([, value]) => value !== undefined)
  const tar = body !== undefined && 'pipe' in body ? body : undefined
  const limit = timeout === Infinity ? undefined : AbortSignal.timeout(timeout)
  try {
    signal?.throwIfAborted()
    return await new Promise((resolve, reject) => {
      docker.modem.dial(
        {
          path: given.length > 0 ? `${path}?` : path,
          method,
          options: { _query: Object.fromEntries(given), _body: tar ? undefined : (body ?? {}) },
          ...(hijack && body === undefined ? noBody : tar ? { file: tar } : { allowEmpty: body !== undefined }),
          ...(auth && { authconfig: auth }),
          isStream,
          hijack,
          statusCodes: method === 'GET' ? { 200: true } : hijack ? { 101: true } : done,
          abortSignal: AbortSignal.any([signal, limit].filter(one => one !== undefined)),
        },
        (error: unknown, result: unknown) => (error ? reject(error) : resolve(result)),
      )
    })
  } catch (error) {
    if (signal?.aborted) throw new Fault('Cancelled.', { cause: error, exitCode: 130 })
    throw limit?.aborted ? late(endpoint, timeout) : unreachable(error, endpoint)
  }
}

function late({ name }: Endpoint, timeout = 0): Fault {
  return new Fault(`${safe(name)} gave no answer within ${timeout / 1000} s.`)
}

/** The newer of what both sides can; DOCKER_API_VERSION sets it, as for Docker's command line. */
function settle({ name }: Endpoint, { headers }: IncomingMessage, env: ClientOptions['env']): string {
  const given = env.DOCKER_API_VERSION ?? ''
  if (/^\d+\.\d+$/.test(given)) return given
  const offered = String(headers['api-version'])
  const theirs = /^\d{1,3}\.\d{1,5}$/.test(offered) ? offered : oldestApi
  if (compareVersions(theirs, oldestApi) < 0) {
    const hint = 'Docker 1.12 and newer are spoken to.'
    throw new Fault(`${safe(name)} is too old: it speaks API ${theirs}, and ${oldestApi} is needed.`, { hint })
  }
  return compareVersions(theirs, newestApi) < 0 ? theirs : newestApi
}

function compareVersions(a: string, b: string): number {
  const [aMajor = 0, aMinor = 0] = a.split('.').map(Number)
  const [bMajor = 0, bMinor = 0] = b.split('.').map(Number)
  return aMajor - bMajor || aMinor - bMinor
}

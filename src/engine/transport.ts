/**
 * dockerode over a connection of ours. dockerode knows the engine's calls and how to spell them; what it does with the
 * answer is replaced here, in the one method of docker-modem that sends a request, because there
 *   - bodies are gathered without a bound, JSON `null` comes back as a Buffer, UTF-8 is cut at chunk edges in streams;
 *   - ssh goes through a library that knows no ssh_config, TLS and hosts are taken from the environment;
 *   - an abort does not reach a response that is a stream, a timeout kills event streams that are merely idle;
 *   - every request prints its options, the agent and all its sockets included, into a string that nobody reads.
 * What a call gets: parsed JSON (or text), an IncomingMessage where it asked for a stream, a raw socket for `hijack`.
 */
import { type Agent, type ClientRequest, type IncomingMessage, request as send } from 'node:http'
import { addAbortSignal, type Readable } from 'node:stream'
import type Docker from 'dockerode'
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import { EngineFault } from './fault.ts'

export interface TransportOptions {
  agent: Agent
  /** The `Host` header: `HOST:PORT` of a TCP engine. */
  host: string
  /** Put before every path: of a proxy, and the version, as `/v1.41`. */
  prefix: () => string
  /** The largest body that is no stream, bytes. */
  mostBytes: number
}

/** A dockerode whose requests go through the agent. */
export async function dockerOver(options: TransportOptions): Promise<Docker> {
  const { default: Dockerode } = await import('dockerode')
  const docker = withoutDockerHost(() => new Dockerode({ socketPath: 'engine' }))
  const buildRequest = (given: Given, call: Call, data: Data, done: Done) => dial(options, given, call, data, done)
  Object.assign(docker.modem, { buildRequest })
  return docker
}

/** What docker-modem made of a call: the path with its query, headers with content type and authentication. */
interface Given {
  path: string
  method: string
  headers: Record<string, string | number>
  signal?: AbortSignal
}

interface Call {
  isStream?: boolean
  hijack?: boolean
  statusCodes: Record<number, unknown>
}

type Data = string | Buffer | Readable | undefined
type Done = (error: Error | null, result?: unknown) => void

/** docker-modem looks into DOCKER_HOST when it is made, and fails on what it does not know there. */
function withoutDockerHost<T>(make: () => T): T {
  const { DOCKER_HOST } = process.env
  delete process.env.DOCKER_HOST
  try {
    return make()
  } finally {
    if (DOCKER_HOST !== undefined) process.env.DOCKER_HOST = DOCKER_HOST
  }
}

function dial(options: TransportOptions, given: Given, call: Call, data: Data, done: Done, again = true): void {
  const { agent, host, prefix } = options
  const { method, signal } = given
  const once = onlyOnce(done)
  let request: ClientRequest
  try {
    const headers = { Host: host, ...given.headers }
    // A name for TLS is the connection's affair; the agent would compile Node's pattern of IPv6 addresses to find one: 4 ms.
    const over = { agent, servername: '', ...(signal && { signal }) }
    request = send({ path: prefix() + given.path, method, headers, ...over })
  } catch (error) {
    return once(error as Error)
  }
  request.on('error', error => {
    const idleCut = request.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET'
    if (idleCut && again && method === 'GET') dial(options, given, call, data, done, false)
    else once(signal?.aborted ? signal.reason : error)
  })
  request.on('upgrade', (_, socket, head) => {
    if (!call.hijack) return socket.destroy()
    if (head.length > 0) socket.unshift(head)
    once(null, socket)
  })
  request.on('response', response => {
    answer(response, call, options.mostBytes, signal).then(
      result => once(null, result),
      error => once(signal?.aborted ? signal.reason : error),
    )
  })
  sendBody(request, data, call)
}

async function answer(
  response: IncomingMessage,
  call: Call,
  mostBytes: number,
  signal?: AbortSignal,
): Promise<unknown> {
  if (signal) addAbortSignal(signal, response)
  const status = response.statusCode ?? 0
  if (call.hijack && status < 300) {
    response.destroy()
    const hint = 'A proxy between here and the engine has to let “Upgrade: tcp” pass.'
    throw new Fault('The engine did not hand its connection over.', { hint })
  }
  if (call.statusCodes[status] !== true) throw refusal(status, await bodyOf(response, 64 << 10).catch(() => ''))
  return call.isStream ? response : valueIn(await bodyOf(response, mostBytes))
}

function sendBody(request: ClientRequest, data: Data, call: Call): void {
  if (data === undefined || typeof data === 'string' || Buffer.isBuffer(data)) {
    if (data === undefined && call.hijack) request.flushHeaders()
    else request.end(data)
    return
  }
  data.on('error', error => request.destroy(error))
  data.pipe(request)
}

async function bodyOf(response: IncomingMessage, mostBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of response) {
    bytes += chunk.length
    if (bytes > mostBytes)
      throw new Fault(`The engine answered with more than ${mostBytes >> 20} MiB where a list was expected.`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** JSON; anything else, as the `OK` of a ping, as text. Nothing at all is null. */
function valueIn(body: string): unknown {
  if (body.trim() === '') return null
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}

/** The engine's own words: `{"message"}`, with Podman also `{"cause"}`. */
function refusal(status: number, body: string): EngineFault {
  const value = valueIn(body) as { message?: unknown } | string | null
  const told = typeof value === 'object' && value !== null ? value.message : value
  const words = typeof told === 'string' && told.trim() !== '' ? safe(told.trim().slice(0, 1000)) : 'without saying why'
  const message = `The engine refused: ${words.replace(/\.+$/, '')}.`
  return new EngineFault(status, message, { cause: new Error(`HTTP ${status} ${safe(body.slice(0, 4000))}`) })
}

function onlyOnce(done: Done): Done {
  let called = false
  return (error, result) => {
    if (called) return
    called = true
    done(error, result)
  }
}

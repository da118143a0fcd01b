/**
 * One question to a registry over HTTP and the head of its answer, each in bounded time; its body fails when it stalls.
 * Nobody is followed anywhere here, and nothing is known of secrets.
 */
import { request as askPlain, type IncomingHttpHeaders, type IncomingMessage, Agent as PlainAgent } from 'node:http'
import { request as askTls, type RequestOptions, Agent as TlsAgent } from 'node:https'
import { Readable } from 'node:stream'
import { getCACertificates } from 'node:tls'
import { Fault, isAbort } from '../../base/errors.ts'
import { formatBytes, formatDuration } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import { isLoopback } from './hosts.ts'
import type { Certificates, Limits, RegistryAccess } from './types.ts'

export interface Question {
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  url: URL
  headers: Record<string, string>
  body?: Uint8Array | AsyncIterable<Uint8Array> | undefined
  signal?: AbortSignal | undefined
}

export interface Reply {
  status: number
  headers: IncomingHttpHeaders
  /** Where it came from. */
  url: URL
  body: Readable
  /** The same without a stream around it: as many chunks as have come. One or the other is read. */
  batches(): AsyncIterable<Uint8Array[]>
  /** Ends it where it is. */
  close(): void
}

export interface Http {
  /** @throws Fault when there is no answer, in bounded time. */
  ask(question: Question): Promise<Reply>
  close(): void
}

/** What goes wrong between here and a registry, and may go right the next time. */
export class Lost extends Fault {}

/** A registry that speaks no TLS. */
export class NoTls extends Fault {}

/** Connections are kept for a while and shared. `certificates` are those of the registry alone, by its origin. */
export function openHttp(access: RegistryAccess, own: { origin: string; certificates: Certificates | null }): Http {
  const { limits } = access
  const agents = new Map<string, PlainAgent>()
  let system = false

  function agentFor(url: URL): PlainAgent {
    const known = agents.get(url.origin)
    if (known) return known
    const shared = { keepAlive: true, maxSockets: 8, maxFreeSockets: 8, scheduling: 'lifo' as const }
    // Nobody reaches his own machine through a proxy.
    const proxy = isLoopback(url.hostname) ? {} : { proxyEnv: access.proxy as NodeJS.ProcessEnv }
    const tls = url.protocol === 'https:' ? tlsOf(url) : {}
    const made =
      url.protocol === 'https:'
        ? new TlsAgent({ ...shared, ...proxy, ...tls })
        : new PlainAgent({ ...shared, ...proxy })
    agents.set(url.origin, made)
    return made
  }

  function tlsOf(url: URL) {
    const mine = url.origin === own.origin ? own.certificates : null
    const ca = mine || system ? { ca: [...authorities(system), ...(mine?.ca ?? [])] } : {}
    const client = mine?.cert && mine.key ? { cert: mine.cert, key: mine.key } : {}
    return { ...ca, ...client, rejectUnauthorized: access.tlsVerify }
  }

  async function ask(question: Question): Promise<Reply> {
    try {
      return await dial(question, agentFor(question.url), limits)
    } catch (error) {
      // The machine's own list of authorities is long and read only when the one that comes with Node does not do.
      if (!system && isUntrusted(error) && isReplayable(question)) {
        system = true
        agents.get(question.url.origin)?.destroy()
        agents.delete(question.url.origin)
        return ask(question)
      }
      throw explained(error, question)
    }
  }

  return {
    ask,
    close() {
      for (const agent of agents.values()) agent.destroy()
      agents.clear()
    },
  }
}

function authorities(system: boolean): (string | Buffer)[] {
  if (typeof getCACertificates !== 'function') return []
  return [...getCACertificates('default'), ...(system ? getCACertificates('system') : [])]
}

function isReplayable({ body }: Question): boolean {
  return body === undefined || body instanceof Uint8Array
}

function dial({ method, url, headers, body, signal }: Question, agent: PlainAgent, limits: Limits): Promise<Reply> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const send = url.protocol === 'https:' ? askTls : askPlain
    const length = body instanceof Uint8Array ? { 'content-length': String(body.length) } : {}
    const options: RequestOptions = {
      method,
      agent,
      headers: { 'accept-encoding': 'identity', ...headers, ...length },
      maxHeaderSize: 64 << 10,
      ...(signal ? { signal } : {}),
    }
    const request = send(withoutUser(url), options)
    const late = () =>
      request.destroy(new Lost(`${nameOf(url)} did not answer within ${formatDuration(limits.answer)}.`))
    const timer = setTimeout(late, limits.answer)
    request.on('error', error => {
      clearTimeout(timer)
      reject(error)
    })
    request.on('response', response => {
      clearTimeout(timer)
      resolve(replyOf(response, url, limits, signal))
    })
    if (body === undefined || body instanceof Uint8Array) request.end(body)
    else void pour(body, request, timer).catch(error => request.destroy(error as Error))
  })
}

/** Writes a long body as fast as it is taken; the time for the answer begins anew with each piece that is. */
async function pour(
  body: AsyncIterable<Uint8Array>,
  request: ReturnType<typeof askPlain>,
  timer: NodeJS.Timeout,
): Promise<void> {
  for await (const piece of body) {
    if (request.destroyed) return
    if (!request.write(piece)) {
      await new Promise<void>(resolve => {
        const go = () => {
          request.off('drain', go).off('close', go)
          resolve()
        }
        request.on('drain', go).on('close', go)
      })
    }
    timer.refresh()
  }
  request.end()
}

/** More than that is not taken in before somebody takes it over. */
const AHEAD = 256 << 10

function replyOf(response: IncomingMessage, url: URL, limits: Limits, signal: AbortSignal | undefined): Reply {
  let body: Readable | null = null
  const batches = () => watched(response, nameOf(url), limits, signal)
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    url,
    batches,
    get body() {
      if (body === null) {
        body = Readable.from(oneByOne(batches()), { objectMode: false, highWaterMark: 256 << 10 })
        body.on('error', () => {})
      }
      return body
    },
    close() {
      body?.destroy()
      response.destroy()
    },
  }
}

async function* oneByOne(batches: AsyncIterable<Uint8Array[]>): AsyncGenerator<Uint8Array> {
  for await (const batch of batches) yield* batch
}

/** The chunks of an answer, as many as have come. Time counts only while somebody waits for the next ones. */
async function* watched(
  response: IncomingMessage,
  name: string,
  limits: Limits,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array[]> {
  let batch: Uint8Array[] = []
  let bytes = 0
  let failure: unknown = null
  let ended = false
  let wake = () => {}
  response.on('data', (chunk: Buffer) => {
    batch.push(chunk)
    bytes += chunk.length
    if (bytes >= AHEAD) response.pause()
    wake()
  })
  response.on('end', () => {
    ended = true
    wake()
  })
  const cut = (error?: Error) => {
    const lost = () => new Lost(`The connection to ${name} was cut.`, { cause: error })
    failure ??= signal?.aborted ? signal.reason : error instanceof Fault ? error : lost()
    wake()
  }
  response.on('error', cut)
  response.on('close', () => ended || cut())
  let waiting = false
  let waited = 0
  let came = 0
  const late = () =>
    waiting && response.destroy(new Lost(`${name} has sent nothing for ${formatDuration(limits.idle)}.`))
  const timer = setTimeout(late, limits.idle)
  try {
    for (;;) {
      if (bytes === 0 && !ended && failure === null) {
        waiting = true
        timer.refresh()
        const start = performance.now()
        await new Promise<void>(resolve => {
          wake = resolve
        })
        waiting = false
        waited += performance.now() - start
      }
      if (bytes === 0 && failure !== null) throw failure
      if (bytes === 0 && ended) return
      came += bytes
      if (waited > limits.idle) {
        if (came < limits.slowest)
          throw new Lost(`${name} sends too slowly: ${formatBytes(came)} in ${formatDuration(waited)}.`)
        waited = 0
        came = 0
      }
      const taken = batch
      batch = []
      bytes = 0
      if (response.isPaused()) response.resume()
      if (taken.length > 0) yield taken
    }
  } finally {
    clearTimeout(timer)
    if (!response.complete) response.destroy()
  }
}

/** A user in an address would become a header. */
function withoutUser(url: URL): URL {
  if (url.username === '' && url.password === '') return url
  const bare = new URL(url)
  bare.username = ''
  bare.password = ''
  return bare
}

/** The host alone: paths and queries of addresses may hold secrets. */
export function nameOf(url: URL): string {
  return safe(url.host)
}

function isUntrusted(error: unknown): boolean {
  return untrusted.has(String((error as { code?: unknown } | null)?.code))
}

const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/** What the system says, as a sentence that names the host. */
function explained(error: unknown, { url, signal }: Question): unknown {
  if (signal?.aborted) return signal.reason
  if (error instanceof Fault || isAbort(error)) return error
  const name = nameOf(url)
  const code = String((error as { code?: unknown } | null)?.code ?? '')
  if (isUntrusted(error))
    return new Fault(`The certificate of ${name} is signed by nobody that this machine trusts.`, {
      cause: error,
      hint: `Its authority’s certificate goes into /etc/containers/certs.d/${name}/ca.crt or /etc/docker/certs.d/${name}/ca.crt.`,
    })
  if (code.startsWith('ERR_TLS_CERT') || code.startsWith('CERT_'))
    return new Fault(`The certificate of ${name} is not good for it: ${certificateReason(code)}.`, { cause: error })
  if (code === 'EPROTO' || code.startsWith('ERR_SSL'))
    return new NoTls(`${name} does not speak TLS.`, {
      cause: error,
      hint: 'A registry of this machine may do without: --tls-verify=false',
    })
  if (code === 'HPE_HEADER_OVERFLOW') return new Fault(`The answer of ${name} has more than 64 kB of headers.`)
  if (code.startsWith('HPE_')) return new Fault(`${name} does not answer as a web server does.`, { cause: error })
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return new Fault(`There is no host ${name}: its name leads to no address.`, { cause: error })
  if (code === 'ECONNREFUSED') return new Fault(`Nothing answers at ${name}.`, { cause: error })
  return new Lost(`${name} can not be reached: ${code === '' ? 'the connection failed' : code}.`, { cause: error })
}

function certificateReason(code: string): string {
  if (code === 'CERT_HAS_EXPIRED') return 'it has expired'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'it was made for other names'
  return code.toLowerCase().replaceAll('_', ' ')
}

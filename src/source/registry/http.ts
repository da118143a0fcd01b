/**
 * One question to a registry over HTTP and the head of its answer, each in bounded time; its body fails when it stalls.
 * Nobody is followed anywhere here, and nothing is known of secrets.
 */
import { request as askPlain, type IncomingHttpHeaders, type IncomingMessage, Agent as PlainAgent } from 'node:http'
import { request as askTls, type RequestOptions, Agent as TlsAgent } from 'node:https'
import { Readable } from 'node:stream'
import { getCACertificates } from 'node:tls'
import { formatDuration } from '../../base/sizes.ts'
import { watched } from './chunks.ts'
import { explained, isUntrusted, Lost, nameOf } from './faults.ts'
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
    // Unverified is the registry alone: whoever it sends us to may be given a password.
    const isOwn = url.hostname === new URL(own.origin).hostname
    return { ...ca, ...client, rejectUnauthorized: access.tlsVerify || !isOwn }
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

/** A user in an address would become a header. */
function withoutUser(url: URL): URL {
  if (url.username === '' && url.password === '') return url
  const bare = new URL(url)
  bare.username = ''
  bare.password = ''
  return bare
}

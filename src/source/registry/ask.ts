/**
 * A question to the registry of a name, with all that lies between it and an answer: who asks, redirections, pauses that
 * the registry wants, connections that are lost.
 */
import { setTimeout } from 'node:timers/promises'
import { Fault } from '../../base/errors.ts'
import { formatDuration } from '../../base/sizes.ts'
import { createAuthorizer } from './authorize.ts'
import { Lost, NoTls, nameOf } from './faults.ts'
import { apiHost, isLoopback } from './hosts.ts'
import { type Http, openHttp, type Question, type Reply } from './http.ts'
import type { RegistryAccess } from './types.ts'

export interface Asking {
  /** `v2/…` of the registry, or a whole address that it gave. */
  to: string | URL
  method: Question['method']
  headers?: Record<string, string>
  body?: Question['body']
  scopes: readonly string[]
  signal?: AbortSignal | undefined
  /** false: a failure is the caller's to mend. */
  again?: boolean
}

export interface Asker {
  /** Any status but 401 that can be mended, 429 and 5xx that can be waited for, and redirections. */
  ask(asking: Asking): Promise<Reply>
  /** The address that a header `Location` or `Link` of a reply means. @throws Fault when it is none to go to. */
  address(reply: Reply, location: unknown): URL
  close(): void
}

const mostRedirections = 5

export function createAsker(access: RegistryAccess, of: { host: string; repository: string }): Asker {
  let found: Promise<{ http: Http; origin: URL; auth: ReturnType<typeof createAuthorizer> }> | null = null

  function registry(signal: AbortSignal | undefined) {
    if (found === null) {
      found = find(signal)
      found.catch(() => {
        found = null
      })
    }
    return found
  }

  async function find(signal: AbortSignal | undefined) {
    const certificates = await access.certificates(of.host)
    const host = apiHost(of.host)
    const open = (origin: URL) => {
      const http = openHttp(access, { origin: origin.origin, certificates })
      return { http, origin, auth: createAuthorizer(access, http, { ...of, origin }) }
    }
    const tls = open(urlOf(`https://${host}/`))
    if (access.tlsVerify || !isLoopback(host)) return tls
    try {
      const reply = await tls.http.ask({
        method: 'GET',
        url: new URL('/v2/', tls.origin),
        headers: headersOf(),
        signal,
      })
      reply.close()
      return tls
    } catch (error) {
      if (!(error instanceof NoTls || error instanceof Lost)) throw error
      tls.http.close()
      return open(urlOf(`http://${host}/`))
    }
  }

  const headersOf = () => ({ 'user-agent': access.userAgent })

  async function ask(asking: Asking): Promise<Reply> {
    const { limits } = access
    for (let tried = 1; ; tried++) {
      const last = asking.again === false || tried >= limits.tries
      let pause = limits.pause * 2 ** (tried - 1)
      try {
        const reply = await authorized(asking)
        if (!isWorthWaiting(reply.status) || last) return reply
        reply.close()
        pause = pauseOf(reply, pause)
        const name = nameOf(reply.url)
        if (pause > limits.longestPause)
          throw new Fault(`${name} wants us to come back in ${formatDuration(pause)}: it has had too many requests.`)
        const why = reply.status === 429 ? 'has had too many requests' : `answers with ${reply.status}`
        access.tell?.(`${name} ${why}; trying again in ${formatDuration(pause)}`)
      } catch (error) {
        if (!(error instanceof Lost) || last || asking.signal?.aborted) throw error
        access.tell?.(`${error.message.replace(/\.$/, '')}; trying again in ${formatDuration(pause)}`)
      }
      await setTimeout(pause, undefined, { signal: asking.signal })
    }
  }

  async function authorized(asking: Asking): Promise<Reply> {
    const { http, origin, auth } = await registry(asking.signal)
    const url = typeof asking.to === 'string' ? new URL(asking.to, origin) : asking.to
    const send = async () => {
      const header = await auth.header(asking.scopes, asking.signal)
      const { method, body, signal } = asking
      return follow(http, { method, url, headers: { ...headersOf(), ...asking.headers }, body, signal }, origin, header)
    }
    const reply = await send()
    if (reply.status !== 401 || reply.url.origin !== origin.origin) return reply
    if (asking.body !== undefined && !(asking.body instanceof Uint8Array)) return reply
    return (await auth.challenged(reply, asking.scopes, asking.signal)) ? send() : reply
  }

  /** Who asks is said to the registry alone, wherever it sends us. */
  async function follow(http: Http, first: Question, origin: URL, header: string | null): Promise<Reply> {
    let question = first
    for (let hops = 0; ; hops++) {
      const isOwn = question.url.origin === origin.origin
      const headers = header !== null && isOwn ? { ...question.headers, authorization: header } : question.headers
      const reply = await http.ask({ ...question, headers })
      const onward = [301, 302, 303, 307, 308].includes(reply.status) && /^(?:GET|HEAD)$/.test(question.method)
      if (!onward) return reply
      reply.close()
      if (hops >= mostRedirections) throw new Fault(`${nameOf(origin)} sends us from one place to another without end.`)
      question = { ...question, url: address(reply, reply.headers.location) }
    }
  }

  function address(reply: Reply, location: unknown): URL {
    const name = nameOf(reply.url)
    const url = typeof location === 'string' && location.length <= 16 << 10 ? URL.parse(location, reply.url) : null
    if (url === null || !/^https?:$/.test(url.protocol)) throw new Fault(`${name} sends us on and does not say where.`)
    const weaker = reply.url.protocol === 'https:' && url.protocol === 'http:'
    if (weaker && (access.tlsVerify || !isLoopback(url.host)))
      throw new Fault(`${name} sends us to ${nameOf(url)} without TLS: that is not done.`)
    return url
  }

  return {
    ask,
    address,
    close() {
      found?.then(
        ({ http }) => http.close(),
        () => {},
      )
    },
  }
}

function urlOf(text: string): URL {
  const url = URL.parse(text)
  if (url === null) throw new Fault('The name of the registry is no host.', { exitCode: 2 })
  return url
}

function isWorthWaiting(status: number): boolean {
  return status === 429 || status === 500 || status === 502 || status === 503 || status === 504
}

/** `Retry-After`: seconds or a date. Milliseconds. */
function pauseOf(reply: Reply, usual: number): number {
  const wanted = reply.headers['retry-after']
  if (wanted === undefined) return usual
  const ms = /^\d{1,9}$/.test(wanted) ? Number(wanted) * 1000 : Date.parse(wanted) - Date.now()
  return Number.isFinite(ms) ? Math.max(usual, ms) : usual
}

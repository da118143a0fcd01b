/**
 * How a registry is told who asks: nothing, Basic, or a Bearer token that another host gives for the one repository
 * (distribution, "Token Authentication Specification" and its OAuth2 form). Tokens are kept while they are good.
 */
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { parseChallenges } from './challenge.ts'
import { nameOf } from './faults.ts'
import { isLoopback } from './hosts.ts'
import type { Http, Reply } from './http.ts'
import { readWhole } from './read-whole.ts'
import { refusal } from './refusal.ts'
import type { Credentials, RegistryAccess } from './types.ts'

export interface Authorizer {
  /** What to say first; null while the registry has not asked. */
  header(scopes: readonly string[], signal: AbortSignal | undefined): Promise<string | null>
  /** Does what a 401 asks for; false: nothing that could be done. @throws Fault when it does not work. */
  challenged(reply: Reply, scopes: readonly string[], signal: AbortSignal | undefined): Promise<boolean>
}

type Way = { kind: 'none' } | { kind: 'basic'; header: string } | { kind: 'bearer'; realm: URL; service: string | null }

interface Token {
  header: string
  /** Milliseconds since 1970. */
  until: number
}

/** `origin` is where the registry answers. */
export function createAuthorizer(
  access: RegistryAccess,
  http: Http,
  of: { host: string; repository: string; origin: URL },
): Authorizer {
  let way: Way = { kind: 'none' }
  let credentials: Promise<Credentials | null> | null = null
  const tokens = new Map<string, Promise<Token>>()
  const whoAsks = () => (credentials ??= access.credentials(of.host, of.repository))

  async function token(scopes: readonly string[], signal: AbortSignal | undefined): Promise<string> {
    if (way.kind !== 'bearer') throw new Error('no realm')
    const key = scopes.join(' ')
    const known = await tokens.get(key)?.catch(() => null)
    if (known && known.until > Date.now()) return known.header
    const { realm, service } = way
    const asked = whoAsks().then(who => askToken({ access, http, realm, service, scopes, who, signal }))
    tokens.set(key, asked)
    return (await asked).header
  }

  return {
    async header(scopes, signal) {
      if (way.kind === 'bearer') return token(scopes, signal)
      return way.kind === 'basic' ? way.header : null
    },
    async challenged(reply, scopes, signal) {
      const challenges = parseChallenges(String(reply.headers['www-authenticate'] ?? ''))
      const name = nameOf(reply.url)
      const bearer = challenges.find(one => one.scheme === 'bearer')
      const basic = challenges.some(one => one.scheme === 'basic')
      if (bearer) {
        reply.close()
        way = {
          kind: 'bearer',
          realm: realmOf(bearer.parameters.realm, of.origin),
          service: bearer.parameters.service ?? null,
        }
        tokens.delete(scopes.join(' '))
        await token(scopes, signal)
        return true
      }
      const who = basic ? await whoAsks() : null
      if (who === null || 'identityToken' in who) return false
      // Without TLS there are only registries of this machine here.
      if (reply.url.origin !== of.origin.origin)
        throw new Fault(`${name} is not the registry, and asks for a password: it gets none.`)
      reply.close()
      way = { kind: 'basic', header: basicHeader(who) }
      return true
    },
  }
}

/** Where tokens come from: over TLS, unless the registry and it are both of this machine. */
function realmOf(text: string | undefined, registry: URL): URL {
  const name = nameOf(registry)
  const realm = URL.parse(text ?? '')
  if (realm === null || !/^https?:$/.test(realm.protocol))
    throw new Fault(`${name} asks for a token and does not say where there is one.`)
  const bothHere = registry.protocol === 'http:' && isLoopback(registry.host) && isLoopback(realm.host)
  if (realm.protocol === 'https:' || bothHere) return realm
  throw new Fault(`${name} wants us to log in at ${nameOf(realm)} without TLS: that is not done.`)
}

interface TokenQuestion {
  access: RegistryAccess
  http: Http
  realm: URL
  service: string | null
  scopes: readonly string[]
  who: Credentials | null
  signal: AbortSignal | undefined
}

async function askToken(question: TokenQuestion): Promise<Token> {
  const { access, http, realm, signal } = question
  const reply = await http.ask({ ...tokenRequest(question), signal })
  const name = nameOf(realm)
  if (reply.status !== 200) throw await refusal(reply, 'a token', access.limits)
  const bytes = await readWhole(reply, 1 << 20, 'a token', access.limits)
  const { token, access_token, expires_in } = tokenShape(bytes)
  const text = token || access_token
  if (typeof text !== 'string' || !/^[\x21-\x7e]{1,49152}$/.test(text))
    throw new Fault(`${name} gives no token that makes sense.`)
  const seconds = typeof expires_in === 'number' && expires_in > 0 ? Math.min(expires_in, 86_400) : 60
  // A token that ends on the way would only be asked for again.
  return { header: `Bearer ${text}`, until: Date.now() + Math.max(1, seconds - 10) * 1000 }
}

/** Anonymous and with a password by GET, with an identity token by POST: what registries know best. */
function tokenRequest({ access, realm, service, scopes, who }: TokenQuestion) {
  const headers: Record<string, string> = { 'user-agent': access.userAgent, accept: 'application/json' }
  if (who !== null && 'identityToken' in who) {
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: 'strata',
      refresh_token: who.identityToken,
    })
    if (service !== null) form.set('service', service)
    form.set('scope', scopes.join(' '))
    headers['content-type'] = 'application/x-www-form-urlencoded'
    return { method: 'POST' as const, url: realm, headers, body: Buffer.from(form.toString()) }
  }
  const url = new URL(realm)
  if (service !== null) url.searchParams.set('service', service)
  for (const scope of scopes) url.searchParams.append('scope', scope)
  if (who !== null) {
    url.searchParams.set('account', who.username)
    headers.authorization = basicHeader(who)
  }
  return { method: 'GET' as const, url, headers }
}

/** What the parser says of a text that is no JSON quotes it: nobody may see that here. */
function tokenShape(bytes: Uint8Array): { token?: unknown; access_token?: unknown; expires_in?: unknown } {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}

function basicHeader({ username, password }: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}

/** What is asked for of a repository, as scopes name it: `pull`, `pull,push`. */
export function scopeOf(repository: string, deeds: string): string {
  return `repository:${safe(repository)}:${deeds}`
}

/** Where an engine listens, as Docker and Podman write it: `unix://`, `npipe://`, `tcp://`, `ssh://`. */
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'

export type Address =
  /** A socket (on Windows a named pipe) of this machine. */
  | { kind: 'unix'; path: string }
  /** `prefix` goes before every request's path; '' where there is none. */
  | { kind: 'tcp'; host: string; port: number; prefix: string; tls: Tls | null }
  /** Through the user's own ssh. `socket`: the engine's socket over there, null for its usual one. */
  | { kind: 'ssh'; host: string; port: number | null; user: string | null; socket: string | null; client: SshClient }

/** The command line that carries the connection over there. */
export type SshClient = 'docker' | 'podman'

/** PEM texts; null where there is none. */
export interface Tls {
  ca: string | null
  cert: string | null
  key: string | null
  /** Whether the server has to prove who it is. */
  verify: boolean
}

/**
 * Reads a host as `DOCKER_HOST` has it. `tls` is given where the connection is to be encrypted.
 * Throws a Fault (exit code 2) that says what is wrong, `from` being where it was written (`DOCKER_HOST`).
 */
export function parseHost(text: string, from: string, options: { tls?: Tls | null; client?: SshClient } = {}): Address {
  const wrong = (reason: string) =>
    new Fault(`${from} is “${safe(text.slice(0, 200))}”: ${reason}.`, {
      hint: 'A host is written unix:///path/to/docker.sock, tcp://HOST:PORT or ssh://USER@HOST.',
      exitCode: 2,
    })
  const scheme = /^([a-z]+):\/\//.exec(text)?.[1] ?? 'tcp'
  if (/[\0-\x20\x7f]/.test(text)) throw wrong('it holds a space or a control character')
  switch (scheme) {
    case 'unix':
    case 'npipe':
      return { kind: 'unix', path: text.slice(scheme.length + 3) || usualPath[scheme] }
    case 'tcp':
    case 'http':
    case 'https':
      return tcpAddress(text, options.tls ?? null, wrong)
    case 'ssh':
      return sshAddress(text, options.client ?? 'docker', wrong)
    default:
      throw wrong(`${scheme}:// is no way to an engine`)
  }
}

/** The address as a person would write it, harmless for a terminal. */
export function formatAddress(address: Address): string {
  if (address.kind === 'unix') return safe(`unix://${address.path}`)
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  if (address.kind === 'tcp') return safe(`tcp://${host}:${address.port}${address.prefix}`)
  const user = address.user === null ? '' : `${address.user}@`
  const port = address.port === null ? '' : `:${address.port}`
  return safe(`ssh://${user}${host}${port}${address.socket ?? ''}`)
}

const usualPath = { unix: '/var/run/docker.sock', npipe: '//./pipe/docker_engine' }

type Wrong = (reason: string) => Fault

function tcpAddress(text: string, tls: Tls | null, wrong: Wrong): Address {
  const url = urlOf(text.includes('://') ? text.replace(/^[a-z]+/, 'http') : `http://${text}`, wrong)
  if (url.username || url.password) throw wrong('a user is for ssh:// only')
  const port = url.port === '' ? (/:80(?:\/|$)/.test(text) ? 80 : tls ? 2376 : 2375) : Number(url.port)
  const prefix = url.pathname.replace(/\/+$/, '')
  return { kind: 'tcp', host: bare(url.hostname) || '127.0.0.1', port, prefix, tls }
}

/** As Docker's connection helper: no password, no query; and no host or user that ssh would take for an option. */
function sshAddress(text: string, client: SshClient, wrong: Wrong): Address {
  const url = urlOf(text, wrong)
  const host = bare(url.hostname)
  const user = url.username === '' ? null : decoded(url.username, wrong)
  if (url.password) throw wrong('a password does not belong there; ssh asks for it, or takes a key')
  if (url.search || url.hash) throw wrong('nothing may follow the path')
  if (host === '') throw wrong('it names no host')
  if (!/^[\w.:%-]+$/.test(host) || host.startsWith('-')) throw wrong('its host is no host name')
  if (user !== null && (!/^[\w.@+\\-]+$/.test(user) || user.startsWith('-'))) throw wrong('its user is no user name')
  const path = decoded(url.pathname, wrong)
  const socket = path === '' || path === '/' ? null : path
  return { kind: 'ssh', host, port: url.port === '' ? null : Number(url.port), user, socket, client }
}

function urlOf(text: string, wrong: Wrong): URL {
  try {
    return new URL(text)
  } catch {
    throw wrong('it is no address')
  }
}

function decoded(text: string, wrong: Wrong): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw wrong('it holds a bad percent escape')
  }
}

/** `[::1]` without its brackets. */
function bare(host: string): string {
  return host.startsWith('[') ? host.slice(1, -1) : host
}

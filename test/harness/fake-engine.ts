/**
 * An engine that is none: an HTTP server on a unix socket, for what real engines can not be made to show. It says
 * whatever a test wants of it, in any API version, and remembers what it was asked.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Endpoint } from '../../src/engine/endpoints.ts'

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

export interface FakeEngine {
  socket: string
  endpoint: Endpoint
  /** Method and path of every request, in order. */
  asked: string[]
  /** Connections that were opened to it. */
  connections: number
  /** Connections that are open now. */
  open(): number
}

export interface FakeOptions {
  /** What the ping announces; null announces nothing, as engines before 1.25 do. */
  api?: string | null
  podman?: boolean
  /** By path without version and query: JSON to answer with, or a handler. Anything else is refused with 404. */
  routes?: Record<string, unknown>
}

/** Starts one that is gone after the running test. */
export async function fakeEngine({ api = '1.41', podman = false, routes = {} }: FakeOptions = {}): Promise<FakeEngine> {
  const folder = mkdtempSync(join(tmpdir(), 'strata-fake-'))
  const socket = join(folder, 'engine.sock')
  const endpoint: Endpoint = {
    name: podman ? 'podman' : 'docker',
    origin: 'test',
    asked: true,
    address: { kind: 'unix', path: socket },
  }
  const open = new Set<Socket>()
  const fake: FakeEngine = { socket, endpoint, asked: [], connections: 0, open: () => open.size }
  const server = createServer((request, response) => {
    fake.asked.push(`${request.method} ${request.url}`)
    const path = (request.url ?? '').replace(/^\/v\d+\.\d+/, '').replace(/\?.*/, '')
    if (api !== null) response.setHeader('Api-Version', api)
    if (podman) response.setHeader('Libpod-Api-Version', '4.3.1')
    response.setHeader('Server', podman ? 'Libpod/4.3.1 (linux)' : 'Docker/99.1 (linux)')
    const route = path === '/_ping' && !('/_ping' in routes) ? ok : routes[decodeURIComponent(path)]
    if (typeof route === 'function') (route as Handler)(request, response)
    else if (route === undefined) refuse(404, { message: `no route ${path}` })(request, response)
    else json(route)(request, response)
  })
  server.on('connection', connection => {
    fake.connections++
    open.add(connection)
    connection.on('close', () => open.delete(connection))
  })
  await new Promise<void>(resolve => server.listen(socket, resolve))
  onTestFinished(async () => {
    for (const connection of open) connection.destroy()
    await new Promise(resolve => server.close(resolve))
    rmSync(folder, { recursive: true, force: true })
  })
  return fake
}

/** Answers with JSON. */
export function json(value: unknown): Handler {
  return (_, response) => response.setHeader('Content-Type', 'application/json').end(JSON.stringify(value))
}

/** Refuses with a status and a body: JSON, or text as a proxy answers. */
export function refuse(status: number, body: unknown): Handler {
  return (_, response) => response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
}

/** Sends so many bytes of the given ones and then cuts the connection. */
export function cutAfter(bytes: number, body: Uint8Array): Handler {
  return (_, response) => {
    response.writeHead(200, { 'Content-Type': 'application/x-tar' })
    response.write(body.subarray(0, bytes), () => response.socket?.destroySoon())
  }
}

/** Takes the request and never says a word. */
export const silent: Handler = () => {}

const ok: Handler = (_, response) => response.end('OK')

/** What can be done to a container of Docker or Podman, and what is asked of it once: list, inspect, top, changes, commit, copies. */
import type { Readable } from 'node:stream'
import * as z from 'zod'
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import type { Digest } from '../image/types.ts'
import type { Client } from './client.ts'
import type { CommitSpec, Containers } from './containers.ts'
import { changesShape, pathStatOf, topShape } from './daemon-answers.ts'
import { containerFactsShape, containerListShape } from './daemon-shapes.ts'
import { createBody } from './daemon-spec.ts'
import { EngineFault } from './fault.ts'
import { digestOf, number, text, texts } from './fields.ts'

type Streams = 'events' | 'stats' | 'logs' | 'exec' | 'attach' | 'processes' | 'signalProcess'

/** Everything of `Containers` that is one call and its answer. */
export function containerActions(client: Client): Omit<Containers, Streams | 'capabilities'> {
  const act = async (id: string, verb: string, query: Query = {}, timeout?: number) => {
    const path = `/containers/${containerPath(id)}/${verb}`
    await client.send('POST', path, nothing, { query, ...(timeout !== undefined && { timeout }) })
  }
  return {
    // Sizes are counted file by file: as long as it takes.
    list: ({ all = false, sizes = false, signal } = {}) =>
      client.get('/containers/json', containerListShape, {
        query: { all: all ? 1 : 0, ...(sizes && { size: 1 }) },
        signal,
        ...(sizes && { timeout: Infinity }),
      }),
    async inspect(id, { sizes = false, signal } = {}) {
      return client.get(`/containers/${containerPath(id)}/json`, containerFactsShape, {
        query: { size: sizes ? 1 : undefined },
        signal,
        ...(sizes && { timeout: Infinity }),
      })
    },
    async create(wish, { signal } = {}) {
      // Podman takes no word for no time: what it makes so is killed as soon as it is to stop.
      const spec = client.kind === 'podman' ? { stopTimeout: usualStop, ...defined(wish) } : wish
      const query = { name: spec.name, platform: client.speaks('1.41') ? spec.platform : undefined }
      const made = await client.send('POST', '/containers/create', createdShape, {
        query,
        body: createBody(spec),
        signal,
      })
      return { id: made.Id, warnings: made.Warnings }
    },
    start: id => act(id, 'start'),
    stop: (id, options) => stopping(id, 'stop', options),
    restart: (id, options) => stopping(id, 'restart', options),
    kill: (id, signal) => act(id, 'kill', { signal }),
    pause: id => act(id, 'pause'),
    unpause: id => act(id, 'unpause'),
    rename: (id, name) => act(id, 'rename', { name: containerPath(name) }),
    async remove(id, { force = false, volumes = false } = {}) {
      const query = { force: force ? 1 : 0, v: volumes ? 1 : 0 }
      const path = `/containers/${containerPath(id)}`
      // Docker kills at once what is removed by force; Podman would stop it first, and wait ten seconds for that.
      const killed =
        force &&
        client.kind === 'podman' &&
        (await client.send('POST', `${path}/kill`, nothing, { query: { signal: 'KILL' } }).then(
          () => true,
          () => false,
        ))
      try {
        await client.send('DELETE', path, nothing, { query, timeout: Infinity })
      } catch (error) {
        // One that was started with --rm is gone by its end already.
        if (!killed || !(error instanceof EngineFault) || error.status !== 404) throw error
      }
    },
    async wait(id, { signal } = {}) {
      const answer = client.send('POST', `/containers/${containerPath(id)}/wait`, waitShape, {
        signal,
        timeout: Infinity,
      })
      return exitCodeIn(await answer)
    },
    async top(id) {
      return client.get(`/containers/${containerPath(id)}/top`, topShape)
    },
    async changes(id, { signal } = {}) {
      return client.get(`/containers/${containerPath(id)}/changes`, changesShape, { signal, timeout: Infinity })
    },
    commit: (id, spec = {}) => commit(client, id, spec),
    async stat(id, path, { signal } = {}) {
      try {
        const headers = await client.head(`/containers/${containerPath(id)}/archive`, { query: { path }, signal })
        return pathStatOf(headers['x-docker-container-path-stat'])
      } catch (error) {
        if (error instanceof EngineFault && error.status === 404) return null
        throw error
      }
    },
    async copyOut(id, path, { signal } = {}) {
      return client.stream(`/containers/${containerPath(id)}/archive`, { query: { path }, signal })
    },
    async copyIn(id, path, tar, { signal } = {}) {
      await copyIn(client, id, path, tar, signal)
    },
  }

  /** The engine answers when it has stopped, which may take all of its own time: no limit where that is not known. */
  function stopping(id: string, verb: string, { timeout }: { timeout?: number | undefined } = {}): Promise<void> {
    const most = timeout === undefined || timeout < 0 ? Infinity : timeout * 1000 + 60_000
    return act(id, verb, { t: timeout }, most)
  }
}

/** Seconds that both engines' own command lines leave a container to end. */
const usualStop = 10

function defined<T extends object>(record: T): T {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as T
}

/** A name or an id as part of a path: only what they are made of, so that none leads to another call. */
export function containerPath(id: string): string {
  const bare = id.replace(/^\//, '')
  if (/^[a-zA-Z\d][\w.-]{0,254}$/.test(bare)) return bare
  throw new Fault(`“${safe(id.slice(0, 200))}” is no name of a container.`, { exitCode: 2 })
}

/** `POST /containers/ID/wait` */
export const waitShape = z.object({
  StatusCode: number,
  Error: z.object({ Message: text }).nullish().catch(null),
})

/** The exit code that was waited for. Throws a Fault where waiting failed. */
export function exitCodeIn({ StatusCode, Error: failure }: z.infer<typeof waitShape>): number {
  if (failure?.Message) throw new Fault(`The engine could not wait for it: ${safe(failure.Message.slice(0, 1000))}.`)
  return StatusCode
}

type Query = Record<string, string | number | undefined>

const nothing = z.unknown()
const createdShape = z.object({ Id: z.string(), Warnings: texts })
const commitShape = z.object({ Id: z.string() })

async function commit(client: Client, id: string, spec: CommitSpec): Promise<Digest> {
  const { repo, tag } = splitReference(client.kind === 'podman' ? atHome(spec.reference) : spec.reference)
  const query = {
    container: containerPath(id),
    repo,
    tag,
    author: spec.author,
    comment: spec.message,
    pause: (spec.pause ?? true) ? 1 : 0,
    changes: spec.changes ? [...spec.changes] : undefined,
  }
  // Podman refuses one without a body.
  const { Id } = await client.send('POST', '/commit', commitShape, { query, body: {}, timeout: Infinity })
  return digestOf(Id)
}

/** Podman's API calls what has no registry Docker Hub's; its own command line calls it this machine's. */
function atHome(reference: string | undefined): string | undefined {
  if (!reference) return reference
  const [first = '', ...rest] = reference.split('/')
  return rest.length > 0 && (/[.:]/.test(first) || first === 'localhost') ? reference : `localhost/${reference}`
}

/** `registry:5000/a/b:tag` in its two parts. */
function splitReference(reference: string | undefined): { repo?: string; tag?: string } {
  if (reference === undefined || reference === '') return {}
  const colon = reference.lastIndexOf(':')
  if (colon <= reference.lastIndexOf('/')) return { repo: reference, tag: 'latest' }
  return { repo: reference.slice(0, colon), tag: reference.slice(colon + 1) }
}

async function copyIn(
  client: Client,
  id: string,
  path: string,
  tar: Readable,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await client.send('PUT', `/containers/${containerPath(id)}/archive`, nothing, {
      query: { path },
      body: tar,
      signal,
      timeout: Infinity,
    })
  } catch (error) {
    tar.destroy()
    if (error instanceof EngineFault && error.status === 404 && !/no such container/i.test(error.message))
      throw new EngineFault(404, error.message, { hint: 'The directory must be there already.', cause: error.cause })
    throw error
  }
}

/**
 * An engine: a place with images (and, later, containers). Docker and Podman both speak Docker's API; what differs
 * between them and between their versions ends in this folder. Only what a person asked for writes to an engine.
 *
 * In: endpoints (where to look), out: `Engine`, whose answers are plain bounded data.
 */
import type { Readable } from 'node:stream'
import * as z from 'zod'
import { asFault, Fault } from '../base/errors.ts'
import type { Work } from '../base/progress.ts'
import { safe } from '../base/text.ts'
import { parseConfig } from '../image/config.ts'
import type { ImageName } from '../image/image-name.ts'
import type { Digest, Platform, RunConfig } from '../image/types.ts'
import { formatAddress } from './address.ts'
import { type Client, type ClientOptions, connectEngine } from './client.ts'
import { clientWords } from './client-words.ts'
import type { ContainerSpec, Containers } from './containers.ts'
import { daemonContainers } from './daemon-containers.ts'
import { pullByEngine, pushByEngine, type RegistryTransfer } from './daemon-registry.ts'
import { createBody } from './daemon-spec.ts'
import { daemonStorage } from './daemon-usage.ts'
import { daemonVolumes } from './daemon-volumes.ts'
import { type Endpoint, type EndpointOptions, findEndpoints, type Surroundings } from './endpoints.ts'
import { EngineFault } from './fault.ts'
import { historyShape, imageFactsShape, imageListShape, infoShape, pingShape } from './shapes.ts'
import type { Storage } from './usage.ts'
import type { Volumes } from './volumes.ts'

export interface Engine {
  /** Short and unique among the engines that were found: `docker`, `podman-rootless`, a context's name. */
  id: string
  kind: 'docker' | 'podman'
  /** `20.10.24+dfsg1`; '' when it does not say. */
  version: string
  /** The API version that is spoken with it: `1.41`. */
  api: string
  endpoint: Endpoint
  capabilities: Capabilities
  /** The images with a name, and those that no other one is built on. `all`: the intermediate ones too. */
  images(options?: { all?: boolean; signal?: AbortSignal | undefined }): Promise<EngineImage[]>
  inspect(name: string, options?: ImageQuery): Promise<ImageFacts>
  /** Oldest row first. */
  history(name: string, options?: ImageQuery): Promise<EngineHistoryRow[]>
  /** Exports images as one docker-archive, shared layers once. It may take long until the first byte comes. */
  save(names: string[], options?: ImageQuery): Promise<{ stream: Readable; abort(): void }>
  /** Takes images from a tar, as `docker load` does. Throws a Fault with the engine's reason. */
  load(tar: Readable, options?: { signal?: AbortSignal | undefined }): Promise<void>
  /** Has the engine pull an image, or all tags of a name, from a registry. Throws a Fault with the engine's reason. */
  pull(name: ImageName, options: RegistryTransfer & { allTags?: boolean; platform?: string }): Promise<void>
  /** Has it push an image that it has under that name. Throws a Fault with the engine's reason. */
  push(name: ImageName, options: RegistryTransfer): Promise<void>
  /** Removes one image by id, not what it was built on. */
  removeImage(id: Digest): Promise<void>
  info(options?: { signal?: AbortSignal | undefined }): Promise<EngineInfo>
  containers: Containers
  /** What its disk holds. */
  storage: Storage
  volumes?: Volumes
  /** Throws a Fault for what of a wish makes no sense. */
  check(spec: ContainerSpec): void
  /** What a container of this image starts with unless it is said otherwise; null: there is no such image here. */
  imageRun(reference: string, options: { signal?: AbortSignal | undefined }): Promise<RunConfig | null>
  /** What reaches it by hand, before a verb: `docker --context work`. */
  command: readonly string[]
  /** Whether it still answers: null, or the fault. */
  health(): Promise<Fault | null>
  close(): void
}

/** What this engine can do, as far as it differs. */
export interface Capabilities {
  /** One of several platforms of a name can be inspected and exported. */
  platforms: boolean
  /** The list can tell what an image shares with others; asking for it is slow. */
  sharedSizes: boolean
}

export interface ImageQuery {
  platform?: Platform | undefined
  signal?: AbortSignal | undefined
}

export interface EngineImage {
  id: Digest
  /** `repo:tag`, none for a dangling image. */
  names: string[]
  /** `repo@sha256:…` */
  digests: string[]
  parent: Digest | null
  /** Seconds since 1970; null when it says none. */
  created: number | null
  /** Bytes, as the engine counts them. */
  size: number
  /** Bytes that other images have too; null when not known. */
  shared: number | null
  /** How many containers it has; null when not known. */
  containers: number | null
  labels: Record<string, string>
}

export interface ImageFacts {
  id: Digest
  names: string[]
  digests: string[]
  parent: Digest | null
  /** As written in the config. */
  created: string | null
  size: number
  os: string
  architecture: string
  variant: string | null
  author: string | null
  diffIds: Digest[]
  /** The run config as the engine has it, unread. */
  config: unknown
  /** The storage driver's name; null where there is none (containerd image store). */
  driver: string | null
  /** Where the topmost layer's files lie on the engine's machine; null where the driver does not say. */
  topDirectory: string | null
  /** Digest of the manifest (of an index, where the engine does not tell which manifest); null with graph drivers. */
  manifest: Digest | null
  /** The whole answer. */
  raw: unknown
}

export interface EngineHistoryRow {
  /** The image that ends here, null where it has no id of its own. */
  imageId: Digest | null
  created: number | null
  createdBy: string
  /** Bytes that the step's layer adds, as the engine counts them; 0 also for a layer without files. */
  size: number
  comment: string | null
}

export interface EngineInfo {
  /** Where its store lies, on its own machine. */
  root: string | null
  driver: string
  containerdStore: boolean
  os: string
  architecture: string
  rootless: boolean
  usernsRemap: boolean
  version: string
}

export interface FindOptions extends EndpointOptions, Pick<Work, 'signal'> {
  /** Only engines of this kind or with this id. */
  engine?: string | undefined
  /** Milliseconds until one that does not answer is given up. */
  timeout?: number | undefined
  /** Whether ssh may ask on the terminal. */
  mayAsk?: boolean | undefined
}

/** A place that was looked at and did not answer. */
export interface EngineFailure {
  name: string
  /** Who named the place: `DOCKER_HOST`, `context work`, `socket`. */
  origin: string
  /** `unix:///var/run/docker.sock`; '' when it was not found out. */
  address: string
  /** Whether the person named the place. */
  asked: boolean
  fault: Fault
}

/**
 * Every engine that answers, likeliest first, and why the others do not. Looks everywhere at once; never throws but
 * when it is cancelled. The caller closes the engines.
 */
export async function findEngines(
  around: Surroundings,
  options: FindOptions = {},
): Promise<{ engines: Engine[]; failures: EngineFailure[] }> {
  const { endpoints, failures: unclear } = await findEndpoints(around, options)
  const client = { env: around.env, connectTimeout: options.timeout, mayAsk: options.mayAsk, signal: options.signal }
  const tried = await Promise.allSettled(endpoints.map(endpoint => openEngine(endpoint, client)))
  const engines: Engine[] = []
  const failures: EngineFailure[] = unclear.map(one => ({ ...one, origin: 'settings', address: '', asked: true }))
  for (const [at, result] of tried.entries()) {
    const { name, origin, address, asked } = endpoints[at]
    if (result.status === 'rejected') {
      const fault = asFault(result.reason, `${name} can not be reached`)
      failures.push({ name, origin, address: formatAddress(address), asked, fault })
    } else if (!isMeant(result.value, options.engine)) result.value.close()
    else engines.push(result.value)
  }
  if (options.signal?.aborted) {
    for (const engine of engines) engine.close()
    throw new Fault('Cancelled.', { exitCode: 130 })
  }
  return { engines, failures: failures.filter(one => concerns(one, options.engine)) }
}

/** Connects to one engine. Throws a Fault that says why it does not answer. */
export async function openEngine(endpoint: Endpoint, options: ClientOptions): Promise<Engine> {
  const client = await connectEngine(endpoint, options)
  const capabilities = {
    platforms: client.speaks('1.49'),
    sharedSizes: client.kind === 'docker' && client.speaks('1.42'),
  }
  const platformOf = ({ platform }: ImageQuery) => platformQuery(client, platform)
  const engine: Omit<Engine, 'storage'> = {
    id: endpoint.name,
    kind: client.kind,
    version: client.version,
    api: client.api,
    endpoint,
    check: spec => void createBody(spec),
    async imageRun(reference, { signal }) {
      try {
        const { config } = await client.get(`/images/${pathOf(reference)}/json`, imageFactsShape, { signal })
        return parseConfig({ config, rootfs: {} }).config.run
      } catch (error) {
        if (error instanceof EngineFault && error.status === 404) return null
        throw error
      }
    },
    command: clientWords(client.kind, endpoint, process.getuid?.() ?? null),
    capabilities,
    images: ({ all = false, signal } = {}) =>
      client.get('/images/json', imageListShape, { query: { all: all ? 1 : 0 }, signal }),
    async inspect(name, query = {}) {
      // One platform of several, or what the index of several leads to: an engine does not tell both at once.
      const which =
        query.platform && capabilities.platforms ? platformOf(query) : client.speaks('1.48') ? { manifests: 1 } : {}
      const call = { query: which, signal: query.signal }
      return client.get(`/images/${pathOf(name)}/json`, imageFactsShape, call)
    },
    async history(name, query = {}) {
      return client.get(`/images/${pathOf(name)}/history`, historyShape, {
        query: platformOf(query),
        signal: query.signal,
      })
    },
    async save(names, query = {}) {
      const stop = new AbortController()
      const signal = query.signal ? AbortSignal.any([query.signal, stop.signal]) : stop.signal
      names.forEach(pathOf)
      const stream = await client.stream('/images/get', { query: { names, ...platformOf(query) }, signal })
      return { stream, abort: () => stop.abort() }
    },
    containers: daemonContainers(client),
    volumes: daemonVolumes(client),
    async load(tar, { signal } = {}) {
      const call = { body: tar, query: { quiet: 1 }, timeout: Number.POSITIVE_INFINITY, signal }
      const said = await client.send('POST', '/images/load', z.unknown(), call)
      // The answer is progress, and a failure is one more line of it.
      const reason = /"error":\s*"((?:[^"\\]|\\.){1,500})/.exec(typeof said === 'string' ? said : JSON.stringify(said))
      if (reason) throw new Fault(`${safe(endpoint.name)} did not load the image: ${safe(reason[1])}`)
    },
    pull: (name, how) => pullByEngine(client, name, how),
    push: (name, how) => pushByEngine(client, name, how),
    async removeImage(id) {
      await client.send('DELETE', `/images/${pathOf(id)}`, z.unknown(), { query: { noprune: 1 } })
    },
    info: ({ signal } = {}) => client.get('/info', infoShape, { signal }),
    async health() {
      try {
        await client.get('/_ping', pingShape, { timeout: 5_000 })
        return null
      } catch (error) {
        return asFault(error, `${endpoint.name} does not answer`)
      }
    },
    close: () => client.close(),
  }
  return { ...engine, storage: daemonStorage(client, engine) }
}

/** Whether the engine is what `--engine` names: a kind of engine, or the one of a context. */
export function isMeant(engine: Engine, wanted: string | undefined): boolean {
  return wanted === undefined || engine.kind === wanted || engine.id === wanted
}

function concerns({ name }: EngineFailure, wanted: string | undefined): boolean {
  if (wanted === undefined || name === wanted) return true
  return wanted === 'podman' ? name.startsWith('podman') : wanted === 'docker' && !name.startsWith('podman')
}

/** As JSON, since API 1.48. An older engine has one platform of a name; whether it is the wanted one, its answer tells. */
function platformQuery(client: Client, platform: Platform | undefined): { platform?: string } {
  if (!platform || !client.speaks('1.48')) return {}
  const { os, architecture, variant } = platform
  return { platform: JSON.stringify({ os, architecture, ...(variant && { variant }) }) }
}

/** A name as part of a path: only what names and ids are made of, so that no name leads to another call. */
function pathOf(name: string): string {
  const parts = name.split('/')
  if (/^[\w.:@/[\]-]{1,4096}$/.test(name) && !parts.some(part => part === '' || part === '.' || part === '..'))
    return encodeURI(name)
  throw new Fault('That is no name of an image.', { exitCode: 2 })
}

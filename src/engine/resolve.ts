/** Bare names and `docker-daemon:NAME`, `podman:NAME`: looked up in every engine that answers. */
import { existsSync } from 'node:fs'
import { asFault, Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import { parsePlatform } from '../image/platform.ts'
import type { Reference } from '../image/reference.ts'
import { defaultCacheFolder } from '../source/index-cache.ts'
import { findLocalStores, openFromStores } from '../source/local-stores.ts'
import { NoImage } from '../source/no-image.ts'
import type { EngineResolver, OpenOptions } from '../source/open.ts'
import type { StoreKind, StoreReason } from '../source/store-types.ts'
import type { Image } from '../source/types.ts'
import { type Endpoint, findEndpoints, type Surroundings } from './endpoints.ts'
import { type Engine, isMeant, openEngine } from './engine.ts'
import { openEngineImage } from './engine-image.ts'
import { EngineFault } from './fault.ts'

export interface ResolverOptions {
  /** `--host` */
  host?: string | undefined
  /** Whether ssh may ask on the terminal. */
  mayAsk?: boolean | undefined
  /** false: images are never read from the engines' own stores, always exported. */
  stores?: boolean | undefined
}

/**
 * What `openImage` asks engines with. The image comes from the first engine that has it, Docker before Podman; the
 * engine is closed with the image. null: no engine has it.
 */
export function engineResolver(around: Surroundings, options: ResolverOptions = {}): EngineResolver {
  return async (reference, open) => {
    const name = nameOf(reference)
    if (name === null) return null
    const { endpoints, failures } = await findEndpoints(around, { host: options.host, context: open.context })
    const tries = endpoints.map(endpoint => tryEndpoint(endpoint, name, { reference, open, around, options }))
    const { image, faults } = await firstOf(tries)
    if (image) return image
    open.signal?.throwIfAborted()
    const asked = endpoints.filter(endpoint => endpoint.asked)
    const stored = await withoutEngine(name, asked, { reference, open, around, options })
    if (stored) return stored
    const told = [...failures.map(one => one.fault), ...faults]
    if (told.length > 0) throw told[0]
    const answered = (await Promise.all(tries.map(one => one.answered))).some(Boolean)
    return answered || (reference.kind === 'name' && existsSync(name)) ? null : nobody(name, reference, open)
  }
}

interface Try {
  endpoint: Endpoint
  /** Whether an engine of the wanted kind is there. */
  answered: Promise<boolean>
  /** null: the engine is not one of those that are wanted. */
  image: Promise<Image | null>
  /** Gives it up. */
  stop(): void
}

interface Context {
  reference: Reference
  open: OpenOptions
  around: Surroundings
  options: ResolverOptions
}

function tryEndpoint(endpoint: Endpoint, name: string, { reference, open, around, options }: Context): Try {
  const stop = new AbortController()
  const signal = open.signal ? AbortSignal.any([open.signal, stop.signal]) : stop.signal
  const wanted = reference.kind === 'engine' ? reference.engine : open.engine
  const reached = openEngine(endpoint, { env: around.env, mayAsk: options.mayAsk, signal }).then(engine => {
    if (isMeant(engine, wanted)) return engine
    engine.close()
    return null
  })
  const image = reached.then(
    engine => engine && openClosing(engine, name, { reference, open: { ...open, signal }, around, options }),
  )
  const answered = reached.then(
    engine => engine !== null,
    () => false,
  )
  image.catch(() => {})
  return { endpoint, answered, image, stop: () => stop.abort() }
}

/** The engine is closed with the image, or when it has none. */
async function openClosing(
  engine: Engine,
  name: string,
  { reference, open, around, options }: Context,
): Promise<Image> {
  const { platform } = open
  try {
    return await openEngineImage(engine, name, {
      ...open,
      reference: reference.text,
      cacheFolder: cacheFolderOf(open),
      platform: typeof platform === 'string' ? parsePlatform(platform) : platform,
      around: options.stores === false ? null : around,
      onClose: () => engine.close(),
    })
  } catch (error) {
    engine.close()
    throw error
  }
}

/** The image of the likeliest place that has it; those behind are given up. Faults that are worth telling if none has. */
async function firstOf(tries: Try[]): Promise<{ image: Image | null; faults: Fault[] }> {
  const faults: Fault[] = []
  for (const [at, { image, endpoint }] of tries.entries()) {
    try {
      const found = await image
      if (!found) continue
      await giveUp(tries.slice(at + 1))
      return { image: found, faults }
    } catch (error) {
      const isMissing = error instanceof EngineFault && error.status === 404
      const answered = await tries[at].answered
      if (!isMissing && (answered || endpoint.asked)) faults.push(asFault(error, `${endpoint.name} can not be asked`))
    }
  }
  return { image: null, faults }
}

/**
 * No engine has it or none runs: what they have left on this machine can be read all the same. Where the person named an
 * engine, in DOCKER_HOST or by a context, that one is meant, and no store that happens to lie here speaks for it.
 */
async function withoutEngine(
  name: string,
  asked: readonly Endpoint[],
  { reference, open, around, options }: Context,
): Promise<Image | null> {
  if (options.stores === false || open.verify || options.host !== undefined || open.context !== undefined) return null
  const engine = reference.kind === 'engine' ? reference.engine : open.engine
  const kinds = (['docker', 'podman'] as const)
    .filter(kind => engine === undefined || engine === kind)
    .filter(kind => !asked.some(endpoint => (endpoint.origin === 'CONTAINER_HOST' ? 'podman' : 'docker') === kind))
    .flatMap(kind => storeKinds[kind])
  const { platform, signal } = open
  const reasons: StoreReason[] = []
  const image = await openFromStores(name, {
    stores: findLocalStores(around),
    onReason: reason => reasons.push(reason),
    kinds,
    reference: reference.text,
    platform: typeof platform === 'string' ? parsePlatform(platform) : (platform ?? null),
    cacheFolder: cacheFolderOf(open),
    signal,
  })
  // A store that has the image and can not give it says so; what else is wrong with stores is none of its business.
  const told = image === null ? reasons.find(reason => reason.kind === 'incomplete') : undefined
  if (told) throw new Fault(told.text, told.hint === null ? {} : { hint: told.hint })
  return image
}

const storeKinds: Record<'docker' | 'podman', StoreKind[]> = {
  docker: ['docker-store', 'containerd-store'],
  podman: ['containers-storage'],
}

function cacheFolderOf({ cache, cacheDir }: OpenOptions): string | null {
  return cache === false || cacheDir === null ? null : (cacheDir ?? defaultCacheFolder())
}

async function giveUp(tries: Try[]): Promise<void> {
  for (const one of tries) one.stop()
  const ended = await Promise.allSettled(tries.map(one => one.image))
  for (const one of ended) if (one.status === 'fulfilled') await one.value?.close()
}

function nobody(name: string, reference: Reference, { engine }: OpenOptions): never {
  const wanted = reference.kind === 'engine' ? reference.engine : engine
  const who = wanted === undefined ? 'Neither Docker nor Podman answers' : `No engine “${safe(wanted)}” answers`
  const named = reference.kind === 'name' && reference.name.repository !== null
  const far = named ? `docker://${safe(name)} looks at it in its registry. ` : ''
  throw new NoImage(`${who}, so the image “${safe(name)}” can not be looked up.`, {
    hint: `${far}\`strata doctor\` tells where they were looked for; a file is written ./FILE.`,
  })
}

function nameOf(reference: Reference): string | null {
  if (reference.kind === 'name') return reference.name.text
  return reference.kind === 'engine' && reference.engine !== 'native' ? reference.name.text : null
}

/** The images of every engine that answers, for the list on the screen and for `strata images`. */
import type { EngineStatus, ImageDetail, ImageLister, ImageListing, ImageRow } from '../actions/image-list.ts'
import { Fault } from '../base/errors.ts'
import type { Endpoint, Surroundings } from '../engine/endpoints.ts'
import {
  type Engine,
  type EngineFailure,
  type EngineImage,
  findEngines,
  type ImageFacts,
  openEngine,
} from '../engine/engine.ts'
import { inferHistory } from '../engine/history.ts'
import { type ImageLayers, uniqueBytes } from '../engine/unique.ts'
import { nearestBase, sharedLayers } from '../image/bases.ts'
import { chainIds } from '../image/digest.ts'
import { formatPlatform } from '../image/platform.ts'
import { stepsOf } from '../image/steps.ts'
import type { Digest } from '../image/types.ts'
import { nativeDetail, nativeRows, nativeTrouble } from './native-lister.ts'
import { ownStore } from './store/own.ts'
import { listStores, storeDetail } from './store-lister.ts'

export interface ListerOptions {
  engine?: string | undefined
  context?: string | undefined
}

export interface EngineLister extends ImageLister {
  /** What did not answer at the last look, and whether the person had named it. */
  failures(): readonly EngineFailure[]
}

/** Looks at the engines of these surroundings; each look finds them anew and closes them. */
export function createLister(around: Surroundings, options: ListerOptions): EngineLister {
  const endpoints = new Map<string, Endpoint>()
  let failures: EngineFailure[] = []

  async function* list(signal: AbortSignal): AsyncIterable<ImageListing> {
    const native = isNative(options) ? await nativeListing() : { status: [], rows: [] }
    yield { engines: native.status, rows: native.rows, complete: options.engine === 'native' }
    if (options.engine === 'native') return
    const found = await findEngines(around, { ...options, signal })
    failures = found.failures
    const daemons = [...found.engines.map(statusOf), ...failures.filter(one => one.asked).map(failedStatus)]
    const engines = [...native.status, ...daemons]
    for (const engine of found.engines) endpoints.set(engine.id, engine.endpoint)
    const rows = new Map<Engine, ImageRow[]>()
    let stored: ImageRow[] = []
    const listing = (complete: boolean) => {
      return { engines: [...engines], rows: [...native.rows, ...[...rows.values()].flat(), ...stored], complete }
    }
    try {
      if (!isNamed(around, options)) stored = await listStores(found.engines, options.engine)
      for await (const { engine, images, reason } of landing(found.engines, engine => listed(engine, signal))) {
        rows.set(
          engine,
          images.flatMap(image => rowsOf(engine, image)),
        )
        if (reason !== null) markDown(engines, engine.id, reason)
        yield listing(false)
      }
      for await (const { engine, looks } of landing([...rows.keys()], engine =>
        looked(engine, rows.get(engine)!, signal),
      )) {
        rows.set(engine, withDetails(rows.get(engine)!, looks))
        yield listing(false)
      }
    } finally {
      for (const engine of found.engines) engine.close()
    }
    yield listing(true)
  }

  async function detail(row: ImageRow, signal: AbortSignal): Promise<ImageDetail> {
    if (row.detail) return row.detail
    const own = row.engine === 'native' ? await nativeDetail(ownStore('images', {}), row) : null
    if (own) return own
    const endpoint = endpoints.get(row.engine)
    const kept = endpoint ? null : await storeDetail(row)
    if (kept) return kept
    if (!endpoint) throw new Fault(`${row.engine} did not answer when it was asked for its images.`)
    const engine = await openEngine(endpoint, { env: around.env, signal })
    try {
      return detailOf(await look(engine, row.id, signal), [])
    } finally {
      engine.close()
    }
  }

  return { list, detail, failures: () => failures }
}

/** What comes of each, in the order in which it lands. */
async function* landing<T, R>(all: readonly T[], start: (one: T) => Promise<R>): AsyncGenerator<R> {
  const coming = new Map(all.map((one, at) => [at, start(one).then(result => ({ at, result }))]))
  // Whoever stops listening leaves some of them behind.
  for (const one of coming.values()) one.catch(() => {})
  while (coming.size > 0) {
    const { at, result } = await Promise.race(coming.values())
    coming.delete(at)
    yield result
  }
}

function isNative({ engine, context }: ListerOptions): boolean {
  return engine === 'native' || (engine === undefined && context === undefined)
}

/** The store is only mentioned where it has something, or can not be read. */
async function nativeListing(): Promise<{ status: EngineStatus[]; rows: ImageRow[] }> {
  const places = ownStore('images', {})
  const trouble = nativeTrouble(places)
  if (trouble) return { status: [{ name: 'native', version: null, state: 'down', reason: trouble.message }], rows: [] }
  const rows = await nativeRows(places)
  return { status: rows.length > 0 ? [{ name: 'native', version: null, state: 'up', reason: null }] : [], rows }
}

/** Someone who names an engine wants the images of that one. */
function isNamed({ env }: Surroundings, { context }: ListerOptions): boolean {
  return context !== undefined || Boolean(env.DOCKER_HOST || env.DOCKER_CONTEXT || env.CONTAINER_HOST)
}

async function listed(engine: Engine, signal: AbortSignal) {
  try {
    return { engine, images: await engine.images({ signal }), reason: null }
  } catch (error) {
    signal.throwIfAborted()
    return { engine, images: [], reason: error instanceof Error ? error.message : String(error) }
  }
}

function statusOf({ id, version }: Engine): EngineStatus {
  return { name: id, version, state: 'up', reason: null }
}

function failedStatus({ name, fault }: EngineFailure): EngineStatus {
  return { name, version: null, state: 'down', reason: fault.message }
}

function markDown(engines: EngineStatus[], name: string, reason: string): void {
  const at = engines.findIndex(one => one.name === name)
  engines[at] = { ...engines[at], state: 'down', reason }
}

/** One row a name; an image without one has one row all the same. */
function rowsOf(engine: Engine, image: EngineImage): ImageRow[] {
  const names = image.names.length > 0 ? image.names : [null]
  return names.map(name => {
    const { repository, tag } = splitName(name)
    return {
      key: `${engine.id} ${image.id} ${name ?? ''}`,
      reference: `${engine.kind === 'podman' ? 'podman' : 'docker-daemon'}:${name ?? image.id}`,
      repository,
      tag,
      engine: engine.id,
      id: image.id,
      created: image.created === null ? null : image.created * 1000,
      size: image.size,
      unique: image.shared === null || names.length > 1 ? null : Math.max(0, image.size - image.shared),
      containers: image.containers,
      detail: null,
    }
  })
}

/** `repo:tag` in two; the colon of a registry's port is none of them. */
export function splitName(name: string | null): { repository: string | null; tag: string | null } {
  if (name === null) return { repository: null, tag: null }
  const colon = name.lastIndexOf(':')
  if (colon <= name.lastIndexOf('/')) return { repository: name, tag: null }
  return { repository: name.slice(0, colon), tag: name.slice(colon + 1) }
}

/** More images than that are not looked into one by one. */
const mostLooked = 300

/** What an engine tells of one image when it is asked for it. */
interface Look {
  id: Digest
  name: string
  facts: ImageFacts
  steps: number
  /** Bytes by layer, bottom first. */
  layers: number[]
}

async function look(engine: Engine, id: Digest, signal: AbortSignal): Promise<Look> {
  const facts = await engine.inspect(id, { signal })
  const history = await engine.history(id, { signal })
  const { lines } = inferHistory(history, facts.diffIds.length)
  const sizes = stepsOf(lines, facts.diffIds.length).filter(step => step.layer !== null)
  const layers = sizes.map(step => history[step.index - 1]?.size ?? 0)
  return { id, name: facts.names[0] ?? '', facts, steps: history.length, layers }
}

/** Looks into the images of an engine, a few at a time; none when there are too many. One that fails is left out. */
async function looked(engine: Engine, rows: readonly ImageRow[], signal: AbortSignal) {
  const ids = [...new Set(rows.map(row => row.id))]
  const looks = new Map<Digest, Look>()
  if (ids.length > mostLooked) return { engine, looks }
  const one = async () => {
    for (let id = ids.pop(); id !== undefined; id = ids.pop()) {
      signal.throwIfAborted()
      const found = await look(engine, id, signal).catch(() => null)
      if (found) looks.set(id, found)
    }
  }
  await Promise.all([one(), one(), one(), one()])
  return { engine, looks }
}

function withDetails(rows: readonly ImageRow[], looks: ReadonlyMap<Digest, Look>): ImageRow[] {
  const all = [...looks.values()]
  const complete = rows.every(row => looks.has(row.id))
  const unique = uniqueBytes(complete ? all.map(layersOf) : [])
  return rows.map(row => {
    const found = looks.get(row.id)
    return found ? { ...row, unique: unique.get(row.id) ?? row.unique, detail: detailOf(found, all) } : row
  })
}

function layersOf({ id, facts, layers }: Look): ImageLayers {
  const chain = chainIds(facts.diffIds)
  return { id, layers: chain.map((chainId, at) => ({ chainId, bytes: layers[at] ?? null })) }
}

function detailOf({ id, facts, steps, layers }: Look, all: readonly Look[]): ImageDetail {
  const others = all.filter(one => one.id !== id)
  const named = others.filter(one => one.name !== '').map(one => ({ ...one, diffIds: one.facts.diffIds }))
  const base = nearestBase(facts.diffIds, named)
  const sharing = others.filter(one => sharedLayers(one.facts.diffIds, facts.diffIds) > 0)
  return {
    steps,
    layers,
    platform: formatPlatform(facts),
    base: base && { name: base.name, bytes: base.facts.size },
    sharedWith: all.length > 0 ? sharing.length : null,
  }
}

/**
 * A container as an image with one more layer, and that one is alive: its image as it was opened, its upper directory on
 * top. Watched where the directory can be read, asked for through the engine where it can not.
 */
import { accessSync, constants } from 'node:fs'
import { crc32 } from 'node:zlib'
import { asFault, Fault } from '../base/errors.ts'
import type { Work } from '../base/progress.ts'
import { safe, safeBytes } from '../base/text.ts'
import type { Step } from '../image/types.ts'
import { Kind } from '../layer/entry.ts'
import type { LayerIndex } from '../layer/layer-index.ts'
import { entryOf } from '../layer/read-entry.ts'
import { createLiveLayer } from '../live/live-layer.ts'
import { createLiveView, type Fed, type Mount } from '../live/live-view.ts'
import { measureMount } from '../live/measure-mounts.ts'
import { type Pollable, pollUpper } from '../live/poll.ts'
import { readUpper } from '../runtime/read-upper.ts'
import { upperChanges } from '../runtime/upper-changes.ts'
import { type LiveBatch, type UpperPlace, watchUpper } from '../runtime/upper-watch.ts'
import type { Image, LayerInfo } from '../source/types.ts'
import type { Change, ContainerEngine, ContainerFacts } from './containers.ts'
import { EngineFault } from './fault.ts'
import { readFromEngine } from './read-file.ts'

export interface OpenContainerOptions extends Work {
  /** Opens the image that the container was made of. */
  openImage(facts: ContainerFacts, work: Work): Promise<Image>
  /** Milliseconds; for rates. */
  now(): number
}

/** The container as an image whose topmost layer is alive. `close` of it ends the watching. Rejects with a Fault. */
export async function openContainer(
  engine: ContainerEngine,
  id: string,
  { openImage, now, ...work }: OpenContainerOptions,
): Promise<Image> {
  const facts = await engine.containers.inspect(id, { signal: work.signal })
  const image = asFarAs(await openImage(facts, work), engine, facts)
  const stop = new AbortController()
  const place = upperPlace(engine, facts)
  const view = createLiveView(
    image.layers.length,
    facts.name,
    besideOf(facts),
    createLiveLayer(),
    async (mount, signal) => (engine.containers.capabilities.local ? measureMount(mount, facts.pid, signal) : null),
  )
  const batches = place ? watchUpper(place, stop.signal) : pollUpper(pollable(engine, facts.id), stop.signal)
  const fed = feed(view, aligned(batches, place, image.layers.length), place === null, now)
  return withLive(image, facts, {
    view,
    place,
    readOut: (path, options) => readFromEngine(engine, facts.id, path, options),
    async close() {
      stop.abort()
      await fed
    },
  })
}

/**
 * What a container has changed, at once and without the engine where its upper directory can be read: as many times faster
 * as the image is bigger than what was changed. In the order of the engine's own answer: by path.
 */
export async function containerChanges(engine: ContainerEngine, id: string, signal?: AbortSignal): Promise<Change[]> {
  const facts = await engine.containers.inspect(id, { signal })
  const place = upperPlace(engine, facts)
  if (place === null) return engine.containers.changes(id, { signal })
  const found: Change[] = []
  for await (const { change, path } of upperChanges(place.upper, place.lower, signal)) {
    found.push({ change, path: Buffer.from(path).toString() })
  }
  return found
}

/** The same, and then what becomes different, until the signal aborts or the container is gone. */
export async function* followContainer(
  engine: ContainerEngine,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<LiveBatch> {
  const facts = await engine.containers.inspect(id, { signal })
  const place = upperPlace(engine, facts)
  yield* place ? watchUpper(place, signal) : pollUpper(pollable(engine, facts.id), signal)
}

/** Nobody is to look for these in the upper layer in vain. */
function besideOf({ mounts, logPath, logDriver }: ContainerFacts): Mount[] {
  const log = logPath === null ? [] : [{ kind: 'log' as const, source: logPath, destination: `(${logDriver} log)` }]
  return [...mounts.map(({ kind, source, destination }) => ({ kind, source, destination })), ...log]
}

/** A native container may stand on the first layers of its image only: there is one directory for each. */
function asFarAs(image: Image, { kind }: ContainerEngine, { overlay }: ContainerFacts): Image {
  const count = overlay?.lower.length ?? image.layers.length
  if (kind !== 'native' || count >= image.layers.length) return image
  const last = image.steps.findLastIndex(step => step.layer !== null && step.layer < count)
  return Object.assign(Object.create(image) as Image, {
    layers: image.layers.slice(0, count),
    steps: image.steps.slice(0, last + 1),
    close: () => image.close(),
  })
}

type ReadOptions = Parameters<Image['readFile']>[2]

interface Live {
  view: Fed
  place: UpperPlace | null
  /** A file asked of the engine. */
  readOut(path: Uint8Array, options?: ReadOptions): AsyncIterable<Uint8Array>
  close(): Promise<void>
}

/** Where it can be read by us: an ordinary user's helper looks at its own containers, and at nobody else's. */
export function upperPlace({ containers }: ContainerEngine, { overlay }: ContainerFacts): UpperPlace | null {
  if (!containers.capabilities.local || overlay === null) return null
  try {
    for (const path of [overlay.upper, ...overlay.lower]) accessSync(path, constants.R_OK | constants.X_OK)
    return overlay
  } catch {
    return null
  }
}

function pollable({ containers }: ContainerEngine, id: string): Pollable {
  return {
    isGone: error => error instanceof EngineFault && error.status === 404,
    async changes(signal: AbortSignal) {
      const found = await containers.changes(id, { signal })
      return found.map(({ change, path }) => ({ change, path: Buffer.from(path.replace(/^\//, '')) }))
    },
    async look(path: Uint8Array, signal: AbortSignal) {
      // A name that is not text can not be asked for over the API.
      const name = Buffer.from(path).toString()
      const found = await containers.stat?.(id, `/${name}`, { signal }).catch(() => null)
      return found ? { ...found, kind: statKinds[found.kind], mtime: found.mtime / 1000 } : null
    },
  }
}

const statKinds = { file: Kind.file, dir: Kind.dir, symlink: Kind.symlink, other: Kind.fifo }

/** The helper counts directories from the top, Docker's `-init` included; layers count from the bottom. */
async function* aligned(
  batches: AsyncIterable<LiveBatch>,
  place: UpperPlace | null,
  layers: number,
): AsyncGenerator<LiveBatch> {
  const count = place?.lower.length ?? 0
  for await (const batch of batches) {
    for (const change of batch.changes) {
      const layer = change.lower === null ? null : count - 1 - change.lower
      change.lower = layer !== null && layer < layers ? layer : null
    }
    yield batch
  }
}

async function feed(view: Fed, batches: AsyncIterable<LiveBatch>, polled: boolean, now: () => number): Promise<void> {
  try {
    for await (const batch of batches) {
      view.layer.apply(batch, now())
      view.setEvery(batch.every)
      // Of what is watched it is said once, of what is asked for with each answer.
      if (batch.notices.length > 0 || polled) view.setNotice(batch.notices.at(-1) ?? null)
      if (!batch.part) view.fed()
    }
    view.setNotice('The container is gone: this is what its layer was.')
  } catch (error) {
    view.setNotice(asFault(error, 'The layer can not be watched any more').message)
  }
  view.fed()
}

function withLive(image: Image, facts: ContainerFacts, live: Live): Image {
  const { view } = live
  const step: Omit<Step, 'index'> = {
    layer: view.number,
    imageId: null,
    created: null,
    createdBy: 'live layer',
    comment: null,
    author: null,
    emptyLayer: false,
  }
  const layer: LayerInfo = {
    index: view.number,
    diffId: '',
    chainId: '',
    digest: null,
    mediaType: '',
    compressed: null,
    roughBytes: null,
  }
  const own = (number: number) => number === view.number
  const read = (entry: number, options?: ReadOptions) => readLive(live, options?.of ?? view.taken(), entry, options)
  const opened = Object.assign(Object.create(image) as Image, {
    reference: facts.name,
    names: [facts.name],
    live: view,
    layers: [...image.layers, layer],
    async indexLayer(number: number, work?: Work) {
      if (!own(number)) return image.indexLayer(number, work)
      await firstLook(view, work?.signal)
      return view.take()
    },
    readFile: (number: number, entry: number, options?: ReadOptions) =>
      own(number) ? read(entry, options) : image.readFile(number, entry, options),
    async hashFiles(number: number, entries: Uint32Array, work?: Work) {
      if (!own(number)) return image.hashFiles(number, entries, work)
      const sums = new Uint32Array(entries.length)
      const of = view.taken()
      for (const [at, entry] of entries.entries()) {
        let sum = 0
        for await (const chunk of read(entry, { of, ...(work?.signal && { signal: work.signal }) }))
          sum = crc32(chunk, sum)
        sums[at] = sum
      }
      return sums
    },
    async close() {
      await live.close()
      await image.close()
    },
  } satisfies Partial<Image>)
  // An engine's image may know more of its steps later.
  const steps = () => [...image.steps, { ...step, index: image.steps.length + 1 }]
  return Object.defineProperty(opened, 'steps', { get: steps })
}

async function firstLook(view: Fed, signal: AbortSignal | undefined): Promise<void> {
  if (view.ready()) return
  const stopped = Promise.withResolvers<never>()
  const stop = () => stopped.reject(new Fault('Cancelled.', { exitCode: 130 }))
  if (signal?.aborted) stop()
  signal?.addEventListener('abort', stop)
  let end = () => {}
  const told = new Promise<void>(resolve => {
    end = view.subscribe(resolve)
  })
  try {
    await Promise.race([told, stopped.promise])
  } finally {
    end()
    signal?.removeEventListener('abort', stop)
  }
}

/** The entry is one of the index that was shown: the path counts, whatever the layer has become since. */
async function* readLive(
  { place, view, readOut }: Live,
  index: LayerIndex,
  entry: number,
  options?: ReadOptions,
): AsyncGenerator<Uint8Array> {
  const { path, kind } = entryOf(index, entry)
  if (kind !== Kind.file) throw new Fault(`/${safeBytes(path)} in ${safe(view.container)} is no regular file.`)
  yield* place ? readUpper(place.upper, path, options) : readOut(path, options)
}

/**
 * An image that an engine has. What is known at once comes from inspect and history; indexes come from the cache, and
 * the rest from one export that is read while it arrives. Once it has arrived the image's own config takes the place of
 * what was put together from the answers.
 */
import { Fault } from '../base/errors.ts'
import { formatPlatform, platformServes } from '../image/platform.ts'
import type { Platform } from '../image/types.ts'
import type { Anomaly } from '../layer/entry.ts'
import type { LayerIndex } from '../layer/layer-index.ts'
import { loadIndex } from '../source/index-cache.ts'
import type { OpenFromStores, StoreSurroundings } from '../source/local-stores.ts'
import type { OpenOptions } from '../source/open.ts'
import type { StoreReason } from '../source/store-types.ts'
import type { Image } from '../source/types.ts'
import type { Engine, ImageFacts } from './engine.ts'
import { createExport } from './export.ts'
import { chainOf, type FirstSight, firstSight, withIds } from './first-sight.ts'
import { stepImages } from './history.ts'
import { openFromOwnStore } from './own-store.ts'

export interface EngineImageOptions extends Omit<OpenOptions, 'platform'> {
  /** As the person wrote it. */
  reference: string
  platform?: Platform | undefined
  /** Where indexes and configs are kept; null: nowhere. */
  cacheFolder: string | null
  /** What decides where stores are that may be read in place of an export; null: none is. */
  around: StoreSurroundings | null
  /** Called once the image is closed: whoever opened the engine for it closes it then. */
  onClose?: () => void
}

/**
 * Opens an image of an engine by name or id. The caller keeps the engine open until the image is closed.
 * @throws Fault, an EngineFault with status 404 when the engine has no such image.
 */
export async function openEngineImage(engine: Engine, name: string, options: EngineImageOptions): Promise<Image> {
  const { platform, signal, around, reference, cacheFolder } = options
  const query = { platform, signal }
  const facts = await engine.inspect(name, query)
  requirePlatform(engine, facts, platform)
  const exported = () => openExported(engine, name, facts, { ...options, signal: undefined, onClose: undefined })
  const wanted = { reference, platform: platform ?? null, cacheFolder, signal, next: exported }
  const passedOver: Anomaly[] = []
  const onReason = (reason: StoreReason) => passedOver.push(...anomalyOf(reason))
  const stored =
    options.verify || !around ? null : await withoutExport(engine, facts, around, { ...wanted, onReason }, options)
  if (stored === null) return openExported(engine, name, facts, options, passedOver)
  const { close, steps, config } = stored
  // Only the store of Docker's graph drivers knows the images of the steps.
  const known = steps.some(step => step.imageId !== null)
  const ids = known
    ? []
    : stepImages(engine.kind, await engine.history(facts.id, query), await chainOf(engine, facts, query))
  return Object.assign(stored, {
    names: facts.names,
    config: { ...config, parent: config.parent ?? facts.parent },
    steps: known ? steps : withIds(steps, ids),
    async close() {
      await close()
      options.onClose?.()
    },
  })
}

/** From the engine's own store; where that can not be read, through a helper if the person has allowed it. */
async function withoutExport(
  engine: Engine,
  facts: ImageFacts,
  around: StoreSurroundings,
  wanted: Omit<OpenFromStores, 'stores'>,
  { fastRemote = false }: EngineImageOptions,
): Promise<Image | null> {
  const stored = await openFromOwnStore(engine, facts, around, wanted)
  if (stored !== null || fastRemote === false) return stored
  const { openThroughHelper } = await import('./fast-remote.ts')
  const mayHelp = typeof fastRemote === 'function' ? fastRemote : null
  return openThroughHelper(engine, facts, { ...wanted, env: around.env, mayHelp })
}

/** Why a store that may be read was passed over; without permission it is no secret, and `doctor` tells. */
function anomalyOf({ kind, text }: StoreReason): Anomaly[] {
  return kind === 'permission' ? [] : [{ layer: null, path: null, kind: 'store-passed-over', text }]
}

function requirePlatform(engine: Engine, facts: ImageFacts, wanted: Platform | undefined): void {
  const platform = { os: facts.os, architecture: facts.architecture, variant: facts.variant }
  if (!wanted || platformServes(platform, wanted)) return
  throw new Fault(`The image of ${engine.id} is for ${formatPlatform(platform)}, not for ${formatPlatform(wanted)}.`)
}

async function openExported(
  engine: Engine,
  name: string,
  facts: ImageFacts,
  options: EngineImageOptions,
  passedOver: Anomaly[] = [],
): Promise<Image> {
  const query = { platform: options.platform, signal: options.signal }
  const rows = await engine.history(name, query)
  const sight = await firstSight(engine, facts, rows, query, options.cacheFolder)
  sight.config.parent ??= facts.parent
  const indexes: (LayerIndex | undefined)[] = []
  const transfer = createExport({
    engine,
    facts,
    reference: options.reference,
    cacheFolder: options.cacheFolder,
    open: { verify: options.verify, cacheDir: options.cacheFolder },
    onImage: whole => adopt(image, whole, sight, passedOver),
  })
  const content = options.needContent === true

  async function readIndex(layer: number, work: Parameters<Image['indexLayer']>[1] = {}): Promise<LayerIndex> {
    const { diffId } = image.layers[layer]
    const kept = options.verify ? null : await cached(options.cacheFolder, diffId)
    if (kept !== null) return kept
    if (content) void transfer.image(true, work).catch(() => {})
    return (await transfer.layer(diffId, work)) ?? (await transfer.image(content, work)).indexLayer(layer, work)
  }

  const image: Image = {
    reference: options.reference,
    names: facts.names,
    source: engine.kind === 'podman' ? 'podman-save' : 'docker-save',
    // In the containerd image store the engine's id is the manifest's digest.
    id: sight.id ?? facts.id,
    digest: facts.manifest ?? manifestOf(facts.digests),
    platform: sight.config.platform,
    config: sight.config,
    rawConfig: sight.rawConfig,
    steps: sight.steps,
    layers: sight.layers,
    anomalies: [...passedOver, ...sight.anomalies],
    async indexLayer(layer, work = {}) {
      const known = indexes[layer]
      if (known !== undefined) return known
      const index = await readIndex(layer, work)
      indexes[layer] = { ...index, anomalies: index.anomalies.map(one => ({ ...one, layer })) }
      return indexes[layer]
    },
    async *readFile(layer, entry, read = {}) {
      const whole = await transfer.image(true, { signal: read.signal })
      yield* whole.readFile(layer, entry, read)
    },
    async *layerTar(layer, { signal } = {}) {
      yield* (await transfer.image(true, { signal })).layerTar(layer, { signal })
    },
    async copyLayer(layer, to, work = {}) {
      return (await transfer.image(true, work)).copyLayer(layer, to, work)
    },
    async documents(work = {}) {
      return (await transfer.image(true, work)).documents()
    },
    async hashFiles(layer, entries, work = {}) {
      const index = await image.indexLayer(layer, work)
      const hashed = index.hashKind === 'crc32' ? index.hashed : null
      if (entries.every(entry => hashed?.[entry] || index.size[entry] === 0)) {
        return Uint32Array.from(entries, entry => (index.size[entry] === 0 ? 0 : index.crc![entry]))
      }
      return (await transfer.image(false, work)).hashFiles(layer, entries, work)
    },
    async close() {
      await transfer.close()
      options.onClose?.()
    },
  }
  return image
}

/** What the whole image knows better than the engine's answers. */
function adopt(image: Image, whole: Image, { stepIds }: FirstSight, passedOver: Anomaly[]): void {
  if (whole.id !== image.id) image.digest ??= image.id
  image.id = whole.id
  image.digest ??= whole.digest
  image.config = { ...whole.config, parent: whole.config.parent ?? image.config.parent }
  image.rawConfig = whole.rawConfig
  image.platform = whole.platform
  image.steps = withIds(whole.steps, stepIds)
  for (const [at, layer] of image.layers.entries()) {
    const { digest, mediaType, compressed } = whole.layers[at]
    Object.assign(layer, { digest, mediaType, compressed })
  }
  image.anomalies.splice(0, image.anomalies.length, ...passedOver, ...whole.anomalies)
}

async function cached(folder: string | null, diffId: string): Promise<LayerIndex | null> {
  if (folder === null) return null
  return (await loadIndex({ folder, identity: null, diffId, tarBytes: null }))?.index ?? null
}

/** `repo@sha256:…` of an image that came from a registry. */
function manifestOf(digests: string[]): string | null {
  return digests[0]?.split('@')[1] ?? null
}

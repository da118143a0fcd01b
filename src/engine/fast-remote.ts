/**
 * An image of an engine whose store can not be read from here, without an export: the engine keeps every layer's headers
 * in files of a few megabytes, and a helper container hands them out through the socket (`--fast-remote`, off unless the
 * person asks for it). Single files come the same way; where many are asked for, the export does it after all.
 */

import { isUtf8 } from 'node:buffer'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Fault } from '../base/errors.ts'
import { parseConfig } from '../image/config.ts'
import { digestOf, shortDigest } from '../image/digest.ts'
import { imageAnomaly } from '../source/found.ts'
import { findIndex } from '../source/index-cache.ts'
import { parseJson } from '../source/json.ts'
import type { MayHelp } from '../source/open.ts'
import { storeFileAt } from '../source/store-body.ts'
import { indexKey, type StoredLayer, storeImage } from '../source/store-image.ts'
import type { StoreOptions } from '../source/store-types.ts'
import type { Image } from '../source/types.ts'
import { type Client, connectEngine } from './client.ts'
import type { Engine, ImageFacts } from './engine.ts'
import { createHelper, sweepHelpers } from './helper-container.ts'
import { fetchFiles, readThrough } from './helper-files.ts'
import { BASE, type HelperPlan, planFor } from './helper-plan.ts'

export interface FastRemoteOptions extends StoreOptions {
  env: Readonly<Record<string, string | undefined>>
  /** Asked before anything is made, and only where an export would have to be made otherwise; null: it may. */
  mayHelp?: MayHelp | null
}

/**
 * The image; null where this way does not lead to it: containerd's image store, an engine that refuses, a store of
 * another shape. Whatever comes of it, nothing is left on the engine.
 */
export async function openThroughHelper(
  engine: Engine,
  facts: ImageFacts,
  options: FastRemoteOptions,
): Promise<Image | null> {
  // containerd's image store has no driver.
  if (facts.driver === null) return null
  const connect = () => connectEngine(engine.endpoint, { env: options.env, signal: options.signal })
  if (!(await isAllowed(engine, facts, options))) {
    // It was allowed before, and may have been killed then. Nobody waits for that.
    void connect()
      .then(client => sweepHelpers(client).finally(client.close))
      .catch(() => {})
    return null
  }
  const info = await engine.info({ signal: options.signal })
  const needed = facts.diffIds.map(diffId => !isKept(options.cacheFolder, indexKey(diffId)))
  const plan = planFor(engine, info, facts, needed)
  if (plan === null) return null
  // Of ssh that asks for a password there may be no second connection.
  const client = await connect().catch(unlessCancelled)
  if (client === null) return null
  const folder = await mkdtemp(join(tmpdir(), 'strata-helper-'))
  const close = async () => {
    client.close()
    await rm(folder, { recursive: true, force: true })
  }
  const next = onlyOnce(options.next)
  try {
    const files = await gather(client, facts, plan, folder, options)
    const image = await assemble(engine, facts, plan, files, needed, { ...options, next })
    return withHelperFiles(image, plan, { client, facts, next, close })
  } catch (error) {
    await close()
    return unlessCancelled(error)
  }
}

/** What the engine refuses, the export does; nothing goes on that the person has stopped. */
function unlessCancelled(error: unknown): null {
  if (error instanceof Fault && error.exitCode !== 130) return null
  throw error
}

/** The next source is opened once, whoever asks for it, and may be closed by all of them. */
function onlyOnce(open: StoreOptions['next']): () => Promise<Image | null> {
  let opened: Promise<Image | null> | null = null
  return () => {
    opened ??= (open?.() ?? Promise.resolve(null)).then(image => {
      let closed: Promise<void> | null = null
      return image && { ...image, close: () => (closed ??= image.close()) }
    })
    return opened
  }
}

async function isAllowed({ id }: Engine, { diffIds, size }: ImageFacts, options: FastRemoteOptions): Promise<boolean> {
  const { mayHelp, reference, cacheFolder, signal } = options
  if (!mayHelp) return true
  // An image whose layers were all exported once needs no export to be shown.
  if (diffIds.every(diffId => isKept(cacheFolder, diffId))) return false
  return mayHelp({ engine: id, image: reference, bytes: size, signal })
}

function isKept(folder: string | null, key: string): boolean {
  return folder !== null && findIndex({ folder, identity: null, diffId: key, tarBytes: null }) !== null
}

/** Brings what is wanted into the folder, by its path in the helper. The helper is gone afterwards. */
async function gather(
  client: Client,
  { id }: ImageFacts,
  plan: HelperPlan,
  folder: string,
  { signal }: FastRemoteOptions,
): Promise<Map<string, string>> {
  const [helper] = await Promise.all([createHelper(client, id, plan.mounts, signal), sweepHelpers(client)])
  try {
    const wanted = new Set([plan.config, ...plan.layers.flatMap(({ split, diff }) => (diff ? [split, diff] : [split]))])
    return await fetchFiles(helper, plan.requests, wanted, folder, signal)
  } finally {
    await helper.remove()
  }
}

/** @throws Fault when something is missing, or is not what the engine says of the image. */
async function assemble(
  { kind }: Engine,
  { id, names, diffIds, manifest }: ImageFacts,
  plan: HelperPlan,
  files: ReadonlyMap<string, string>,
  needed: readonly boolean[],
  options: FastRemoteOptions,
): Promise<Image> {
  const bytes = await readFile(files.get(plan.config) ?? missing(plan.config))
  if (digestOf(bytes) !== id) throw new Fault(`The config of ${id} does not have its digest.`)
  const rawConfig = parseJson(bytes, `the config of ${id}`)
  const { config, anomalies } = parseConfig(rawConfig)
  if (config.diffIds.join() !== diffIds.join())
    throw new Fault(`The config of ${id} names other layers than the engine.`)
  const layers = diffIds.map(async (diffId, at): Promise<StoredLayer> => {
    const { split, diff } = plan.layers[at]!
    const path = needed[at] ? (files.get(split) ?? missing(split)) : ''
    if (needed[at] && diff !== null && (await readFile(files.get(diff) ?? missing(diff), 'utf8')).trim() !== diffId)
      throw new Fault(`The engine keeps another layer where ${diffId} should be.`)
    return {
      diffId,
      digest: null,
      compressed: null,
      mediaType: 'application/vnd.docker.image.rootfs.diff.tar',
      roughBytes: null,
      path,
      witnesses: [],
      tarBytes: null,
      directory: null,
      weight: path === '' ? 0 : (await stat(path)).size,
    }
  })
  const source = kind === 'podman' ? 'podman-helper' : 'docker-helper'
  const odd = anomalies.map(text => imageAnomaly('odd-config', text))
  return storeImage(
    {
      source,
      names,
      id,
      digest: manifest,
      config,
      rawConfig,
      configBytes: bytes,
      layers: await Promise.all(layers),
      anomalies: odd,
    },
    options,
  )
}

function missing(what: string): never {
  throw new Fault(`The engine does not have ${what}.`)
}

/** Files that are read one by one before the export takes over. */
const MANY = 16

interface Context {
  client: Client
  facts: ImageFacts
  next(): Promise<Image | null>
  close(): Promise<void>
}

/** Contents: one by one through helpers, from the export when they are many or have to be hashed. */
function withHelperFiles(image: Image, plan: HelperPlan, { client, facts, next, close }: Context): Image {
  let reads = 0
  let others = false
  const other = async () => {
    others = true
    const found = await next()
    if (found !== null) return found
    throw new Fault(`The contents of ${image.reference} can only be read from an export.`)
  }
  return {
    ...image,
    async *readFile(layer, entry, read = {}) {
      const { start = 0, end = Number.MAX_SAFE_INTEGER, signal } = read
      const index = await image.indexLayer(layer, { signal })
      const name = `layer ${layer} (${shortDigest(facts.diffIds[layer]!)}) of ${image.reference}`
      const file = storeFileAt(index, entry, name)
      const { directory } = plan.layers[layer]!
      if (file.size === 0) return
      if (directory === null || file.sum === null || !isUtf8(file.path) || ++reads > MANY) {
        yield* (await other()).readFile(layer, entry, read)
        return
      }
      const helper = await createHelper(client, facts.id, [{ source: directory, target: `${BASE}/layer` }], signal)
      try {
        const path = `${BASE}/layer/${Buffer.from(file.path).toString()}`
        yield* readThrough(helper, path, file, { name, start, end, signal })
      } finally {
        await helper.remove()
      }
    },
    async *layerTar(layer, options) {
      yield* (await other()).layerTar(layer, options)
    },
    async copyLayer(layer, to, work) {
      return (await other()).copyLayer(layer, to, work)
    },
    async hashFiles(layer, entries, work) {
      return (await other()).hashFiles(layer, entries, work)
    },
    async close() {
      await image.close()
      if (others) await (await next().catch(() => null))?.close()
      await close()
    },
  }
}

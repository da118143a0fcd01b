/**
 * containers/storage, the image store of podman, buildah, CRI-O and skopeo, read where it lies: <driver>-images and
 * <driver>-layers of the graph root. Formats: containers/storage images.go and layers.go, containers/image storage.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import { parseConfig } from '../image/config.ts'
import { digestOf, isDigest } from '../image/digest.ts'
import type { Digest } from '../image/types.ts'
import { imageAnomaly } from './found.ts'
import { parseJson, readJson } from './json.ts'
import { limits } from './read-stored.ts'
import { type ImageManifest, imageManifest } from './shapes.ts'
import { isMissing, namesIn, readSmall, readStoreJson, Unsettled } from './store-files.ts'
import type { StoredImage, StoredLayer } from './store-image.ts'
import { matchId, sameImageName, sameShortName } from './store-names.ts'
import { listParts, openParts, splitBytes } from './store-parts.ts'
import type { StoreAnswer, StoreListing, StoreLocation, StoreOptions, StoreReason, Wanted } from './store-types.ts'

/** The image of this name or id. Layers are indexed when they are asked for. */
export function openContainersStorage(
  location: StoreLocation,
  wanted: Wanted,
  options: StoreOptions,
): Promise<StoreAnswer> {
  const read = (base: Base) => {
    const found = findImage(imagesOf(base), wanted)
    return found && readImage(location, base, found)
  }
  return openParts(location, basesOf, read, options)
}

/** All images, those without a name included. */
export function listContainersStorage(
  location: StoreLocation,
): Promise<{ images: StoreListing[]; reason: StoreReason | null }> {
  return listParts(location, basesOf, listImages)
}

/**
 * Where podman has these layers (diffIDs, bottom first) unpacked for overlayfs; null when it has not all of them. Layers
 * of composefs are none: their files lie under other names.
 */
export function containersLayerDirectories(location: StoreLocation, diffIds: readonly Digest[]): string[] | null {
  for (const base of basesOf(location).filter(one => one.driver === 'overlay')) {
    const layers = [...layersOf(base, location).values()]
    const found: string[] = []
    let below: string | null = null
    for (const diffId of diffIds) {
      const layer = layers.find(one => one['diff-digest'] === diffId && (one.parent || null) === below)
      const directory = layer && directoryOf(layer.base, layer.id)
      if (!layer || !directory || existsSync(join(directory, '../composefs-data'))) break
      found.push(directory)
      below = layer.id
    }
    if (found.length === diffIds.length) return found
  }
  return null
}

/** One driver's part of a graph root. */
interface Base {
  driver: string
  root: string
}

/** The drivers that have left images in the graph root and in the further ones. */
function basesOf({ root, driver, also }: StoreLocation): Base[] {
  return [root, ...also].flatMap(root =>
    namesIn(root)
      .filter(name => name.endsWith('-images') && (driver === null || name === `${driver}-images`))
      .map(name => ({ root, driver: name.slice(0, -'-images'.length) })),
  )
}

const MAX_JSON = 256 << 20

const optionalText = z
  .string()
  .nullish()
  .transform(value => value ?? null)
const texts = z
  .array(z.string())
  .nullish()
  .transform(value => value ?? [])

const storedImage = z.object({
  id: z.string().regex(/^[0-9a-f]{64}$/),
  digest: optionalText,
  names: texts,
  layer: optionalText,
  created: optionalText,
  'big-data-names': texts,
  'big-data-digests': z
    .record(z.string(), z.string())
    .nullish()
    .transform(value => value ?? {}),
})
type ImageRecord = z.infer<typeof storedImage>

const storedLayer = z.object({
  id: z.string().regex(/^[0-9a-f]{64}$/),
  parent: optionalText,
  'diff-digest': optionalText,
  'diff-size': z.number().nullish(),
  'compressed-diff-digest': optionalText,
  'compressed-size': z.number().nullish(),
})
type LayerRecord = z.infer<typeof storedLayer> & { base: Base }

/** A record of another shape is passed over: the rest is good. */
function records<T>(path: string, shape: z.ZodType<T>): T[] {
  const read = readStoreJson(path, z.array(z.unknown()).nullable(), MAX_JSON) ?? []
  return read.flatMap(one => {
    const result = shape.safeParse(one)
    return result.success ? [result.data] : []
  })
}

function imagesOf({ root, driver }: Base): ImageRecord[] {
  return records(join(root, `${driver}-images`, 'images.json'), storedImage)
}

/** Layers by id, of this store and of those that it may build on. */
function layersOf(base: Base, { also }: StoreLocation): Map<string, LayerRecord> {
  const layers = new Map<string, LayerRecord>()
  for (const root of new Set([...also, base.root])) {
    for (const file of ['layers.json', 'volatile-layers.json']) {
      const own = { root, driver: base.driver }
      for (const layer of records(join(root, `${base.driver}-layers`, file), storedLayer))
        layers.set(layer.id, { ...layer, base: own })
    }
  }
  return layers
}

/** By its full name, by its id, by the digest of its manifest, by a short name as podman looks one up. */
function findImage(images: ImageRecord[], wanted: Wanted): ImageRecord | null {
  const exact = images.find(image => image.names.some(name => sameImageName(name, wanted)))
  if (exact) return exact
  if (wanted.digest !== null) {
    return images.find(image => digestsOf(image).some(name => sameImageName(name, wanted))) ?? null
  }
  for (const registry of ['localhost', null]) {
    const short = images.filter(image => image.names.some(name => sameShortName(name, wanted, registry)))
    if (short.length === 1) return short[0]!
  }
  const id = matchId(wanted, () => images.map(image => `sha256:${image.id}`))
  return images.find(image => `sha256:${image.id}` === id) ?? null
}

/** `repo@sha256:…` for each manifest that the image was pulled or made as. */
function digestsOf(image: ImageRecord): string[] {
  const manifests = Object.entries(image['big-data-digests'])
    .filter(([key]) => /^manifest(?:-|$)/.test(key))
    .map(([, digest]) => digest)
  const digests = new Set([image.digest ?? '', ...manifests].filter(isDigest))
  const repositories = new Set(image.names.map(name => name.replace(/@.*$/, '').replace(/:[^:/]*$/, '')))
  return [...repositories].flatMap(repository => Array.from(digests, digest => `${repository}@${digest}`))
}

function bigData({ root, driver }: Base, image: ImageRecord, key: string, limit: number): Buffer {
  const plain = /^[.0-9a-z]+$/.test(key)
  const file = plain ? key : `=${Buffer.from(key).toString('base64')}`
  return readSmall(join(root, `${driver}-images`, image.id, file), limit)
}

/** null for what is no image: a list of manifests, which podman keeps like one. */
function readImage(location: StoreLocation, base: Base, image: ImageRecord): StoredImage | null {
  const manifest = readManifest(base, image)
  if (manifest === null) return null
  const id = manifest.config.digest
  const bytes = bigData(base, image, id, limits.config)
  if (digestOf(bytes) !== id) throw new Unsettled(`The config of ${id} in ${safe(base.root)} does not have its digest.`)
  const rawConfig = parseJson(bytes, `the config of ${id}`)
  const { config, anomalies } = parseConfig(rawConfig)
  const chain = chainOf(image, layersOf(base, location))
  if (
    chain.length !== config.diffIds.length ||
    chain.some((layer, at) => layer['diff-digest'] !== config.diffIds[at])
  ) {
    throw new Unsettled(`The layers of ${id} in ${safe(base.root)} are not those that its config names.`)
  }
  const blobs = manifest.layers.length === chain.length ? manifest.layers : []
  return {
    source: location.kind,
    location,
    names: image.names,
    id,
    digest: image.digest,
    config,
    rawConfig,
    configBytes: bytes,
    layers: chain.map((layer, at) => toLayer(layer, blobs[at])),
    anomalies: anomalies.map(text => imageAnomaly('odd-config', text)),
  }
}

function readManifest(base: Base, image: ImageRecord): ImageManifest | null {
  if (!image['big-data-names'].includes('manifest')) return null
  const json = parseJson(bigData(base, image, 'manifest', limits.manifest), 'a manifest')
  const list = typeof json === 'object' && json !== null && 'manifests' in json
  if (list) return null
  return readJson(Buffer.from(JSON.stringify(json)), imageManifest, `the manifest of ${image.id}`)
}

/** The layers of an image, bottom first. */
function chainOf(image: ImageRecord, layers: Map<string, LayerRecord>): LayerRecord[] {
  const chain: LayerRecord[] = []
  const seen = new Set<string>()
  for (let id = image.layer || null; id !== null; ) {
    const layer = layers.get(id)
    if (layer === undefined || seen.has(id)) throw new Unsettled(`The layer ${safe(id)} of ${image.id} is not there.`)
    seen.add(id)
    chain.push(layer)
    id = layer.parent || null
  }
  return chain.reverse()
}

function toLayer(layer: LayerRecord, blob: ImageManifest['layers'][number] | undefined): StoredLayer {
  const { base, id } = layer
  const diffId = layer['diff-digest']!
  const tarBytes = layer['diff-size'] ?? 0
  const path = join(base.root, `${base.driver}-layers`, `${id}.tar-split.gz`)
  const digest = blob?.digest ?? layer['compressed-diff-digest']
  const packed = digest !== null && digest !== diffId
  return {
    diffId,
    digest,
    compressed: packed ? (blob?.size ?? layer['compressed-size'] ?? null) : null,
    mediaType: blob?.mediaType ?? 'application/vnd.oci.image.layer.v1.tar',
    roughBytes: tarBytes > 0 ? tarBytes : null,
    path,
    witnesses: [],
    tarBytes: tarBytes > 0 ? tarBytes : null,
    directory: directoryOf(base, id),
    weight: splitBytes(path, base.root),
  }
}

function directoryOf({ root, driver }: Base, id: string): string | null {
  switch (driver) {
    case 'overlay':
      return join(root, 'overlay', id, 'diff')
    case 'vfs':
      return join(root, 'vfs/dir', id)
    case 'btrfs':
      return join(root, 'btrfs/subvolumes', id)
    default:
      return null
  }
}

function listImages(location: StoreLocation, base: Base): StoreListing[] {
  const layers = layersOf(base, location)
  const images = imagesOf(base).filter(image => image.layer)
  const parents = parentsOf(base, images, layers)
  return images.map(image => {
    const created = Date.parse(image.created ?? '') / 1000
    return {
      id: `sha256:${image.id}`,
      names: image.names,
      digests: digestsOf(image),
      parent: parents.get(image.id) ?? null,
      created: created > 0 ? Math.floor(created) : null,
      size: sizeOfLayers(image, layers),
      location,
    }
  })
}

/**
 * The image that each one was built on, by its id, as podman finds it: its history is that of the other but for the last
 * line, and its topmost layer is the same or the one below.
 */
function parentsOf(base: Base, images: ImageRecord[], layers: Map<string, LayerRecord>): Map<string, Digest> {
  const parents = new Map<string, Digest>()
  const byHistory = new Map<string, ImageRecord>()
  const histories = new Map(images.map(image => [image, historyOf(base, image)]))
  const key = (layer: string, history: unknown[]) => digestOf(`${layer} ${JSON.stringify(history)}`)
  for (const [image, history] of histories) if (history) byHistory.set(key(image.layer!, history), image)
  for (const [image, history] of histories) {
    const before = history?.slice(0, -1) ?? []
    if (before.length === 0) continue
    const below = layers.get(image.layer!)?.parent ?? ''
    const parent = byHistory.get(key(image.layer!, before)) ?? byHistory.get(key(below, before))
    if (parent) parents.set(image.id, `sha256:${parent.id}`)
  }
  return parents
}

/** null where the config is gone or broken. */
function historyOf(base: Base, image: ImageRecord): unknown[] | null {
  try {
    const config = parseJson(bigData(base, image, `sha256:${image.id}`, limits.config), 'a config')
    const history = (config as { history?: unknown } | null)?.history
    return Array.isArray(history) ? history : null
  } catch (error) {
    if (isMissing(error) || error instanceof Fault) return null
    throw error
  }
}

function sizeOfLayers(image: ImageRecord, layers: Map<string, LayerRecord>): number | null {
  try {
    return chainOf(image, layers).reduce((sum, layer) => sum + (layer['diff-size'] ?? 0), 0)
  } catch (error) {
    if (error instanceof Fault) return null
    throw error
  }
}

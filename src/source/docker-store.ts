/**
 * Docker's own image store (the graph drivers' one, any driver), read where it lies: image/<driver>/ of the data root.
 * Formats: moby's image/fs.go, layer/filestore.go, reference/store.go, distribution/metadata.
 */
import { join } from 'node:path'
import * as z from 'zod'
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import { parseConfig } from '../image/config.ts'
import { chainIds, digestOf, isDigest } from '../image/digest.ts'
import type { Digest, ImageConfig } from '../image/types.ts'
import { imageAnomaly } from './found.ts'
import { parseJson } from './json.ts'
import { limits } from './read-stored.ts'
import { isMissing, namesIn, readSmall, readStoreJson, readWord, Unsettled } from './store-files.ts'
import type { StoredLayer } from './store-image.ts'
import { matchId, sameImageName } from './store-names.ts'
import { listParts, openParts, splitBytes } from './store-parts.ts'
import type { StoreAnswer, StoreListing, StoreLocation, StoreOptions, StoreReason, Wanted } from './store-types.ts'

/** The image of this name or id. Layers are indexed when they are asked for. */
export function openDockerStore(location: StoreLocation, wanted: Wanted, options: StoreOptions): Promise<StoreAnswer> {
  const read = (base: Base) => {
    const found = findImage(base, wanted)
    return found && readImage(location, base, found)
  }
  return openParts(location, basesOf, read, options)
}

/** All images, those that only stand between others included. */
export function listDockerStore(
  location: StoreLocation,
): Promise<{ images: StoreListing[]; reason: StoreReason | null }> {
  return listParts(location, basesOf, listImages)
}

/** Where Docker has these layers (diffIDs, bottom first) unpacked for overlayfs; null when it has not all of them. */
export function dockerLayerDirectories(location: StoreLocation, diffIds: readonly Digest[]): string[] | null {
  const base = basesOf(location).find(one => one.driver === 'overlay2')
  if (base === undefined) return null
  const found: string[] = []
  for (const [at, chainId] of chainIds(diffIds).entries()) {
    const folder = join(base.folder, 'layerdb', chainId.replace(':', '/'))
    const cacheId = readWord(join(folder, 'cache-id'))
    if (cacheId === null || !isName(cacheId) || readWord(join(folder, 'diff')) !== diffIds[at]) return null
    found.push(directoryOf(base, cacheId)!)
  }
  return found
}

/** One driver's part of a data root. */
interface Base {
  driver: string
  /** image/<driver> */
  folder: string
  /** The data root. */
  root: string
}

/** The drivers that have left images in the data root, the one in use first. */
function basesOf({ root, driver }: StoreLocation): Base[] {
  const names = namesIn(join(root, 'image')).filter(name => driver === null || name === driver)
  names.sort((a, b) => usual.indexOf(b) - usual.indexOf(a))
  return names.map(name => ({ driver: name, folder: join(root, 'image', name), root }))
}

/** Likeliest last. */
const usual = ['vfs', 'fuse-overlayfs', 'overlay2']

const MAX_REPOSITORIES = 64 << 20

const repositoriesShape = z.object({
  Repositories: z.record(z.string(), z.record(z.string(), z.string())).nullish(),
})

/** Names and digests of images: `repo:tag` or `repo@sha256:…` with the image's id. */
function readNames(base: Base): { name: string; id: Digest }[] {
  const read = readStoreJson(join(base.folder, 'repositories.json'), repositoriesShape, MAX_REPOSITORIES)
  return Object.values(read?.Repositories ?? {}).flatMap(references =>
    Object.entries(references).flatMap(([name, id]) => (isDigest(id) ? [{ name, id }] : [])),
  )
}

interface Found {
  id: Digest
  names: string[]
  digests: string[]
}

/** The id that a name or the start of an id means, and all its names. As Docker does, a name goes before an id. */
function findImage(base: Base, wanted: Wanted): Found | null {
  const all = readNames(base)
  const named = all.find(one => sameImageName(one.name, wanted))
  const id = named?.id ?? matchId(wanted, () => idsOf(base))
  return id === null ? null : { id, ...namesOf(id, all) }
}

function namesOf(id: Digest, all: { name: string; id: Digest }[]): { names: string[]; digests: string[] } {
  const own = all.filter(one => one.id === id).map(one => one.name)
  return {
    names: own.filter(name => !name.includes('@')).sort(),
    digests: own.filter(name => name.includes('@')).sort(),
  }
}

function idsOf(base: Base): Digest[] {
  return namesIn(join(base.folder, 'imagedb/content/sha256'))
    .map(hex => `sha256:${hex}`)
    .filter(isDigest)
}

function readImage(location: StoreLocation, base: Base, { id, names, digests }: Found) {
  const { config, rawConfig, configBytes, anomalies } = readConfig(base, id)
  const chain = chainIds(config.diffIds)
  return {
    source: location.kind,
    location,
    names,
    id,
    digest: digests[0]?.slice(digests[0].indexOf('@') + 1) ?? null,
    config,
    rawConfig,
    configBytes,
    layers: config.diffIds.map((diffId, at) => readLayer(base, diffId, chain[at]!, chain[at - 1] ?? null, digests)),
    anomalies: anomalies.map(text => imageAnomaly('odd-config', text)),
    stepIds: stepIdsOf(base, id, config),
  }
}

function readConfig(
  base: Base,
  id: Digest,
): {
  config: ImageConfig
  rawConfig: unknown
  configBytes: Uint8Array
  anomalies: string[]
} {
  const bytes = readSmall(join(base.folder, 'imagedb/content', id.replace(':', '/')), limits.config)
  if (digestOf(bytes) !== id) throw new Unsettled(`The config of ${id} in ${safe(base.root)} does not have its digest.`)
  const rawConfig = parseJson(bytes, `the config of ${id}`)
  return { rawConfig, configBytes: bytes, ...parseConfig(rawConfig) }
}

function readLayer(base: Base, diffId: Digest, chainId: Digest, parent: Digest | null, names: string[]): StoredLayer {
  const folder = join(base.folder, 'layerdb', chainId.replace(':', '/'))
  const word = (file: string) => readWord(join(folder, file))
  const cacheId = word('cache-id')
  if (word('diff') !== diffId || (word('parent') || null) !== parent || cacheId === null || !isName(cacheId)) {
    throw new Unsettled(`${safe(base.root)} does not have the layer ${diffId}, or not as its image says.`)
  }
  const path = join(folder, 'tar-split.json.gz')
  const size = Number(word('size') || Number.NaN)
  return {
    diffId,
    digest: compressedDigest(base, diffId, names),
    compressed: null,
    mediaType: 'application/vnd.docker.image.rootfs.diff.tar',
    roughBytes: Number.isSafeInteger(size) && size >= 0 ? size : null,
    path,
    witnesses: [
      { path: join(folder, 'diff'), text: diffId },
      { path: join(folder, 'cache-id'), text: cacheId },
    ],
    tarBytes: null,
    directory: directoryOf(base, cacheId),
    weight: splitBytes(path, base.root),
  }
}

/** What drivers name directories by: hex, base36, with `-init` for containers. Never a path. */
function isName(text: string): boolean {
  return /^[\w-]{1,128}$/.test(text)
}

function directoryOf({ root, driver }: Base, cacheId: string): string | null {
  switch (driver) {
    case 'overlay2':
    case 'overlay':
    case 'fuse-overlayfs':
      return join(root, driver, cacheId, 'diff')
    case 'vfs':
      return join(root, 'vfs/dir', cacheId)
    case 'btrfs':
      return join(root, 'btrfs/subvolumes', cacheId)
    case 'aufs':
      return join(root, 'aufs/diff', cacheId)
    default:
      return null
  }
}

const metadataShape = z.array(z.object({ Digest: z.string(), SourceRepository: z.string().catch('') }))

/** The digest of the blob that a layer was pulled or pushed as, where Docker remembers it; of the image's own registry first. */
function compressedDigest(base: Base, diffId: Digest, names: string[]): Digest | null {
  const path = join(base.folder, 'distribution/v2metadata-by-diffid', diffId.replace(':', '/'))
  const known = readStoreJson(path, metadataShape.catch([]), 1 << 20) ?? []
  const repository = (one: { SourceRepository: string }) =>
    one.SourceRepository.replace(/^docker\.io\/(library\/)?/, '')
  const own = known.findLast(one => names.some(name => name.startsWith(`${repository(one)}@`)))
  const digest = (own ?? known.at(-1))?.Digest ?? ''
  return isDigest(digest) ? digest : null
}

const MAX_PARENTS = 1000

/** The images that the classic builder left at the steps: each parent is the image one step or more below. */
function stepIdsOf(base: Base, id: Digest, { history }: ImageConfig): (Digest | null)[] {
  const ids: (Digest | null)[] = history.map(() => null)
  let steps = history.length
  let at: Digest | null = id
  for (let parents = 0; at !== null && steps > 0 && parents < MAX_PARENTS; parents++) {
    ids[steps - 1] = at
    const parent: string | null = readWord(join(base.folder, 'imagedb/metadata', at.replace(':', '/'), 'parent'))
    at = parent !== null && isDigest(parent) && parent !== at ? parent : null
    if (at === null) break
    const below = historyLength(base, at)
    if (below === null || below >= steps) break
    steps = below
  }
  return ids
}

/** Of an image that is only counted: its config is neither checked nor understood. null where it is gone. */
function historyLength(base: Base, id: Digest): number | null {
  try {
    const bytes = readSmall(join(base.folder, 'imagedb/content', id.replace(':', '/')), limits.config)
    const { history } = JSON.parse(bytes.toString('utf8')) as { history?: unknown }
    return Array.isArray(history) ? history.length : null
  } catch (error) {
    if (isMissing(error) || error instanceof Fault || error instanceof SyntaxError || error instanceof TypeError)
      return null
    throw error
  }
}

function listImages(location: StoreLocation, base: Base): StoreListing[] {
  const all = readNames(base)
  return idsOf(base).flatMap(id => {
    try {
      const { config } = readConfig(base, id)
      const parent = readWord(join(base.folder, 'imagedb/metadata', id.replace(':', '/'), 'parent'))
      const created = Date.parse(config.created ?? '') / 1000
      return [
        {
          id,
          ...namesOf(id, all),
          parent: parent !== null && isDigest(parent) ? parent : null,
          created: created > 0 ? Math.floor(created) : null,
          size: sizeOfLayers(base, config.diffIds),
          location,
        },
      ]
    } catch (error) {
      // Removed since it was listed, or broken: the others are shown.
      if (isMissing(error) || error instanceof Fault) return []
      throw error
    }
  })
}

function sizeOfLayers(base: Base, diffIds: Digest[]): number | null {
  let sum = 0
  for (const chainId of chainIds(diffIds)) {
    const size = Number(readWord(join(base.folder, 'layerdb', chainId.replace(':', '/'), 'size')) || Number.NaN)
    if (!Number.isSafeInteger(size)) return null
    sum += size
  }
  return sum
}

/**
 * An image of a registry into the native store: `pullImage(name, {places, access, platform, signal, progress})`, where
 * `progress(layer, done, total, phase)` is told of every layer by the digest of its blob, bytes, and what happens to it.
 * Layers that the store has are not fetched; several others come at once, each compared with its digest while it streams.
 * What was interrupted is gone on with by the next pull. The image is there when all of it is.
 */
import { statfsSync } from 'node:fs'
import { Fault } from '../../base/errors.ts'
import { formatBytes } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import { digestOf, shortDigest } from '../../image/digest.ts'
import { fullName, type ImageName } from '../../image/image-name.ts'
import type { Digest, Platform } from '../../image/types.ts'
import type { Places } from '../../runtime/places.ts'
import { blobBytes, isStorable } from '../../runtime/store/blobs.ts'
import { makeStore, type StoreFolder, storeFolder, workplace } from '../../runtime/store/folder.ts'
import { isWhole, keepImage } from '../../runtime/store/images.ts'
import { type KeptLayer, readImages } from '../../runtime/store/index.ts'
import { type Checker, openChecker } from '../../source/checker.ts'
import { createPool } from '../../source/pool.ts'
import { openRegistry } from '../../source/registry/client.ts'
import { type RemoteImage, remoteImage, wantedOf } from '../../source/registry/image.ts'
import type { RegistryAccess } from '../../source/registry/types.ts'
import { someAtOnce } from './at-once.ts'
import { type LayerPhase, pullLayer } from './pull-layer.ts'

export type { LayerPhase } from './pull-layer.ts'

export interface PullOptions {
  places: Places
  access: RegistryAccess
  /** null: this machine's. */
  platform?: Platform | null
  /** Compare diffIDs too. Without it those of gzip layers are compared when the layers are unpacked or indexed. */
  verify?: boolean | undefined
  /** Of whoever pulls a lot; otherwise there is one for this pull. */
  checker?: Checker | undefined
  signal?: AbortSignal | undefined
  /** Layers are told bottom first, once each, before anything of them happens. `total` null: nobody knows. */
  progress?: ((layer: Digest, done: number, total: number | null, phase: LayerPhase) => void) | undefined
}

export interface Pulled {
  /** Of the config. */
  id: Digest
  /** Of what the tag or digest means in the registry: an index, or the manifest itself. */
  digest: Digest
  /** In full, with its tag or digest. */
  name: string
  /** Whether something came that was not here. */
  fresh: boolean
  /** Names that another image had until now. */
  moved: { name: string; from: Digest }[]
}

/** So many layers come at once. */
const AT_ONCE = 4

/** @throws Fault when it can not be had, or is not what it should be: nothing is kept of it then but parts of blobs. */
export async function pullImage(name: ImageName, options: PullOptions): Promise<Pulled> {
  const { places, access, platform = null, signal } = options
  const registry = openRegistry(name, { access, signal })
  const folder = storeFolder(places)
  try {
    const remote = await remoteImage(registry, wantedOf(name), platform, signal)
    const layers = checked(remote, name)
    for (const { digest, size } of layers) options.progress?.(digest, 0, size, 'waiting')
    makeStore(folder)
    const place = await workplace(folder)
    const own = options.checker ? null : ownChecker()
    const checker = options.checker ?? own!.checker
    try {
      const id = digestOf(remote.config)
      await place.use([id, remote.manifest.digest, ...layers.flatMap(one => [one.digest, one.diffId])])
      const images = readImages(folder)
      const same = images.find(one => one.id === id && isWhole(folder, one))
      if (same) await place.use(same.layers.map(one => one.digest))
      if (!same) refuseTooLarge(layers, folder)
      const verified = new Map(images.flatMap(one => one.layers.map(layer => [layer.digest, layer] as const)))
      const into = {
        registry,
        access,
        folder,
        place,
        checker,
        verified,
        whole: options.verify === true,
        progress: options.progress,
      }
      const kept = same?.layers ?? (await inTurns(layers, (layer, either) => pullLayer(layer, into, either), signal))
      const created = Math.floor(Date.parse(remote.parsedConfig.config.created ?? '') / 1000)
      const full = fullName(name)!
      const inRegistry = `${name.registry}/${name.repository}@`
      const added = {
        config: remote.config,
        manifest: { mediaType: remote.manifest.mediaType, bytes: remote.manifest.bytes },
        layers: kept,
        created: Number.isFinite(created) ? created : null,
        names: name.digest === null ? [full] : [],
        digests: [`${inRegistry}${remote.top.digest}`],
      }
      const result = await keepImage(folder, place, added, Math.floor(Date.now() / 1000))
      return { ...result, digest: remote.top.digest, name: full, fresh: same === undefined }
    } finally {
      await own?.close()
      await place.leave()
    }
  } finally {
    registry.close()
  }
}

function ownChecker() {
  const pool = createPool(1)
  const checker = openChecker(pool)
  const close = async () => {
    await checker.close()
    await pool.close()
  }
  return { checker, close }
}

export interface LayerToPull {
  digest: Digest
  diffId: Digest
  size: number
  mediaType: string
}

/** What the manifest and the config together say of the layers. @throws Fault when that can not be kept. */
function checked({ parsed, parsedConfig, manifest }: RemoteImage, { text }: ImageName): LayerToPull[] {
  const { diffIds } = parsedConfig.config
  const name = safe(text)
  if (diffIds.length !== parsed.layers.length)
    throw new Fault(
      `The config of ${name} names ${diffIds.length} layers and its manifest ${parsed.layers.length}: it can not be kept.`,
    )
  if (!isStorable(manifest.digest) || !isStorable(parsed.config.digest))
    throw new Fault(`${name} has digests that the store does not name blobs by: it takes sha256.`)
  return parsed.layers.map(({ digest, size, mediaType }, at) => {
    const type = mediaType ?? 'application/vnd.oci.image.layer.v1.tar'
    if (!isStorable(digest) || !isStorable(diffIds[at]))
      throw new Fault(`Layer ${at} of ${name} has a digest that the store does not name blobs by: it takes sha256.`)
    if (/\+encrypted$/.test(type)) throw new Fault(`Layer ${at} of ${name} (${shortDigest(digest)}) is encrypted.`)
    return { digest, size, diffId: diffIds[at], mediaType: type }
  })
}

/** Room that is left to others on the disk, whatever an image claims to need. */
const RESERVE = 256 << 20

/** A size is only what somebody claims: a disk that is full of it helps nobody. */
function refuseTooLarge(layers: readonly LayerToPull[], folder: StoreFolder): void {
  const missing = new Map(layers.map(({ digest, size }) => [digest, blobBytes(folder, digest) === null ? size : 0]))
  const wanted = [...missing.values()].reduce((sum, bytes) => sum + bytes, 0)
  const { bavail, blocks, bsize } = statfsSync(folder.root)
  const room = Math.max(0, bavail * bsize - Math.min(RESERVE, (blocks * bsize) / 20))
  if (wanted <= room) return
  throw new Fault(
    `The image has ${formatBytes(wanted)} of layers that are not here, and there is room for ${formatBytes(room)}.`,
    {
      hint: '`strata prune --dry-run` tells what could be freed.',
    },
  )
}

/** Bottom first, some at once; the same blob only once. */
async function inTurns(
  layers: readonly LayerToPull[],
  pull: (layer: LayerToPull, signal: AbortSignal) => Promise<KeptLayer>,
  signal: AbortSignal | undefined,
): Promise<KeptLayer[]> {
  const distinct = [...new Map(layers.map(layer => [layer.digest, layer])).values()]
  const pulled = await someAtOnce(distinct, AT_ONCE, signal, pull)
  const kept = new Map(pulled.map(layer => [layer.digest, layer]))
  return layers.map(({ digest, diffId, mediaType }, at) => {
    const layer = kept.get(digest)!
    if (layer.diffId !== diffId) throw notItself(at, diffId, layer.diffId)
    return { ...layer, mediaType }
  })
}

function notItself(at: number, wanted: Digest, actual: Digest): Fault {
  return new Fault(
    `Layer ${at} (${shortDigest(wanted)}) is not what its image says: its diffID is ${actual}. Nothing was kept.`,
  )
}

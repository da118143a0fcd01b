/**
 * An image of the native store into a registry: what it has already is not sent, what another repository of it has is
 * mounted, the manifest comes last. Layers go as they are kept, byte by byte, so that digests stay; those of an image that
 * came without a manifest and are plain are compressed on the way.
 */
import { createReadStream } from 'node:fs'
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { digestOf } from '../../image/digest.ts'
import type { ImageName } from '../../image/image-name.ts'
import type { Digest } from '../../image/types.ts'
import type { Places } from '../../runtime/places.ts'
import { blobBytes, blobPath } from '../../runtime/store/blobs.ts'
import { makeStore, type StoreFolder, storeFolder, type Workplace, workplace } from '../../runtime/store/folder.ts'
import { digestsOf } from '../../runtime/store/garbage.ts'
import { isWhole, manifestOf, withDigests } from '../../runtime/store/images.ts'
import { changeImages, type KeptImage, type KeptLayer, readImages } from '../../runtime/store/index.ts'
import { openRegistry } from '../../source/registry/client.ts'
import type { Registry, RegistryAccess } from '../../source/registry/types.ts'
import { someAtOnce } from './at-once.ts'
import { compressLayer } from './compress-layer.ts'

/** What happens to a layer: `there`: the registry had it, `mounted`: another repository of it did. */
export type PushPhase = 'waiting' | 'compressing' | 'sending' | 'there' | 'mounted' | 'done'

export interface PushOptions {
  places: Places
  access: RegistryAccess
  signal?: AbortSignal | undefined
  /** Layers are told bottom first, before anything of them happens, by the digest of their blob as it is kept here. */
  progress?: ((layer: Digest, done: number, total: number | null, phase: PushPhase) => void) | undefined
}

export interface Pushed {
  /** Of the manifest, and its bytes. */
  digest: Digest
  bytes: number
}

/** So many blobs are sent at once. */
const AT_ONCE = 4

/** A blob as it is sent. */
interface Sendable {
  digest: Digest
  size: number
  path: string
  mediaType: string
}

/** `to` has a tag. @throws Fault when the registry does not take it; what has been sent stays there, and nobody sees it. */
export async function pushImage(image: KeptImage, to: ImageName, options: PushOptions): Promise<Pushed> {
  const { places, access, signal, progress } = options
  const folder = storeFolder(places)
  makeStore(folder)
  const registry = openRegistry(to, { access, signal })
  try {
    const place = await workplace(folder)
    try {
      await place.use(digestsOf(image))
      if (!isWhole(folder, image))
        throw new Fault(`The store ${safe(folder.root)} has lost a part of the image ${image.id}.`)
      const mayCompress = isOwnManifest(folder, image)
      const layers = [...new Map(image.layers.map(layer => [layer.digest, layer])).values()]
      for (const { digest, bytes } of layers) progress?.(digest, 0, bytes, 'waiting')
      const places = mountable(readImages(folder), registry)
      const sent = await someAtOnce(layers, AT_ONCE, signal, async (layer, either) => {
        const tell = (done: number, total: number, phase: PushPhase) => progress?.(layer.digest, done, total, phase)
        const plain = mayCompress && layer.digest === layer.diffId
        if (plain) tell(0, layer.bytes, 'compressing')
        const sendable = plain ? await compressed(folder, place, layer, either) : kept(folder, layer)
        await sendBlob(registry, sendable, places.get(sendable.digest) ?? [], either, (done, phase) =>
          tell(done, sendable.size, phase),
        )
        return [layer.digest, sendable] as const
      })
      const config = {
        digest: image.id,
        size: blobBytes(folder, image.id)!,
        path: blobPath(folder, image.id),
        mediaType: '',
      }
      await sendBlob(registry, config, [], signal, () => {})
      const manifest = await manifestFor(folder, image, new Map(sent))
      await registry.putManifest(to.tag ?? 'latest', manifest, signal)
      const digest = digestOf(manifest.bytes)
      const name = `${to.registry}/${to.repository}@${digest}`
      await changeImages(folder, place, images => ({ images: withDigests(images, image.id, [name]), result: null }))
      return { digest, bytes: manifest.bytes.length }
    } finally {
      await place.leave()
    }
  } finally {
    registry.close()
  }
}

/** Whether its manifest is one that the store made, so that another may stand for it. */
function isOwnManifest(folder: StoreFolder, image: KeptImage): boolean {
  const config = { digest: image.id, bytes: blobBytes(folder, image.id) ?? 0 }
  return digestOf(manifestOf(config, image.layers).bytes) === image.manifest
}

function kept(folder: StoreFolder, { digest, bytes, mediaType }: KeptLayer): Sendable {
  return { digest, size: bytes, path: blobPath(folder, digest), mediaType }
}

async function compressed(
  folder: StoreFolder,
  place: Workplace,
  layer: KeptLayer,
  signal: AbortSignal,
): Promise<Sendable> {
  const made = await compressLayer(blobPath(folder, layer.digest), place, signal)
  return { ...made, mediaType: `${layer.mediaType}+gzip` }
}

/** Repositories of the registry that are known to have a blob. */
function mountable(images: readonly KeptImage[], { host, repository }: Registry): Map<Digest, string[]> {
  const found = new Map<Digest, string[]>()
  for (const { digests = [], layers } of images) {
    const repositories = digests.map(one => one.slice(0, one.indexOf('@'))).filter(one => one.startsWith(`${host}/`))
    const others = repositories.map(one => one.slice(host.length + 1)).filter(one => one !== repository)
    for (const { digest } of others.length > 0 ? layers : [])
      found.set(digest, [...new Set([...(found.get(digest) ?? []), ...others])])
  }
  return found
}

async function sendBlob(
  registry: Registry,
  { digest, size, path }: Sendable,
  elsewhere: readonly string[],
  signal: AbortSignal | undefined,
  tell: (done: number, phase: PushPhase) => void,
): Promise<void> {
  if ((await registry.headBlob(digest, signal)) !== null) return tell(size, 'there')
  for (const repository of elsewhere.slice(0, 3))
    if (await registry.mountBlob(digest, repository, signal)) return tell(size, 'mounted')
  tell(0, 'sending')
  const open = (from: number) => createReadStream(path, { start: from, highWaterMark: 256 << 10 })
  await registry.uploadBlob({ digest, size, open, onProgress: done => tell(done, 'sending') }, signal)
  tell(size, 'done')
}

/** The image's own, or one that speaks of the layers as they were sent. */
async function manifestFor(folder: StoreFolder, image: KeptImage, sent: ReadonlyMap<Digest, Sendable>) {
  const { readFile } = await import('node:fs/promises')
  const same = image.layers.every(({ digest }) => sent.get(digest)!.digest === digest)
  if (same) return { mediaType: image.mediaType, bytes: await readFile(blobPath(folder, image.manifest)) }
  const layers = image.layers.map(layer => {
    const { digest, size, mediaType } = sent.get(layer.digest)!
    return { ...layer, digest, bytes: size, mediaType }
  })
  return manifestOf({ digest: image.id, bytes: blobBytes(folder, image.id)! }, layers)
}

/** Images come into the store, get names and lose them. */
import type { Digest } from '../../image/types.ts'
import { blobBytes, keepDocument } from './blobs.ts'
import type { StoreFolder, Workplace } from './folder.ts'
import { type Change, changeImages, type KeptImage, type KeptLayer } from './index.ts'

export interface NewImage {
  config: Uint8Array
  /** null: one is made that says what the layers are. */
  manifest: { mediaType: string; bytes: Uint8Array } | null
  /** Bottom first. Their blobs are in the store already, and the workplace names them. */
  layers: readonly KeptLayer[]
  /** Seconds since 1970; null when it says none. */
  created: number | null
  /** In full. They are taken from the images that have them. */
  names: readonly string[]
  /** What a registry calls it, in full, with a digest. */
  digests?: readonly string[]
}

/** What became of an image that was to be kept. */
export interface Kept {
  id: Digest
  /** Names that another image had until now. */
  moved: { name: string; from: Digest }[]
}

/** Keeps an image; one that is there already and whole only gets the names too. */
export async function keepImage(folder: StoreFolder, place: Workplace, added: NewImage, now: number): Promise<Kept> {
  const config = await keepDocument(folder, place, added.config)
  const { mediaType, bytes } = added.manifest ?? manifestOf(config, added.layers)
  const manifest = await keepDocument(folder, place, bytes)
  const id = config.digest
  return changeImages(folder, place, images => {
    const known = images.find(one => one.id === id)
    const { layers, created } = added
    const made = { id, manifest: manifest.digest, mediaType, layers: [...layers], created, added: now }
    const all =
      known === undefined
        ? [...images, { ...made, names: [] }]
        : images.map(one =>
            one === known && !isWhole(folder, one) ? { ...made, names: one.names, digests: one.digests } : one,
          )
    const { images: named, result } = nameImage(all, id, added.names)
    return { images: withDigests(named, id, added.digests ?? []), result: { id, moved: result } }
  })
}

/** Says of an image what a registry calls it. Pure. */
export function withDigests(images: KeptImage[], id: Digest, digests: readonly string[]): KeptImage[] {
  if (digests.length === 0) return images
  return images.map(one =>
    one.id === id ? { ...one, digests: [...new Set([...(one.digests ?? []), ...digests])] } : one,
  )
}

/** Whether all blobs of an image are there. */
export function isWhole(folder: StoreFolder, { id, manifest, layers }: KeptImage): boolean {
  return (
    [id, manifest].every(digest => blobBytes(folder, digest) !== null) &&
    layers.every(({ digest, bytes }) => blobBytes(folder, digest) === bytes)
  )
}

/** Gives an image names, which are taken from those that have them. Pure. */
export function nameImage(
  images: readonly KeptImage[],
  id: Digest,
  names: readonly string[],
): Change<{ name: string; from: Digest }[]> & { images: KeptImage[] } {
  const moved: { name: string; from: Digest }[] = []
  const changed = images.map(image => {
    if (image.id === id) return { ...image, names: [...new Set([...image.names, ...names])] }
    const lost = image.names.filter(name => names.includes(name))
    for (const name of lost) moved.push({ name, from: image.id })
    return lost.length === 0 ? image : { ...image, names: image.names.filter(name => !lost.includes(name)) }
  })
  return { images: changed, result: moved }
}

const oci = 'application/vnd.oci.image'

/** The manifest of an image that came without one. */
export function manifestOf(config: { digest: Digest; bytes: number }, layers: readonly KeptLayer[]) {
  const manifest = {
    schemaVersion: 2,
    mediaType: `${oci}.manifest.v1+json`,
    config: { mediaType: `${oci}.config.v1+json`, digest: config.digest, size: config.bytes },
    layers: layers.map(({ mediaType, digest, bytes }) => ({ mediaType, digest, size: bytes })),
  }
  return { mediaType: manifest.mediaType, bytes: Buffer.from(JSON.stringify(manifest)) }
}

/** The media type of a layer in a manifest of ours. */
export function layerType(compression: string): string {
  return `${oci}.layer.v1.tar${compression === 'none' ? '' : `+${compression}`}`
}

/** What deleting an image would free: the layers that no other image of the engine stands on. */
import type { Digest } from '../image/types.ts'

export interface ImageLayers {
  id: Digest
  /** Bottom first. A layer is shared only with everything below it: it is told by its chain id. */
  layers: readonly { chainId: Digest; bytes: number | null }[]
}

/**
 * Bytes that only this image holds, by image id; null where a layer of its own has an unknown size. An image that is
 * listed twice (two names) counts once.
 */
export function uniqueBytes(images: readonly ImageLayers[]): Map<Digest, number | null> {
  const once = new Map(images.map(image => [image.id, image]))
  const holders = new Map<Digest, number>()
  for (const { layers } of once.values()) {
    for (const chainId of new Set(layers.map(layer => layer.chainId)))
      holders.set(chainId, (holders.get(chainId) ?? 0) + 1)
  }
  const unique = new Map<Digest, number | null>()
  for (const { id, layers } of once.values()) {
    const own = layers.filter(layer => holders.get(layer.chainId) === 1)
    unique.set(
      id,
      own.reduce<number | null>((sum, { bytes }) => (sum === null || bytes === null ? null : sum + bytes), 0),
    )
  }
  return unique
}

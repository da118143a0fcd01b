/** Which layers of an image are on this machine already: in the native store by their blobs, in others by their chain. */

import type { Digest } from '../../image/types.ts'
import { blobBytes, blobPath, isStorable } from '../../runtime/store/blobs.ts'
import type { StoreFolder } from '../../runtime/store/folder.ts'
import { readImages } from '../../runtime/store/index.ts'
import { containersLayerDirectories } from '../containers-storage.ts'
import { dockerLayerDirectories } from '../docker-store.ts'
import { findLocalStores, type StoreSurroundings } from '../local-stores.ts'
import type { FindLayers, LayerPlace } from './far.ts'

/** Where the native store keeps a blob; null: it has none of that digest. */
export function blobIn(own: StoreFolder): (digest: Digest) => string | null {
  return digest => (isStorable(digest) && blobBytes(own, digest) !== null ? blobPath(own, digest) : null)
}

/** Looks when it is called. What can not be read has nothing. */
export function findLayersOn(around: StoreSurroundings, own: StoreFolder): FindLayers {
  return (layers, id) => {
    const whole = hasImage(own, id)
    const diffIds = layers.map(layer => layer.diffId)
    const chains = findLocalStores(around).flatMap((store): { place: LayerPlace; length: number }[] => {
      if (store.kind === 'docker-store')
        return [{ place: 'docker', length: longest(diffIds, ids => dockerLayerDirectories(store, ids) !== null) }]
      if (store.kind === 'containers-storage')
        return [{ place: 'podman', length: longest(diffIds, ids => containersLayerDirectories(store, ids) !== null) }]
      return []
    })
    return layers.map(({ digest }, layer) => {
      if (whole || (digest !== null && isStorable(digest) && blobBytes(own, digest) !== null)) return 'native'
      return chains.find(chain => chain.length > layer)?.place ?? null
    })
  }
}

/** Whether the native store has the image: however its blobs are packed there, a pull brings none. */
function hasImage(own: StoreFolder, id: Digest): boolean {
  try {
    return readImages(own).some(image => image.id === id)
  } catch {
    return false
  }
}

/** How many layers from the bottom on a store has. */
function longest(diffIds: readonly string[], has: (diffIds: string[]) => boolean): number {
  const known = diffIds.indexOf('')
  for (let length = known < 0 ? diffIds.length : known; length > 0; length--) {
    try {
      if (has(diffIds.slice(0, length))) return length
    } catch {
      return 0
    }
  }
  return 0
}

/**
 * Directories that overlayfs can lay over each other as the lower layers of a container, for any image. Where an engine
 * of this machine has them unpacked and we may use them they serve as they are; otherwise each layer is unpacked once
 * into the native store and kept.
 */
import { Fault } from '../../base/errors.ts'
import type { Work } from '../../base/progress.ts'
import { safe } from '../../base/text.ts'
import { chainIds, isDigest } from '../../image/digest.ts'
import type { Places } from '../../runtime/places.ts'
import { makeStore, storeFolder, workplace } from '../../runtime/store/folder.ts'
import { makeSure, unpackedLayer, unpackIntoStore } from '../../runtime/store/unpacked.ts'
import { findLocalStores, type StoreSurroundings } from '../../source/local-stores.ts'
import { findLayerDirectories } from '../../source/store-layers.ts'
import type { Image } from '../../source/types.ts'

export interface LayerRoom {
  /** Top first, as overlayfs takes them. Empty: no layer at all. */
  lower: string[]
  /** Whose directories they are. Those of an engine are only ever read. */
  from: 'store' | 'docker' | 'podman' | 'containerd'
  /** Until then the store keeps them even if their image is removed. What a container's config.json names is kept anyway. */
  release(): Promise<void>
}

export interface RoomOptions extends Work {
  places: Places
  surroundings: StoreSurroundings
}

/** The layers 0..upTo of an image (-1: none of them). @throws Fault when a layer can not be had, or is not what its image says. */
export async function layerRoom(image: Image, upTo: number, options: RoomOptions): Promise<LayerRoom> {
  const layers = image.layers.slice(0, upTo + 1)
  const unknown = layers.find(layer => !isDigest(layer.diffId))
  if (unknown)
    throw new Fault(`Layer ${unknown.index} of ${safe(image.reference)} has no diffID: it can not be unpacked.`)
  const diffIds = layers.map(layer => layer.diffId)
  const kept = options.surroundings.uid === 0 ? engineRoom(image, diffIds, options) : null
  return kept ?? storeRoom(image, diffIds, options)
}

/** Only root may: an ordinary user's containers see other owners than an engine's directories have. */
function engineRoom({ location }: Image, diffIds: readonly string[], { surroundings }: RoomOptions): LayerRoom | null {
  const stores = [...(location ? [location] : []), ...findLocalStores(surroundings)]
  const found = diffIds.length === 0 ? null : findLayerDirectories(stores, diffIds)
  return found && { lower: found.directories.reverse(), from: found.engine, release: async () => {} }
}

async function storeRoom(
  image: Image,
  diffIds: readonly string[],
  { places, ...work }: RoomOptions,
): Promise<LayerRoom> {
  const folder = storeFolder(places)
  makeStore(folder)
  const chain = chainIds(diffIds)
  const place = await workplace(folder)
  const lower: string[] = []
  try {
    await place.use(chain)
    const missing = chain.filter(chainId => unpackedLayer(folder, chainId) === null)
    for (const [at, chainId] of chain.entries()) {
      const tar = (signal: AbortSignal | undefined) => image.layerTar(at, { signal })
      lower.unshift(
        await unpackIntoStore(folder, place, { diffId: diffIds[at], chainId, lower: [...lower], tar }, work),
      )
    }
    const written = makeSure(folder, missing)
    const release = async () => {
      await written
      await place.leave()
    }
    return { lower, from: 'store', release }
  } catch (error) {
    await place.leave()
    throw error
  }
}

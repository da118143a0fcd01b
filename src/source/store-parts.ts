/**
 * What the readers of Docker's and podman's stores have in common: a store is made of parts, one for each storage driver
 * that has left images in it, and each layer has a tar-split.
 */
import { statSync } from 'node:fs'
import { safe } from '../base/text.ts'
import { platformServes } from '../image/platform.ts'
import { answer, Incomplete, isMissing, settled } from './store-files.ts'
import { type StoredImage, storeImage } from './store-image.ts'
import type { StoreAnswer, StoreListing, StoreLocation, StoreOptions, StoreReason } from './store-types.ts'

/** The image of the first part that has it for the wanted platform. `read` gives null where a part has it not. */
export function openParts<Part>(
  location: StoreLocation,
  partsOf: (location: StoreLocation) => Part[],
  read: (part: Part) => StoredImage | null,
  options: StoreOptions,
): Promise<StoreAnswer> {
  return answer(location, () => {
    for (const part of partsOf(location)) {
      const image = read(part)
      if (image === null || (options.platform && !platformServes(image.config.platform, options.platform))) continue
      return storeImage(image, options)
    }
    return null
  })
}

/** The images of all parts; and why that are not all, where something is wrong. */
export async function listParts<Part>(
  location: StoreLocation,
  partsOf: (location: StoreLocation) => Part[],
  list: (location: StoreLocation, part: Part) => StoreListing[],
): Promise<{ images: StoreListing[]; reason: StoreReason | null }> {
  const { value, reason } = await settled(location, () => partsOf(location).flatMap(part => list(location, part)))
  return { images: value ?? [], reason }
}

/** Bytes of a layer's tar-split. @throws Fault where the store has none: its layers were made in another way. */
export function splitBytes(path: string, root: string): number {
  try {
    return statSync(path).size
  } catch (error) {
    if (!isMissing(error)) throw error
    throw new Incomplete(`${safe(root)} keeps no tar-split of a layer.`, { cause: error })
  }
}

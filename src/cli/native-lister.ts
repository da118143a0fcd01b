/** The images of the native store, as rows of the list. Nothing is asked of anybody: they are there at once. */
import type { ImageDetail, ImageRow } from '../actions/image-list.ts'
import { Fault } from '../base/errors.ts'
import { nativeImages, openStoreImage } from '../engine/native/images.ts'
import { nearestBase, sharedLayers } from '../image/bases.ts'
import { formatPlatform } from '../image/platform.ts'
import { allRecords } from '../runtime/containers/record.ts'
import type { Places } from '../runtime/places.ts'
import type { KeptImage } from '../runtime/store/index.ts'
import { shownName } from '../runtime/store/names.ts'
import { splitName } from './image-lister.ts'

/** @throws Fault when the store can not be read. */
export async function nativeRows(places: Places): Promise<ImageRow[]> {
  const images = nativeImages(places)
  const containers = new Map<string, number>()
  for (const { imageId } of await allRecords(places.containers))
    containers.set(imageId, (containers.get(imageId) ?? 0) + 1)
  const users = new Map<string, number>()
  for (const { layers } of images)
    for (const digest of new Set(layers.map(layer => layer.digest))) users.set(digest, (users.get(digest) ?? 0) + 1)
  return images.flatMap(image => {
    const own = new Map(image.layers.map(layer => [layer.digest, layer.bytes]))
    const unique = [...own].reduce((sum, [digest, bytes]) => sum + (users.get(digest) === 1 ? bytes : 0), 0)
    return (image.names.length > 0 ? image.names : [null]).map(name =>
      rowOf(image, name && shownName(name), unique, containers),
    )
  })
}

/** What the panel beside the list tells of such a row; null when the store has it no more. */
export async function nativeDetail(places: Places, row: ImageRow): Promise<ImageDetail | null> {
  const image = await openStoreImage(row.id, places)
  if (image === null) return null
  try {
    const diffIds = (one: KeptImage) => one.layers.map(layer => layer.diffId)
    const all = nativeImages(places)
    const own = all.find(one => one.id === row.id)
    const others = all.filter(one => one.id !== row.id)
    const named = others
      .filter(one => one.names.length > 0)
      .map(one => ({ name: shownName(one.names[0]), bytes: bytesOf(one), diffIds: diffIds(one) }))
    const mine = own ? diffIds(own) : []
    const base = nearestBase(mine, named)
    return {
      steps: image.steps.length,
      layers: own?.layers.map(layer => layer.tarBytes) ?? [],
      platform: formatPlatform(image.platform),
      base: base && { name: base.name, bytes: base.bytes },
      sharedWith: others.filter(one => sharedLayers(diffIds(one), mine) > 0).length,
    }
  } finally {
    await image.close()
  }
}

/** Why the store can not be listed; null when it can. */
export function nativeTrouble(places: Places): Fault | null {
  try {
    nativeImages(places)
    return null
  } catch (error) {
    if (error instanceof Fault) return error
    throw error
  }
}

function bytesOf({ layers }: KeptImage): number {
  return layers.reduce((sum, layer) => sum + layer.tarBytes, 0)
}

function rowOf(
  image: KeptImage,
  name: string | null,
  unique: number,
  containers: ReadonlyMap<string, number>,
): ImageRow {
  return {
    key: `native ${image.id} ${name ?? ''}`,
    reference: `strata:${name ?? image.id}`,
    ...splitName(name),
    engine: 'native',
    id: image.id,
    created: image.created === null ? null : image.created * 1000,
    size: bytesOf(image),
    unique: image.names.length > 1 ? null : unique,
    containers: containers.get(image.id) ?? 0,
    detail: null,
  }
}

/** An image of any source into the native store. */
import { availableParallelism } from 'node:os'
import { Fault } from '../../base/errors.ts'
import type { Work } from '../../base/progress.ts'
import { digestOf, shortDigest } from '../../image/digest.ts'
import type { Digest } from '../../image/types.ts'
import type { Places } from '../../runtime/places.ts'
import { blobBytes, isStorable, keepBlob } from '../../runtime/store/blobs.ts'
import { makeStore, type StoreFolder, storeFolder, type Workplace, workplace } from '../../runtime/store/folder.ts'
import { isWhole, type Kept, keepImage, layerType } from '../../runtime/store/images.ts'
import { type KeptLayer, readImages } from '../../runtime/store/index.ts'
import type { Image } from '../../source/types.ts'

export interface LoadOptions extends Work {
  places: Places
}

/**
 * Keeps an image under these names (in full). Its layers are kept as they come, each compared with its digests; those that
 * are there already are not read. @throws Fault when one is not what its image says: nothing is kept then.
 */
export async function loadImage(image: Image, names: readonly string[], options: LoadOptions): Promise<Kept> {
  const folder = storeFolder(options.places)
  makeStore(folder)
  const { config, manifest } = await image.documents(options)
  if (image.layers.length !== image.config.diffIds.length)
    throw new Fault('The image’s config names other layers than its manifest: it can not be kept.')
  const place = await workplace(folder)
  try {
    const images = readImages(folder)
    const id = digestOf(config)
    await place.use([
      id,
      ...wantedDigests(image),
      ...(images.find(one => one.id === id)?.layers.map(l => l.digest) ?? []),
    ])
    const known = readImages(folder).find(one => one.id === id && isWhole(folder, one))
    const described = manifest !== null && image.layers.every(layer => isStorable(layer.digest ?? ''))
    const layers = known?.layers ?? (await keepLayers(image, described, { folder, place }, options))
    const created = Math.floor(Date.parse(image.config.created ?? '') / 1000)
    const added = {
      config,
      manifest: described ? manifest : null,
      layers,
      created: Number.isFinite(created) ? created : null,
      names,
    }
    return await keepImage(folder, place, added, Math.floor(Date.now() / 1000))
  } finally {
    await place.leave()
  }
}

function wantedDigests({ layers }: Image): Digest[] {
  return layers
    .flatMap(layer => [layer.digest, layer.diffId])
    .filter(one => one !== null && isStorable(one)) as Digest[]
}

interface Into {
  folder: StoreFolder
  place: Workplace
}

/** Several at a time: what one of them waits for is mostly its own thread. The first that fails ends the others. */
async function keepLayers(
  image: Image,
  described: boolean,
  into: Into,
  { signal, onProgress }: Work,
): Promise<KeptLayer[]> {
  const stop = new AbortController()
  const either = signal ? AbortSignal.any([signal, stop.signal]) : stop.signal
  const done = image.layers.map(() => 0)
  const total = image.layers.reduce<number | null>((sum, { roughBytes }) => sum && roughBytes && sum + roughBytes, 1)
  const verified = new Map(readImages(into.folder).flatMap(one => one.layers.map(layer => [layer.digest, layer])))
  const kept: KeptLayer[] = []
  const left = [...image.layers.keys()]
  const one = async () => {
    for (let at = left.shift(); at !== undefined; at = left.shift()) {
      const report = (bytes: number) => {
        done[at] = bytes
        onProgress?.({ done: done.reduce((a, b) => a + b), total })
      }
      kept[at] = await keepLayer(image, at, described, verified, into, {
        signal: either,
        onProgress: progress => report(progress.done),
      })
      report(kept[at].bytes)
    }
  }
  const workers = Array.from({ length: Math.max(1, availableParallelism()) }, one)
  try {
    await Promise.all(workers)
  } catch (error) {
    stop.abort()
    await Promise.allSettled(workers)
    throw error
  }
  return kept
}

async function keepLayer(
  image: Image,
  at: number,
  described: boolean,
  verified: ReadonlyMap<Digest, KeptLayer>,
  { folder, place }: Into,
  work: Work,
): Promise<KeptLayer> {
  const { digest, diffId, mediaType } = image.layers[at]
  const wanted = described ? digest! : null
  const known = verified.get(wanted ?? diffId)
  if (known?.diffId === diffId && blobBytes(folder, known.digest) === known.bytes)
    return { ...known, mediaType: described ? mediaType : known.mediaType }
  const copied = await keepBlob(folder, place, wanted, to => image.copyLayer(at, to, work))
  if (copied.diffId !== diffId)
    throw new Fault(
      `Layer ${at} (${shortDigest(diffId)}) is not what its image says: its diffID is ${copied.diffId}. Nothing was kept.`,
    )
  const { digest: kept, bytes, tarBytes, compression } = copied
  return { digest: kept, diffId, bytes, tarBytes, mediaType: described ? mediaType : layerType(compression) }
}

/** A container's upper directory as one more layer, and the image that has it. */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { writeSync } from 'node:fs'
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { parseConfig } from '../../image/config.ts'
import type { Digest } from '../../image/types.ts'
import { type ContainerRecord, folderOf } from '../../runtime/containers/record.ts'
import { packUpper } from '../../runtime/pack.ts'
import type { Places } from '../../runtime/places.ts'
import { keepBlob } from '../../runtime/store/blobs.ts'
import { makeStore, storeFolder, workplace } from '../../runtime/store/folder.ts'
import { isWhole, keepImage, layerType } from '../../runtime/store/images.ts'
import { type KeptLayer, readImages } from '../../runtime/store/index.ts'
import { keptName } from '../../runtime/store/names.ts'
import type { CommitSpec } from '../containers.ts'
import { changed, committedConfig, runOfContainer } from './commit-config.ts'
import { loadImage } from './load.ts'
import type { PrepareOptions } from './prepare.ts'

/** Gives the id of the new image. Throws a Fault when the image below is nowhere any more. The caller has paused it. */
export async function commitContainer(
  record: ContainerRecord,
  spec: CommitSpec,
  options: PrepareOptions,
): Promise<Digest> {
  const names = spec.reference ? [keptName(spec.reference)] : []
  const base = parseConfig(record.imageConfig).config.run
  const run = changed(runOfContainer(base, record), spec.changes ?? [])
  const below = await layersBelow(record, options)
  const folder = storeFolder(options.places)
  makeStore(folder)
  const place = await workplace(folder)
  try {
    await place.use(below.flatMap(({ digest, diffId }) => [digest, diffId]))
    const { upper } = folderOf(options.places.containers, record.id)
    const tar = await packUpper(upper, record.lower, options.signal)
    const layer = tar === null ? null : await keepTar(folder, place, tar)
    const config = committedConfig(record, run, layer?.diffId ?? null, spec, new Date().toISOString())
    const now = Math.floor(Date.now() / 1000)
    const layers = layer === null ? below : [...below, layer]
    const added = { config: Buffer.from(JSON.stringify(config)), manifest: null, layers, created: now, names }
    return (await keepImage(folder, place, added, now)).id
  } finally {
    await place.leave()
  }
}

type Folder = ReturnType<typeof storeFolder>
type Place = Awaited<ReturnType<typeof workplace>>

async function keepTar(folder: Folder, place: Place, tar: AsyncIterable<Uint8Array>): Promise<KeptLayer> {
  const kept = await keepBlob(folder, place, null, async to => {
    const hash = createHash('sha256')
    let bytes = 0
    for await (const chunk of tar) {
      hash.update(chunk)
      for (let at = 0; at < chunk.length; ) at += writeSync(to, chunk, at)
      bytes += chunk.length
    }
    return { digest: `sha256:${hash.digest('hex')}`, bytes }
  })
  return { ...kept, diffId: kept.digest, tarBytes: kept.bytes, mediaType: layerType('none') }
}

/** The layers of its image as the store keeps them; they come there now where they are not. */
async function layersBelow(record: ContainerRecord, options: PrepareOptions): Promise<KeptLayer[]> {
  if (record.chain.length === 0) return []
  const known = keptLayers(options.places, record)
  if (known) return known
  const image = await options.open(record.image, { signal: options.signal }).catch(error => {
    throw new Fault(`The image of the container, “${safe(record.image)}”, is not there any more.`, { cause: error })
  })
  try {
    await loadImage(image, [], { places: options.places, signal: options.signal })
  } finally {
    await image.close()
  }
  const loaded = keptLayers(options.places, record)
  if (loaded) return loaded
  throw new Fault(`“${safe(record.image)}” is another image now than the one the container was made of.`, {
    hint: 'Load the old one into the native store: strata load.',
  })
}

/** Of any image of the store that begins with the container's layers. */
function keptLayers(places: Places, { chain }: ContainerRecord): KeptLayer[] | null {
  const folder = storeFolder(places)
  const image = readImages(folder).find(
    one => chain.every((diffId, at) => one.layers[at]?.diffId === diffId) && isWhole(folder, one),
  )
  return image ? image.layers.slice(0, chain.length) : null
}

/**
 * From a reference to layers as directories and a config to start with. What has been prepared once is remembered by
 * image, so that the next `run` of it opens nothing.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import type { Work } from '../../base/progress.ts'
import type { Digest } from '../../image/types.ts'
import type { Places } from '../../runtime/places.ts'
import type { Image } from '../../source/types.ts'
import type { Surroundings } from '../endpoints.ts'
import type { PreparedImage } from './make.ts'
import type { RoomOptions } from './room.ts'

export interface Prepared extends PreparedImage {
  /** The layers stay until then; a container's record keeps them from then on. */
  release(): Promise<void>
}

export interface PrepareOptions extends Work {
  places: Places
  surroundings: Surroundings
  open(reference: string, work: Work): Promise<Image>
  /** The id of a name of the native store, where that is quickly found out. */
  quickId(reference: string): Digest | null
}

/** Throws a Fault when the image is not there, or a layer of it can not be had. */
export async function prepareImage(reference: string, options: PrepareOptions): Promise<Prepared> {
  const id = options.quickId(reference)
  const known = id === null ? null : remembered(options.places, id)
  if (known) return { ...known, release: async () => {} }
  const [{ parseReference, resolveStep }, { layerRoom }] = await Promise.all([
    import('../../image/reference.ts'),
    import('./room.ts'),
  ])
  const { step } = parseReference(reference)
  const image = await options.open(reference, options)
  try {
    const diffIds = image.layers.map(layer => layer.diffId)
    if (step) return await prepareStep(image, resolveStep(step, image.steps, diffIds), options)
    const room = await layerRoom(image, diffIds.length - 1, options)
    const { id, config, rawConfig } = image
    const prepared = { id, chain: diffIds, lower: room.lower, run: config.run, config: rawConfig }
    if (room.from === 'store') remember(options.places, prepared)
    return { ...prepared, release: () => room.release() }
  } finally {
    await image.close()
  }
}

/** The image as of a step (1-based; 0: before the first), of one that is open and stays so. */
export async function prepareStep(image: Image, step: number, options: RoomOptions): Promise<Prepared> {
  const [{ configAsOf }, { layerRoom }] = await Promise.all([import('../../image/replay.ts'), import('./room.ts')])
  const top = image.steps.slice(0, step).findLast(one => one.layer !== null)?.layer ?? -1
  const room = await layerRoom(image, top, options)
  const { run } = configAsOf(image.config, image.steps, step)
  const chain = image.layers.slice(0, top + 1).map(layer => layer.diffId)
  return { id: image.id, chain, lower: room.lower, run, config: image.rawConfig, release: () => room.release() }
}

function placeOf(places: Places, id: Digest): string {
  return join(places.state, 'prepared', `${id.slice(id.indexOf(':') + 1)}.json`)
}

/** Of this boot only: what a crash of the machine has left of a layer is for the store to judge. */
function remembered(places: Places, id: Digest): PreparedImage | null {
  try {
    const { boot, ...image } = JSON.parse(readFileSync(placeOf(places, id), 'utf8')) as PreparedImage & { boot: string }
    const whole = boot === bootId() && image.id === id && image.lower.every(path => existsSync(path))
    return whole ? image : null
  } catch {
    return null
  }
}

/** For the next time; that it can not be written is no reason to stop. */
function remember(places: Places, image: PreparedImage): void {
  try {
    const place = placeOf(places, image.id)
    mkdirSync(join(places.state, 'prepared'), { recursive: true, mode: 0o700 })
    writeFileSync(`${place}.${process.pid}`, JSON.stringify({ ...image, boot: bootId() }), { mode: 0o600 })
    renameSync(`${place}.${process.pid}`, place)
  } catch {}
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}

/** An image as of a step inside an engine that has its layers: loaded without data, removed afterwards. */
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import type { Digest } from '../image/types.ts'
import type { Image } from '../source/types.ts'
import type { Engine } from './engine.ts'
import { hybridImage, hybridLabel } from './hybrid-image.ts'

export interface Intermediate {
  id: Digest
  /** To be called once no container is made of it any more. */
  remove(): Promise<void>
}

/** Throws a Fault when the step has no layer yet, or the engine lacks one of them. */
export async function intermediateImage(
  engine: Engine,
  image: Image,
  step: number,
  signal: AbortSignal,
): Promise<Intermediate> {
  const top = image.steps.slice(0, step).findLast(one => one.layer !== null)?.layer
  const name = safe(image.reference)
  if (top === undefined || top === null) throw new Fault(`${name} has no layer yet as of step ${step}.`)
  await sweep(engine)
  const { containerdStore } = await engine.info({ signal })
  const hybrid = hybridImage(image, step, top, { blobs: containerdStore })
  try {
    await engine.load(hybrid.tar, { signal })
    const id = containerdStore ? hybrid.manifest : hybrid.id
    await engine.inspect(id, { signal })
    return { id, remove: () => engine.removeImage(id) }
  } catch (error) {
    signal.throwIfAborted()
    throw new Fault(`${safe(engine.id)} does not have the layers of ${name}, so it can not run a step of it.`, {
      hint: 'strata shell without --engine needs no daemon.',
      cause: error,
      exitCode: 125,
    })
  }
}

/** What a Strata that was killed has left; one that runs now has made its own a moment ago. */
async function sweep(engine: Engine): Promise<void> {
  const old = Date.now() / 1000 - 3600
  const images = await engine.images({ all: true }).catch(() => [])
  for (const { id, labels, created } of images) {
    if (labels[hybridLabel] !== undefined && created !== null && created < old)
      await engine.removeImage(id).catch(() => {})
  }
}

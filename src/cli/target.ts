/** From `REF[@STEP]` and the options of a verb to an open image, a step of it, and the end of both. */
import { safe } from '../base/text.ts'
import { parsePlatform } from '../image/platform.ts'
import { parseReference, resolveStep } from '../image/reference.ts'
import type { Step } from '../image/types.ts'
import type { EngineResolver } from '../source/open.ts'
import type { Image } from '../source/types.ts'
import { type Analysis, analyse } from './analysis.ts'
import type { Io } from './output.ts'
import type { Options } from './program.ts'
import { showProgress } from './progress.ts'

export interface Target {
  image: Image
  /** The step that was asked for; null: the whole image. */
  step: Step | null
  /** The topmost layer as of the step, -1 when there is none yet. */
  top: number
  /** The layer that the step itself made, null when it made none. Of the whole image: the topmost one. */
  own: number | null
}

/** What a verb wants to know of an image. */
export interface Request {
  /** As the person wrote it. */
  text: string
  options: Options
  /** Contents of files will be read, not only entries. */
  contents?: boolean
}

/** Opens the image, hands it to `use`, and closes it however that ends. */
export async function withImage<T>(
  io: Io,
  { text, options, contents = false }: Request,
  use: (target: Target) => Promise<T>,
): Promise<T> {
  const reference = parseReference(text)
  const { openImage } = await import('../source/open.ts')
  const progress = showProgress(io.err, 'Opening')
  let image: Image
  try {
    const work = { signal: io.signal, onProgress: progress.report }
    image = await openImage(text, { ...openOptions(options), ...work, needContent: contents })
  } finally {
    progress.end()
  }
  try {
    const step = reference.step
      ? image.steps[
          resolveStep(
            reference.step,
            image.steps,
            image.layers.map(layer => layer.diffId),
          ) - 1
        ]
      : null
    return await use({ image, step, ...layersAsOf(image, step) })
  } finally {
    await image.close()
  }
}

/** The options that choose and read an image, from the command line's. Throws a Fault for a platform that is none. */
export function openOptions(options: Options) {
  return {
    platform: typeof options.platform === 'string' ? parsePlatform(options.platform) : undefined,
    engine: options.engine as string | undefined,
    context: options.context as string | undefined,
    verify: options.verify === true,
    cache: options.cache !== false,
    engines: lookUp,
  }
}

/** Engines are loaded only when a name has to be looked up. */
const lookUp: EngineResolver = async (reference, options) => {
  const [{ engineResolver }, { surroundings }] = await Promise.all([
    import('../engine/resolve.ts'),
    import('./images.ts'),
  ])
  return engineResolver(surroundings())(reference, options)
}

/**
 * The same for the verbs that need the stack: all of it, or as of the step. What could not be read is told on stderr,
 * and makes the exit code 1 whatever the verb gives.
 */
export async function withAnalysis(
  io: Io,
  request: Request,
  use: (analysis: Analysis, target: Target) => Promise<number | undefined>,
): Promise<number> {
  return withImage(io, request, async target => {
    const progress = showProgress(io.err, 'Reading layers')
    let analysis: Analysis
    try {
      analysis = await analyse(target.image, { signal: io.signal, onProgress: progress.report }, { upTo: target.top })
    } finally {
      progress.end()
    }
    let code: number
    try {
      code = (await use(analysis, target)) ?? 0
    } catch (error) {
      await tellBroken(io, analysis)
      throw error
    }
    return (await tellBroken(io, analysis)) ? 1 : code
  })
}

async function tellBroken(io: Io, { broken }: Analysis): Promise<boolean> {
  if (broken.length === 0) return false
  await io.out.flush()
  for (const { fault } of broken) {
    await io.err.write(`strata: ${safe(fault.message)}\n${fault.hint ? `${safe(fault.hint)}\n` : ''}`)
  }
  await io.err.write('What is shown is what could be read.\n')
  await io.err.flush()
  return true
}

function layersAsOf({ steps, layers }: Image, step: Step | null): { top: number; own: number | null } {
  if (!step) return { top: layers.length - 1, own: layers.length > 0 ? layers.length - 1 : null }
  const made = steps.slice(0, step.index).findLast(one => one.layer !== null)
  return { top: made?.layer ?? -1, own: step.layer }
}

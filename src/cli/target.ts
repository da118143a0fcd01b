/** From `REF[@STEP]` and the options of a verb to an open image, a step of it, and the end of both. */
import { safe } from '../base/text.ts'
import { parsePlatform } from '../image/platform.ts'
import { parseReference, resolveStep, type StepSelector } from '../image/reference.ts'
import type { Step } from '../image/types.ts'
import type { MayHelp } from '../source/open.ts'
import type { Image } from '../source/types.ts'
import { type Analysis, analyse, anomaliesOf } from './analysis.ts'
import { lookUp } from './look-up.ts'
import type { Io } from './output.ts'
import type { Options } from './program.ts'
import { showProgress } from './progress.ts'

export interface Target {
  image: Image
  selector: StepSelector | null
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
  /** false: no layer is read of an image that is in its registry. */
  farLayers?: boolean
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
    return await use(targetOf(image, reference.step))
  } finally {
    await image.close()
  }
}

/**
 * The options that choose and read an image, from the command line's. `ask` is asked where the person has not said yet
 * whether a helper container may be made. Throws a Fault for a platform that is none.
 */
export function openOptions(options: Options, ask: MayHelp = async () => false) {
  return {
    platform: typeof options.platform === 'string' ? parsePlatform(options.platform) : undefined,
    engine: options.engine as string | undefined,
    context: options.context as string | undefined,
    verify: options.verify === true,
    trust: options.verify === false,
    cache: options.cache !== false,
    fastRemote: typeof options.fastRemote === 'boolean' ? options.fastRemote : remembered(ask),
    engines: lookUp,
    registries: async () => (await import('./far.ts')).registriesOf(options),
  }
}

/** What the person has answered once and for all, else what they answer now. */
function remembered(ask: MayHelp): MayHelp {
  return async offer => {
    const { readSettings } = await import('./settings.ts')
    const { fastRemote } = await readSettings()
    return fastRemote === undefined ? ask(offer) : fastRemote === 'always'
  }
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
    const work = { signal: io.signal, onProgress: progress.report }
    let analysis: Analysis
    let settled = target
    try {
      if (target.image.far && request.farLayers === false)
        return (await use(await analyse(target.image, work, { upTo: -1 }), target)) ?? 0
      analysis = await analyse(target.image, work, { upTo: target.top })
      // An engine's image knows its steps for sure only once its layers have been read.
      settled = targetOf(target.image, target.selector)
      if (settled.top !== target.top) analysis = await analyse(target.image, work, { upTo: settled.top })
    } finally {
      progress.end()
    }
    let code: number
    try {
      code = (await use(analysis, settled)) ?? 0
    } catch (error) {
      await tell(io, analysis)
      throw error
    }
    await tell(io, analysis)
    return analysis.broken.length > 0 ? 1 : code
  })
}

/** What says that the image is not what it claims to be: told whatever the verb shows. */
const alarming = /-mismatch$|^store-damaged$/

/** On stderr, after what was shown: what could not be read, and what is not to be believed. */
async function tell(io: Io, analysis: Analysis): Promise<void> {
  await io.out.flush()
  for (const { layer, kind, text } of anomaliesOf(analysis)) {
    if (!alarming.test(kind)) continue
    await io.err.write(`strata: warning: ${layer === null ? '' : `layer ${layer}: `}${safe(text)}\n`)
  }
  for (const { fault } of analysis.broken) {
    await io.err.write(`strata: ${safe(fault.message)}\n${fault.hint ? `${safe(fault.hint)}\n` : ''}`)
  }
  if (analysis.broken.length > 0) await io.err.write('What is shown is what could be read.\n')
  await io.err.flush()
}

function targetOf(image: Image, selector: StepSelector | null): Target {
  const { steps, layers } = image
  const top = layers.length - 1
  if (!selector) return { image, selector, step: null, top, own: top < 0 ? null : top }
  const diffIds = layers.map(layer => layer.diffId)
  const step = steps[resolveStep(selector, steps, diffIds) - 1]
  const made = steps.slice(0, step.index).findLast(one => one.layer !== null)
  return { image, selector, step, top: made?.layer ?? -1, own: step.layer }
}

/**
 * An opened image as a stack: its layers are indexed side by side and laid as they land, bottom first. What can not be
 * read does not stop the rest: a broken layer is laid as far as it was read, and told.
 */
import { Fault } from '../base/errors.ts'
import type { Progress, Work } from '../base/progress.ts'
import { changes, uncompared } from '../layer/changes.ts'
import type { Anomaly } from '../layer/entry.ts'
import { IndexBuilder } from '../layer/index-builder.ts'
import type { LayerIndex } from '../layer/layer-index.ts'
import { Stack } from '../layer/stack.ts'
import type { BrokenLayer, Image } from '../source/types.ts'

export interface Analysis {
  image: Image
  stack: Stack
  /** Visible bytes of the stack that ends with each layer. */
  visible: number[]
  /** What could not be read, bottom first. */
  broken: { layer: number; fault: Fault }[]
}

/** What an analysis reads. */
export interface Extent {
  /** The topmost layer that is wanted; all when it is not given. */
  upTo?: number | undefined
}

/** Indexes and stacks the layers of an image. Progress is in bytes over all layers. */
export async function analyse(
  image: Image,
  work: Work = {},
  { upTo = image.layers.length - 1 }: Extent = {},
): Promise<Analysis> {
  const stack = new Stack()
  const visible: number[] = []
  const broken: Analysis['broken'] = []
  const report = summed(upTo + 1, work.onProgress)
  const coming = image.layers.slice(0, upTo + 1).map(layer =>
    image.indexLayer(layer.index, { signal: work.signal, onProgress: report(layer.index) }).then(
      index => ({ index, error: null }),
      (error: unknown) => ({ index: null, error }),
    ),
  )
  for (const [layer, landing] of coming.entries()) {
    const { index, error } = await landing
    if (index === null) broken.push({ layer, fault: brokenLayer(error) })
    stack.push(index ?? (error as Partial<BrokenLayer>).partial ?? nothing())
    visible.push(stack.visible)
  }
  return { image, stack, visible, broken }
}

/** What was odd about the image, its layers and how they lie over each other, in this order. */
export function* anomaliesOf({ image, stack }: Analysis): Generator<Anomaly> {
  yield* image.anomalies
  for (const [layer, index] of stack.layers.entries()) {
    for (const anomaly of index.anomalies) yield { ...anomaly, layer }
  }
  yield* stack.anomalies
}

/**
 * Hashes what has to be compared before the reasons of `changes(stack, from, to)` are final (rule 12). The letters are
 * final without it.
 */
export async function settleContents(analysis: Analysis, from: number, to: number, work: Work = {}): Promise<void> {
  await Promise.all(hashed(analysis, changes(analysis.stack, from, to).unknown, work))
}

/**
 * The same for each layer by itself, so that what is said of files that are stored again is the same from wherever the
 * image was read. What can not be read stays unknown.
 */
export async function settleLayers(analysis: Analysis, work: Work = {}): Promise<void> {
  const pairs = analysis.stack.layers.flatMap((_, layer) => [...uncompared(analysis.stack, layer)])
  const outcomes = await Promise.allSettled(hashed(analysis, pairs, work))
  for (const one of outcomes) if (one.status === 'rejected') brokenLayer(one.reason)
}

/** Hashes both files of each pair, all files of a layer together. */
function hashed(
  { image, stack }: Analysis,
  pairs: readonly { before: number; after: number }[],
  { signal }: Work,
): Promise<void>[] {
  const wanted = new Map<number, Set<number>>()
  for (const ref of pairs.flatMap(({ before, after }) => [before, after])) {
    if (stack.crcOf(ref) >= 0) continue
    const layer = stack.layerOf(ref)
    if (!wanted.has(layer)) wanted.set(layer, new Set())
    wanted.get(layer)!.add(stack.indexOf(ref))
  }
  return Array.from(wanted, async ([layer, entries]) => {
    const sorted = Uint32Array.from(entries).sort()
    stack.setCrcs(layer, sorted, await image.hashFiles(layer, sorted, { signal }))
  })
}

/** What is wrong with the layer; whatever is not that (an interrupt, a defect) goes up. */
function brokenLayer(error: unknown): Fault {
  if (error instanceof Fault && error.exitCode !== 130) return error
  throw error
}

function nothing(): LayerIndex {
  return new IndexBuilder().finish({ tarBytes: 0, diffId: null })
}

/** One progress of many: the sum of what each layer has told so far; the total is known when all are. */
function summed(layers: number, onProgress: Work['onProgress']): (layer: number) => Work['onProgress'] {
  if (!onProgress) return () => undefined
  const parts: (Progress | null)[] = Array.from({ length: layers }, () => null)
  return layer => progress => {
    parts[layer] = progress
    onProgress({
      done: parts.reduce((sum, part) => sum + (part?.done ?? 0), 0),
      total: parts.reduce<number | null>(
        (sum, part) => (sum === null || !part || part.total === null ? null : sum + part.total),
        0,
      ),
    })
  }
}

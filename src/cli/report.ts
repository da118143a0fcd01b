/** What `analyze` says of an image, computed once, for its text, its JSON and its rules. */
import { type Advice, advise } from '../advice/advise.ts'
import { shortCommand } from '../image/command.ts'
import type { Step } from '../image/types.ts'
import { changes } from '../layer/changes.ts'
import { type DiveScore, diveScore } from '../layer/dive.ts'
import { ABSENT, type WasteRow } from '../layer/stack.ts'
import type { LayerInfo } from '../source/types.ts'
import type { Analysis } from './analysis.ts'
import { biggestFirst } from './waste.ts'

export interface LayerReport extends LayerInfo {
  /** 1-based index of the step that made it. */
  step: number
  /** The step's command on one line, harmless. */
  command: string
  stored: number
  /** Bytes that it adds to what is visible; negative when it takes away more. */
  adds: number
  entries: number
  added: number
  changed: number
  deleted: number
}

export interface Report {
  analysis: Analysis
  bytes: { stored: number; visible: number; wasted: number; compressed: number | null }
  /** visible / stored, 1 when nothing is stored. */
  efficiency: number
  entries: { stored: number; visible: number }
  steps: Step[]
  layers: LayerReport[]
  /** Biggest first. */
  waste: WasteRow[]
  advice: Advice[]
  /** Counted when it is first asked for. */
  readonly dive: DiveScore
}

/** Counts everything, of the whole image or as of a step. No content is read here: what a layer lists again counts as changed whatever is in it. */
export function reportOn(analysis: Analysis, step: Step | null = null): Report {
  const { stack, image } = analysis
  const steps = image.steps.slice(0, step?.index)
  let dive: DiveScore | undefined
  return {
    analysis,
    bytes: {
      stored: stack.stored,
      visible: stack.visible,
      wasted: stack.stored - stack.visible,
      compressed: compressedBytes(analysis),
    },
    efficiency: stack.stored === 0 ? 1 : stack.visible / stack.stored,
    entries: {
      stored: stack.layers.reduce((sum, layer) => sum + layer.entries, 0),
      visible: visibleEntries(analysis),
    },
    layers: layerReports(analysis),
    waste: biggestFirst(analysis),
    steps,
    advice: advise({ steps, config: image.config, stack }),
    get dive() {
      dive ??= diveScore(stack)
      return dive
    },
  }
}

function layerReports(analysis: Analysis): LayerReport[] {
  const { image, stack, visible } = analysis
  const steps = new Map(image.steps.map(step => [step.layer, step]))
  return stack.layers.map((index, at) => {
    const step = steps.get(at)
    return {
      ...image.layers[at],
      step: step?.index ?? 0,
      command: shortCommand(step?.createdBy ?? null, step?.comment),
      stored: index.stored,
      adds: visible[at] - (visible[at - 1] ?? 0),
      entries: index.entries,
      ...changes(stack, at, at).counts,
    }
  })
}

/** Bytes of the blobs as they are shipped; null as soon as one of them is not known. */
function compressedBytes({ image, stack }: Analysis): number | null {
  let sum = 0
  for (const { compressed } of image.layers.slice(0, stack.layers.length)) {
    if (compressed === null) return null
    sum += compressed
  }
  return stack.layers.length > 0 ? sum : null
}

/** Paths of the whole image, the root not counted. */
function visibleEntries({ stack }: Analysis): number {
  const { current } = stack.view(stack.layers.length - 1)
  let count = 0
  for (let node = 1; node < current.length; node++) if (current[node] !== ABSENT) count++
  return count
}

/** What every rule looks at, computed once, and the words in which rules name steps. */
import { Buffer } from 'node:buffer'
import { formatCount } from '../base/sizes.ts'
import { safeBytes } from '../base/text.ts'
import { guessBaseSteps } from '../image/bases.ts'
import { shortCommand } from '../image/command.ts'
import { type Instruction, parseInstruction } from '../image/instruction.ts'
import type { ImageConfig, Step } from '../image/types.ts'
import { Kind } from '../layer/entry.ts'
import type { Stack } from '../layer/stack.ts'

export interface Context {
  steps: readonly Step[]
  config: ImageConfig
  stack: Stack
  /** What is visible at the top: references by node. */
  current: Int32Array
  /** The step that made each layer. */
  stepOf: (Step | undefined)[]
  /** How many of the lowest layers belong to the base image, as far as the history hints at it. */
  baseLayers: number
  /** The names of the stack's nodes, one after the other. */
  names: Buffer
  /** How many visible names the inodes with hard links have; every other inode has one. */
  links: ReadonlyMap<number, number>
}

export function contextOf(steps: readonly Step[], config: ImageConfig, stack: Stack): Context {
  const { current } = stack.view(stack.layers.length - 1)
  const stepOf: (Step | undefined)[] = []
  for (const step of steps) if (step.layer !== null) stepOf[step.layer] = step
  const baseSteps = guessBaseSteps(steps)
  const baseLayers = steps.filter(step => step.index <= baseSteps && step.layer !== null).length
  const { buffer, byteOffset, length } = stack.tree.names
  const names = Buffer.from(buffer, byteOffset, length)
  return { steps, config, stack, current, stepOf, baseLayers, names, links: linkedNames(stack, current) }
}

function linkedNames(stack: Stack, current: Int32Array): Map<number, number> {
  const names = new Map<number, number>()
  for (const [layer, { entries, kind }] of stack.layers.entries()) {
    for (let entry = 0; entry < entries; entry++) {
      if (kind[entry] !== Kind.hardlink) continue
      const ref = stack.refOf(layer, entry)
      const inode = current[stack.nodeOf(ref)] === ref ? stack.inodeOf(ref) : -1
      if (inode < 0) continue
      const own = current[stack.nodeOf(inode)] === inode ? 1 : 0
      names.set(inode, (names.get(inode) ?? own) + 1)
    }
  }
  return names
}

/** What made a layer, taken apart. */
export function instructionOf(context: Context, layer: number): Instruction {
  const step = context.stepOf[layer]
  return parseInstruction(step?.createdBy ?? null, step?.comment ?? null)
}

/** `step 5`, or the layer where no step made it. */
export function stepName(context: Context, layer: number): string {
  const step = context.stepOf[layer]
  return step ? `step ${step.index}` : `layer ${layer}`
}

/** `step 10 (RUN chown -R app:app /srv…)` */
export function stepWords(context: Context, layer: number): string {
  const command = shortCommand(context.stepOf[layer]?.createdBy ?? null, context.stepOf[layer]?.comment ?? null)
  const short = command.length > 48 ? `${command.slice(0, 47)}…` : command
  return command === 'no history' ? stepName(context, layer) : `${stepName(context, layer)} (${short})`
}

/** Steps of layers, 1-based, in order. */
export function stepsOfLayers(context: Context, layers: readonly number[]): number[] {
  return layers.flatMap(layer => context.stepOf[layer]?.index ?? []).sort((a, b) => a - b)
}

/** `1 file`, `1 204 files` */
export function filesText(count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'file' : 'files'}`
}

/** Collects files with their sizes: the sum, the layers, the biggest as examples. */
export class Sum {
  bytes = 0
  files = 0
  readonly byLayer = new Map<number, number>()
  readonly #biggest: { node: number; bytes: number }[] = []

  add(node: number, bytes: number, layer: number): void {
    this.bytes += bytes
    this.files++
    this.byLayer.set(layer, (this.byLayer.get(layer) ?? 0) + bytes)
    if (this.#biggest.length === 5 && bytes <= this.#biggest[4].bytes) return
    this.#biggest.push({ node, bytes })
    this.#biggest.sort((a, b) => b.bytes - a.bytes)
    this.#biggest.length = Math.min(this.#biggest.length, 5)
  }

  /** The layers that store the bytes, bottom first. */
  layers(): number[] {
    return [...this.byLayer.keys()].sort((a, b) => a - b)
  }

  /** The layer that stores most. */
  mainLayer(): number {
    let main = -1
    for (const [layer, bytes] of this.byLayer) if (main < 0 || bytes > this.byLayer.get(main)!) main = layer
    return main
  }

  paths({ stack }: Context): Uint8Array[] {
    return this.#biggest.map(({ node }) => stack.tree.path(node))
  }
}

/** `/tmp/key` as text that is safe to show. */
export function pathText(path: Uint8Array): string {
  return `/${safeBytes(path)}`
}

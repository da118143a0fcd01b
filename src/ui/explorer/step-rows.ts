/** The rows of the Layers pane, and what is odd in all of them together. */
import { shortCommand } from '../../image/command.ts'
import type { Image } from '../../source/types.ts'
import type { StepRow } from '../panes/layers-pane.ts'
import { pullBytes } from './far.ts'
import type { Loading } from './loading.ts'

/** A row a step; what it says of its layer is what is known of it when it is drawn. */
export function stepRows(image: Image, loading: () => Loading, hideEmpty: boolean): StepRow[] {
  const commands = new Map<number, string>()
  const hasAnomalies = (layer: number) => (loading().stack.layers[layer]?.anomalies.length ?? 0) > 0
  return image.steps
    .filter(step => !hideEmpty || step.layer !== null)
    .map(step => ({
      step: step.index,
      layer: step.layer,
      live: image.live !== undefined && step.layer === image.live.number,
      ...(image.far && step.layer !== null ? { pull: pullBytes(image, step.layer) } : {}),
      get command() {
        const command = commands.get(step.index) ?? shortCommand(step.createdBy, step.comment)
        commands.set(step.index, command)
        return command
      },
      get state() {
        return step.layer === null ? null : (loading().layers[step.layer] ?? null)
      },
      get odd() {
        return step.layer !== null && hasAnomalies(step.layer)
      },
    }))
}

/** How much is odd, and whether any digest is not what it should be. */
export function countOdd(image: Image, loading: Loading): { odd: number; forged: boolean } {
  const { stack, layers } = loading
  const lists = [image.anomalies, stack.anomalies, ...stack.layers.map(layer => layer.anomalies)]
  const broken = layers.filter(layer => layer.phase === 'broken').length
  return {
    odd: lists.reduce((sum, list) => sum + list.length, broken),
    forged: lists.some(list => list.some(one => one.kind.endsWith('mismatch'))),
  }
}

/** History lines to steps: which line made which layer. */
import type { HistoryLine, Step } from './types.ts'

/**
 * The steps of an image, bottom first. Lines that are not marked empty own the layers, in order. Lines beyond the last
 * layer own none; layers beyond the last line get a step of their own that says nothing. Every layer has exactly one step.
 */
export function stepsOf(history: readonly HistoryLine[], layerCount: number): Step[] {
  let layer = 0
  const steps: Step[] = history.map((line, at) => ({
    ...line,
    index: at + 1,
    layer: !line.emptyLayer && layer < layerCount ? layer++ : null,
    imageId: null,
  }))
  while (layer < layerCount) steps.push({ ...silent, index: steps.length + 1, layer: layer++ })
  return steps
}

/** What the history does not tell, or tells too much of, as sentences. Empty when lines and layers agree. */
export function stepAnomalies(history: readonly HistoryLine[], layerCount: number): string[] {
  const lines = history.filter(line => !line.emptyLayer).length
  if (lines === layerCount) return []
  if (history.length === 0)
    return [`The image has no history: nothing tells what made its ${many(layerCount, 'layer')}.`]
  if (lines < layerCount) {
    return [
      `The history tells of ${many(lines, 'layer')}, the image has ${layerCount}: the last ${layerCount - lines} have no step of their own.`,
    ]
  }
  return [
    `The history tells of ${many(lines, 'layer')}, the image has ${layerCount}: the last ${lines - layerCount} of them are missing.`,
  ]
}

const silent = { created: null, createdBy: null, comment: null, author: null, emptyLayer: false, imageId: null }

function many(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}

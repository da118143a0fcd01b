/** The sizes of an image's layers, from the history that an engine tells: which row made which layer it does not say. Pure. */
import { parseInstruction } from '../image/instruction.ts'
import { stepsOf } from '../image/steps.ts'
import type { EngineHistoryRow } from './engine.ts'
import { inferHistory } from './history.ts'

export interface SizedLayer {
  /** null where the history leaves it open. */
  bytes: number | null
  createdBy: string
}

/**
 * Layers bottom first. A row with bytes owns a layer, and the rows keep their order: what is open is only where layers
 * without a byte stand between them. Where that shifts a layer with bytes, its size is not told.
 */
export function layerSizes(rows: readonly EngineHistoryRow[], layerCount: number): SizedLayer[] {
  const { lines, sure } = inferHistory(rows, layerCount)
  const steps = stepsOf(lines, layerCount).filter(step => step.layer !== null)
  const certain = sure || onlyOneWay(rows, layerCount)
  return steps.map(({ index, createdBy }) => ({
    bytes: certain && index <= rows.length ? rows[index - 1].size : null,
    createdBy: createdBy ?? '',
  }))
}

/** Whether the layers with bytes have the same places wherever those without stand. */
function onlyOneWay(rows: readonly EngineHistoryRow[], layerCount: number): boolean {
  const empty = rows.filter(row => row.size <= 0)
  const left = layerCount - (rows.length - empty.length)
  const likely = empty.filter(mayOwn)
  // Rows that only say something own a layer where there are too few others.
  const able = new Set(left <= likely.length ? likely : empty)
  if (left < 0 || left > able.size) return false
  let below = 0
  for (const row of rows) {
    if (row.size > 0 && Math.max(0, left - (able.size - below)) !== Math.min(left, below)) return false
    if (able.has(row)) below++
  }
  return true
}

function mayOwn({ createdBy, comment }: EngineHistoryRow): boolean {
  const { keyword } = parseInstruction(createdBy, comment)
  return keyword === null || ['RUN', 'COPY', 'ADD', 'WORKDIR'].includes(keyword)
}

/** Who touched a path: every layer that did anything to it, newest first. */
import { differences, type Letter, type Reason } from './changes.ts'
import { ABSENT, type Stack } from './stack.ts'

export interface Blame {
  layer: number
  letter: Letter
  reasons: Reason[]
  /** What the layer left at the path: a reference, ABSENT or IMPLIED. */
  ref: number
  /** What was there before it. */
  before: number
}

/** The history of one path over all layers. A layer that stored it again unchanged is C without a reason. */
export function blame(stack: Stack, node: number): Blame[] {
  const rows: Blame[] = []
  for (let layer = stack.layers.length - 1; layer >= 0; layer--) {
    const { nodes, before, after } = stack.deltas[layer]!
    const i = nodes.indexOf(node)
    if (i < 0) continue
    const letter: Letter = before[i] === ABSENT ? 'A' : after[i] === ABSENT ? 'D' : 'C'
    const reasons = letter === 'C' ? differences(stack, before[i]!, after[i]!).reasons : []
    rows.push({ layer, letter, reasons, ref: after[i]!, before: before[i]! })
  }
  return rows
}

/**
 * The ledger of wasted bytes: each body has as many names as hard links and paths show it; when the last one goes, its
 * bytes become a row. stored, visible and the rows are kept by the same two calls, so that they always add up.
 */
import type { LayerIndex } from './layer-index.ts'

export type Cause = 'overwritten' | 'deleted' | 'opaque' | 'replaced' | 'shadowed'

/** Bytes that were stored in one layer and lost their last name in another (or in the same one). */
export interface WasteRow {
  /** Where they were stored: the path of the entry that holds the body. */
  node: number
  ref: number
  bytes: number
  storedIn: number
  lostIn: number
  cause: Cause
}

type Loss = Pick<WasteRow, 'node' | 'ref' | 'lostIn' | 'cause'>

export class Ledger {
  rows: WasteRow[] = []
  /** Bytes of all bodies. */
  stored = 0
  /** Bytes of the bodies that have a name. */
  visible = 0
  readonly #layers: { size: Float64Array; names: Uint32Array }[] = []
  /** While it is kept: whose names were counted up (entry + 1) and down (the same below zero), in pairs with the layer. */
  #journal: { rows: number; stored: number; visible: number; steps: number[] } | null = null

  /** From now on everything can be taken back to here. */
  keepJournal(): void {
    this.#journal = { rows: this.rows.length, stored: this.stored, visible: this.visible, steps: [] }
  }

  /** Takes back what happened since `keepJournal`: the last layer was never there. */
  takeBack(): void {
    const journal = this.#journal
    if (journal === null) return
    for (let i = 0; i < journal.steps.length; i += 2) {
      const entry = Math.abs(journal.steps[i + 1]!) - 1
      this.#layers[journal.steps[i]!]!.names[entry]! += journal.steps[i + 1]! > 0 ? -1 : 1
    }
    this.#layers.pop()
    // Who still shows the rows of before has an array of its own.
    this.rows = this.rows.slice(0, journal.rows)
    this.stored = journal.stored
    this.visible = journal.visible
    this.#journal = null
  }

  addLayer(index: LayerIndex): void {
    this.#layers.push({ size: index.size, names: new Uint32Array(index.entries) })
    this.stored += index.stored
  }

  /** The body has one more name. */
  name(layer: number, entry: number): void {
    const { size, names } = this.#layers[layer]!
    this.#journal?.steps.push(layer, entry + 1)
    if (names[entry]!++ === 0) this.visible += size[entry]!
  }

  /** The body has one name less. */
  unname(layer: number, entry: number, loss: Loss): void {
    const { size, names } = this.#layers[layer]!
    this.#journal?.steps.push(layer, -entry - 1)
    if (--names[entry]! > 0) return
    this.visible -= size[entry]!
    this.lose(layer, entry, loss)
  }

  /** The body never gets a name. */
  lose(layer: number, entry: number, loss: Loss): void {
    const bytes = this.#layers[layer]!.size[entry]!
    if (bytes > 0) this.rows.push({ ...loss, bytes, storedIn: layer })
  }
}

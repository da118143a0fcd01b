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
  readonly rows: WasteRow[] = []
  /** Bytes of all bodies. */
  stored = 0
  /** Bytes of the bodies that have a name. */
  visible = 0
  readonly #layers: { size: Float64Array; names: Uint32Array }[] = []

  addLayer(index: LayerIndex): void {
    this.#layers.push({ size: index.size, names: new Uint32Array(index.entries) })
    this.stored += index.stored
  }

  /** The body has one more name. */
  name(layer: number, entry: number): void {
    const { size, names } = this.#layers[layer]!
    if (names[entry]!++ === 0) this.visible += size[entry]!
  }

  /** The body has one name less. */
  unname(layer: number, entry: number, loss: Loss): void {
    const { size, names } = this.#layers[layer]!
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

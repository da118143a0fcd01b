/** What the thread that reads a stream tells of each file in it, as it comes by. */

import type { LayerIndex } from '../layer/layer-index.ts'
import type { IndexedLayer } from './index-region.ts'

export type StreamItem =
  | { type: 'link'; path: string; target: string }
  | {
      type: 'file'
      path: string
      size: number
      /** Where its bytes begin in the plain archive. */
      offset: number
      digest: string
      content: Uint8Array | null
      layer: IndexedLayer | null
      fault: Failure | null
    }
  /** Bytes of the stream that have been taken: the sender may send as many more. */
  | { type: 'taken'; bytes: number }
  /** The last of all: what was told before has arrived. */
  | { type: 'end' }

/** A Fault on its way between threads. */
export interface Failure {
  message: string
  hint: string | undefined
  exitCode: number
  partial: LayerIndex | null
}

export interface StreamEnd {
  /** Bytes of the plain archive. */
  bytes: number
  /** Why the archive could not be read to its end. */
  broken: Failure | null
}

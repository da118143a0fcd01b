/** What is known of an image that stays in its registry: what looking at its layers costs, and what a pull would bring. */
import type { TocFormat } from '../../layer/toc.ts'

export interface Far {
  /** As image names write it: `docker.io`, `localhost:5000`. */
  registry: string
  /** The format of the table of contents that a layer carries; null: it has none. */
  toc(layer: number): TocFormat | null
  /** Bytes that have to come before the index of a layer is there, about; 0 when it is there already. */
  cost(layer: number): number
  /** Bytes that have to come before the content of a file is there, about. */
  contentCost(layer: number, size: number): number
  /** Bytes of blobs that came so far. */
  transferred(): number
  /**
   * Which of the layers a pull would not have to bring, by layer: what has them. Looked up on this machine when it is
   * asked for the first time.
   */
  here(): (LayerPlace | null)[]
}

/** Where a layer is on this machine. */
export type LayerPlace = 'native' | 'docker' | 'podman'

/**
 * Finds layers on this machine: by the digest of the blob, by the diffIDs of it and all below it, and all of them by the
 * id of an image that is here.
 */
export type FindLayers = (
  layers: readonly { digest: string | null; diffId: string }[],
  id: string,
) => (LayerPlace | null)[]

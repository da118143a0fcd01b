/**
 * An opened image: its config, its steps and its layers, wherever it came from. What a source hands out and the only
 * thing that the command line and the screens know of it.
 */
import type { Work } from '../base/progress.ts'
import type { Digest, ImageConfig, Platform, Step } from '../image/types.ts'
import type { Written } from '../image/written.ts'
import type { Anomaly } from '../layer/entry.ts'
import type { LayerIndex } from '../layer/layer-index.ts'
import type { LiveView } from '../live/live-view.ts'
import type { Far } from './remote/far.ts'
import type { StoreLocation } from './store-types.ts'

export type SourceKind =
  | 'docker-archive'
  | 'oci'
  | 'oci-archive'
  | 'docker-save'
  | 'podman-save'
  | 'docker-store'
  | 'containers-storage'
  | 'containerd-store'
  /** Through a helper container (`--fast-remote`). */
  | 'docker-helper'
  | 'podman-helper'
  /** The native engine's own. */
  | 'strata-store'
  /** It was not pulled. */
  | 'registry'
  | 'sample'

/** What is known of a layer before it is indexed. */
export interface LayerInfo {
  /** 0-based, bottom first. */
  index: number
  diffId: Digest
  chainId: Digest
  /** Digest of the blob as it is stored (compressed), null when it is not known. */
  digest: Digest | null
  mediaType: string
  /** Bytes of the compressed blob; null when the layer is stored plain or its size is not known. */
  compressed: number | null
  /** Bytes as known before indexing (blob, tar or engine's figure), for the first frame; null when not known. */
  roughBytes: number | null
}

/** A manifest that stands beside the image: of another platform, or no image at all. Shown, never taken for a platform. */
export interface OtherManifest {
  kind: 'image' | 'attestation' | 'signature' | 'artifact' | 'index'
  digest: Digest
  mediaType: string
  /** What an artifact says it is: its artifactType, or the media type of its config. null: nothing says. */
  artifactType: string | null
  /** null where nothing says; `unknown/unknown` of attestations is given as null. */
  platform: Platform | null
  names: string[]
  /** Whether its manifest is here too. */
  present: boolean
}

/** What describes an image, byte by byte. */
export interface Documents {
  config: Uint8Array
  /** null: there is none, or it does not describe the layers as they are kept. */
  manifest: { mediaType: string; bytes: Uint8Array } | null
}

/** What was written of a layer. */
export interface CopiedLayer {
  /** Of what was written, and of the tar in it. */
  digest: Digest
  diffId: Digest
  bytes: number
  tarBytes: number
  compression: 'none' | 'gzip' | 'zstd' | 'xz' | 'bzip2'
}

export interface Image {
  /** As the person wrote it. */
  reference: string
  /** Names that the archive or engine gives this image (`repo:tag`). */
  names: string[]
  source: SourceKind
  /** Digest of the config: Docker's image id. */
  id: Digest
  /** Digest of the manifest, null when there is none. */
  digest: Digest | null
  platform: Platform
  config: ImageConfig
  /** The raw config, for `inspect`. */
  rawConfig: unknown
  steps: Step[]
  layers: LayerInfo[]
  /** Manifests of the same archive or layout that were not opened; missing where a source knows of none. */
  others?: readonly OtherManifest[]
  /** The engine's store that it is read from, where it is one of this machine. */
  location?: StoreLocation
  /** Of a container: its topmost layer is alive. */
  live?: LiveView
  /** Of an image that stays in its registry: what looking at its layers costs. */
  far?: Far
  /** The Dockerfile that the person has beside it, and the stage of it that was built. */
  written?: { file: Written; target: string | undefined }
  /** Met while opening; what the layers add comes with their indexes. */
  anomalies: Anomaly[]
  /**
   * The index of one layer, from the cache or made in a worker. Calls for several layers run in parallel.
   * A broken layer rejects with a Fault naming layer, offset and entry; `partial` of it holds what could be read.
   */
  indexLayer(layer: number, work?: Work): Promise<LayerIndex>
  /**
   * The content of a regular file, by its entry in the layer's index (hard links: the caller resolves them first).
   * Yields chunks; holes of sparse files come as zeros. `start`/`end` in bytes bound what is read. `of`: the index that the
   * entry is one of, for a layer that is alive and may have another by now.
   */
  readFile(
    layer: number,
    entry: number,
    options?: { start?: number; end?: number; signal?: AbortSignal; of?: LayerIndex },
  ): AsyncIterable<Uint8Array>
  /**
   * The layer's tar as it was packed, not compressed: the bytes that its diffID is the digest of. Whoever keeps or unpacks
   * them compares that. @throws Fault when they are not here.
   */
  layerTar(layer: number, options?: { signal?: AbortSignal | undefined }): AsyncIterable<Uint8Array>
  /** Writes a layer into an open file as it is kept, compressed or not. Whoever keeps it compares the digests. */
  copyLayer(layer: number, to: number, work?: Work): Promise<CopiedLayer>
  /** @throws Fault when the image has no documents that could be handed on (archives of Docker before 1.10). */
  documents(work?: Work): Promise<Documents>
  /** CRC-32 of the contents of these entries of a layer, by entry. Used where rule 12 asks whether content differs. */
  hashFiles(layer: number, entries: Uint32Array, work?: Work): Promise<Uint32Array>
  close(): Promise<void>
}

/** A layer that could be read in part only. */
export interface BrokenLayer {
  partial: LayerIndex | null
}

/** What the reader of a format finds, before it becomes an Image. */
import type { Digest, ImageConfig, Platform } from '../image/types.ts'
import type { Anomaly } from '../layer/entry.ts'
import type { StoredFile } from './folder.ts'
import type { Documents, OtherManifest, SourceKind } from './types.ts'

/** Which image of an archive or layout is wanted. All null: the one there is, or the first. */
export interface Choice {
  /** As after the path: `repo:tag`, a tag, a digest or the start of an image id. */
  name: string | null
  /** 0-based. */
  position: number | null
  platform: Platform | null
}

export interface FoundImage {
  source: SourceKind
  names: string[]
  id: Digest
  digest: Digest | null
  config: ImageConfig
  rawConfig: unknown
  /** null: it has none that could be handed on. */
  documents: Documents | null
  layers: FoundLayer[]
  anomalies: Anomaly[]
  others: OtherManifest[]
}

export interface FoundLayer {
  /** null: its bytes are not here, `missing` says why. */
  file: StoredFile | null
  missing: string
  /** What the manifest says of the blob; null where nothing does. */
  digest: Digest | null
  size: number | null
  mediaType: string
}

/** An anomaly of the image as a whole. */
export function imageAnomaly(kind: string, text: string): Anomaly {
  return { layer: null, path: null, kind, text }
}

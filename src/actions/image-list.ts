/** The images of this machine as the Images screen shows them, and where they come from. */
import type { Digest } from '../image/types.ts'

/** One line of the list: one name of one image. An image with several names has several rows, all of one `id`. */
export interface ImageRow {
  /** Stays the same while the row means the same thing: engine, id and name. */
  key: string
  /** What `services.open` takes. */
  reference: string
  /** null: `<none>`, no name points at this image. */
  repository: string | null
  tag: string | null
  /** `docker`, `podman`, `native`, `archive`. */
  engine: string
  id: Digest
  /** Milliseconds since 1970, null when the image does not say. */
  created: number | null
  /** Bytes of all its layers, null while they are not known. */
  size: number | null
  /** Bytes that deleting it would free, null while they are not known. */
  unique: number | null
  /** How many containers were made of it, null when nobody asked. */
  containers: number | null
  /** What a look at the image itself told; null until then. */
  detail: ImageDetail | null
}

/** What the panel beside the list tells. */
export interface ImageDetail {
  steps: number
  /** Stored bytes by layer, bottom first. */
  layers: number[]
  platform: string
  /** Name of the image that it was built on and its bytes; null when it is not known. */
  base: { name: string; bytes: number } | null
  /** How many other images share layers with it; null when it is not known. */
  sharedWith: number | null
}

/** An engine and whether it answers. */
export interface EngineStatus {
  name: string
  version: string | null
  state: 'asking' | 'up' | 'down'
  /** Why it is down, a sentence. */
  reason: string | null
}

/** What is known so far; each one handed out replaces the one before. */
export interface ImageListing {
  engines: EngineStatus[]
  rows: ImageRow[]
  /** Whether more is coming of the same look. */
  complete: boolean
}

export interface ImageLister {
  /** Looks once; every state of knowledge is handed out, the first one at once. Ends when all engines have answered. */
  list(signal: AbortSignal): AsyncIterable<ImageListing>
  /** What the panel shows of one row. */
  detail(row: ImageRow, signal: AbortSignal): Promise<ImageDetail>
}

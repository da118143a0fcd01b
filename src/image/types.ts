/** What an image says of itself: its config, its history, its platform. Shapes of the OCI image-spec, in our names. */

/** `sha256:<64 hex>` */
export type Digest = string

export interface Platform {
  os: string
  architecture: string
  variant: string | null
}

/** The part of the config that a container starts with. */
export interface RunConfig {
  env: string[]
  workingDir: string
  user: string
  /** null: none. An empty array was set to empty. */
  entrypoint: string[] | null
  cmd: string[] | null
  exposedPorts: string[]
  volumes: string[]
  labels: Record<string, string>
  shell: string[] | null
  stopSignal: string | null
  healthcheck: Healthcheck | null
  onBuild: string[]
}

/** Times in nanoseconds as Docker stores them, 0: not set. `test` is ['NONE'], ['CMD', …] or ['CMD-SHELL', …]. */
export interface Healthcheck {
  test: string[]
  interval: number
  timeout: number
  startPeriod: number
  startInterval: number
  retries: number
}

export interface HistoryLine {
  /** As it stands in the config; null when absent. */
  created: string | null
  createdBy: string | null
  comment: string | null
  author: string | null
  emptyLayer: boolean
}

/** A parsed image config. Everything foreign in it has been read through zod and bounded. */
export interface ImageConfig {
  platform: Platform
  created: string | null
  author: string | null
  run: RunConfig
  diffIds: Digest[]
  history: HistoryLine[]
  /** `Parent` of images that the classic builder made, and its `container_config`: null when absent. */
  parent: Digest | null
}

/**
 * One history step, 1-based as in `NAME@STEP`. A layer that no history line accounts for gets a step with createdBy null,
 * so that every layer has exactly one step.
 */
export interface Step extends HistoryLine {
  /** 1-based. */
  index: number
  /** Index of the layer that it made (0-based, bottom first), null when it made none. */
  layer: number | null
  /** The image that ends at this step, where an engine knows one. */
  imageId: Digest | null
}

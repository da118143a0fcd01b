/** How far a long function is. Every long function takes an AbortSignal and may report this. */
export interface Progress {
  /** Bytes done so far. */
  done: number
  /** Bytes in all, null when nobody knows. */
  total: number | null
}

/** What every long function takes: a way to stop it and a way to hear of it. */
export interface Work {
  signal?: AbortSignal | undefined
  onProgress?: ((progress: Progress) => void) | undefined
}

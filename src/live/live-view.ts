/** What shows a container needs of its upper layer: how it stands now, and a word when it has changed. */
import type { LayerIndex } from '../layer/layer-index.ts'
import type { LiveLayer } from './live-layer.ts'
import type { Measured } from './measure-mounts.ts'

/** What lies in a container and not in its upper layer: a volume, a directory of the machine, memory, its log. */
export interface Mount {
  kind: 'bind' | 'volume' | 'tmpfs' | 'log' | 'other'
  /** Where it really lies. */
  source: string
  /** In the container; '' for what it does not see. */
  destination: string
}

/** A container's upper layer while somebody looks at it. */
export interface LiveView {
  /** The layer's number: one above those of the image. */
  readonly number: number
  readonly layer: LiveLayer
  /** `web` */
  readonly container: string
  readonly mounts: readonly Mount[]
  /** How much lies in one of them; null where that can not be told from here. */
  measure(mount: Mount, signal: AbortSignal): Promise<Measured | null>
  /** The index as of now; entry numbers mean this one until it is taken again. */
  take(): LayerIndex
  /** Whether it is told as it happens, or every so many milliseconds. */
  every(): number | null
  /** A sentence where something is not as it should be: it can not be watched any more, events are not to be had. */
  notice(): string | null
  /** Whether the first look is over. */
  ready(): boolean
  /** Called after each batch; the returned function ends that. */
  subscribe(changed: () => void): () => void
}

/** Whoever feeds it: `feed` runs until `close`, and its failure becomes the notice. */
export interface Fed extends LiveView {
  taken(): LayerIndex
  setNotice(text: string | null): void
  setEvery(ms: number | null): void
  fed(): void
}

/** A view without anything in it yet. */
export function createLiveView(
  number: number,
  container: string,
  mounts: readonly Mount[],
  layer: LiveLayer,
  measure: LiveView['measure'] = async () => null,
): Fed {
  const listeners = new Set<() => void>()
  let every: number | null = null
  let notice: string | null = null
  let ready = false
  let taken: LayerIndex | null = null
  const take = () => (taken = layer.index())
  return {
    number,
    container,
    mounts,
    measure,
    layer,
    take,
    taken: () => taken ?? take(),
    every: () => every,
    notice: () => notice,
    ready: () => ready,
    subscribe(changed) {
      listeners.add(changed)
      return () => listeners.delete(changed)
    },
    setNotice(text) {
      notice = text
    },
    setEvery(ms) {
      every = ms
    },
    fed() {
      ready = true
      for (const listener of listeners) listener()
    },
  }
}

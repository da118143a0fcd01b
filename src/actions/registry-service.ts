/** Registries as the screens reach them: names that go on, what looking or pulling would bring, and pulling. */
import type { Digest } from '../image/types.ts'

/** An image of a registry, before anybody has decided what becomes of it. */
export interface Offer {
  /** What `services.open` takes. */
  reference: string
  /** As it is shown. */
  name: string
  layers: number
  /** Bytes of all its layers as they are stored there. */
  bytes: number
  /** What a pull would bring. */
  pull: { layers: number; bytes: number }
  /** Bytes that have to come to see all of its files; and of how many layers the whole has to come for that. */
  look: { bytes: number; whole: number }
  /** Whether the engines of this machine have layers that the native store has not. */
  elsewhere: { engine: string; layers: number } | null
}

/** One layer of a pull that is under way. */
export interface PullProgress {
  layer: Digest
  done: number
  /** null: nobody knows. */
  total: number | null
  /** A word for what happens to it. */
  doing: string
  /** It is there. */
  over: boolean
}

export interface RegistryService {
  /** Names that go on from what was typed: those of this machine, and tags of the repository that is named. Never fails. */
  complete(text: string): Promise<string[]>
  /** Asks for the image, not for its layers. Rejects with a Fault. */
  offer(name: string, signal: AbortSignal): Promise<Offer>
  /** Into the native store. Gives the key of its row in the list of images. Rejects with a Fault. */
  pull(name: string, options: { signal: AbortSignal; progress(of: PullProgress): void }): Promise<{ key: string }>
}

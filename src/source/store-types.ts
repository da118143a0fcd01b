/** What the readers of the engines' own stores take and give. */
import type { Work } from '../base/progress.ts'
import type { ImageName } from '../image/image-name.ts'
import type { Digest, Platform } from '../image/types.ts'
import type { Image, SourceKind } from './types.ts'

export type StoreKind = Extract<SourceKind, 'docker-store' | 'containers-storage' | 'containerd-store'>

/** A place where an engine keeps its images. */
export interface StoreLocation {
  kind: StoreKind
  /** Docker's data root, the graphroot of containers/storage, containerd's root. */
  root: string
  /** The storage driver in use where the engine says it; null: whichever have left something there. */
  driver: string | null
  /** Further image stores that layers may lie in (`additionalimagestores` of storage.conf). */
  also: readonly string[]
}

/** Why a store was not read. */
export interface StoreReason {
  location: StoreLocation
  /**
   * `unsettled`: it changed all the time. `foreign`: it is not what that engine writes. `incomplete`: it has the image,
   * and not all that reading it takes.
   */
  kind: 'permission' | 'unsettled' | 'foreign' | 'incomplete'
  /** One sentence. */
  text: string
  /** What would help, a sentence. */
  hint: string | null
}

/** `reason` null: nothing is wrong, the store has no such image. */
export type StoreAnswer = { image: Image; reason: null } | { image: null; reason: StoreReason | null }

export interface StoreOptions {
  /** As the person wrote it. */
  reference: string
  platform: Platform | null
  /** Where indexes are kept; null: nowhere. */
  cacheFolder: string | null
  signal?: Work['signal']
  /**
   * Opens the same image from the next source. Asked once, when a layer turns out to be damaged or gone in the store
   * after the image was opened; null: there is none.
   */
  next?: (() => Promise<Image | null>) | undefined
}

/** Which image is wanted: a name, or an id. */
export type Wanted = ImageName

/** An image as a store lists it. */
export interface StoreListing {
  id: Digest
  /** `repo:tag`, as the engine itself writes it. */
  names: string[]
  /** `repo@sha256:…` */
  digests: string[]
  parent: Digest | null
  /** Seconds since 1970; null when it says none. */
  created: number | null
  /** Bytes, as the engine counts them; null where it keeps no figure. */
  size: number | null
  location: StoreLocation
  /** Its layers are not all there; missing: they are, or nobody looked. */
  incomplete?: boolean
}

/**
 * What an engine's disk holds: every layer once with who needs it, images, containers, volumes, build cache. Docker, Podman
 * and the native engine answer with the same records; a size that nobody tells is null and never made up.
 */
import type { Digest } from '../image/types.ts'
import type { ContainerState } from './containers.ts'

/** The disk of one engine. */
export interface DiskUsage {
  /** Bottom ones before those that stand on them, as far as the engine says. */
  layers: readonly StoredLayer[]
  images: readonly StoredImage[]
  containers: readonly StoredContainer[]
  volumes: readonly StoredVolume[]
  cache: readonly CacheEntry[]
  /** Bytes of all layers as the engine itself sums them up; null where it does not. */
  layerBytes: number | null
  /** What could not be found out, in sentences. */
  unknown: readonly string[]
}

/**
 * A layer, or what else is stored of images: `blob` a compressed layer or a document as it came, `layer` one that is
 * unpacked.
 */
export interface StoredLayer {
  /** Unique in its engine: a chain id, or `blob DIGEST`. */
  id: string
  kind: 'layer' | 'blob'
  /** Of the tar or the blob. */
  digest: Digest
  /** Bytes on the engine's disk, as the engine counts them; null when it does not tell. */
  bytes: number | null
  /** What made it: the line of the history; '' when nobody tells. */
  createdBy: string
  /** Ids of the images that need it. */
  images: readonly Digest[]
  /** Ids of the containers that need it. */
  containers: readonly string[]
  /** Ids of the entries of the build cache that need it. */
  cache: readonly string[]
  /** Something else needs it that runs just now: it can not be freed. */
  busy: boolean
}

export interface StoredImage {
  id: Digest
  /** As the engine shows them; none for a dangling one. */
  names: readonly string[]
  /** Seconds since 1970. */
  created: number | null
  /** Bytes as the engine counts them, what others have too included; null when it does not tell. */
  bytes: number | null
  /** Ids of its layers, bottom first, and of its blobs. */
  layers: readonly string[]
  /** Names of another engine's containers that stand on its layers. */
  lentTo?: readonly string[]
}

export interface StoredContainer {
  id: string
  name: string
  /** As the person wrote it. */
  image: string
  imageId: Digest | null
  state: ContainerState
  /** The engine's own words. */
  status: string
  created: number
  /** Bytes of its upper layer; null when it is not told. */
  upperBytes: number | null
  /** Bytes of its log's files; null when they can not be seen from here. */
  logBytes: number | null
  layers: readonly string[]
  /** Names of the volumes that it mounts. */
  volumes: readonly string[]
  /** Chain ids of layers, bottom first, that lie in the store of another engine; nothing where they are its engine's own. */
  borrows?: readonly string[]
}

export interface StoredVolume {
  name: string
  driver: string
  /** Made without a name, for one container. */
  anonymous: boolean
  /** null when its driver does not tell. */
  bytes: number | null
  /** Ids of the containers that mount it. */
  users: readonly string[]
  /** Something uses it of which the engine's list of containers does not tell. */
  busy: boolean
  /** Seconds since 1970. */
  created: number | null
}

export interface CacheEntry {
  id: string
  /** Entries that it stands on. */
  parents: readonly string[]
  /** `regular`, `source.local`, `exec.cachemount` … */
  type: string
  description: string
  bytes: number
  /** A build needs it right now. */
  inUse: boolean
  /** It is a layer of an image too: its bytes are counted there. */
  shared: boolean
  /** Seconds since 1970. */
  lastUsed: number | null
}

/** Who uses what, asked again right before something is removed: cheap, no sizes. */
export interface Holders {
  containers: readonly {
    id: string
    name: string
    state: ContainerState
    imageId: Digest | null
    volumes: readonly string[]
  }[]
  images: readonly { id: Digest; names: readonly string[] }[]
  volumes: readonly string[]
}

/** Something that can be removed by itself. */
export type Piece =
  | { kind: 'container'; id: string }
  | { kind: 'image'; id: Digest; names: readonly string[] }
  | { kind: 'volume'; id: string }
  | { kind: 'cache'; id: string }
  /** Of the native store alone. */
  | { kind: 'layer'; id: string }

/** What an engine can tell of its disk, and remove from it. */
export interface Storage {
  /** Whether there is a build cache and volumes that could be removed. */
  readonly holds: { volumes: boolean; cache: boolean; layers: boolean }
  /** Looks at everything; with many containers and volumes it takes long. Throws a Fault when the engine does not answer. */
  usage(options?: { signal?: AbortSignal | undefined }): Promise<DiskUsage>
  holders(options?: { signal?: AbortSignal | undefined }): Promise<Holders>
  /**
   * Removes them without force, in this order; what is in use stays. Gives why a piece stayed, in the order of the pieces;
   * null: it is gone.
   */
  remove(pieces: readonly Piece[], options?: { signal?: AbortSignal | undefined }): Promise<(string | null)[]>
}

/**
 * The index of one layer: every entry in tar order, as typed arrays with interned names. Immutable, transferable
 * between threads, and what the cache file holds. Nothing in it is keyed by an object per file.
 *
 * Names live in a trie of the layer's own paths: node 0 is the root, a parent's id is smaller than its children's, and
 * a node's name is one path component. Several entries may share a node (one path twice in one tar): the last one wins.
 */
import type { Anomaly, Xattrs } from './entry.ts'

export type HashKind = 'crc32' | 'crc64' | 'sha256'

export interface LayerIndex {
  /** How many entries there are, markers included. */
  readonly entries: number
  /** How many nodes the path trie has, the root included. */
  readonly nodes: number
  /** Parent node of a node; the root is its own parent. */
  readonly parent: Uint32Array
  /** Where a node's name starts in `names`; one longer than `nodes`, so that the next start ends it. */
  readonly nameStart: Uint32Array
  readonly names: Uint8Array

  /** Columns, one value an entry. */
  readonly node: Uint32Array
  /** Kind */
  readonly kind: Uint8Array
  readonly mode: Uint16Array
  /** Index into `owners`. */
  readonly owner: Uint32Array
  /** Logical bytes of regular files, 0 for everything else. */
  readonly size: Float64Array
  /** Seconds since 1970. */
  readonly mtime: Float64Array
  /** Nanoseconds; null when no entry has any. */
  readonly nsec: Uint32Array | null
  /** Byte offset of the first header block in the uncompressed tar; null where there is no tar. */
  readonly offset: Float64Array | null
  /** A hash of the content; only where `hashed` is 1. null: nothing is hashed. */
  readonly crc: Uint32Array | null
  readonly hashed: Uint8Array | null
  /**
   * What `crc` is: CRC-32, CRC-64/ISO folded to 32 bits as the engines' stores keep it, or the first four bytes of a
   * sha256 as tables of contents do. Never compared across.
   */
  readonly hashKind: HashKind | null
  /** Index into `links` + 1, 0 for entries that are no link. */
  readonly link: Uint32Array
  /** Index into `xattrs` + 1, 0 for none; null when no entry has any. */
  readonly xattr: Uint32Array | null
  /** Entry numbers of devices with their major and minor numbers: triples. */
  readonly devices: Float64Array

  /** uid, gid pairs. */
  readonly owners: Float64Array
  /** Link targets. Start offsets, one more than there are targets. */
  readonly linkStart: Uint32Array
  readonly linkBytes: Uint8Array
  /** The distinct sets of extended attributes, with what they are equal by. */
  readonly xattrs: readonly { key: string; attrs: Xattrs }[]

  /** Bytes of the uncompressed tar. */
  readonly tarBytes: number
  /** Sum of `size`: the layer's stored bytes. */
  readonly stored: number
  /** sha256 of the uncompressed tar where the bytes passed through, else null. */
  readonly diffId: string | null
  readonly anomalies: readonly Anomaly[]
  /** Indexes of one lineage grow: a node of one that was made before is the same path in those made later. */
  readonly lineage?: object
}

/**
 * One path in one layer. Kinds are numbers because an index holds millions of them in a column.
 * `whiteout` and `opaque` are markers: they hide what lies below and are never listed (README.md, rules 1 to 4).
 */
export const Kind = {
  file: 0,
  dir: 1,
  symlink: 2,
  hardlink: 3,
  char: 4,
  block: 5,
  fifo: 6,
  /** hides the lower entry of this name */
  whiteout: 7,
  /** hides everything lower in this directory */
  opaque: 8,
} as const
export type Kind = (typeof Kind)[keyof typeof Kind]

/** The names of the public JSON, by Kind. */
export const kindNames = ['file', 'dir', 'symlink', 'hardlink', 'char', 'block', 'fifo', 'whiteout', 'opaque'] as const

/** Extended attributes by name; values are bytes. */
export type Xattrs = ReadonlyMap<string, Uint8Array>

/** An entry as the tar scanner hands it out, and as an index gives it back: one at a time, never kept in bulk. */
export interface Entry {
  /** The name as it stands in the archive, not yet normalised. */
  path: Uint8Array
  kind: Kind
  /** Logical size of a regular file's content in bytes. What a header claims for other kinds means nothing. */
  size: number
  /** The lower 12 bits: permissions, setuid, setgid, sticky. */
  mode: number
  uid: number
  gid: number
  /** Seconds since 1970; may be negative. */
  mtime: number
  /** Nanoseconds on top of mtime, 0..999999999. */
  nsec: number
  /** Target of a symbolic or hard link, as bytes; null for everything else. */
  link: Uint8Array | null
  devMajor: number
  devMinor: number
  xattrs: Xattrs | null
  /** Only parts of the content are stored; the rest are holes. */
  sparse: boolean
  /** Where the entry's first header block stands in the uncompressed layer tar, bytes. -1: there is no tar. */
  offset: number
}

/** Something odd that was met and survived. It travels with the data and is shown. */
export interface Anomaly {
  /** Index of the layer, null when it concerns the image. */
  layer: number | null
  /** The path it concerns, as bytes; null when it concerns the whole layer or image. */
  path: Uint8Array | null
  /** A short stable word: `digest-mismatch`, `whiteout-missing`, `duplicate-path`, `truncated`, … */
  kind: string
  /** One sentence. Not escaped: whoever shows it makes it safe. */
  text: string
}

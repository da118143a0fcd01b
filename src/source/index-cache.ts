/**
 * Indexes of layers on the disk, so that a layer is read once in its life. Under its diffID only when its bytes were
 * hashed to it, or a store vouches for it; a tar that was only seeked through is kept under its file instead, so that
 * an archive that lies about its layers spoils no other image. The cache is a convenience: what is corrupt, foreign or
 * old in it counts as missing, and a cache that can not be written is no error.
 */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type ZstdOptions, constants as zlib, zstdCompressSync, zstdDecompress, zstdDecompressSync } from 'node:zlib'
import envPaths from 'env-paths'
import type { Digest } from '../image/types.ts'
import { decodeIndex, encodeIndex } from '../layer/index-codec.ts'
import type { LayerIndex } from '../layer/layer-index.ts'
import { type CacheFile, prune, readCacheFile, writeCacheFile } from './cache-file.ts'
import type { IndexedLayer } from './index-region.ts'
import type { Compression } from './sniff.ts'

/** Where the index of one layer may be found and is to be kept. Goes over to the threads. */
export interface CacheSlot {
  /** The cache's folder. */
  folder: string
  /** Of the layer's bytes in their file, see StoredFile; null: they have none. */
  identity: string | null
  /** What the image says; null when it says nothing, or when it is not to be believed before it is verified. */
  diffId: Digest | null
  /** Bytes of the tar where they are known beforehand: an index of another length is not this layer's. */
  tarBytes: number | null
  /** Whoever keeps an index here looks after the size of the cache: one layer of a run does. */
  prune?: boolean
}

/** What is known with a kept index. */
interface Meta {
  /** The index is that of this diffID, kept under it. */
  see: Digest | null
  digest: Digest | null
  compression: Compression
  tarBytes: number
}

/** `$XDG_CACHE_HOME/strata`, or where the system keeps such things. */
export function defaultCacheFolder(): string {
  return envPaths('strata', { suffix: '' }).cache
}

/** A kept index, still packed; null when there is none. Cheap: reads one or two files. */
export function findIndex(slot: CacheSlot): PackedIndex | null {
  return findByFile(slot) ?? findByDiffId(slot)
}

export interface PackedIndex {
  packed: Uint8Array
  plainBytes: number
  digest: Digest | null
  compression: Compression
}

/** A packed index up to so many bytes is unpacked on the spot: sooner done than handed to a thread of zlib's. */
const SMALL = 128 << 10

/** The index that is kept for a layer, unpacked and checked; null when there is none, or it is damaged. */
export async function loadIndex(slot: CacheSlot): Promise<IndexedLayer | null> {
  const found = findIndex(slot)
  if (found === null) return null
  if (found.packed.length <= SMALL) return openIndex(found)
  const bytes = await unpacked(found.packed, sized(found)).catch(() => null)
  return bytes && decoded(bytes, found)
}

/** Unpacks and checks a kept index; null when it is damaged. */
export function openIndex(found: PackedIndex): IndexedLayer | null {
  try {
    return decoded(zstdDecompressSync(found.packed, sized(found)), found)
  } catch {
    return null
  }
}

const unpacked = promisify<Uint8Array, ZstdOptions, Buffer>(zstdDecompress)

/** All of it in one piece: gathered from many it would be there twice. No more than it is said to be, and a bound on that. */
function sized({ plainBytes }: PackedIndex): ZstdOptions {
  return { maxOutputLength: Math.max(1, plainBytes), chunkSize: Math.min(Math.max(1 << 14, plainBytes + 1), 1 << 28) }
}

function decoded(bytes: Uint8Array, { plainBytes, digest, compression }: PackedIndex): IndexedLayer | null {
  try {
    return bytes.length === plainBytes ? { index: decodeIndex(bytes), digest, compression } : null
  } catch {
    return null
  }
}

/** Keeps what was read of a layer: under its own diffID where it was hashed, and under its file in any case. */
export function keepIndex(slot: CacheSlot, { index, digest, compression }: IndexedLayer): void {
  const meta = { digest, compression, tarBytes: index.tarBytes }
  const hashed = index.diffId !== null && digest !== null
  if (hashed) write(slot.folder, diffIdKey(index.diffId!), { ...meta, see: null }, index)
  if (slot.identity !== null) {
    write(slot.folder, fileKey(slot.identity), { ...meta, see: hashed ? index.diffId : null }, hashed ? null : index)
  }
  if (slot.prune) prune(slot.folder)
}

/** Keeps an index under a diffID that an engine's own store vouches for. `look`: looks after the size of the cache, too. */
export function keepVouched(folder: string, diffId: Digest, index: LayerIndex, look = true): void {
  write(folder, diffIdKey(diffId), { see: null, digest: null, compression: 'none', tarBytes: index.tarBytes }, index)
  if (look) prune(folder)
}

/** Adds content hashes that were learnt later to the kept index of this layer, if there is one. */
export function keepHashes(slot: CacheSlot, entries: Uint32Array, sums: Uint32Array): void {
  const found = findIndex(slot)
  const kept = found === null ? null : openIndex(found)
  if (kept === null) return
  const { index } = kept
  if (index.hashKind !== null && index.hashKind !== 'crc32') return
  const crc = index.crc?.slice() ?? new Uint32Array(index.entries)
  const hashed = index.hashed?.slice() ?? new Uint8Array(index.entries)
  for (let i = 0; i < entries.length; i++) {
    if (entries[i]! >= index.entries) return
    crc[entries[i]!] = sums[i]!
    hashed[entries[i]!] = 1
  }
  const updated = { ...kept, index: { ...index, crc, hashed, hashKind: 'crc32' as const } }
  // What this file holds is not said of the diffID: the index may be that of another image's file.
  if (findByFile(slot) === null)
    keepIndex(slot, { ...updated, digest: null, index: { ...updated.index, diffId: null } })
  else keepIndex(slot, updated)
}

function findByFile(slot: CacheSlot): PackedIndex | null {
  if (slot.identity === null) return null
  const file = readCacheFile(pathOf(slot.folder, fileKey(slot.identity)), fileKey(slot.identity))
  const meta = file && metaOf(file)
  if (!meta) return null
  if (meta.see === null) return packedOf(file!, meta)
  const other = readCacheFile(pathOf(slot.folder, diffIdKey(meta.see)), diffIdKey(meta.see))
  const otherMeta = other && metaOf(other)
  return otherMeta && otherMeta.see === null ? packedOf(other!, meta) : null
}

function findByDiffId(slot: CacheSlot): PackedIndex | null {
  if (slot.diffId === null || slot.diffId === '') return null
  const key = diffIdKey(slot.diffId)
  const file = readCacheFile(pathOf(slot.folder, key), key)
  const meta = file && metaOf(file)
  if (!meta || meta.see !== null || (slot.tarBytes !== null && slot.tarBytes !== meta.tarBytes)) return null
  // Whoever else stored the layer may have packed it otherwise.
  return { ...packedOf(file!, meta), digest: null }
}

function packedOf(file: CacheFile, meta: Meta): PackedIndex {
  return { packed: file.payload, plainBytes: file.plainBytes, digest: meta.digest, compression: meta.compression }
}

function metaOf(file: CacheFile): Meta | null {
  const meta = file.meta as Partial<Meta>
  const texts = [meta.see, meta.digest].every(one => one === null || typeof one === 'string')
  return texts && typeof meta.tarBytes === 'number' && typeof meta.compression === 'string' ? (meta as Meta) : null
}

function write(folder: string, key: string, meta: Meta, index: LayerIndex | null): void {
  const plain = index === null ? new Uint8Array(0) : encodeIndex(index)
  if (plain === null) return
  const packed = zstdCompressSync(plain, { params: { [zlib.ZSTD_c_compressionLevel]: 1 } })
  writeCacheFile(pathOf(folder, key), key, { meta, payload: packed, plainBytes: plain.length })
}

function diffIdKey(diffId: Digest): string {
  return `diffid ${diffId}`
}

function fileKey(identity: string): string {
  return `file ${identity}`
}

function pathOf(folder: string, key: string): string {
  const hex = createHash('sha256').update(key).digest('hex')
  return join(folder, 'layers', hex.slice(0, 2), `${hex.slice(2)}.idx`)
}

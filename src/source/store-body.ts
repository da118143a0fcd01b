/**
 * The content of files in a store, and their CRC-32. A file must have the size that the index says. Where anything else
 * about it is odd (its time, or fewer bytes on the disk than it has, as files of overlayfs have that only stand for
 * others), it is read through first and must have the sum that the index has; without
 * a sum it is refused.
 */
import { closeSync, type Stats } from 'node:fs'
import { crc32 } from 'node:zlib'
import { Fault } from '../base/errors.ts'
import { safeBytes } from '../base/text.ts'
import { Kind } from '../layer/entry.ts'
import type { LayerIndex } from '../layer/layer-index.ts'
import { pathOf } from '../layer/path-tree.ts'
import { type Control, controlOf } from './cancel.ts'
import { readChunks } from './region.ts'
import { Crc64 } from './store-crc64.ts'
import { type LayerFolder, openLayerFolder } from './store-folder.ts'

/** A regular file of a layer as its index has it. */
export interface StoreFile {
  path: Uint8Array
  size: number
  mtime: number
  /** What the index knows of the content; null: nothing. */
  sum: { kind: 'crc32' | 'crc64'; value: number } | null
}

/** The regular file of an entry. @throws Fault when it is none. */
export function storeFileAt(index: LayerIndex, entry: number, name: string): StoreFile {
  if (index.kind[entry] !== Kind.file) throw new Fault(`Entry ${entry} of ${name} is no regular file.`)
  const { hashKind } = index
  const known = hashKind !== null && hashKind !== 'sha256' && index.hashed?.[entry] === 1
  return {
    path: pathOf(index, index.node[entry]!),
    size: index.size[entry]!,
    mtime: index.mtime[entry]!,
    sum: known ? { kind: hashKind, value: index.crc![entry]! } : null,
  }
}

export interface StoreHashJob {
  /** Of the layer, for errors. */
  name: string
  /** The layer's directory. */
  directory: string
  files: StoreFile[]
}

/** How much work hashing them is, for the pool. */
export function hashWeight(files: readonly StoreFile[]): number {
  return files.reduce((sum, file) => sum + 2 * file.size, 0)
}

/** The content of a file from `start` to `end` in chunks. @throws Fault when it is not what was indexed. */
export async function* readStoreFile(
  directory: string,
  file: StoreFile,
  { name, start, end, signal }: { name: string; start: number; end: number; signal?: AbortSignal | undefined },
): AsyncGenerator<Uint8Array> {
  const folder = openLayerFolder(directory, name)
  try {
    const fd = await openFile(folder, file, name, controlOf(signal))
    try {
      let missing = Math.max(0, Math.min(end, file.size) - start)
      for await (const chunk of readChunks({ fd, start: 0, size: file.size }, start, end, signal)) {
        missing -= chunk.length
        yield chunk
      }
      if (missing > 0) throw changed(file, name)
    } finally {
      closeSync(fd)
    }
  } finally {
    folder.close()
  }
}

/** CRC-32 of the contents of files, in their order. @throws Fault when one is not what was indexed. */
export async function hashStoreFiles({ directory, files, name }: StoreHashJob, control: Control): Promise<Uint32Array> {
  const sums = new Uint32Array(files.length)
  const folder = openLayerFolder(directory, name)
  let done = 0
  try {
    for (const [at, file] of files.entries()) {
      const fd = await openFile(folder, file, name, control)
      try {
        let missing = file.size
        for await (const chunk of readChunks({ fd, start: 0, size: file.size })) {
          control.check()
          sums[at] = crc32(chunk, sums[at])
          missing -= chunk.length
        }
        if (missing > 0) throw changed(file, name)
      } finally {
        closeSync(fd)
      }
      control.progress((done += file.size), null)
    }
  } finally {
    folder.close()
  }
  return sums
}

async function openFile(folder: LayerFolder, file: StoreFile, name: string, control: Control): Promise<number> {
  const { fd, stat } = folder.open(file.path)
  try {
    if (stat.size !== file.size) throw changed(file, name)
    if (isOdd(stat, file) && (await sumOf(fd, file, control)) !== file.sum?.value) throw changed(file, name)
    return fd
  } catch (error) {
    closeSync(fd)
    throw error
  }
}

function isOdd(stat: Stats, file: StoreFile): boolean {
  return stat.size > 0 && (stat.blocks * 512 < stat.size || Math.floor(stat.mtimeMs / 1000) !== file.mtime)
}

/** What the index would have of this content; null where it has no sums. */
async function sumOf(fd: number, { size, sum }: StoreFile, control: Control): Promise<number | null> {
  if (sum === null) return null
  const crc64 = new Crc64()
  let plain = 0
  for await (const chunk of readChunks({ fd, start: 0, size })) {
    control.check()
    if (sum.kind === 'crc64') crc64.update(chunk)
    else plain = crc32(chunk, plain)
  }
  return sum.kind === 'crc64' ? crc64.folded : plain
}

function changed(file: StoreFile, name: string): Fault {
  return new Fault(`“${safeBytes(file.path)}” of ${name} is not what the layer holds: the engine’s store was changed.`)
}

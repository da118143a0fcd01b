/**
 * The tar of a layer, put together again of what an engine's store keeps of it: its tar-split, which is all of the tar but
 * the contents of files, and the directory that they lie in. What comes out is the layer bit by bit, if nobody has
 * changed the store; the diffID tells.
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { Fault } from '../base/errors.ts'
import { safeBytes } from '../base/text.ts'
import type { Pool } from './pool.ts'
import { poured } from './pour.ts'
import { headOf, type Region, readChunks } from './region.ts'
import { compressionOf, SNIFF_BYTES } from './sniff.ts'
import { type LayerFolder, openLayerFolder } from './store-folder.ts'

export interface StoreTar {
  /** The tar-split, compressed as it lies there. */
  path: string
  /** Where the files lie. */
  directory: string
  /** Of the layer, for errors. */
  name: string
}

/** @throws Fault when a file is gone, or is not as long as it was. */
export async function* readStoreTar(
  { path, directory, name }: StoreTar,
  pool: Pool,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const split = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  const files = openLayerFolder(directory, name)
  try {
    for await (const line of linesOf({ fd: split, start: 0, size: fstatSync(split).size }, name, pool, signal)) {
      const piece = parse(line, name)
      if ('bytes' in piece) yield piece.bytes
      else if (piece.size > 0) yield* contentOf(files, piece, name, signal)
    }
  } finally {
    files.close()
    closeSync(split)
  }
}

/** A stretch of the tar itself, or a file whose content comes next. */
type Piece = { bytes: Uint8Array } | { path: Uint8Array; size: number }

/** A line holds at most one extended header and its base64. */
const MAX_LINE = 24 << 20

async function* linesOf(region: Region, name: string, pool: Pool, signal?: AbortSignal): AsyncGenerator<Buffer> {
  const compression = compressionOf(headOf(region, SNIFF_BYTES))
  const plain = compression === 'none' ? readChunks(region) : poured({ region, compression, name }, pool, signal)
  let begun: Uint8Array[] = []
  let length = 0
  for await (const chunk of plain) {
    let at = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, at)) {
      yield Buffer.concat([...begun, chunk.subarray(at, end)])
      begun = []
      length = 0
      at = end + 1
    }
    begun.push(chunk.subarray(at))
    length += chunk.length - at
    if (length > MAX_LINE) throw odd(name, 'a line has no end')
  }
  if (length > 0) yield Buffer.concat(begun)
}

function parse(line: Buffer, name: string): Piece {
  let read: { type?: unknown; payload?: unknown; size?: unknown; name?: unknown; name_raw?: unknown }
  try {
    read = JSON.parse(line.toString('utf8'))
  } catch (error) {
    throw odd(name, 'a line is no JSON', error)
  }
  if (read.type === 2 && typeof read.payload === 'string') return { bytes: Buffer.from(read.payload, 'base64') }
  const size = read.size ?? 0
  if (read.type !== 1 || typeof size !== 'number' || !(size >= 0)) throw odd(name, 'a line is neither bytes nor a file')
  const raw = typeof read.name_raw === 'string' ? Buffer.from(read.name_raw, 'base64') : null
  return { path: raw ?? Buffer.from(typeof read.name === 'string' ? read.name : ''), size }
}

async function* contentOf(
  files: LayerFolder,
  { path, size }: { path: Uint8Array; size: number },
  name: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { fd, stat } = files.open(path)
  try {
    let left = size
    if (stat.size === size) {
      for await (const chunk of readChunks({ fd, start: 0, size }, 0, size, signal)) {
        left -= chunk.length
        yield chunk
      }
    }
    if (left > 0) throw new Fault(`“${safeBytes(path)}” of ${name} is not what the layer holds: its store was changed.`)
  } finally {
    closeSync(fd)
  }
}

function odd(name: string, what: string, cause?: unknown): Fault {
  return new Fault(`${name} has no tar-split that can be read: ${what}.`, { cause })
}

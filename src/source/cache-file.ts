/**
 * One file of the cache: 64 bytes of header, what is known of the payload as JSON, the payload. Written under another
 * name and renamed, so that readers and other processes see whole files only; checked when it is read.
 */
import { createHash, randomBytes } from 'node:crypto'
import {
  closeSync,
  constants,
  fstatSync,
  futimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { crc32 } from 'node:zlib'

export interface CacheFile {
  meta: Record<string, unknown>
  payload: Uint8Array
  /** Bytes of the payload unpacked. */
  plainBytes: number
}

const MAGIC = 'STRATAIX'
/** Changes with the format of anything in the file, the index included. */
const VERSION = 1
const HEADER = 64
const MAX_META = 64 << 10
const HOUR = 3_600_000

/** What all files together may take, bytes; the least recently used go first. */
const MAX_CACHE = 1e9

/** A file of the cache; null when it is not there, or is not what was written under this key. */
export function readCacheFile(path: string, key: string): CacheFile | null {
  let fd: number
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch {
    return null
  }
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile() || stat.size < HEADER || stat.size > MAX_CACHE) return null
    const bytes = new Uint8Array(stat.size)
    if (readSync(fd, bytes, 0, bytes.length, 0) < bytes.length) return null
    const file = parse(bytes, key)
    if (file !== null && Date.now() - stat.mtimeMs > HOUR) touch(fd)
    return file
  } catch {
    return null
  } finally {
    closeSync(fd)
  }
}

function parse(bytes: Uint8Array, key: string): CacheFile | null {
  const view = new DataView(bytes.buffer)
  const metaBytes = view.getUint32(12, true)
  const payloadBytes = view.getFloat64(16, true)
  const plainBytes = view.getFloat64(24, true)
  if (Buffer.from(bytes.buffer, 0, 8).toString('latin1') !== MAGIC || view.getUint32(8, true) !== VERSION) return null
  if (metaBytes > MAX_META || HEADER + metaBytes + payloadBytes !== bytes.length) return null
  if (!(plainBytes >= 0 && plainBytes <= 2 ** 31)) return null
  if (view.getUint32(32, true) !== sumOf(bytes)) return null
  if (!keyHash(key).equals(bytes.subarray(36, HEADER))) return null
  const meta = JSON.parse(new TextDecoder().decode(bytes.subarray(HEADER, HEADER + metaBytes)))
  if (typeof meta !== 'object' || meta === null) return null
  return { meta, payload: bytes.subarray(HEADER + metaBytes), plainBytes }
}

/** Writes a file of the cache. Quietly does nothing where it can not. */
export function writeCacheFile(
  path: string,
  key: string,
  { meta, payload, plainBytes }: { meta: object; payload: Uint8Array; plainBytes: number },
): void {
  const metaText = Buffer.from(JSON.stringify(meta))
  const header = new Uint8Array(HEADER)
  const view = new DataView(header.buffer)
  header.set(Buffer.from(MAGIC, 'latin1'))
  view.setUint32(8, VERSION, true)
  view.setUint32(12, metaText.length, true)
  view.setFloat64(16, payload.length, true)
  view.setFloat64(24, plainBytes, true)
  header.set(keyHash(key), 36)
  const bytes = Buffer.concat([header, metaText, payload])
  bytes.writeUInt32LE(sumOf(bytes), 32)
  const unfinished = `${path}.${process.pid}.${randomBytes(6).toString('hex')}`
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    const fd = openSync(unfinished, 'wx', 0o600)
    try {
      writeAll(fd, bytes)
    } finally {
      closeSync(fd)
    }
    renameSync(unfinished, path)
  } catch {
    try {
      unlinkSync(unfinished)
    } catch {}
  }
}

/** Deletes the least recently used files where there are too many bytes, and what writers left behind. */
export function prune(folder: string, limit = MAX_CACHE): void {
  const files: { path: string; size: number; time: number }[] = []
  let total = 0
  for (const path of filesOf(join(folder, 'layers'))) {
    try {
      const { size, mtimeMs } = statSync(path)
      if (!path.endsWith('.idx') && Date.now() - mtimeMs > HOUR) unlinkSync(path)
      else {
        files.push({ path, size, time: mtimeMs })
        total += size
      }
    } catch {}
  }
  if (total <= limit) return
  files.sort((a, b) => a.time - b.time)
  for (const { path, size } of files) {
    // Somewhat below, so that not every run has to delete.
    if (total <= limit * 0.8) return
    try {
      unlinkSync(path)
      total -= size
    } catch {}
  }
}

function* filesOf(folder: string): Generator<string> {
  for (const sub of list(folder)) for (const file of list(join(folder, sub))) yield join(folder, sub, file)
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** The time of the last use is the time of the last change. */
function touch(fd: number): void {
  try {
    futimesSync(fd, new Date(), new Date())
  } catch {}
}

/** Over everything but itself. */
function sumOf(bytes: Uint8Array): number {
  return crc32(bytes.subarray(36), crc32(bytes.subarray(0, 32)))
}

function keyHash(key: string): Buffer {
  return createHash('sha256').update(key).digest().subarray(0, 28)
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at)
}

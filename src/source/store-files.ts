/** Small files of a store: read whole, bounded, and never anything but plain files. And what it means when that fails. */
import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs'
import type * as z from 'zod'
import { Fault, isAbort, reasonOf } from '../base/errors.ts'
import { formatBytes } from '../base/sizes.ts'
import { safe } from '../base/text.ts'
import { readJson } from './json.ts'
import type { StoreAnswer, StoreLocation, StoreReason } from './store-types.ts'
import type { Image } from './types.ts'

/** The content of a file. @throws the system's error, or a Fault when it is no file or larger than `limit` bytes. */
export function readSmall(path: string, limit: number): Buffer {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW)
  try {
    const stat = fstatSync(fd)
    if (!stat.isFile()) throw new Fault(`${safe(path)} is no file.`)
    if (stat.size > limit) {
      throw new Fault(`${safe(path)} has ${formatBytes(stat.size)}; more than ${formatBytes(limit)} is not read.`)
    }
    const bytes = Buffer.alloc(stat.size)
    let filled = 0
    while (filled < bytes.length) {
      const got = readSync(fd, bytes, filled, bytes.length - filled, filled)
      if (got === 0) break
      filled += got
    }
    return bytes.subarray(0, filled)
  } finally {
    closeSync(fd)
  }
}

/** The text of a file without white space around it; null where there is none. */
export function readWord(path: string, limit = 64 << 10): string | null {
  try {
    return readSmall(path, limit).toString('utf8').trim()
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/** A JSON file in the shape of a schema; null where there is none. @throws Fault when it is something else. */
export function readStoreJson<T>(path: string, schema: z.ZodType<T>, limit: number): T | null {
  try {
    return readJson(readSmall(path, limit), schema, safe(path))
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

/** The names in a directory, sorted; none where there is no such directory. */
export function namesIn(path: string): string[] {
  try {
    return readdirSync(path).sort()
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

export function isMissing(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return code === 'ENOENT' || code === 'ENOTDIR'
}

function isForbidden(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code
  return code === 'EACCES' || code === 'EPERM'
}

/** What `open` throws when what it has read does not fit together: the engine is at work, or the store is damaged. */
export class Unsettled extends Fault {}

/** What `open` throws when the store has the image, and not all that reading it takes. */
export class Incomplete extends Fault {}

/** How often a store is read that an engine is changing. */
const TRIES = 3

/**
 * Runs a reader, again where the store changed under it, and turns what it throws into a reason. The reader gives null
 * where the store has no such image. Faults with another exit code than 1 are the person's, and pass.
 */
export async function answer(
  location: StoreLocation,
  open: () => Image | null | Promise<Image | null>,
): Promise<StoreAnswer> {
  const { value, reason } = await settled(location, open)
  return value === null ? { image: null, reason } : { image: value, reason: null }
}

/** The same for anything else that is read from a store. */
export async function settled<T>(
  location: StoreLocation,
  read: () => T | null | Promise<T | null>,
): Promise<{ value: T | null; reason: StoreReason | null }> {
  for (let tries = 1; ; tries++) {
    try {
      return { value: await read(), reason: null }
    } catch (error) {
      if (isAbort(error) || (error instanceof Fault && error.exitCode !== 1)) throw error
      const again = !isForbidden(error)
      if (again && tries < TRIES) await new Promise(resolve => setTimeout(resolve, 20 * tries))
      else return { value: null, reason: reasonFor(location, error) }
    }
  }
}

const AS_ROOT = 'Run strata as root (sudo strata …) and images open without being exported'
const WITHOUT = '; without root --fast-remote does it, where you may use the engine.'

function reasonFor(location: StoreLocation, error: unknown): StoreReason {
  const root = safe(location.root)
  if (isForbidden(error)) {
    return {
      location,
      kind: 'permission',
      text: `${root} can not be read: permission denied.`,
      hint: `${AS_ROOT}${location.kind === 'containerd-store' ? '.' : WITHOUT}`,
    }
  }
  const unsettled = error instanceof Unsettled || isMissing(error)
  const kind = unsettled ? 'unsettled' : error instanceof Incomplete ? 'incomplete' : 'foreign'
  const text = error instanceof Fault ? error.message : `${root} can not be read: ${reasonOf(error)}.`
  return { location, kind, text, hint: (error instanceof Fault && error.hint) || null }
}

/**
 * The files of one layer in a store's own directory. An image's author has laid out what is in there, so every name is
 * opened by itself below the directory that was opened before it, and no link is ever followed: nothing outside of the
 * layer can be reached. What is no regular file is never opened at all, only looked at.
 */
import { closeSync, constants, fstatSync, openSync, type Stats } from 'node:fs'
import { Fault, reasonOf } from '../base/errors.ts'
import { components } from '../base/paths.ts'
import { safe, safeBytes } from '../base/text.ts'

/** Not among Node's constants: opens a place, not what is there (open(2)). */
const O_PATH = 0o10000000
const DIRECTORY = O_PATH | constants.O_DIRECTORY | constants.O_NOFOLLOW

export interface LayerFolder {
  /** Opens a regular file for reading; the caller closes it. @throws Fault when it is none, or is reached by a link. */
  open(path: Uint8Array): { fd: number; stat: Stats }
  close(): void
}

/** `name` is the layer's, for errors. @throws Fault when the directory is not there or may not be read. */
export function openLayerFolder(directory: string, name: string): LayerFolder {
  /** Directories from the root to where the last file was: the next one is mostly beside it. */
  const open: { name: Uint8Array; fd: number }[] = []

  function attempt<T>(path: Uint8Array, run: () => T): T {
    try {
      return run()
    } catch (error) {
      if (error instanceof Fault) throw error
      throw unreadable(error, path, name)
    }
  }

  function leave(depth: number): void {
    for (const { fd } of open.splice(depth)) closeSync(fd)
  }

  function enter(path: Uint8Array, parts: Uint8Array[]): number {
    if (open.length === 0) open.push({ name: new Uint8Array(0), fd: attempt(path, () => rootOf(directory)) })
    let depth = 1
    while (depth < open.length && depth <= parts.length && same(open[depth]!.name, parts[depth - 1]!)) depth++
    leave(depth)
    for (const part of parts.slice(depth - 1)) {
      const fd = attempt(path, () => openSync(below(open.at(-1)!.fd, part), DIRECTORY))
      open.push({ name: part.slice(), fd })
    }
    return open.at(-1)!.fd
  }

  return {
    open(path) {
      const parts = Array.from(components(path), ({ start, end }) => path.subarray(start, end))
      const last = parts.pop()
      if (last === undefined || parts.some(isUp) || isUp(last)) throw notAFile(path, name)
      const parent = enter(path, parts)
      const place = attempt(path, () => openSync(below(parent, last), O_PATH | constants.O_NOFOLLOW))
      try {
        if (!fstatSync(place).isFile()) throw notAFile(path, name)
        // Through the place that was looked at, so that it is the same file.
        const fd = attempt(path, () => openSync(`/proc/self/fd/${place}`, constants.O_RDONLY | constants.O_NONBLOCK))
        return { fd, stat: fstatSync(fd) }
      } finally {
        closeSync(place)
      }
    },
    close: () => leave(0),
  }
}

/** The store itself may lie behind links of the machine's owner. */
function rootOf(directory: string): number {
  return openSync(directory, O_PATH | constants.O_DIRECTORY)
}

function below(fd: number, name: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from(`/proc/self/fd/${fd}/`), name])
}

function isUp(part: Uint8Array): boolean {
  return part.length === 2 && part[0] === 0x2e && part[1] === 0x2e
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0
}

function notAFile(path: Uint8Array, name: string): Fault {
  return new Fault(`“${safeBytes(path)}” of ${name} is no regular file in the engine’s store.`)
}

function unreadable(error: unknown, path: Uint8Array, name: string): Fault {
  const code = (error as { code?: unknown }).code
  const what = `“${safeBytes(path)}” of ${name} can not be read from the engine’s store`
  if (code === 'ENOENT') return new Fault(`${what}: it is not there any more.`, { cause: error })
  if (code === 'ENOTDIR' || code === 'ELOOP') return new Fault(`${what}: a link stands in its path.`, { cause: error })
  const hint =
    code === 'EACCES' ? 'It belongs to another user: run strata as root, or under podman unshare.' : undefined
  return new Fault(`${what}: ${safe(reasonOf(error))}.`, { cause: error, ...(hint ? { hint } : {}) })
}

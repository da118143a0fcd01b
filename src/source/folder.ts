/**
 * The files of an archive or a layout, by name: what the readers of docker-archive and OCI stand on, whether the files
 * lie in a directory, in a tar on disk, or came by in a stream.
 */
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import type { IndexedLayer } from './index-region.ts'
import type { Region } from './region.ts'

export interface Folder {
  /** What the person knows it by: the path, `standard input`. */
  name: string
  kind: 'directory' | 'archive'
  /** The file of this canonical name, links followed; null where there is none. @throws Fault when links go in circles. */
  file(path: string): StoredFile | null
  /** Names of all files; of a directory only those that matter at its top. */
  paths(): Iterable<string>
  /** Why the archive can not be read to its end; what came before is there. */
  broken: Fault | null
}

export interface StoredFile {
  path: string
  /** Bytes; what is claimed where the archive is truncated. */
  size: number
  /** null where the bytes are gone: a stream that nobody kept. */
  region: Region | null
  /** Names these bytes as long as nobody writes to the file: device, inode, size, times, offset. null: they have none. */
  identity: string | null
  /** What came out when the bytes passed by in a stream; null where they did not, or are no layer. */
  passed: Passed | null
}

/** A file that passed by in a stream. */
export interface Passed {
  /** Kept where it looks like JSON and is small enough. */
  content: Uint8Array | null
  digest: string
  layer: IndexedLayer | null
  /** Why it is no whole layer; what was read of it is in `partial`. */
  fault: Fault | null
}

/** An archive of images has a handful of files for each layer. */
export const MAX_FILES = 200_000

/** The target of links: from names to what they hold, or to another name. */
export type Names = Map<string, StoredFile | { link: string }>

/** Looks a name up and follows its links: symbolic ones have been made absolute by `linkTarget`, hard ones always are. */
export function lookUp(names: Names, path: string, folder: string): StoredFile | null {
  let at = path
  for (let hops = 0; hops < 40; hops++) {
    const found = names.get(at)
    if (found === undefined) return null
    if (!('link' in found)) return found
    at = found.link
  }
  throw new Fault(`${folder}: the links of “${safe(path)}” lead in a circle.`)
}

/** A name in a tar as text. Names that matter are ASCII; others only have to stay apart. */
export function nameText(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
}

/** Where a symbolic link in a tar points to, as a canonical name of that tar. */
export function linkTarget(from: string, target: string): string {
  const base = target.startsWith('/') ? [] : from.split('/').slice(0, -1)
  return canonical([...base, ...target.split('/')])
}

/** A name in an archive in its one form: no leading `./` or `/`, no `..`. */
export function canonicalName(name: string): string {
  return canonical(name.split('/'))
}

function canonical(parts: string[]): string {
  const kept: string[] = []
  for (const one of parts) {
    if (one === '..') kept.pop()
    else if (one !== '' && one !== '.') kept.push(one)
  }
  return kept.join('/')
}

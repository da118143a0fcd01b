/** The files of an archive that lies plain on the disk: only its headers are read. */
import type { BigIntStats } from 'node:fs'
import { setImmediate } from 'node:timers/promises'
import { Fault } from '../base/errors.ts'
import { type Entry, Kind } from '../layer/entry.ts'
import { TarScanner } from '../layer/tar-scanner.ts'
import { cancelled } from './cancel.ts'
import {
  canonicalName,
  type Folder,
  linkTarget,
  lookUp,
  MAX_FILES,
  type Names,
  nameText,
  type StoredFile,
} from './folder.ts'
import { part, type Region } from './region.ts'
import { scanRegion } from './scan.ts'

/** Small: between two layers there are only a few headers and small files. */
const WINDOW = 64 << 10

/** Reads the headers of an archive, in slices between which others may run. */
export async function openTarFolder(
  region: Region,
  name: string,
  identity: ((start: number, size: number) => string) | null,
  signal?: AbortSignal,
): Promise<Folder> {
  const names: Names = new Map()
  const scanner: TarScanner = new TarScanner({ entry: one => addEntry(names, one, name, storedFile) }, { name })
  let broken: Fault | null = null
  try {
    let step = 0
    for (const _ of scanRegion(region, scanner, WINDOW)) {
      if (signal?.aborted) throw cancelled()
      if (++step % 32 === 0) await setImmediate()
    }
  } catch (error) {
    if (!(error instanceof Fault) || error.exitCode === 130 || names.size === 0) throw error
    broken = error
  }
  return {
    name,
    kind: 'archive',
    file: path => lookUp(names, path, name),
    paths: () => names.keys(),
    broken,
  }

  function storedFile(path: string): StoredFile {
    const { bodyOffset, bodySize } = scanner
    return {
      path,
      size: bodySize,
      region: part(region, bodyOffset, bodySize),
      identity: identity === null ? null : identity(bodyOffset, bodySize),
      passed: null,
    }
  }
}

/** Notes one entry of an archive under its name; directories and devices are nothing to us. */
export function addEntry(names: Names, entry: Entry, archive: string, file: (path: string) => StoredFile): void {
  if (names.size >= MAX_FILES)
    throw new Fault(`${archive} holds more than ${MAX_FILES} files: it is no archive of images.`)
  const path = canonicalName(nameText(entry.path))
  if (entry.kind === Kind.file) names.set(path, file(path))
  else if (entry.link === null) return
  else if (entry.kind === Kind.symlink) names.set(path, { link: linkTarget(path, nameText(entry.link)) })
  else if (entry.kind === Kind.hardlink) names.set(path, { link: canonicalName(nameText(entry.link)) })
}

/** What names a stretch of a file for as long as nobody writes to the file. */
export function identityOf(stat: BigIntStats): (start: number, size: number) => string {
  const file = [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(':')
  return (start, size) => `${file}:${start}:${size}`
}

/** The files of an OCI layout that is a directory. Each is opened once, and must be a plain file. */
import { closeSync, constants, fstatSync, openSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { Fault, reasonOf } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import type { Folder, StoredFile } from './folder.ts'
import { identityOf } from './folder-tar.ts'

export function openDirectory(path: string): Folder & { close(): void } {
  const open = new Map<string, StoredFile | null>()
  return {
    name: path,
    kind: 'directory',
    file(name) {
      let file = open.get(name)
      if (file === undefined) open.set(name, (file = openFile(path, name)))
      return file
    },
    paths: () => readdirSync(path),
    broken: null,
    close() {
      for (const file of open.values()) if (file?.region) closeSync(file.region.fd)
      open.clear()
    },
  }
}

function openFile(directory: string, name: string): StoredFile | null {
  const path = join(directory, name)
  let fd: number
  try {
    // Not blocking: a fifo would otherwise wait for its writer.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if ((error as { code?: string }).code === 'ENOENT' || (error as { code?: string }).code === 'ENOTDIR') return null
    throw new Fault(`${safe(path)} can not be opened: ${reasonOf(error)}.`, { cause: error })
  }
  const stat = fstatSync(fd, { bigint: true })
  if (!stat.isFile()) {
    closeSync(fd)
    throw new Fault(`${safe(path)} is no file.`)
  }
  const size = Number(stat.size)
  return { path: name, size, region: { fd, start: 0, size }, identity: identityOf(stat)(0, size), passed: null }
}

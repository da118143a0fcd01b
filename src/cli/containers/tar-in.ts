/** Files of this machine as a tar. */
import { createReadStream, lstatSync, readdirSync, readlinkSync, type Stats, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Header, type Pack, pack } from 'tar-stream'

/** A path's tar, its entries named below `.` for whoever gives it a name. */
export interface Packing {
  path: string
  /** What a link at the top leads to, in place of the link. */
  follow: boolean
}

export function packPath(path: string, follow: boolean): Packing {
  return { path, follow }
}

/** The tar, its topmost entry called so. */
export function rooted({ path, follow }: Packing, name: string): Readable {
  const tar = pack()
  const stream = tar as unknown as Readable
  void add(tar, path, name, follow).then(
    () => tar.finalize(),
    error => stream.destroy(error as Error),
  )
  return stream
}

async function add(tar: Pack, path: string, name: string, follow: boolean): Promise<void> {
  const stat = follow ? statSync(path) : lstatSync(path)
  const header = headerOf(stat, name)
  if (stat.isSymbolicLink()) tar.entry({ ...header, type: 'symlink', linkname: readlinkSync(path) })
  else if (stat.isDirectory()) {
    tar.entry({ ...header, type: 'directory' })
    for (const one of readdirSync(path).sort()) await add(tar, join(path, one), `${name}/${one}`, false)
  } else if (stat.isFile()) {
    const entry = tar.entry({ ...header, type: 'file', size: stat.size })
    // A file that grows meanwhile has the size it had.
    if (stat.size > 0) await pipeline(createReadStream(path, { end: stat.size - 1 }), entry)
    else (entry as unknown as { end(): void }).end()
  }
}

function headerOf({ mode, uid, gid, mtime }: Stats, name: string): Partial<Header> & { name: string } {
  return { name, mode: mode & 0o7777, uid, gid, mtime, uname: '', gname: '' }
}

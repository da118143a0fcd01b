/**
 * A tar from a container into the file system of this machine. It may say anything: nothing of it is written outside of
 * where it is to go, and no link of it is ever written through.
 */
import { createWriteStream, lstatSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { chmod, lchown, link, utimes } from 'node:fs/promises'
import { join, sep } from 'node:path'
import process from 'node:process'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { extract, type Header } from 'tar-stream'
import { Fault, reasonOf } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'

export interface UnpackOptions {
  /** Owners as in the tar, where we may. */
  owners: boolean
  /** `root` is a file that is written over. */
  intoFile: boolean
}

/** The topmost entry becomes `root`, the others lie below it. */
export async function unpackTo(tar: Readable, root: string, options: UnpackOptions): Promise<void> {
  const entries = extract()
  const late: { path: string; header: Header }[] = []
  let top: string | null = null
  const feeding = pipeline(tar, entries)
  feeding.catch(() => {})
  for await (const entry of entries) {
    const { header } = entry
    top ??= parts(header.name).join('/')
    const below = under(parts(header.name), top)
    const path = join(root, ...below)
    if (below.length === 0 && options.intoFile && header.type === 'directory')
      throw new Fault(`${safe(root)} is a file, and what is copied is a directory.`)
    try {
      await write(entry as unknown as Readable, header, path, { root, top })
      if (header.type === 'directory') late.push({ path, header })
      else if (header.type !== 'symlink' && header.type !== 'link') await finish(path, header, options)
    } catch (error) {
      if (error instanceof Fault) throw error
      throw new Fault(`${safe(path)} can not be written: ${reasonOf(error)}.`, { cause: error })
    }
    entry.resume()
  }
  await feeding
  // Their times are those of the tar only when nothing more is written into them.
  for (const { path, header } of late.reverse()) await finish(path, header, options)
}

async function write(
  body: Readable,
  header: Header,
  path: string,
  { root, top }: { root: string; top: string },
): Promise<void> {
  noLinkAbove(path, root)
  switch (header.type) {
    case 'directory':
      if (!lstatSync(path, { throwIfNoEntry: false })?.isDirectory()) mkdirSync(path, { mode: 0o700 })
      return
    case 'file':
    case 'contiguous-file':
      clear(path)
      await pipeline(body, createWriteStream(path, { flags: 'wx', mode: 0o600 }))
      return
    case 'symlink':
      clear(path)
      symlinkSync(header.linkname ?? '', path)
      return
    case 'link': {
      const target = join(root, ...under(parts(header.linkname ?? ''), top))
      noLinkAbove(target, root)
      clear(path)
      await link(target, path)
      return
    }
    default:
      body.resume() // devices and pipes are the container's own
  }
}

/** A name's parts. Throws a Fault when it climbs. */
function parts(name: string): string[] {
  const all = name.split('/').filter(part => part !== '' && part !== '.')
  if (all.includes('..') || name.includes('\0')) throw new Fault(`The container names a file “${safe(name)}”.`)
  return all
}

/** What of it lies below the topmost entry. */
function under(all: string[], top: string): string[] {
  const above = top === '' ? [] : top.split('/')
  if (above.some((part, at) => all[at] !== part))
    throw new Fault(`The container names a file “${safe(all.join('/'))}”, which was not asked for.`)
  return all.slice(above.length)
}

/** No directory on the way down may be a link: nothing is written where it leads. */
function noLinkAbove(path: string, root: string): void {
  const below = path
    .slice(root.length)
    .split(sep)
    .filter(part => part !== '')
  let folder = root
  for (const part of below) {
    if (lstatSync(folder, { throwIfNoEntry: false })?.isSymbolicLink())
      throw new Fault(`${safe(folder)} is a link: nothing is written where it leads.`)
    folder = join(folder, part)
  }
}

function clear(path: string): void {
  const there = lstatSync(path, { throwIfNoEntry: false })
  if (there?.isDirectory()) throw new Fault(`${safe(path)} is a directory, and what is copied there is none.`)
  if (there) rmSync(path)
}

async function finish(path: string, { uid, gid, mode, mtime, type }: Header, { owners }: UnpackOptions): Promise<void> {
  if (type !== 'file' && type !== 'contiguous-file' && type !== 'directory') return
  if (owners && process.getuid?.() === 0) await lchown(path, uid ?? 0, gid ?? 0)
  await chmod(path, (mode ?? 0o644) & 0o7777)
  if (mtime) await utimes(path, mtime, mtime)
}

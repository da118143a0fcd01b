/**
 * The other side of judges.ts: runs in a mount namespace of its own, unpacks layers with GNU tar, lets the kernel lay
 * them over each other (or umoci unpack the image), and says what is there. A request is a line on the standard input.
 * Everything lives on a tmpfs that goes with the namespace. Paths are bytes, here as one character a byte.
 */
import { Buffer } from 'node:buffer'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  lchownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  type Stats,
} from 'node:fs'
import { createInterface } from 'node:readline'
import { crc32 } from 'node:zlib'
import { writeTree } from './images.ts'
import type { JudgeLayer, JudgeRequest } from './judges.ts'
import { ociFiles } from './oci-layouts.ts'
import { entry, type Piece, tar } from './tar.ts'

interface Layer {
  tar: Uint8Array
  /** Paths with an entry of their own. */
  explicit: Set<string>
}

const root = process.argv[2]
execFileSync('mount', ['-t', 'tmpfs', 'judge', root])

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line) as JudgeRequest
  const work = `${root}/work`
  mkdirSync(work)
  try {
    const layers = request.layers.map(layerOf)
    const judges = { overlay, umoci, native }
    const listing = judges[request.judge](work, layers)
    console.log(JSON.stringify({ listing }))
  } catch (error) {
    const { stderr, stack } = error as { stderr?: Uint8Array; stack?: string }
    console.log(JSON.stringify({ error: stderr?.length ? Buffer.from(stderr).toString() : stack }))
  }
  rmSync(work, { recursive: true, force: true })
}

function layerOf({ tar, explicit }: JudgeLayer): Layer {
  return { tar: Buffer.from(tar, 'base64'), explicit: new Set(explicit) }
}

/** The merged view of the layers, each unpacked into a folder of its own as an engine would. */
function overlay(work: string, layers: Layer[]): string[] {
  const folders: string[] = []
  for (const layer of layers) {
    const folder = `${work}/${folders.length}`
    mkdirSync(folder)
    unpack(folder, layer.tar)
    if (folders.length === 0) convert(folder, layer.explicit, null)
    else merged(work, folders, lower => convert(folder, layer.explicit, lower))
    folders.unshift(folder)
  }
  return merged(work, folders, list)
}

function umoci(work: string, layers: Layer[]): string[] {
  writeTree(`${work}/layout`, ociFiles([{ image: { layers: layers.map(layer => layer.tar) }, tag: 'it' }]))
  execFileSync('umoci', ['raw', 'unpack', '--image', `${work}/layout:it`, `${work}/rootfs`], { stdio: 'pipe' })
  return list(`${work}/rootfs`)
}

/** The merged view of layers that our own helper unpacked, one upon the other. */
function native(work: string, layers: Layer[]): string[] {
  const folders: string[] = []
  for (const layer of layers) {
    const folder = `${work}/${folders.length}`
    const below = folders.length === 0 ? ['--bottom'] : folders.flatMap(lower => ['--lower', lower])
    execFileSync(process.env.STRATA_NATIVE_HELPER!, ['unpack', ...below, folder], { input: layer.tar, stdio: 'pipe' })
    folders.unshift(folder)
  }
  return merged(work, folders, list)
}

/** Mounts the folders, topmost first, read-only. An overlay wants two of them: an empty one does no harm. */
function merged<T>(work: string, folders: string[], visit: (view: string) => T): T {
  const [view, empty] = [`${work}/view`, `${work}/empty`]
  mkdirSync(view, { recursive: true })
  mkdirSync(empty, { recursive: true })
  const option = `lowerdir=${[...folders, empty].join(':')}`
  execFileSync('mount', ['-t', 'overlay', 'view', '-o', option, view], { stdio: 'pipe' })
  try {
    return visit(view)
  } finally {
    execFileSync('umount', [view])
  }
}

function unpack(folder: string, layer: Uint8Array): void {
  const options = ['--same-owner', '--same-permissions', '--numeric-owner', '--delay-directory-restore']
  execFileSync('tar', ['-x', '-f', '-', '-C', folder, ...options, '--xattrs', '--xattrs-include=*'], {
    input: layer,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
}

/**
 * From `.wh.` names to what overlayfs understands: a character device 0:0, or an opaque directory. Directories that no
 * entry names take the metadata of the directory below, as containerd does it; where they came only of a marker and
 * nothing is below, they go.
 */
function convert(folder: string, explicit: Set<string>, lower: string | null): void {
  const found = walk(folder)
  const markers = found.filter(isMarker)
  const needed = new Set(explicit)
  for (const path of explicit) if (!isMarker(path)) for (const parent of parentsOf(path)) needed.add(parent)
  for (const path of markers) {
    remove(folder, path)
    needed.delete(path)
  }
  const gone = markers.flatMap(hiddenBy)
  const emptied = new Set(markers.filter(path => nameOf(path) === '.wh..wh..opq').map(parentOf))
  for (const path of gone) if (!needed.has(path)) remove(folder, path)
  for (const path of found) {
    const own = stat(folder, path)
    if (!own?.isDirectory() || explicit.has(path)) continue
    const hidden =
      [path, ...parentsOf(path)].some(at => gone.includes(at)) || parentsOf(path).some(at => emptied.has(at))
    const below = lower === null || hidden ? null : stat(lower, path)
    if (below?.isDirectory()) setMetadata(folder, path, below)
    else if (!needed.has(path)) remove(folder, path)
  }
  const fixes: Piece[] = []
  for (const path of gone) {
    if (stat(folder, path)?.isDirectory()) fixes.push(opaqueMark(folder, path))
    else if (!stat(folder, path) && stat(folder, parentOf(path))) fixes.push(whiteout(path))
  }
  for (const path of emptied) if (stat(folder, path)) fixes.push(opaqueMark(folder, path))
  if (fixes.length > 0) unpack(folder, tar(...fixes))
}

function isMarker(path: string): boolean {
  const name = nameOf(path)
  return name.startsWith('.wh.') && name !== '.wh.'
}

/** What a plain whiteout hides; names that begin with `.wh..wh.` hide nothing that could be there. */
function hiddenBy(marker: string): string[] {
  const name = nameOf(marker)
  return name.startsWith('.wh..wh.') ? [] : [marker.slice(0, marker.length - name.length) + name.slice(4)]
}

function whiteout(path: string): Piece {
  return entry({ path: Buffer.from(path, 'latin1'), type: 'char', dev: [0, 0], mode: 0 })
}

function opaqueMark(folder: string, path: string): Piece {
  const { mode, uid, gid } = stat(folder, path) as Stats
  const name = path === '' ? '.' : Buffer.from(path, 'latin1')
  return entry({ path: name, type: 'dir', mode: mode & 0o7777, uid, gid, xattrs: { 'trusted.overlay.opaque': 'y' } })
}

function setMetadata(folder: string, path: string, from: Stats): void {
  lchownSync(at(folder, path), from.uid, from.gid)
  chmodSync(at(folder, path), from.mode & 0o7777)
}

/** A line for everything below a folder, in order of path: what judges.ts writes of a stack too. */
function list(folder: string): string[] {
  const names = new Map<number, string>()
  return walk(folder).map(path => {
    const own = stat(folder, path) as Stats
    const first = names.get(own.ino) ?? path
    names.set(own.ino, first)
    const mode = (own.mode & 0o7777).toString(8).padStart(4, '0')
    return [kindOf(own), mode, `${own.uid}:${own.gid}`, contentOf(folder, path, own, first), path].join(' ')
  })
}

function kindOf(own: Stats): string {
  if (own.isFile()) return 'file'
  if (own.isDirectory()) return 'dir'
  if (own.isSymbolicLink()) return 'symlink'
  if (own.isFIFO()) return 'fifo'
  return own.isCharacterDevice() ? 'char' : 'block'
}

function contentOf(folder: string, path: string, own: Stats, first: string): string {
  if (own.isSymbolicLink()) return readlinkSync(at(folder, path), { encoding: 'buffer' }).toString('latin1')
  if (own.isCharacterDevice() || own.isBlockDevice()) return `${own.rdev >> 8},${own.rdev & 0xff}`
  if (!own.isFile()) return '-'
  return `${own.size} ${crc32(readFileSync(at(folder, path)))} ${own.mtimeMs} ${first === path ? '' : `= ${first}`}`.trim()
}

/** All paths below a folder, sorted as bytes. */
function walk(folder: string, below = ''): string[] {
  const paths: string[] = []
  for (const name of readdirSync(at(folder, below), { encoding: 'buffer' })) {
    const path = (below === '' ? '' : `${below}/`) + name.toString('latin1')
    const own = stat(folder, path)
    // A directory that only one layer has is read as it is: its whiteouts are listed, though nothing is there.
    if (own) paths.push(path)
    if (own?.isDirectory()) paths.push(...walk(folder, path))
  }
  return below === '' ? paths.sort((a, b) => (a < b ? -1 : 1)) : paths
}

function at(folder: string, path: string): Buffer {
  return Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(path, 'latin1')])
}

/** What stands at a path, taken lexically: nothing does below a symbolic link or a file. */
function stat(folder: string, path: string): Stats | null {
  if (path !== '' && !stat(folder, parentOf(path))?.isDirectory()) return null
  return lstatSync(at(folder, path), { throwIfNoEntry: false }) ?? null
}

function remove(folder: string, path: string): void {
  rmSync(at(folder, path), { recursive: true, force: true })
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

function parentOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf('/'), 0))
}

function parentsOf(path: string): string[] {
  const parent = parentOf(path)
  return parent === '' ? [] : [parent, ...parentsOf(parent)]
}

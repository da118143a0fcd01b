/**
 * The machine's own shell as files of an image: busybox where it is static, else /bin/sh with a few small tools, their
 * libraries and the loader. Found by reading the files, without running anything.
 */
import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { elfNeeds } from './elf.ts'

export interface ShellFiles {
  /** Absolute paths in the image with the files' bytes; all of them mode 0755. */
  files: Map<string, Uint8Array>
  /** Symbolic links, by path. */
  links: Map<string, string>
}

const applets =
  'sh ash cat ls ps id env grep sed awk find head tail wc du df sleep echo mkdir rm mv cp ln touch chmod vi'
const tools = ['sh', 'ls', 'cat', 'id', 'env', 'sleep', 'rm', 'mkdir', 'grep', 'find']
const MAX_TOOL = 16 << 20

/** A shell of this machine; no files at all where there is none that Linux could start. */
export function findShell(): ShellFiles {
  return busybox() ?? dynamicShell()
}

function busybox(): ShellFiles | null {
  for (const path of ['/bin/busybox', '/usr/bin/busybox', '/sbin/busybox']) {
    const bytes = read(path)
    const needs = bytes && elfNeeds(bytes)
    if (!needs || needs.interpreter !== null || needs.needed.length > 0) continue
    const links = applets.split(' ').map(applet => [`/bin/${applet}`, 'busybox'] as const)
    return { files: new Map([['/bin/busybox', bytes]]), links: new Map(links) }
  }
  return null
}

function dynamicShell(): ShellFiles {
  const files = new Map<string, Uint8Array>()
  for (const tool of tools) {
    const found = ['/bin', '/usr/bin'].map(folder => join(folder, tool)).find(path => elfNeedsOf(path) !== null)
    if (!found) {
      if (tool === 'sh') return { files, links: new Map() }
      continue
    }
    const closure = new Map<string, Uint8Array>()
    if (addWithLibraries(found, `/bin/${tool}`, closure)) for (const [path, bytes] of closure) files.set(path, bytes)
  }
  return { files, links: new Map() }
}

/** Adds a program and all that it needs; false when something of it is not to be found. */
function addWithLibraries(from: string, as: string, files: Map<string, Uint8Array>): boolean {
  const bytes = read(from)
  const needs = bytes && elfNeeds(bytes)
  if (!needs) return false
  files.set(as, bytes)
  const { interpreter } = needs
  if (interpreter && !files.has(interpreter) && !addWithLibraries(interpreter, interpreter, files)) return false
  return needs.needed.every(name => {
    if ([...files.keys()].some(path => path.endsWith(`/${name}`))) return true
    const library = libraryFolders(needs.runpath, from)
      .map(folder => join(folder, name))
      .find(path => elfNeedsOf(path) !== null)
    return library !== undefined && addWithLibraries(library, library, files)
  })
}

function libraryFolders(runpath: readonly string[], from: string): string[] {
  const own = runpath.map(folder => folder.replace(/\$\{?ORIGIN\}?/, dirname(realpath(from))))
  return [...own, ...configuredFolders(), '/lib64', '/usr/lib64', '/lib', '/usr/lib', dirname(realpath(from))]
}

/** The folders of ld.so.conf; on Debian that is where the libraries of the architecture are. */
function configuredFolders(): string[] {
  try {
    const names = readdirSync('/etc/ld.so.conf.d').filter(name => name.endsWith('.conf'))
    const lines = names.sort().flatMap(name => readFileSync(join('/etc/ld.so.conf.d', name), 'utf8').split('\n'))
    return lines.map(line => line.trim()).filter(line => line.startsWith('/'))
  } catch {
    return []
  }
}

function elfNeedsOf(path: string): ReturnType<typeof elfNeeds> {
  const bytes = read(path)
  return bytes && elfNeeds(bytes)
}

function read(path: string): Uint8Array | null {
  try {
    const bytes = readFileSync(path)
    return bytes.length <= MAX_TOOL ? bytes : null
  } catch {
    return null
  }
}

function realpath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    return path
  }
}

/**
 * From a reference to an open image. What a file is, its content tells: an OCI layout, a docker-archive, both at once,
 * plain or compressed as a whole. Engines stand above this folder: they are reached through a function that the caller
 * brings.
 */
import { closeSync, constants, createReadStream, existsSync, fstatSync, openSync, type Stats, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { Fault, reasonOf } from '../base/errors.ts'
import type { Work } from '../base/progress.ts'
import { safe } from '../base/text.ts'
import { parsePlatform } from '../image/platform.ts'
import { parseReference, type Reference } from '../image/reference.ts'
import type { Platform } from '../image/types.ts'
import { assemble } from './assemble.ts'
import type { Folder } from './folder.ts'
import { openDirectory } from './folder-directory.ts'
import { identityOf, openTarFolder } from './folder-tar.ts'
import { countImages, type Prefer, readFormats } from './formats.ts'
import type { Choice } from './found.ts'
import { defaultCacheFolder } from './index-cache.ts'
import { NoImage } from './no-image.ts'
import { createPool, type Pool } from './pool.ts'
import { headOf, type Region } from './region.ts'
import type { RegistryAccess } from './registry/types.ts'
import type { FindLayers } from './remote/far.ts'
import { compressionOf, looksLikeTar, SNIFF_BYTES } from './sniff.ts'
import { type Spool, spoolOf } from './spool.ts'
import { readArchiveRegion, readArchiveStream } from './stream-archive.ts'
import { notAnArchive } from './stream-job.ts'
import type { Image, SourceKind } from './types.ts'

/** Opens what an engine or a registry has; null when it has no such image. */
export type EngineResolver = (reference: Reference, options: OpenOptions) => Promise<Image | null>

export interface OpenOptions extends Work {
  platform?: Platform | string | undefined
  /** Hash plain layers too, and take no index from the cache. Otherwise only what passes by is hashed. */
  verify?: boolean | undefined
  /** Hash no layer, not even one that passes by. */
  trust?: boolean | undefined
  /** false: no cache. */
  cache?: boolean | undefined
  /** Where the cache is; null: no cache. Default `$XDG_CACHE_HOME/strata`. */
  cacheDir?: string | null | undefined
  /** Files will be read, not only listed: keeps a copy of what comes in a stream. */
  needContent?: boolean | undefined
  /** In place of the process's standard input. */
  stdin?: Readable | undefined
  engines?: EngineResolver | undefined
  /** What registries are reached with, for `docker://NAME`; without it there are none. */
  registries?: (() => Promise<RegistryOptions>) | undefined
  /** For `engines`: which one, and which Docker context. */
  engine?: string | undefined
  context?: string | undefined
  /**
   * For `engines`: where a store can not be read, a container may be made that hands it out, and removed. A function is
   * asked when it comes to that, and not before.
   */
  fastRemote?: boolean | MayHelp | undefined
}

export interface RegistryOptions {
  access: RegistryAccess
  findLayers?: FindLayers | undefined
  localBlob?: ((digest: string) => string | null) | undefined
}

export type MayHelp = (offer: HelperOffer) => Promise<boolean>

/** What would be made, and in place of what. */
export interface HelperOffer {
  /** The engine that would make it. */
  engine: string
  /** The image that is opened. */
  image: string
  /** What an export would send, about. */
  bytes: number
  /** The image is not wanted any more, and with it the answer. */
  signal?: AbortSignal | undefined
}

/**
 * Opens the image of a reference (`@STEP` is left to the caller). It reads manifests and config; layers are read when
 * they are asked for. @throws Fault when there is no such image, or when it is broken above its layers.
 */
export async function openImage(reference: string, options: OpenOptions = {}): Promise<Image> {
  const parsed = parseReference(reference)
  const opened = await openArchive(parsed, options)
  if (opened === null) return openFromEngine(parsed, options)
  const { archive, opening } = opened
  return orClose(archive.close, () => makeImage(archive, opening))
}

/** Several images that are closed together. */
export interface OpenImages {
  images: Image[]
  /** What is in the same archive and can not be opened. */
  faults: Fault[]
  close(): Promise<void>
}

/** All images of an archive or layout, or the one that the reference names. @throws Fault when there is none. */
export async function openImages(reference: string, options: OpenOptions = {}): Promise<OpenImages> {
  const parsed = parseReference(reference)
  const opened = await openArchive(parsed, options)
  if (opened === null) {
    const image = await openFromEngine(parsed, options)
    return { images: [image], faults: [], close: () => image.close() }
  }
  const { archive, opening } = opened
  const close = async () => archive.close()
  return orClose(close, async () => {
    const { name, position } = opening.choice
    const single = name !== null || position !== null
    const count = single ? 1 : await countImages(archive.folder, opening.prefer)
    const lasting = { ...archive, pool: { ...archive.pool, close: async () => {} }, close() {} }
    const images: Image[] = []
    const faults: Fault[] = []
    for (let at = 0; at < count; at++) {
      const choice = single ? opening.choice : { ...opening.choice, position: at }
      try {
        images.push(await makeImage(lasting, { ...opening, choice }))
      } catch (error) {
        if (!(error instanceof Fault) || error.exitCode === 130) throw error
        faults.push(error)
      }
    }
    if (images.length === 0) throw faults[0]
    return { images, faults, close }
  })
}

/** The archive or layout of a reference; null when it means something else. */
async function openArchive(
  parsed: Reference,
  options: OpenOptions,
): Promise<{ archive: Archive; opening: Opening } | null> {
  const platform = typeof options.platform === 'string' ? parsePlatform(options.platform) : (options.platform ?? null)
  const choice = { name: null, position: null, platform }
  const opening: Opening = { ...options, reference: parsed.text, choice, prefer: 'any' }
  switch (parsed.kind) {
    case 'stdin':
      return { opening, archive: await openStdin(opening) }
    case 'path':
      return { opening, archive: await openPath(parsed.path, opening) }
    case 'docker-archive':
    case 'oci':
    case 'oci-archive': {
      const { kind, path, name, position } = parsed
      const archive = await openPath(path, opening)
      return { archive, opening: { ...opening, choice: { name, position, platform }, prefer: kind } }
    }
    case 'sample': {
      const { sampleArchive } = await import('./sample.ts')
      const path = await sampleArchive(cacheFolderOf(options) ?? defaultCacheFolder())
      return { archive: await openPath(path, opening), opening: { ...opening, source: 'sample' } }
    }
    default:
      return null
  }
}

/** The image of a folder of files, read already: for engines that hand out an archive. Closes the folder with itself. */
export function openFolder(
  folder: Folder & { close(): void | Promise<void> },
  options: OpenOptions & { reference: string; source?: SourceKind; choice?: Choice },
): Promise<Image> {
  const choice = options.choice ?? { name: null, position: null, platform: null }
  const archive = archiveOf(folder, createPool(), () => folder.close())
  return orClose(archive.close, () => makeImage(archive, { ...options, choice, prefer: 'any' }))
}

/** The files of an archive or layout, and what reads them. */
interface Archive {
  folder: Folder
  pool: Pool
  close: Close
}

/** What opening needs on its way, next to the options of the caller. */
interface Opening extends OpenOptions {
  reference: string
  choice: Choice
  prefer: Prefer
  source?: SourceKind | undefined
}

type Close = () => void | Promise<void>

async function openPath(written: string, opening: Opening): Promise<Archive> {
  const path = written.startsWith('~/') ? join(homedir(), written.slice(2)) : written
  // Looked at before it is opened: a reader that comes and goes would kill whoever writes into a pipe.
  if (statSync(path, { throwIfNoEntry: false })?.isFIFO())
    return openStream(createReadStream(path), safe(written), opening)
  let fd: number
  try {
    // Not blocking: a fifo would otherwise wait for its writer.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    throw new Fault(`${safe(written)} can not be opened: ${reasonOf(error)}.`, { cause: error })
  }
  if (!fstatSync(fd).isDirectory()) return openFile(fd, safe(written), opening, () => closeSync(fd))
  closeSync(fd)
  const folder = openDirectory(path)
  return archiveOf(folder, createPool(), () => folder.close())
}

async function openStdin(opening: Opening): Promise<Archive> {
  const name = 'standard input'
  if (opening.stdin !== undefined) return openStream(opening.stdin, name, opening)
  // A file can be seeked in, however it got here.
  if (stdinStat()?.isFile()) return openFile(0, name, opening, () => {})
  if (process.stdin.isTTY)
    throw new Fault('Standard input is a terminal: there is no archive to read.', { exitCode: 2 })
  return openStream(process.stdin, name, opening)
}

/** null where standard input is closed. */
function stdinStat(): Stats | null {
  try {
    return fstatSync(0)
  } catch {
    return null
  }
}

/** An archive that passes by once: a pipe, a socket. */
async function openStream(stream: Readable, name: string, opening: Opening): Promise<Archive> {
  const pool = createPool()
  const cacheFolder = cacheFolderOf(opening)
  const spool = opening.needContent ? { folder: cacheFolder } : null
  const folder = await orClose(
    () => pool.close(),
    () => readArchiveStream(stream, { ...opening, name, pool, spool, cacheFolder }),
  )
  return archiveOf(folder, pool, () => folder.close())
}

/** A file that is an archive, plain or compressed. It is closed with the image, or when there is none. */
function openFile(fd: number, name: string, opening: Opening, close: Close): Promise<Archive> {
  const pool = createPool()
  let spool: Spool | null = null
  const closeAll = async () => {
    await pool.close()
    await spool?.close()
    await close()
  }
  return orClose(closeAll, async () => {
    const stat = fstatSync(fd, { bigint: true })
    if (!stat.isFile()) throw new Fault(`${name} is neither a file nor a directory.`)
    const region: Region = { fd, start: 0, size: Number(stat.size) }
    const head = headOf(region, SNIFF_BYTES)
    const compression = compressionOf(head)
    if (compression === 'none') {
      if (!looksLikeTar(head)) throw notAnArchive(name)
      const folder = await openTarFolder(region, name, identityOf(stat), opening.signal)
      return { folder, pool, close: closeAll }
    }
    spool = spoolOf(region, compression, name, cacheFolderOf(opening))
    const folder = await readArchiveRegion(
      region,
      { ...opening, name, pool, cacheFolder: cacheFolderOf(opening) },
      spool.region,
    )
    return { folder, pool, close: closeAll }
  })
}

function archiveOf(folder: Folder, pool: Pool, close: Close): Archive {
  const closeAll = async () => {
    await pool.close()
    await close()
  }
  return { folder, pool, close: closeAll }
}

async function makeImage({ folder, pool, close }: Archive, opening: Opening): Promise<Image> {
  const found = await readFormats(folder, opening.choice, opening.prefer)
  return assemble(opening.source === undefined ? found : { ...found, source: opening.source }, {
    reference: opening.reference,
    where: folder.name,
    pool,
    cacheFolder: cacheFolderOf(opening),
    verify: opening.verify === true,
    trust: opening.trust === true,
    close,
  })
}

async function orClose<T>(close: Close, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    await close()
    throw error
  }
}

function cacheFolderOf({ cache, cacheDir }: OpenOptions): string | null {
  return cache === false || cacheDir === null ? null : (cacheDir ?? defaultCacheFolder())
}

async function openFromEngine(reference: Reference, options: OpenOptions): Promise<Image> {
  if (reference.kind === 'registry') return openFromRegistry(reference, options)
  const image = await options.engines?.(reference, options)
  if (image) return image
  const name = safe(
    'name' in reference && reference.name !== null
      ? typeof reference.name === 'string'
        ? reference.name
        : reference.name.text
      : reference.text,
  )
  const path = reference.kind === 'name' && existsSync(reference.name.text)
  throw new NoImage(`There is no image “${name}” here.`, {
    hint: path ? `There is a file of this name: write ./${name}` : elsewhere(reference, name),
  })
}

/** Where else it could be. */
function elsewhere(reference: Reference, name: string): string {
  const far = reference.kind === 'name' && reference.name.repository !== null && !/^[0-9a-f]{12,64}$/.test(name)
  const file = 'A file is written ./FILE, a directory ./DIR'
  return far ? `docker://${name} looks at it in its registry, without a pull. ${file}.` : `${file}.`
}

async function openFromRegistry(
  reference: Extract<Reference, { kind: 'registry' }>,
  options: OpenOptions,
): Promise<Image> {
  const { platform, signal, verify = false, needContent = false } = options
  const registries = await options.registries?.()
  if (registries === undefined) throw new Fault(`${safe(reference.text)} is in a registry, which is not read here.`)
  const { openFar } = await import('./remote/open.ts')
  return openFar(reference.name, {
    ...registries,
    reference: reference.text,
    platform: typeof platform === 'string' ? parsePlatform(platform) : (platform ?? null),
    cacheFolder: cacheFolderOf(options),
    verify,
    keep: needContent,
    signal,
  })
}

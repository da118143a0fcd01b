/**
 * Layers of the store as directories that overlayfs can use. A layer's directory depends on the layers below it (hard
 * links, implied directories), so its chain id names it. It is made beside and comes to its place by rename, whole and
 * with the diffID that was promised; of two Stratas that unpack the same layer one wins, and both use that one.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import * as z from 'zod'
import { Fault } from '../../base/errors.ts'
import type { Work } from '../../base/progress.ts'
import { formatBytes } from '../../base/sizes.ts'
import { isDigest, shortDigest } from '../../image/digest.ts'
import type { Digest } from '../../image/types.ts'
import { unpackLayer } from '../layers.ts'
import { lockStore, type StoreFolder, type Workplace } from './folder.ts'

const about = z.object({
  diffId: z.string(),
  /** Bytes of its files. */
  bytes: z.number(),
  entries: z.number(),
  /** While the machine has not been started anew the files are as they were written, on the disk or not. */
  bootId: z.string(),
})

export type AboutLayer = z.infer<typeof about>

export interface LayerToUnpack {
  diffId: Digest
  chainId: Digest
  /** Directories of the layers below, top first. */
  lower: readonly string[]
  /** Its tar; asked for only when the layer is not there yet. */
  tar(signal: AbortSignal | undefined): AsyncIterable<Uint8Array>
}

/** The directory of a layer; null when it is not unpacked. */
export function unpackedLayer(folder: StoreFolder, chainId: Digest): string | null {
  return aboutLayer(folder, chainId) === null ? null : join(placeOf(folder, chainId), 'diff')
}

/** What is known of an unpacked layer; null when it is not there, or not for sure: the machine may have crashed meanwhile. */
export function aboutLayer(folder: StoreFolder, chainId: Digest): AboutLayer | null {
  const place = placeOf(folder, chainId)
  try {
    const read = about.parse(JSON.parse(readFileSync(join(place, 'about.json'), 'utf8')))
    return read.bootId === bootId() || existsSync(join(place, sure)) ? read : null
  } catch {
    return null
  }
}

/** The directory of the layer, which is unpacked if need be. @throws Fault when its tar is not what its diffID says. */
export async function unpackIntoStore(
  folder: StoreFolder,
  { path }: Workplace,
  layer: LayerToUnpack,
  { signal, onProgress }: Work = {},
): Promise<string> {
  const known = unpackedLayer(folder, layer.chainId)
  if (known !== null) return known
  const into = join(path, layer.chainId.slice(layer.chainId.indexOf(':') + 1))
  mkdirSync(into, { mode: 0o700 })
  const tar = hashing(layer.tar(signal), done => onProgress?.({ done, total: null }))
  try {
    const input = Readable.from(tar.chunks, { objectMode: false, highWaterMark: 1 << 20 })
    const room = roomFor(path)
    const below = { lower: layer.lower, ...room, ...(signal ? { signal } : {}) }
    const { bytes, entries } = await unpackLayer(input, join(into, 'diff'), below).catch(error => {
      throw named(error, layer.diffId, room.maxBytes)
    })
    const diffId = await tar.digest()
    if (diffId !== layer.diffId) {
      throw new Fault(`The layer ${shortDigest(layer.diffId)} is not what its image says: its diffID is ${diffId}.`)
    }
    writeFileSync(join(into, 'about.json'), JSON.stringify({ diffId, bytes, entries, bootId: bootId() }))
  } finally {
    await tar.close()
  }
  return settle(folder, into, layer.chainId)
}

/** Milliseconds that somebody waits for the disk, which may have a great deal of others to write. */
const patience = 2000

/**
 * Waits, not long, until what was unpacked is on the disk, and says so in its place: only then is it believed after the
 * machine has been started anew. Layers that could not be made sure of are unpacked again then.
 */
export async function makeSure(folder: StoreFolder, chainIds: readonly Digest[]): Promise<void> {
  const unsure = chainIds.map(id => placeOf(folder, id)).filter(place => !existsSync(join(place, sure)))
  if (unsure.length === 0) return
  const synced = await new Promise<boolean>(resolve => {
    const child = execFile('sync', ['-f', ...unsure], error => {
      clearTimeout(waiting)
      resolve(error === null)
    })
    const waiting = setTimeout(() => {
      child.kill()
      child.unref()
      resolve(false)
    }, patience)
  })
  if (!synced) return
  for (const place of unsure) {
    try {
      writeFileSync(join(place, sure), '')
    } catch {} // taken away meanwhile
  }
}

/** Marks a layer whose files are on the disk. */
const sure = 'on-disk'

/** The helper knows no layers and no disks: it says only where in a tar it came to a stop. */
function named(error: unknown, diffId: Digest, room: number): unknown {
  if (!(error instanceof Fault) || error.exitCode === 130) return error
  const { message, hint } = error
  const full = /more than \d+ (?:bytes|entries)/.test(message)
  const what = full
    ? `the disk is too full, ${formatBytes(room)} are left for it.`
    : `${message.slice(0, 1).toLowerCase()}${message.slice(1)}`
  const told = `The layer ${shortDigest(diffId)} can not be unpacked: ${what}`
  return new Fault(told, { cause: error, ...(hint === undefined ? {} : { hint }) })
}

/** Room that is left to others on the disk, whatever a layer claims to need: this much, or a twentieth of it. */
const reserve = 512 << 20

/** As much as a layer may take. */
function roomFor(path: string): { maxBytes: number; maxEntries: number } {
  const { bavail, blocks, bsize, ffree, files } = statfsSync(path)
  const maxBytes = Math.max(0, bavail * bsize - Math.min(reserve, (blocks * bsize) / 20))
  // File systems that make inodes as they are needed count none.
  return { maxBytes: Math.floor(maxBytes), maxEntries: files > 0 ? ffree : Number.MAX_SAFE_INTEGER }
}

/** Brings a finished layer to its place, unless another Strata was first. */
async function settle(folder: StoreFolder, made: string, chainId: Digest): Promise<string> {
  const place = placeOf(folder, chainId)
  const turn = await lockStore(folder)
  try {
    const other = unpackedLayer(folder, chainId)
    if (other !== null) return other
    // What a crash of the machine may have left incomplete goes with the workplace.
    if (existsSync(place)) renameSync(place, `${made}-before`)
    renameSync(made, place)
  } finally {
    turn.release()
  }
  return join(place, 'diff')
}

function placeOf({ layers }: StoreFolder, chainId: Digest): string {
  if (!isDigest(chainId)) throw new Fault('A layer whose diffID nobody knows can not be unpacked.')
  return join(layers, chainId.slice(chainId.indexOf(':') + 1))
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  } catch {
    return ''
  }
}

/**
 * Chunks that are hashed as they are taken. `digest` takes the rest first: whoever unpacks a tar leaves what stands behind
 * its end.
 */
function hashing(chunks: AsyncIterable<Uint8Array>, onBytes: (done: number) => void) {
  const hash = createHash('sha256')
  const from = chunks[Symbol.asyncIterator]()
  let done = 0
  async function* taken(): AsyncGenerator<Uint8Array> {
    for (let next = await from.next(); !next.done; next = await from.next()) {
      hash.update(next.value)
      onBytes((done += next.value.length))
      yield next.value
    }
  }
  return {
    chunks: taken(),
    async digest(): Promise<Digest> {
      for await (const _ of taken());
      return `sha256:${hash.digest('hex')}`
    },
    close: () => from.return?.(),
  }
}

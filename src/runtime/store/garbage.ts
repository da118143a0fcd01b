/** What of the store nobody needs, how much room it takes, and taking it away. */
import { lstatSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { chainIds } from '../../image/digest.ts'
import type { Digest } from '../../image/types.ts'
import { allRecords } from '../containers/record.ts'
import type { Places } from '../places.ts'
import { digestsInUse, type StoreFolder, storeFolder, type Workplace } from './folder.ts'
import type { KeptImage } from './index.ts'
import { aboutLayer } from './unpacked.ts'

/** A blob or an unpacked layer of the store. */
export interface Thing {
  kind: 'blob' | 'layer'
  /** Of the blob; the chain id of an unpacked layer. */
  digest: Digest
  path: string
  /** What is freed when it goes: blocks of the disk. */
  bytes: number
}

/** Everything that the store holds. */
export function thingsOf(folder: StoreFolder): Thing[] {
  const things = (kind: Thing['kind'], place: string, size: (path: string, digest: Digest) => number): Thing[] =>
    namesIn(place)
      .filter(name => /^[0-9a-f]{64}$/.test(name))
      .map(name => ({ kind, digest: `sha256:${name}`, path: join(place, name) }))
      .map(thing => ({ ...thing, bytes: size(thing.path, thing.digest) }))
  return [
    ...things('blob', folder.blobs, path => roomOf(path) ?? 0),
    ...things('layer', folder.layers, (path, chainId) => roomOf(path) ?? aboutLayer(folder, chainId)?.bytes ?? 0),
  ]
}

/** Digests of what an image needs: its documents, its layers, and the directories that these become. */
export function digestsOf(image: KeptImage): Digest[] {
  return [...blobsOf(image), ...chainOf(image)]
}

/** Chain ids of an image's layers, bottom first. */
export function chainOf({ layers }: KeptImage): Digest[] {
  return chainIds(layers.map(layer => layer.diffId))
}

function blobsOf({ id, manifest, layers }: KeptImage): Digest[] {
  return [id, manifest, ...layers.map(layer => layer.digest)]
}

/**
 * What neither these images nor a container nor a running Strata need. Whoever takes it away has locked the store for
 * itself: things come into it even so, but never without a Strata that uses them.
 */
export async function unusedThings(places: Places, images: readonly KeptImage[]): Promise<Thing[]> {
  const folder = storeFolder(places)
  const things = thingsOf(folder)
  // In this order: a Strata leaves layers to its container only when that is written down.
  const inUse = await digestsInUse(folder)
  const containers = await allRecords(places.containers)
  const needed = {
    blob: new Set([...inUse, ...images.flatMap(blobsOf)]),
    layer: new Set([...inUse, ...images.flatMap(chainOf), ...containers.flatMap(({ chain }) => chainIds(chain))]),
  }
  return things.filter(({ kind, digest }) => !needed[kind].has(digest))
}

/** Takes things out of the store at once; their bytes are freed when the workplace is left. */
export function takeAway(things: readonly Thing[], { path }: Workplace): void {
  for (const { kind, path: from, digest } of things) {
    try {
      renameSync(from, join(path, `${kind}-${digest.slice(7)}`))
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ENOENT') throw error
    }
  }
}

/** Bytes of the disk below a path, what has several names counted once; null where we may not look everywhere. */
function roomOf(path: string): number | null {
  const seen = new Set<number>()
  const walk = (at: string): number => {
    const stat = lstatSync(at)
    if (!stat.isDirectory() && stat.nlink > 1) {
      if (seen.has(stat.ino)) return 0
      seen.add(stat.ino)
    }
    const own = stat.blocks * 512
    return stat.isDirectory() ? readdirSync(at).reduce((sum, name) => sum + walk(join(at, name)), own) : own
  }
  try {
    return walk(path)
  } catch {
    return null
  }
}

function namesIn(path: string): string[] {
  try {
    return readdirSync(path).sort()
  } catch {
    return []
  }
}

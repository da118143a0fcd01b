/**
 * containerd's image store, read where it lies: names from its database, manifests and compressed layers from its content
 * store, single files from the directories that the layers were unpacked to. Docker keeps its images like that where it
 * uses containerd's store (namespace `moby`). Formats: containerd metadata/buckets.go, snapshots/storage, content/local.
 */
import { join } from 'node:path'
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import { chainIds, isDigest } from '../image/digest.ts'
import type { Digest, Platform } from '../image/types.ts'
import { type Bucket, readBolt } from './bolt.ts'
import type { Folder } from './folder.ts'
import { openDirectory } from './folder-directory.ts'
import { readOci } from './oci.ts'
import { openFolder } from './open.ts'
import { withDirectories } from './store-directories.ts'
import { answer, Incomplete, isMissing, settled, Unsettled } from './store-files.ts'
import { matchId, sameImageName } from './store-names.ts'
import type { StoreAnswer, StoreListing, StoreLocation, StoreOptions, StoreReason, Wanted } from './store-types.ts'
import type { Image } from './types.ts'

/** The image of this name or id. An id may be that of the index or manifest, as Docker shows it, or of the config. */
export function openContainerdStore(
  location: StoreLocation,
  wanted: Wanted,
  options: StoreOptions,
): Promise<StoreAnswer> {
  return answer(location, async () => {
    const records = recordsOf(location)
    const found = findRecord(records, wanted) ?? (await findByConfig(location, records, wanted))
    return found && openRecord(location, found, records, options)
  })
}

/** All images of all namespaces. */
export async function listContainerdStore(
  location: StoreLocation,
): Promise<{ images: StoreListing[]; reason: StoreReason | null }> {
  const { value, reason } = await settled(location, () => listRecords(location, recordsOf(location)))
  const images = value ?? []
  const lacking = images.filter(({ incomplete }) => incomplete).length
  if (lacking === 0) return { images, reason }
  const text = `${safe(location.root)} has lost compressed layers of ${lacking} of its ${images.length} images: from there they can not be read.`
  return { images, reason: { location, kind: 'incomplete', text, hint: DISCARDED } }
}

/**
 * The unpacked directories of such layers are not read in their place: what a layer hides is written there in extended
 * attributes, which Node can not read, and without them deleted files would be shown as if they were there.
 */
const DISCARDED =
  'containerd was told to discard layers once they are unpacked: discard_unpacked_layers = false, then pull them again.'

/**
 * Where containerd has these layers (diffIDs, bottom first) unpacked for overlayfs, in any namespace; null when it has not
 * all of them.
 */
export function containerdLayerDirectories({ root }: StoreLocation, diffIds: readonly Digest[]): string[] | null {
  const chain = chainIds(diffIds)
  const names = readMeta(root, db =>
    [...(db.bucket('v1')?.entries() ?? [])].map(({ key, value }) => {
      const own = value === null ? db.bucket('v1', key, 'snapshots', 'overlayfs') : null
      return chain.map(chainId => textOf(own?.bucket(chainId)?.get('name') ?? null))
    }),
  )
  const whole = names?.find(one => one.every(name => name !== '')) ?? []
  const found = directoriesIn(root, 'overlayfs', whole)
  return found.length === diffIds.length && found.every(one => one !== null) ? (found as string[]) : null
}

/** A name of an image in the database. */
interface ImageRecord {
  namespace: string
  name: string
  digest: Digest
  size: number
  mediaType: string
  parent: Digest | null
}

/** Docker's own namespace first, then that of Kubernetes, then the rest. */
const usual = ['k8s.io', 'moby']
const MAX_IMAGES = 100_000

function recordsOf({ root }: StoreLocation): ImageRecord[] {
  const records = readMeta(root, db => {
    const all: ImageRecord[] = []
    for (const { key, value } of db.bucket('v1')?.entries() ?? []) {
      const images = value === null ? db.bucket('v1', key, 'images') : null
      for (const { key: name } of images?.entries() ?? []) {
        if (all.length >= MAX_IMAGES) throw new Fault(`${safe(root)} has more than ${MAX_IMAGES} names of images.`)
        const record = recordOf(textOf(key), textOf(name), images!.bucket(name))
        if (record) all.push(record)
      }
    }
    return all
  })
  return (records ?? []).sort((a, b) => usual.indexOf(b.namespace) - usual.indexOf(a.namespace))
}

function recordOf(namespace: string, name: string, bucket: Bucket | null): ImageRecord | null {
  const target = bucket?.bucket('target')
  const digest = textOf(target?.get('digest') ?? null)
  const parent = textOf(bucket?.bucket('labels')?.get('org.mobyproject.image.parent') ?? null)
  if (!target || !isDigest(digest)) return null
  return {
    namespace,
    name,
    digest,
    size: signedVarint(target.get('size')),
    mediaType: textOf(target.get('mediatype')),
    parent: isDigest(parent) ? parent : null,
  }
}

/** null where there is no database. @throws Unsettled when it changes all the time. */
function readMeta<T>(root: string, read: (db: Bucket) => T): T | null {
  const path = join(root, 'io.containerd.metadata.v1.bolt/meta.db')
  try {
    const result = readBolt(path, read)
    if (result === null) throw new Unsettled(`${safe(path)} is changed all the time.`)
    return result
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

function findRecord(records: ImageRecord[], wanted: Wanted): ImageRecord | null {
  const named = records.find(record => sameImageName(record.name, wanted))
  if (named) return named
  if (wanted.digest !== null) {
    const { digest } = wanted
    const base = { ...wanted, digest: null }
    return records.find(one => one.digest === digest && sameImageName(one.name.replace(/:[^:/]*$/, ''), base)) ?? null
  }
  const id = matchId(wanted, () => [...new Set(records.map(record => record.digest))])
  return records.find(record => record.digest === id) ?? null
}

/** Other tools, and we, call an image by the digest of its config. */
async function findByConfig(
  location: StoreLocation,
  records: ImageRecord[],
  wanted: Wanted,
): Promise<ImageRecord | null> {
  if (wanted.id === null) return null
  const ids = new Map<Digest, ImageRecord>()
  for (const record of records) {
    const found = await lookAt(location, record, null)
    if (found) ids.set(found.id, record)
  }
  const id = matchId(wanted, () => [...ids.keys()])
  return id === null ? null : ids.get(id)!
}

/** The manifest and config of an image; null where they are not there, or none of an image. */
async function lookAt({ root }: StoreLocation, record: ImageRecord, platform: Platform | null) {
  const folder = contentOf(root, record)
  try {
    return await readOci(folder, { name: null, position: null, platform })
  } catch (error) {
    if (error instanceof Fault && error.exitCode === 1) return null
    throw error
  } finally {
    folder.close()
  }
}

async function openRecord(
  location: StoreLocation,
  record: ImageRecord,
  records: ImageRecord[],
  { platform, reference, cacheFolder, signal }: StoreOptions,
): Promise<Image | null> {
  if (platform !== null && (await lookAt(location, record, platform)) === null) return null
  const image = await openFolder(contentOf(location.root, record), {
    reference,
    source: 'containerd-store',
    choice: { name: null, position: null, platform },
    cacheDir: cacheFolder,
    signal,
  })
  const missing = missingBlob(location.root, record, image.layers)
  if (missing !== null) {
    await image.close()
    throw new Incomplete(
      `containerd does not keep the compressed layers of ${safe(record.name)}: ${missing} is gone.`,
      { hint: DISCARDED },
    )
  }
  const names = records.filter(one => one.digest === record.digest && one.namespace === record.namespace)
  return {
    ...withDirectories(image, directoriesOf(location, record, image)),
    location,
    names: names.flatMap(one => shownName(one) ?? []),
  }
}

/** The digest of the first layer whose blob is not there. */
function missingBlob(root: string, record: ImageRecord, layers: readonly { digest: Digest | null }[]): Digest | null {
  const folder = contentOf(root, record)
  try {
    const isGone = (digest: Digest) => folder.file(`blobs/${digest.replace(':', '/')}`) === null
    return layers.find(layer => layer.digest !== null && isGone(layer.digest))?.digest ?? null
  } finally {
    folder.close()
  }
}

/** The content store as an OCI layout that lists one image: it is one but for the index. */
function contentOf(root: string, record: ImageRecord): Folder & { close(): void } {
  const blobs = openDirectory(join(root, 'io.containerd.content.v1.content'))
  const { digest, size, mediaType } = record
  const index = Buffer.from(JSON.stringify({ manifests: [{ digest, size, mediaType }] }))
  const passed = { content: index, digest: '', layer: null, fault: null }
  return {
    ...blobs,
    name: `containerd’s store`,
    paths: () => [],
    file: path => {
      if (path.startsWith('blobs/')) return blobs.file(path)
      return path === 'index.json' ? { path, size: index.length, region: null, identity: null, passed } : null
    },
  }
}

/** As the engine itself writes it: Docker leaves out what is implied. null: it has no name. */
function shownName({ namespace, name }: ImageRecord): string | null {
  if (namespace !== 'moby') return name
  return name.startsWith('moby-dangling@') ? null : name.replace(/^docker\.io\/(?:library\/)?/, '')
}

/** Where the files of each layer lie; null where it was never unpacked, or not by a snapshotter that we know. */
function directoriesOf({ root }: StoreLocation, record: ImageRecord, { layers }: Image): (string | null)[] {
  const names = readMeta(root, db => {
    const snapshots = db.bucket('v1', record.namespace, 'snapshots')
    return Object.keys(insides).map(snapshotter => {
      const own = snapshots?.bucket(snapshotter) ?? null
      return { snapshotter, names: layers.map(({ chainId }) => textOf(own?.bucket(chainId)?.get('name') ?? null)) }
    })
  })
  const all = (names ?? []).map(one => directoriesIn(root, one.snapshotter, one.names))
  return layers.map((_, at) => all.map(some => some[at]).find(one => one != null) ?? null)
}

/** Where a snapshotter puts the files of a layer within the folder of its snapshot. */
const insides: Record<string, string> = { overlayfs: 'fs', native: '' }

function directoriesIn(root: string, snapshotter: string, names: string[]): (string | null)[] {
  if (names.every(name => name === '')) return []
  const folder = join(root, `io.containerd.snapshotter.v1.${snapshotter}`)
  try {
    const ids = readBolt(join(folder, 'metadata.db'), db => {
      const snapshots = db.bucket('v1', 'snapshots')
      return names.map(name => varint(snapshots?.bucket(name)?.get('id') ?? new Uint8Array(0)))
    })
    return (ids ?? []).map(id => (id > 0n ? join(folder, 'snapshots', String(id), insides[snapshotter]!) : null))
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

async function listRecords(location: StoreLocation, records: ImageRecord[]): Promise<StoreListing[]> {
  const listed = new Map<string, StoreListing>()
  for (const record of records) {
    const key = `${record.namespace} ${record.digest}`
    const known = listed.get(key) ?? (await listing(location, record))
    if (known === null) continue
    listed.set(key, known)
    const name = shownName(record)
    if (name === null) continue
    if (name.includes('@')) known.digests.push(name)
    else known.names.push(name)
  }
  return [...listed.values()]
}

async function listing(location: StoreLocation, record: ImageRecord): Promise<StoreListing | null> {
  const found = await lookAt(location, record, null)
  if (found === null) return null
  const created = Date.parse(found.config.created ?? '') / 1000
  return {
    id: record.digest,
    names: [],
    digests: [],
    parent: record.parent,
    created: created > 0 ? Math.floor(created) : null,
    size: found.layers.reduce((sum, layer) => sum + (layer.size ?? 0), 0),
    location,
    incomplete: missingBlob(location.root, record, found.layers) !== null,
  }
}

function textOf(bytes: Uint8Array | null): string {
  return bytes === null ? '' : Buffer.from(bytes).toString('utf8')
}

/** Go's binary.Uvarint; 0 for what is none. */
function varint(bytes: Uint8Array): bigint {
  let value = 0n
  for (let at = 0; at < bytes.length && at < 10; at++) {
    value |= BigInt(bytes[at]! & 0x7f) << BigInt(7 * at)
    if (bytes[at]! < 0x80) return value
  }
  return 0n
}

/** Go's binary.Varint: the sign in the lowest bit. */
function signedVarint(bytes: Uint8Array | null): number {
  return bytes === null ? 0 : Number(varint(bytes) >> 1n)
}

/** Images of the native store as archives that other tools take: docker-archive, OCI layouts in a tar or in a directory. */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream, existsSync, mkdirSync, readdirSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable, type Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { pack } from 'tar-stream'
import { Fault, reasonOf } from '../../base/errors.ts'
import type { Work } from '../../base/progress.ts'
import { safe } from '../../base/text.ts'
import type { Digest } from '../../image/types.ts'
import type { Places } from '../../runtime/places.ts'
import { blobBytes, blobPath, keepBlob } from '../../runtime/store/blobs.ts'
import { type StoreFolder, storeFolder, type Workplace } from '../../runtime/store/folder.ts'
import type { KeptImage } from '../../runtime/store/index.ts'
import { copyTar } from '../../source/copy-tar.ts'
import { openStoreImage } from './images.ts'

/** An image, and the names that it is saved under, in full. */
export interface Saved {
  image: KeptImage
  /** Of the store that has it. */
  places: Places
  names: readonly string[]
}

export interface SaveOptions extends Work {
  /** Where plain layers of compressed ones are made. */
  place: Workplace
}

/** One file of an archive: a document, or a blob, which must have its digest. */
type Member = { path: string } & ({ bytes: Uint8Array } | { blob: string; size: number; digest: Digest })

/** What `docker load`, `podman load` and skopeo take, as a tar: layers are plain in it. */
export function saveDockerArchive(saved: readonly Saved[], to: Writable, options: SaveOptions): Promise<void> {
  return writeTar(dockerMembers(saved, options), to, createdOf(saved), options)
}

/** An OCI layout as a tar. Manifests and layers are those that the images came with, byte by byte. */
export function saveOciArchive(saved: readonly Saved[], to: Writable, options: SaveOptions): Promise<void> {
  return writeTar(ociMembers(saved), to, createdOf(saved), options)
}

/** The same as files of a directory, which is made. @throws Fault when there is something in it. */
export async function saveOciLayout(saved: readonly Saved[], directory: string, options: SaveOptions): Promise<void> {
  if (existsSync(directory) && readdirSync(directory).length > 0)
    throw new Fault(`${safe(directory)} is not empty.`, { hint: 'A layout is written into a directory of its own.' })
  for await (const member of ociMembers(saved)) {
    const path = join(directory, member.path)
    try {
      mkdirSync(dirname(path), { recursive: true })
      if ('bytes' in member) await writeFile(path, member.bytes)
      else await pipeline(Readable.from(contentOf(member)), createWriteStream(path), { signal: options.signal })
    } catch (error) {
      if (error instanceof Fault || options.signal?.aborted) throw error
      throw new Fault(`${safe(path)} can not be written: ${reasonOf(error)}.`, { cause: error })
    }
  }
}

async function* dockerMembers(saved: readonly Saved[], options: SaveOptions): AsyncGenerator<Member> {
  const manifest: unknown[] = []
  const written = new Set<string>()
  for (const { image, names, places } of saved) {
    const folder = storeFolder(places)
    const config = { path: `${hexOf(image.id)}.json`, ...blobOf(folder, image.id) }
    if (!written.has(config.path)) yield config
    written.add(config.path)
    for (const [at, layer] of image.layers.entries()) {
      const path = `${hexOf(layer.diffId)}.tar`
      if (!written.has(path)) yield { path, ...(await plainLayer(places, image, at, options)) }
      written.add(path)
    }
    const layers = image.layers.map(layer => `${hexOf(layer.diffId)}.tar`)
    manifest.push({ Config: config.path, RepoTags: names, Layers: layers })
  }
  yield { path: 'manifest.json', bytes: Buffer.from(JSON.stringify(manifest)) }
}

async function* ociMembers(saved: readonly Saved[]): AsyncGenerator<Member> {
  yield { path: 'oci-layout', bytes: Buffer.from('{"imageLayoutVersion":"1.0.0"}') }
  const manifests = saved.flatMap(({ image: { manifest: digest, mediaType }, names, places }) => {
    const { size } = blobOf(storeFolder(places), digest)
    const unnamed = { mediaType, digest, size }
    // Docker and containerd read the one, podman the other.
    const annotations = (name: string) => ({
      'io.containerd.image.name': name,
      'org.opencontainers.image.ref.name': name,
    })
    return names.length === 0 ? [unnamed] : names.map(name => ({ ...unnamed, annotations: annotations(name) }))
  })
  const index = { schemaVersion: 2, mediaType: 'application/vnd.oci.image.index.v1+json', manifests }
  yield { path: 'index.json', bytes: Buffer.from(JSON.stringify(index)) }
  const written = new Set<Digest>()
  for (const { image, places } of saved) {
    for (const digest of [image.manifest, image.id, ...image.layers.map(layer => layer.digest)]) {
      if (!written.has(digest)) yield { path: `blobs/sha256/${hexOf(digest)}`, ...blobOf(storeFolder(places), digest) }
      written.add(digest)
    }
  }
}

function blobOf(folder: StoreFolder, digest: Digest): { blob: string; size: number; digest: Digest } {
  const size = blobBytes(folder, digest)
  if (size === null) throw new Fault(`The store ${safe(folder.root)} has lost the blob ${digest}.`)
  return { blob: blobPath(folder, digest), size, digest }
}

/** The layer's tar: the blob itself, or what is in it. */
async function plainLayer(
  places: Places,
  image: KeptImage,
  at: number,
  { place, signal }: SaveOptions,
): Promise<{ blob: string; size: number; digest: Digest }> {
  const folder = storeFolder(places)
  const { digest, diffId } = image.layers[at]
  if (digest === diffId || blobBytes(folder, diffId) !== null) return blobOf(folder, diffId)
  const opened = await openStoreImage(image.id, places)
  if (opened === null) throw new Fault(`The store ${safe(folder.root)} has the image ${image.id} no more.`)
  try {
    const beside = { ...folder, blobs: place.path }
    await keepBlob(beside, place, diffId, to => copyTar(opened.layerTar(at, { signal }), to))
    return blobOf(beside, diffId)
  } finally {
    await opened.close()
  }
}

async function writeTar(
  members: AsyncIterable<Member>,
  to: Writable,
  created: Date,
  { signal, onProgress }: Work,
): Promise<void> {
  const tar = pack()
  const written = pipeline(tar, to, { signal, end: false })
  let done = 0
  const fill = async () => {
    try {
      for await (const member of members) {
        const size = 'bytes' in member ? member.bytes.length : member.size
        const entry = tar.entry({ name: member.path, size, mode: 0o644, mtime: created })
        await pipeline(Readable.from(contentOf(member)), entry, { signal })
        onProgress?.({ done: (done += size), total: null })
      }
      tar.finalize()
    } catch (error) {
      tar.destroy(error as Error)
      throw error
    }
  }
  // What became of the tar is what the writer was told, and what the reader did.
  const [filled, taken] = await Promise.allSettled([fill(), written])
  for (const one of [taken, filled]) if (one.status === 'rejected') throw one.reason
}

/** @throws Fault when a blob is not what its name says: the disk has changed it. */
async function* contentOf(member: Member): AsyncGenerator<Uint8Array> {
  if ('bytes' in member) return void (yield member.bytes)
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(member.blob, { highWaterMark: 1 << 20 })) {
    hash.update(chunk)
    yield chunk
  }
  const digest = `sha256:${hash.digest('hex')}`
  if (digest !== member.digest)
    throw new Fault(`A blob of the store is damaged: ${member.digest} has become ${digest}.`)
}

/** The same image gives the same archive, whenever it is saved. */
function createdOf(saved: readonly Saved[]): Date {
  return new Date(Math.max(0, ...saved.map(({ image }) => image.created ?? 0)) * 1000)
}

function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1)
}

/**
 * Registries by the OCI distribution spec 1.1 (and Docker's API v2 before it): `openRegistry` gives one repository of one.
 * What comes is bounded in size and time and compared with its digest, but for blobs that stream: those are compared by
 * whoever takes them whole. `access.ts` says what a registry is reached with, `image.ts` reads an image's documents.
 */
import { createHash } from 'node:crypto'
import { Fault } from '../../base/errors.ts'
import { formatBytes } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { ImageName } from '../../image/image-name.ts'
import { isDigest } from '../../image/is-digest.ts'
import type { Digest } from '../../image/types.ts'
import { type Asker, createAsker } from './ask.ts'
import { scopeOf } from './authorize.ts'
import type { Reply } from './http.ts'
import { partOf } from './path.ts'
import { readWhole } from './read-whole.ts'
import { NotFound, refusal } from './refusal.ts'
import { listTags } from './tags.ts'
import type { BlobStream, Manifest, Registry, RegistryAccess } from './types.ts'
import { mountBlob, putManifest, uploadBlob } from './upload.ts'

/** Manifests and indexes that we know what to do with. */
export const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
]

/** Asks nothing yet. `signal` ends every question of it. @throws Fault (exit code 2) when the name is only an image id. */
export function openRegistry(
  name: ImageName,
  { access, signal }: { access: RegistryAccess; signal?: AbortSignal | undefined },
): Registry {
  const { registry: host, repository } = name
  if (host === null || repository === null)
    throw new Fault(`“${safe(name.text)}” is an image id; a registry needs a name.`, { exitCode: 2 })
  const asker = createAsker(access, { host, repository })
  const pull = [scopeOf(repository, 'pull')]
  const push = { asker, access, repository, scopes: [scopeOf(repository, 'pull,push')] }
  const both = (own: AbortSignal | undefined) => (own && signal ? AbortSignal.any([own, signal]) : (own ?? signal))
  const reading = { asker, access, pull, name: `${host}/${repository}`, repository }
  return {
    host,
    repository,
    manifest: (reference, own) => manifest(reading, reference, both(own)),
    headManifest: (reference, own) => headManifest(reading, reference, both(own)),
    blob: (digest, options = {}) => blob(reading, digest, { ...options, signal: both(options.signal) }),
    smallBlob: (of, most, what, own) => smallBlob(reading, of, most, what, both(own)),
    headBlob: (digest, own) => headBlob(reading, digest, both(own)),
    tags: own => listTags(reading, both(own)),
    mountBlob: (digest, from, own) => mountBlob(push, digest, from, both(own)),
    uploadBlob: (one, own) => uploadBlob(push, one, both(own)),
    putManifest: (reference, one, own) => putManifest(push, reference, one, both(own)),
    close: () => asker.close(),
  }
}

/** What reading of a repository needs. */
export interface Reading {
  asker: Asker
  access: RegistryAccess
  pull: readonly string[]
  /** For sentences. */
  name: string
  repository: string
}

async function manifest(from: Reading, reference: string, signal: AbortSignal | undefined): Promise<Manifest> {
  const { asker, access, pull, name, repository } = from
  const separator = isDigest(reference) ? '@' : ':'
  const what = `the manifest of ${safe(name)}${separator}${safe(reference)}`
  const headers = { accept: [...manifestTypes, '*/*;q=0.1'].join(', ') }
  const to = `/v2/${repository}/manifests/${partOf(reference)}`
  const reply = await asker.ask({ method: 'GET', to, headers, scopes: pull, signal })
  if (reply.status !== 200) throw await refusal(reply, what, access.limits)
  const bytes = await readWhole(reply, access.limits.documentBytes, what, access.limits)
  const claimed = String(reply.headers['docker-content-digest'] ?? '')
  const wanted = isDigest(reference) ? reference : isDigest(claimed) ? claimed : null
  const digest = wanted === null ? digestBy('sha256', bytes) : digestBy(wanted.slice(0, wanted.indexOf(':')), bytes)
  if (wanted !== null && digest !== wanted)
    throw new Fault(`${upper(what)} does not have its digest: it should be ${wanted}, and is ${digest}.`)
  return { bytes, digest, mediaType: typeOf(bytes, String(reply.headers['content-type'] ?? ''), what) }
}

/** The document's own word goes before the header's; one that says both would be read as two (CVE-2021-41190). */
function typeOf(bytes: Uint8Array, header: string, what: string): string {
  const told = header.split(';')[0].trim().toLowerCase()
  let document: {
    mediaType?: unknown
    manifests?: unknown
    layers?: unknown
    schemaVersion?: unknown
    fsLayers?: unknown
  }
  try {
    document = Object(JSON.parse(new TextDecoder().decode(bytes)))
  } catch (error) {
    throw new Fault(`${upper(what)} is no JSON.`, { cause: error })
  }
  if (document.schemaVersion === 1 || document.fsLayers !== undefined)
    throw new Fault(`${upper(what)} is one of Docker before 1.10 (schema 1), which nobody should use any more.`, {
      hint: 'An image that is pushed anew by a Docker of today can be had.',
    })
  if (document.manifests !== undefined && document.layers !== undefined)
    throw new Fault(`${upper(what)} is a manifest and an index at once: it is not read.`)
  const own = typeof document.mediaType === 'string' && document.mediaType !== '' ? document.mediaType : null
  if (own !== null && manifestTypes.includes(told) && own !== told)
    throw new Fault(`${upper(what)} says that it is ${safe(own)}, and the registry says ${safe(told)}: it is not read.`)
  if (own !== null) return own.slice(0, 255)
  if (manifestTypes.includes(told)) return told
  return document.manifests === undefined ? manifestTypes[1] : manifestTypes[0]
}

async function headManifest(from: Reading, reference: string, signal: AbortSignal | undefined) {
  const { asker, access, pull, name, repository } = from
  const to = `/v2/${repository}/manifests/${partOf(reference)}`
  const headers = { accept: [...manifestTypes, '*/*;q=0.1'].join(', ') }
  const reply = await asker.ask({ method: 'HEAD', to, headers, scopes: pull, signal })
  reply.close()
  if (reply.status === 404) return null
  if (reply.status !== 200) throw await refusal(reply, `the manifest of ${safe(name)}`, access.limits)
  const digest = String(reply.headers['docker-content-digest'] ?? '')
  return { digest: isDigest(digest) ? digest : null, bytes: lengthOf(reply.headers['content-length']) }
}

async function blob(
  from: Reading,
  digest: Digest,
  { from: start = 0, to, signal }: { from?: number; to?: number; signal?: AbortSignal | undefined },
): Promise<BlobStream> {
  const { asker, access, pull, name, repository } = from
  const what = `the blob ${digest} of ${safe(name)}`
  const headers: Record<string, string> =
    start > 0 || to !== undefined ? { range: `bytes=${start}-${to === undefined ? '' : to - 1}` } : {}
  const to_ = `/v2/${repository}/blobs/${digest}`
  const reply = await asker.ask({ method: 'GET', to: to_, headers, scopes: pull, signal })
  const size = lengthOf(reply.headers['content-length'])
  if (reply.status === 200) return streamOf(reply, 200, size, 0)
  if (reply.status !== 206) throw await refusal(reply, what, access.limits)
  const range = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/.exec(String(reply.headers['content-range'] ?? ''))
  if (range === null || Number(range[1]) !== start) {
    reply.close()
    throw new Fault(`${safe(from.name.split('/')[0])} sends another part of ${what} than was asked for.`)
  }
  return streamOf(reply, 206, range[3] === '*' ? null : Number(range[3]), start)
}

function streamOf(reply: Reply, status: 200 | 206, size: number | null, from: number): BlobStream {
  const { batches, close } = reply
  return {
    status,
    size,
    from,
    batches,
    close,
    get body() {
      return reply.body
    },
  }
}

async function smallBlob(
  from: Reading,
  { digest, size }: { digest: Digest; size: number },
  most: number,
  what: string,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const { asker, access, pull, name, repository } = from
  const told = `${what} of ${safe(name)}`
  if (size > most)
    throw new Fault(`${upper(told)} has ${formatBytes(size)}; more than ${formatBytes(most)} is not read.`)
  const reply = await asker.ask({ method: 'GET', to: `/v2/${repository}/blobs/${digest}`, scopes: pull, signal })
  if (reply.status !== 200) throw await refusal(reply, told, access.limits)
  const bytes = await readWhole(reply, size, told, access.limits)
  const actual = digestBy(digest.slice(0, digest.indexOf(':')), bytes)
  if (actual === digest) return bytes
  throw new Fault(`${upper(told)} does not have its digest: it should be ${digest}, and is ${actual}.`)
}

async function headBlob(from: Reading, digest: Digest, signal: AbortSignal | undefined) {
  const { asker, access, pull, name, repository } = from
  const reply = await asker.ask({ method: 'HEAD', to: `/v2/${repository}/blobs/${digest}`, scopes: pull, signal })
  reply.close()
  if (reply.status === 404) return null
  if (reply.status !== 200) throw await refusal(reply, `the blob ${digest} of ${safe(name)}`, access.limits)
  return { size: lengthOf(reply.headers['content-length']) }
}

/** Whether a fault says that something is not there. */
export function isNotFound(error: unknown): boolean {
  return error instanceof NotFound
}

function digestBy(algorithm: string, bytes: Uint8Array): Digest {
  return `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`
}

function lengthOf(header: string | undefined): number | null {
  return header !== undefined && /^\d{1,15}$/.test(header) ? Number(header) : null
}

function upper(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

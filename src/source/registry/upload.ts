/** What a registry takes: blobs, mounted or sent, and manifests (OCI distribution spec, "Push"). */
import { setTimeout } from 'node:timers/promises'
import { Fault } from '../../base/errors.ts'
import { formatDuration } from '../../base/sizes.ts'
import { digestOf, isDigest } from '../../image/digest.ts'
import type { Digest } from '../../image/types.ts'
import type { Asker } from './ask.ts'
import { scopeOf } from './authorize.ts'
import { Lost, nameOf } from './faults.ts'
import type { Reply } from './http.ts'
import { partOf } from './path.ts'
import { refusal } from './refusal.ts'
import type { BlobToUpload, RegistryAccess } from './types.ts'

export interface Pushing {
  asker: Asker
  access: RegistryAccess
  repository: string
  scopes: readonly string[]
}

/** @see Registry.mountBlob */
export async function mountBlob(
  { asker, access, repository, scopes }: Pushing,
  digest: Digest,
  from: string,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const to = `/v2/${repository}/blobs/uploads/?mount=${digest}&from=${encodeURIComponent(from)}`
  const reply = await asker.ask({ method: 'POST', to, scopes: [...scopes, scopeOf(from, 'pull')], signal })
  if (reply.status === 201) {
    reply.close()
    return true
  }
  // A registry that may not tell us what the other repository has does not mount, and one that can not begins an upload.
  if (reply.status === 202) await giveUp(asker, reply, scopes, signal)
  else if (reply.status >= 500) throw await refusal(reply, 'to take a blob over', access.limits)
  reply.close()
  return false
}

/** @see Registry.uploadBlob */
export async function uploadBlob(push: Pushing, blob: BlobToUpload, signal: AbortSignal | undefined): Promise<void> {
  const { access } = push
  let session: { url: URL; done: number } | null = null
  for (let tried = 1; ; tried++) {
    try {
      session ??= await begin(push, signal)
      const sent: URL = await send(push, blob, session, signal)
      return await finish(push, blob, sent, signal)
    } catch (error) {
      if (!(error instanceof Lost) || tried >= access.limits.tries || signal?.aborted) throw error
      const pause = access.limits.pause * 2 ** (tried - 1)
      access.tell?.(`${error.message.replace(/\.$/, '')}; sending again in ${formatDuration(pause)}`)
      await setTimeout(pause, undefined, { signal })
      session = session && (await whereItIs(push, session.url, blob, signal).catch(() => null))
    }
  }
}

async function begin({ asker, access, repository, scopes }: Pushing, signal: AbortSignal | undefined) {
  const headers = { 'content-length': '0' }
  const reply = await asker.ask({ method: 'POST', to: `/v2/${repository}/blobs/uploads/`, headers, scopes, signal })
  if (reply.status !== 202) throw await refusal(reply, 'to take a blob', access.limits)
  reply.close()
  return { url: asker.address(reply, reply.headers.location), done: 0 }
}

async function send(
  { asker, access, scopes }: Pushing,
  { digest, size, open, onProgress }: BlobToUpload,
  { url, done }: { url: URL; done: number },
  signal: AbortSignal | undefined,
): Promise<URL> {
  if (done === size && size > 0) return url
  const range: Record<string, string> = done > 0 ? { 'content-range': `${done}-${size - 1}` } : {}
  const headers = {
    'content-type': 'application/octet-stream',
    'content-length': String(size - done),
    ...range,
  }
  const body = counted(open(done), done, onProgress)
  const reply = await asker.ask({ method: 'PATCH', to: url, headers, body, scopes, signal, again: false })
  if (reply.status >= 500 || reply.status === 416 || reply.status === 429) {
    reply.close()
    throw new Lost(`${nameOf(url)} failed to take the blob ${digest.slice(7, 19)}: it answered with ${reply.status}.`)
  }
  if (reply.status !== 202 && reply.status !== 204 && reply.status !== 201)
    throw await refusal(reply, 'to take a blob', access.limits)
  reply.close()
  return asker.address(reply, reply.headers.location ?? url.href)
}

async function finish(
  { asker, access, scopes }: Pushing,
  { digest }: BlobToUpload,
  url: URL,
  signal: AbortSignal | undefined,
): Promise<void> {
  const to = new URL(url)
  // Added as text: what is there may be signed.
  to.search = `${url.search === '' ? '?' : `${url.search}&`}digest=${encodeURIComponent(digest)}`
  const headers = { 'content-type': 'application/octet-stream', 'content-length': '0' }
  const reply = await asker.ask({ method: 'PUT', to, headers, scopes, signal, again: false })
  if (reply.status >= 500) {
    reply.close()
    throw new Lost(`${nameOf(url)} failed to keep the blob ${digest.slice(7, 19)}: it answered with ${reply.status}.`)
  }
  if (reply.status !== 201 && reply.status !== 204) throw await refusal(reply, 'to keep a blob', access.limits)
  reply.close()
}

/** How much of an upload the registry has; null: nothing that could be gone on with. */
async function whereItIs(
  { asker, scopes }: Pushing,
  url: URL,
  { size }: BlobToUpload,
  signal: AbortSignal | undefined,
): Promise<{ url: URL; done: number } | null> {
  const reply = await asker.ask({ method: 'GET', to: url, scopes, signal })
  reply.close()
  const range = /^(?:bytes=)?0-(\d{1,15})$/.exec(String(reply.headers.range ?? ''))
  if (reply.status !== 204 || range === null) return null
  const done = Number(range[1]) + 1
  // `0-0` is nothing at all, or one byte: which of both nobody says.
  if (done <= 1 || done > size) return null
  return { url: asker.address(reply, reply.headers.location ?? url.href), done }
}

/** @see Registry.putManifest */
export async function putManifest(
  { asker, access, repository, scopes }: Pushing,
  reference: string,
  { bytes, mediaType }: { bytes: Uint8Array; mediaType: string },
  signal: AbortSignal | undefined,
): Promise<void> {
  const to = `/v2/${repository}/manifests/${partOf(reference)}`
  const headers = { 'content-type': mediaType }
  const reply = await asker.ask({ method: 'PUT', to, headers, body: bytes, scopes, signal })
  if (reply.status !== 201 && reply.status !== 200) throw await refusal(reply, 'to take the manifest', access.limits)
  reply.close()
  const kept = String(reply.headers['docker-content-digest'] ?? '')
  if (kept.startsWith('sha256:') && isDigest(kept) && kept !== digestOf(bytes))
    throw new Fault(`${nameOf(reply.url)} has kept another manifest than it was given: ${kept}.`)
}

/** An upload that nobody will go on with. */
async function giveUp(asker: Asker, reply: Reply, scopes: readonly string[], signal: AbortSignal | undefined) {
  try {
    const to = asker.address(reply, reply.headers.location)
    ;(await asker.ask({ method: 'DELETE', to, scopes, signal, again: false })).close()
  } catch {} // it ends by itself
}

async function* counted(
  chunks: AsyncIterable<Uint8Array>,
  from: number,
  onProgress: ((done: number) => void) | undefined,
): AsyncGenerator<Uint8Array> {
  let done = from
  for await (const chunk of chunks) {
    yield chunk
    onProgress?.((done += chunk.length))
  }
}

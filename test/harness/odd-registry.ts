/**
 * A registry on loopback, in this process, that does as the distribution spec says until it is told to do otherwise: a test
 * takes over the requests that it wants answered oddly. It remembers what it was asked.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import { onTestFinished } from 'vitest'
import { type Limits, type RegistryAccess, usualLimits } from '../../src/source/registry/types.ts'
import { entry, tar } from './tar.ts'

export interface Asked {
  method: string
  /** With its query. */
  path: string
  headers: IncomingMessage['headers']
  body: Buffer
}

/** Answers a request, or leaves it to the registry (false). */
export type Oddity = (asked: Asked, response: ServerResponse) => boolean | Promise<boolean>

export interface OddRegistry {
  /** `127.0.0.1:PORT` */
  host: string
  asked: Asked[]
  blobs: Map<string, Buffer>
  /** By `REPOSITORY:TAG` and `REPOSITORY@DIGEST`. */
  manifests: Map<string, { bytes: Buffer; type: string }>
  /** What to do with requests from now on. */
  odd(oddity: Oddity): void
  /** Keeps an image under `REPOSITORY:TAG`; gives the digest of its manifest. */
  add(name: string, image: RemoteTestImage): string
}

export interface RemoteTestImage {
  config: Buffer
  layers: Buffer[]
  diffIds: string[]
  manifest: Buffer
}

const oci = 'application/vnd.oci.image'
export const manifestType = `${oci}.manifest.v1+json`

export function sha(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** Layers of a file each, gzip; `bytes` of it do not compress. */
export function remoteImage(...bytes: number[]): RemoteTestImage {
  const tars = bytes.map((size, at) => Buffer.from(tar(entry({ path: `file-${at}`, body: randomBytes(size) }))))
  return imageOf(
    tars.map(plain => gzipSync(plain)),
    tars.map(sha),
  )
}

export function imageOf(
  layers: Buffer[],
  diffIds: string[],
  platform = { os: 'linux', architecture: 'amd64' },
): RemoteTestImage {
  const config = Buffer.from(JSON.stringify({ ...platform, config: {}, rootfs: { type: 'layers', diff_ids: diffIds } }))
  const descriptor = (blob: Buffer, mediaType: string) => ({ mediaType, digest: sha(blob), size: blob.length })
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: descriptor(config, `${oci}.config.v1+json`),
      layers: layers.map(layer => descriptor(layer, `${oci}.layer.v1.tar+gzip`)),
    }),
  )
  return { config, layers, diffIds, manifest }
}

/** Times that tests can wait for. */
export const quickLimits: Limits = {
  ...usualLimits,
  answer: 400,
  idle: 300,
  document: 600,
  pause: 5,
  longestPause: 2000,
  tries: 3,
  pages: 20,
  entries: 5000,
}

/** What the client is given: nobody, no certificates, loopback without TLS. */
export function accessFor(more: Partial<RegistryAccess> = {}): RegistryAccess & { told: string[] } {
  const told: string[] = []
  return {
    credentials: async () => null,
    certificates: async () => null,
    tlsVerify: false,
    userAgent: 'strata test',
    proxy: {},
    limits: quickLimits,
    tell: sentence => void told.push(sentence),
    ...more,
    told,
  }
}

/** Is gone after the running test. */
export async function oddRegistry(): Promise<OddRegistry> {
  let oddity: Oddity = () => false
  const blobs: OddRegistry['blobs'] = new Map()
  const manifests: OddRegistry['manifests'] = new Map()
  const uploads = new Map<string, Buffer>()
  const asked: Asked[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('error', () => {})
    request.on('end', async () => {
      const { method = '', url = '', headers } = request
      const one = { method, path: url, headers, body: Buffer.concat(chunks) }
      asked.push(one)
      response.on('error', () => {})
      if (!(await oddity(one, response))) usual(one, response)
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`

  function usual({ method, path, headers, body }: Asked, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(path, 'http://x')
    const send = (status: number, more: Record<string, string | number> = {}, content?: Buffer) => {
      response.writeHead(status, more)
      response.end(method === 'HEAD' ? undefined : content)
    }
    const [, repository, kind, rest = ''] = /^\/v2\/(.+?)\/(manifests|blobs|tags)\/(.*)$/.exec(pathname) ?? []
    if (pathname === '/v2/') return send(200)
    if (kind === 'manifests' && method === 'PUT') {
      const type = String(headers['content-type'])
      for (const name of [`${repository}:${rest}`, `${repository}@${sha(body)}`])
        manifests.set(name, { bytes: body, type })
      return send(201, { 'docker-content-digest': sha(body) })
    }
    if (kind === 'manifests') {
      const found = manifests.get(`${repository}${rest.includes(':') ? '@' : ':'}${rest}`)
      if (!found)
        return send(404, {}, Buffer.from('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}'))
      return send(200, { 'content-type': found.type, 'docker-content-digest': sha(found.bytes) }, found.bytes)
    }
    if (kind === 'tags') {
      const tags = [...manifests.keys()].flatMap(name =>
        name.startsWith(`${repository}:`) ? [name.slice(repository.length + 1)] : [],
      )
      return send(200, {}, Buffer.from(JSON.stringify({ name: repository, tags })))
    }
    if (rest.startsWith('uploads/')) return upload(method, pathname, rest.slice(8), searchParams, body, send)
    const blob = blobs.get(rest)
    if (!blob) return send(404)
    const range = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? '')
    if (!range) return send(200, { 'content-length': blob.length }, blob)
    const [from, to] = [Number(range[1]), range[2] ? Number(range[2]) + 1 : blob.length]
    send(206, { 'content-range': `bytes ${from}-${to - 1}/${blob.length}` }, blob.subarray(from, to))
  }

  function upload(
    method: string,
    path: string,
    id: string,
    query: URLSearchParams,
    body: Buffer,
    send: (status: number, headers?: Record<string, string | number>) => void,
  ): void {
    if (method === 'POST') {
      if (query.has('mount') && blobs.has(query.get('mount')!)) return send(201)
      const made = `u${uploads.size}`
      uploads.set(made, Buffer.alloc(0))
      return send(202, { location: `${path}${made}?state=a%2Fb` })
    }
    const before = uploads.get(id)
    if (before === undefined) return send(404)
    const all = Buffer.concat([before, body])
    if (method === 'GET') return send(204, { location: path, range: `0-${before.length - 1}` })
    uploads.set(id, all)
    if (method === 'PATCH') return send(202, { location: path, range: `0-${all.length - 1}` })
    if (sha(all) !== query.get('digest')) return send(400)
    blobs.set(sha(all), all)
    send(201)
  }

  return {
    host,
    asked,
    blobs,
    manifests,
    odd(next) {
      oddity = next
    },
    add(name, { config, layers, manifest }) {
      for (const blob of [config, ...layers]) blobs.set(sha(blob), blob)
      const repository = name.slice(0, name.lastIndexOf(':'))
      for (const key of [name, `${repository}@${sha(manifest)}`])
        manifests.set(key, { bytes: manifest, type: manifestType })
      return sha(manifest)
    },
  }
}

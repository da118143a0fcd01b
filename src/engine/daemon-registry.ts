/** What Docker and Podman move between themselves and a registry, told as they do it. */
import * as z from 'zod'
import { asFault, Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import type { ImageName } from '../image/image-name.ts'
import type { Credentials } from '../source/registry/types.ts'
import type { Client } from './client.ts'
import { jsonLines } from './daemon-lines.ts'

export interface RegistryTransfer {
  /** What the engine may tell the registry; null: nothing. */
  who: Credentials | null
  /** false: Podman may do without TLS, or without verifying it. Docker has that in its own configuration. */
  tlsVerify?: boolean
  signal?: AbortSignal | undefined
  onLine(line: TransferLine): void
}

/** One line of docker's progress, its texts as they came. */
export interface TransferLine {
  /** Of a layer, or of a tag; null: of the whole. */
  id: string | null
  status: string
  done: number | null
  total: number | null
}

/** @see Engine.pull */
export function pullByEngine(
  client: Client,
  name: ImageName,
  { allTags = false, platform, ...how }: RegistryTransfer & { allTags?: boolean; platform?: string },
): Promise<void> {
  const tag = allTags ? undefined : (name.digest ?? name.tag ?? 'latest')
  const from = `${name.registry}/${name.repository}`
  if (client.kind === 'docker' || how.tlsVerify !== false || allTags)
    return follow(client, '/images/create', { fromImage: from, tag, platform }, how)
  // Only Podman's own API knows of registries without TLS.
  const reference = `${from}${name.digest ? '@' : ':'}${tag}`
  const [OS, Arch, Variant] = platform?.split('/') ?? []
  return follow(client, '/libpod/images/pull', { reference, OS, Arch, Variant, tlsVerify: 'false' }, how)
}

/** @see Engine.push */
export function pushByEngine(client: Client, name: ImageName, how: RegistryTransfer): Promise<void> {
  const tlsVerify = client.kind === 'podman' && how.tlsVerify === false ? 'false' : undefined
  return follow(
    client,
    `/images/${name.registry}/${name.repository}/push`,
    { tag: name.tag ?? 'latest', tlsVerify },
    how,
  )
}

async function follow(
  client: Client,
  path: string,
  query: Record<string, string | undefined>,
  { who, signal, onLine }: RegistryTransfer,
): Promise<void> {
  const name = safe(client.endpoint.name)
  const stream = await client.stream(path, { method: 'POST', query, signal, auth: authOf(who) })
  try {
    for await (const value of jsonLines(stream)) {
      const line = shape.safeParse(value)
      if (!line.success) continue
      const { id, status, stream: said, error, errorDetail, progressDetail } = line.data
      const wrong = errorDetail?.message ?? error
      if (wrong) throw new Fault(`${name} failed: ${safe(wrong.slice(0, 1000)).replace(/\.+$/, '')}.`)
      const text = status ?? said
      if (text)
        onLine({
          id: id || null,
          status: text.trimEnd(),
          done: progressDetail?.current ?? null,
          total: progressDetail?.total ?? null,
        })
    }
  } catch (error) {
    if (signal?.aborted) throw new Fault('Cancelled.', { cause: error, exitCode: 130 })
    throw asFault(error, `${name} stopped telling how far it is`)
  } finally {
    stream.destroy()
  }
}

const text = z.string().max(64 << 10)
const shape = z.object({
  id: text.optional(),
  status: text.optional(),
  stream: text.optional(),
  error: text.optional(),
  errorDetail: z.object({ message: text.optional() }).optional(),
  progressDetail: z.object({ current: z.number().optional(), total: z.number().optional() }).nullish(),
})

/** Docker's AuthConfig; a push wants one even where there is nobody to name. */
function authOf(who: Credentials | null): object {
  if (who === null) return {}
  return 'identityToken' in who ? { identitytoken: who.identityToken } : who
}

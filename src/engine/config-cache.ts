/**
 * Raw image configs on the disk, found by image id: the config's own digest, or (containerd image store) that of the
 * manifest or index that leads to it. Every document must have the digest that it is asked for by, so nothing that gets
 * in there can show a wrong image.
 */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import * as z from 'zod'
import { digestOf } from '../image/digest.ts'
import type { Digest } from '../image/types.ts'

const mostBytes = 16 << 20
/** An index leads to a handful of manifests, each to one config. */
const mostDocuments = 64

/** The config that an image id leads to and that has these layers, and its digest; null when it is not kept. */
export function keptConfig(
  folder: string,
  id: Digest,
  diffIds: readonly Digest[],
): { digest: Digest; document: unknown } | null {
  for (const { digest, document } of reach(id, digest => kept(folder, digest))) {
    const read = configShape.safeParse(document)
    if (read.success && read.data.rootfs.diff_ids.join() === diffIds.join()) return { digest, document }
  }
  return null
}

/** Keeps what an image id leads to, from documents by their digests, for the next time. */
export function keepConfig(folder: string, id: Digest, documents: ReadonlyMap<Digest, Uint8Array>): void {
  for (const { bytes, digest } of reach(id, one => documents.get(one) ?? null)) keep(folder, digest, bytes)
}

interface Reached {
  digest: Digest
  bytes: Uint8Array
  document: unknown
}

/** The document of this digest and those that it leads to, as far as they are there. */
function reach(id: Digest, find: (digest: Digest) => Uint8Array | null): Reached[] {
  const found = new Map<Digest, Reached>()
  const open = [id]
  for (let digest = open.shift(); digest !== undefined && found.size < mostDocuments; digest = open.shift()) {
    const bytes = found.has(digest) ? null : find(digest)
    if (bytes === null) continue
    const document = parsed(bytes)
    found.set(digest, { digest, bytes, document })
    open.push(...leads(document))
  }
  return [...found.values()]
}

function leads(document: unknown): Digest[] {
  const manifest = manifestShape.safeParse(document)
  if (manifest.success) return [manifest.data.config.digest]
  const index = indexShape.safeParse(document)
  return index.success ? index.data.manifests.slice(0, mostDocuments).map(one => one.digest) : []
}

const descriptor = z.object({ digest: z.string() })
const manifestShape = z.object({ config: descriptor, layers: z.array(z.unknown()) })
const indexShape = z.object({ manifests: z.array(descriptor) })
const configShape = z.object({ rootfs: z.object({ diff_ids: z.array(z.string()) }) })

function kept(folder: string, digest: Digest): Uint8Array | null {
  try {
    const path = pathOf(folder, digest)
    if (statSync(path).size > mostBytes) return null
    const bytes = readFileSync(path)
    return digestOf(bytes) === digest ? bytes : null
  } catch {
    return null
  }
}

/** A cache that can not be written is no error. */
function keep(folder: string, digest: Digest, bytes: Uint8Array): void {
  try {
    const path = pathOf(folder, digest)
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    writeFileSync(`${path}.${process.pid}`, bytes, { mode: 0o600 })
    renameSync(`${path}.${process.pid}`, path)
  } catch {}
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return null
  }
}

function pathOf(folder: string, id: Digest): string {
  return join(folder, 'configs', id.slice(id.indexOf(':') + 1).replace(/[^0-9a-f]/g, '_'))
}

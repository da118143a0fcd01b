/**
 * Raw image configs on the disk, by the digest that they have: Docker's and Podman's image id. A config that does not
 * have its digest counts as missing, so nothing that gets in there can show a wrong image.
 */
import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { digestOf } from '../image/digest.ts'
import type { Digest } from '../image/types.ts'

const mostBytes = 16 << 20

/**
 * The config of an image id: the config's own digest, or (containerd image store) that of the manifest that names it.
 * null when it is not kept.
 */
export function keptConfig(folder: string, id: Digest): unknown {
  const document = kept(folder, id)
  const named = document === null ? null : configOf(document)
  return named === null ? document : kept(folder, named)
}

/** Keeps what an image id leads to, from documents by their digests, for the next time. */
export function keepConfig(folder: string, id: Digest, documents: ReadonlyMap<Digest, Uint8Array>): void {
  const bytes = documents.get(id)
  if (!bytes) return
  const named = configOf(parsed(bytes))
  const config = named === null ? null : documents.get(named)
  if (named !== null && !config) return
  keep(folder, id, bytes)
  if (named !== null && config) keep(folder, named, config)
}

/** The digest of the config that a manifest names; null for what is no manifest. */
function configOf(document: unknown): Digest | null {
  const digest = (document as { config?: { digest?: unknown } } | null)?.config?.digest
  return typeof digest === 'string' ? digest : null
}

function kept(folder: string, digest: Digest): unknown {
  try {
    const path = pathOf(folder, digest)
    if (statSync(path).size > mostBytes) return null
    const bytes = readFileSync(path)
    return digestOf(bytes) === digest ? parsed(bytes) : null
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

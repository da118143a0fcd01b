/**
 * Images for tests: from layer tars to the archives that every tool writes, with right digests. What comes out is bytes
 * or named files; scratch.ts puts them where a program can open them.
 */
import { Buffer } from 'node:buffer'
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { entry, type Piece, tar } from './tar.ts'

export type Compression = 'none' | 'gzip' | 'zstd'

export interface LayerSpec {
  tar: Uint8Array
  compression?: Compression
}

export interface ImageSpec {
  /** Bottom first. A bare tar is a plain layer. */
  layers: (Uint8Array | LayerSpec)[]
  names?: string[]
  /** As in the config. Default: a line `layer N` for each layer; null leaves the history out. */
  history?: Record<string, unknown>[] | null
  /** The run config: Env, Cmd, … */
  config?: Record<string, unknown>
  platform?: { os: string; architecture: string; variant?: string }
  /** More members of the config's top level; an undefined one is left out. */
  extra?: Record<string, unknown>
}

/** A file of an archive, in the order in which it stands there: its bytes, or the target of a symbolic link. */
export type Files = Map<string, Uint8Array | { link: string }>

export interface MadeLayer {
  tar: Uint8Array
  blob: Uint8Array
  diffId: string
  digest: string
  compression: Compression
}

export interface MadeImage {
  spec: ImageSpec
  layers: MadeLayer[]
  config: Uint8Array
  /** Digest of the config. */
  id: string
}

/** An image's layers and config with their digests. */
export function makeImage(spec: ImageSpec): MadeImage {
  const layers = spec.layers.map(layer => makeLayer(layer instanceof Uint8Array ? { tar: layer } : layer))
  const created = '2026-01-02T03:04:05Z'
  const history = spec.history ?? layers.map((_, at) => ({ created, created_by: `layer ${at}` }))
  const config = json({
    ...(spec.platform ?? { os: 'linux', architecture: 'amd64' }),
    created,
    config: spec.config ?? {},
    rootfs: { type: 'layers', diff_ids: layers.map(layer => layer.diffId) },
    ...(spec.history === null ? {} : { history }),
    ...spec.extra,
  })
  return { spec, layers, config, id: digest(config) }
}

/** `sha256:<hex>` of some bytes. */
export function digest(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

/** The hex part of a digest. */
export function hex(of: string): string {
  return of.slice(of.indexOf(':') + 1)
}

export function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value))
}

/** Files as a tar, with the folders that they stand in, as the tools write them. */
export function archive(files: Files, dotted = false): Uint8Array {
  const pieces: Piece[] = []
  const folders = new Set<string>()
  const dot = dotted ? './' : ''
  for (const [name, content] of files) {
    for (let at = name.indexOf('/'); at > 0; at = name.indexOf('/', at + 1)) {
      const folder = name.slice(0, at + 1)
      if (!folders.has(folder)) pieces.push(entry({ path: dot + folder, type: 'dir', mode: 0o755 }))
      folders.add(folder)
    }
    const path = dot + name
    if (content instanceof Uint8Array) pieces.push(entry({ path, body: content }))
    else pieces.push(entry({ path, type: 'symlink', link: content.link }))
  }
  return tar(...pieces)
}

/** Writes named files as a folder: an OCI layout. */
export function writeTree(at: string, files: Files): void {
  mkdirSync(at, { recursive: true })
  for (const [name, content] of files) {
    if (!(content instanceof Uint8Array)) throw new Error('links are for archives')
    mkdirSync(dirname(join(at, name)), { recursive: true })
    writeFileSync(join(at, name), content)
  }
}

function makeLayer({ tar, compression = 'none' }: LayerSpec): MadeLayer {
  const blob = compression === 'gzip' ? gzipSync(tar) : compression === 'zstd' ? zstdCompressSync(tar) : tar
  return { tar, blob, compression, diffId: digest(tar), digest: digest(blob) }
}

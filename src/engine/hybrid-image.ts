/**
 * An image without data: the config and the chain of an image's first layers, for an engine that has these layers already.
 * One tar that each loader reads its own way: dockerd by manifest.json, podman and containerd as an OCI layout. A layer
 * that the engine lacks makes the load fail, and nothing is left of it.
 */
import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import { configAsOf } from '../image/replay.ts'
import type { Digest } from '../image/types.ts'
import type { Image } from '../source/types.ts'

/** What marks such images as ours: `IMAGE-ID:LAYERS`. */
export const hybridLabel = 'strata.intermediate'

export interface Hybrid {
  /** Digest of its config: its id in an engine with a graph driver, and in podman. */
  id: Digest
  /** Digest of its manifest: its id in an engine with containerd's image store. */
  manifest: Digest
  tar: Readable
}

/**
 * The image as of a step (1-based) that has the layers up to `top`. `blobs`: layers are named by the blobs that they
 * came in, as containerd's image store wants it, and not by their diffIDs, as podman does.
 */
export function hybridImage(image: Image, step: number, top: number, { blobs }: { blobs: boolean }): Hybrid {
  const layers = image.layers.slice(0, top + 1)
  const { run } = configAsOf(image.config, image.steps, step)
  const { os, architecture, variant } = image.platform
  const config = blob({
    os,
    architecture,
    ...(variant ? { variant } : {}),
    created: new Date().toISOString(),
    config: {
      Env: run.env,
      User: run.user,
      WorkingDir: run.workingDir,
      Entrypoint: null,
      Cmd: ['sh'],
      Labels: { [hybridLabel]: `${image.id}:${layers.length}` },
    },
    rootfs: { type: 'layers', diff_ids: layers.map(layer => layer.diffId) },
    history: layers.map(() => ({ created_by: 'strata: the image as of a step' })),
  })
  const described = layers.map(({ diffId, digest, mediaType, compressed, roughBytes }) =>
    blobs && digest !== null
      ? { mediaType, digest, size: compressed ?? roughBytes ?? 0 }
      : { mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: diffId, size: roughBytes ?? 0 },
  )
  const manifest = blob({
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config.digest, size: config.bytes.length },
    layers: described,
  })
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: manifest.digest,
        size: manifest.bytes.length,
        platform: { os, architecture, ...(variant ? { variant } : {}) },
      },
    ],
  }
  const forDocker = [
    { Config: pathOf(config.digest), RepoTags: null, Layers: layers.map(layer => pathOf(layer.diffId)) },
  ]
  const tar = pack()
  tar.entry({ name: 'oci-layout' }, JSON.stringify({ imageLayoutVersion: '1.0.0' }))
  tar.entry({ name: 'index.json' }, JSON.stringify(index))
  tar.entry({ name: pathOf(config.digest) }, config.bytes)
  tar.entry({ name: pathOf(manifest.digest) }, manifest.bytes)
  tar.entry({ name: 'manifest.json' }, JSON.stringify(forDocker))
  tar.finalize()
  return { id: config.digest, manifest: manifest.digest, tar: tar as unknown as Readable }
}

function blob(value: unknown): { digest: Digest; bytes: Buffer } {
  const bytes = Buffer.from(JSON.stringify(value))
  return { digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`, bytes }
}

function pathOf(digest: Digest): string {
  return `blobs/sha256/${digest.slice('sha256:'.length)}`
}

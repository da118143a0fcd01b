/** Docker archives for tests, in every shape that some tool writes or once wrote (issue: reading images). */
import { Buffer } from 'node:buffer'
import { gzipSync } from 'node:zlib'
import { archive, digest, type Files, hex, type ImageSpec, json, type MadeImage, makeImage } from './images.ts'
import { ociFiles } from './oci-layouts.ts'

/**
 * `docker-1.9`: no manifest.json, only `repositories` and a chain of v1 configs · `docker-1.10`: `<id>/layer.tar`, equal
 * layers as symbolic links · `docker-25`: blobs, index.json and manifest.json · `podman`: layers on top, folders of
 * links · `crane`: `<hex>.tar.gz` and a config named `sha256:<hex>`, kaniko too · `bazel`: gzip inside `layer.tar`.
 */
export const dockerShapes = ['docker-1.9', 'docker-1.10', 'docker-25', 'podman', 'crane', 'bazel'] as const
export type DockerShape = (typeof dockerShapes)[number]

export interface DockerOptions {
  /** Where manifest.json, configs and index.json stand in the file. Default last. */
  metadata?: 'first' | 'last'
  /** The index.json of `docker-25` says `"manifests": null`, as Docker 25 wrote it for some images. */
  manifestsNull?: boolean
  /** The whole file is gzipped. */
  gzip?: boolean
  /** Names begin with `./`. */
  dotted?: boolean
}

/** The bytes of an archive with these images. */
export function dockerArchive(
  images: ImageSpec | ImageSpec[],
  shape: DockerShape,
  options: DockerOptions = {},
): Uint8Array {
  const bytes = archive(dockerFiles([images].flat(), shape, options), options.dotted)
  return options.gzip ? gzipSync(bytes) : bytes
}

/** The same as named files, for a test that wants to spoil one of them before it makes the archive. */
export function dockerFiles(specs: ImageSpec[], shape: DockerShape, options: DockerOptions = {}): Files {
  const images = specs.map(spec => makeImage(shape === 'crane' || shape === 'bazel' ? gzipped(spec) : spec))
  const layers: Files = new Map()
  const metadata: Files = new Map()
  const manifest = images.map(image => addImage(image, shape, layers, metadata))
  if (shape !== 'docker-1.9') metadata.set('manifest.json', json(manifest))
  if (shape !== 'crane') addRepositories(images, metadata)
  if (shape === 'docker-25') {
    for (const [name, content] of ociFiles(specs.map(image => ({ image, tag: image.names?.[0] })))) {
      if (!layers.has(name)) metadata.set(name, content)
    }
    if (options.manifestsNull) metadata.set('index.json', json({ schemaVersion: 2, manifests: null }))
  }
  return new Map(options.metadata === 'first' ? [...metadata, ...layers] : [...layers, ...metadata])
}

function addImage(image: MadeImage, shape: DockerShape, layers: Files, metadata: Files): unknown {
  const names = image.layers.map((layer, at) => addLayer(image, at, shape, layers) ?? layer.diffId)
  const config = configName(image, shape)
  if (shape !== 'docker-1.9') (shape === 'docker-25' ? layers : metadata).set(config, image.config)
  const sources = shape !== 'docker-25' ? {} : { LayerSources: Object.fromEntries(image.layers.map(sourceOf)) }
  return { Config: config, RepoTags: image.spec.names ?? null, Layers: names, ...sources }
}

function addLayer(image: MadeImage, at: number, shape: DockerShape, files: Files): string {
  const layer = image.layers[at]
  const id = v1Id(image, at)
  if (shape === 'docker-25') return put(files, `blobs/sha256/${hex(layer.digest)}`, layer.blob)
  if (shape === 'crane') return put(files, `${hex(layer.digest)}.tar.gz`, layer.blob)
  if (shape === 'podman') {
    const name = put(files, `${hex(layer.diffId)}.tar`, layer.blob)
    files.set(`${id}/VERSION`, Buffer.from('1.0'))
    files.set(`${id}/json`, v1Config(image, at))
    files.set(`${id}/layer.tar`, { link: `../${name}` })
    return name
  }
  files.set(`${id}/VERSION`, Buffer.from('1.0'))
  files.set(`${id}/json`, v1Config(image, at))
  const name = `${id}/layer.tar`
  const twin = [...files].find(
    ([other, bytes]) => other !== name && other.endsWith('/layer.tar') && same(bytes, layer.blob),
  )
  if (!files.has(name)) files.set(name, twin && shape === 'docker-1.10' ? { link: `../${twin[0]}` } : layer.blob)
  return name
}

function same(content: Uint8Array | { link: string }, bytes: Uint8Array): boolean {
  return content instanceof Uint8Array && Buffer.compare(content, bytes) === 0
}

function put(files: Files, name: string, bytes: Uint8Array): string {
  files.set(name, bytes)
  return name
}

function configName(image: MadeImage, shape: DockerShape): string {
  if (shape === 'docker-25') return `blobs/sha256/${hex(image.id)}`
  return shape === 'crane' ? image.id : `${hex(image.id)}.json`
}

function sourceOf(layer: MadeImage['layers'][number]): [string, unknown] {
  const mediaType = 'application/vnd.oci.image.layer.v1.tar'
  return [layer.diffId, { mediaType, size: layer.blob.length, digest: layer.digest }]
}

/** Ids of the v1 format are no digests of anything that we know; they only have to differ. */
function v1Id(image: MadeImage, at: number): string {
  const top = at === image.layers.length - 1 ? image.id : ''
  return hex(digest(Buffer.from(`${image.layers.slice(0, at + 1).map(layer => layer.diffId)} ${at} ${top}`)))
}

function v1Config(image: MadeImage, at: number): Uint8Array {
  const top = at === image.layers.length - 1
  const { os, architecture } = image.spec.platform ?? { os: 'linux', architecture: 'amd64' }
  return json({
    id: v1Id(image, at),
    ...(at > 0 ? { parent: v1Id(image, at - 1) } : {}),
    created: '2026-01-02T03:04:05Z',
    container_config: { Cmd: ['/bin/sh', '-c', `layer ${at}`] },
    ...(top ? { config: image.spec.config ?? {} } : {}),
    os,
    architecture,
  })
}

function addRepositories(images: MadeImage[], metadata: Files): void {
  const repositories: Record<string, Record<string, string>> = {}
  for (const image of images) {
    for (const name of image.spec.names ?? []) {
      const colon = name.lastIndexOf(':')
      const tags = (repositories[name.slice(0, colon)] ??= {})
      tags[name.slice(colon + 1)] = v1Id(image, image.layers.length - 1)
    }
  }
  metadata.set('repositories', json(repositories))
}

function gzipped(spec: ImageSpec): ImageSpec {
  const layers = spec.layers.map(layer => ({ tar: layer instanceof Uint8Array ? layer : layer.tar }))
  return { ...spec, layers: layers.map(({ tar }) => ({ tar, compression: 'gzip' as const })) }
}

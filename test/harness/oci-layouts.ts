/** OCI image layouts for tests: nested indexes, platforms, attestations, artifacts; layers plain, gzip or zstd. */
import { archive, digest, type Files, hex, type ImageSpec, json, type MadeImage, makeImage } from './images.ts'

/** What an index points at: an image, a further index, or an attestation of the image before it. */
export type OciItem =
  | { image: ImageSpec; tag?: string; platform?: Platform | null; docker?: boolean }
  | { index: OciItem[]; tag?: string; docker?: boolean }
  | { attestation: true }
  | { artifact: string; tag?: string }

interface Platform {
  os: string
  architecture: string
  variant?: string
}

interface Descriptor {
  mediaType: string
  digest: string
  size: number
  platform?: Platform
  annotations?: Record<string, string>
  artifactType?: string
}

const oci = 'application/vnd.oci.image'
const dockerTypes = 'application/vnd.docker.distribution.manifest'

/** An OCI archive: the layout as a tar. */
export function ociArchive(items: OciItem[]): Uint8Array {
  return archive(ociFiles(items))
}

/** The files of a layout, by name. */
export function ociFiles(items: OciItem[]): Files {
  const files: Files = new Map()
  const manifests = describe(items, files)
  files.set('oci-layout', json({ imageLayoutVersion: '1.0.0' }))
  files.set('index.json', json({ schemaVersion: 2, mediaType: `${oci}.index.v1+json`, manifests }))
  return files
}

function describe(items: OciItem[], files: Files): Descriptor[] {
  const manifests: Descriptor[] = []
  for (const item of items) {
    if ('image' in item) manifests.push(imageOf(item, files))
    else if ('index' in item) manifests.push(indexOf(item, files))
    else if ('artifact' in item) manifests.push(artifactOf(item, files))
    else manifests.push(attestationOf(manifests[manifests.length - 1], files))
  }
  return manifests
}

function imageOf(item: Extract<OciItem, { image: ImageSpec }>, files: Files): Descriptor {
  const made = makeImage(item.image)
  const layers = made.layers.map(layer => addBlob(files, layer.blob, layerType(layer, item.docker)))
  const configType = item.docker ? 'application/vnd.docker.container.image.v1+json' : `${oci}.config.v1+json`
  const mediaType = item.docker ? `${dockerTypes}.v2+json` : `${oci}.manifest.v1+json`
  const config = addBlob(files, made.config, configType)
  const descriptor = addBlob(files, json({ schemaVersion: 2, mediaType, config, layers }), mediaType)
  const platform = item.platform === null ? undefined : (item.platform ?? item.image.platform)
  return tagged({ ...descriptor, ...(platform ? { platform } : {}) }, item.tag)
}

function indexOf(item: Extract<OciItem, { index: OciItem[] }>, files: Files): Descriptor {
  const mediaType = item.docker ? `${dockerTypes}.list.v2+json` : `${oci}.index.v1+json`
  const manifests = describe(item.index, files)
  return tagged(addBlob(files, json({ schemaVersion: 2, mediaType, manifests }), mediaType), item.tag)
}

/** As BuildKit writes them: a manifest of an unknown platform that names the image it speaks of. */
function attestationOf(subject: Descriptor, files: Files): Descriptor {
  const statement = json({ _type: 'https://in-toto.io/Statement/v0.1', subject: [{ digest: subject.digest }] })
  const layer = addBlob(files, statement, 'application/vnd.in-toto+json')
  const config = addBlob(
    files,
    json({ os: 'unknown', architecture: 'unknown', config: {}, rootfs: { type: 'layers', diff_ids: [layer.digest] } }),
    `${oci}.config.v1+json`,
  )
  const mediaType = `${oci}.manifest.v1+json`
  const descriptor = addBlob(files, json({ schemaVersion: 2, mediaType, config, layers: [layer] }), mediaType)
  return {
    ...descriptor,
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: {
      'vnd.docker.reference.type': 'attestation-manifest',
      'vnd.docker.reference.digest': subject.digest,
    },
  }
}

function artifactOf(item: { artifact: string; tag?: string }, files: Files): Descriptor {
  const config = addBlob(files, json({}), 'application/vnd.oci.empty.v1+json')
  const layer = addBlob(files, json({ artifact: item.artifact }), item.artifact)
  const mediaType = `${oci}.manifest.v1+json`
  const manifest = json({ schemaVersion: 2, mediaType, artifactType: item.artifact, config, layers: [layer] })
  return tagged({ ...addBlob(files, manifest, mediaType), artifactType: item.artifact }, item.tag)
}

function layerType(layer: MadeImage['layers'][number], docker = false): string {
  if (docker) return `application/vnd.docker.image.rootfs.diff.tar${layer.compression === 'none' ? '' : '.gzip'}`
  return `${oci}.layer.v1.tar${layer.compression === 'none' ? '' : `+${layer.compression}`}`
}

function addBlob(files: Files, bytes: Uint8Array, mediaType: string): Descriptor {
  const of = digest(bytes)
  files.set(`blobs/sha256/${hex(of)}`, bytes)
  return { mediaType, digest: of, size: bytes.length }
}

function tagged(descriptor: Descriptor, tag: string | undefined): Descriptor {
  return tag === undefined ? descriptor : { ...descriptor, annotations: { 'org.opencontainers.image.ref.name': tag } }
}

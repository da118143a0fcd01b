/** What an OCI layout holds: its indexes, nested as deep as they are, spread out to manifests. */
import { Fault } from '../base/errors.ts'
import { normalPlatform } from '../image/platform.ts'
import type { Platform } from '../image/types.ts'
import type { Folder } from './folder.ts'
import { readJson } from './json.ts'
import { findBlob, readBlob } from './oci-blobs.ts'
import { limits, readFileJson } from './read-stored.ts'
import { anyManifest, type Descriptor, imageIndex } from './shapes.ts'
import type { OtherManifest } from './types.ts'

/** A manifest that the layout lists. */
export interface Listed {
  descriptor: Descriptor
  kind: OtherManifest['kind']
  /** What its place at the top of index.json is called; the members of an index share its names. */
  names: string[]
  /** Digests of the indexes that it came through. */
  within: string[]
  platform: Platform | null
  present: boolean
}

const MAX_DEPTH = 8
const MAX_MANIFESTS = 20_000

const indexTypes = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
])
const manifestTypes = new Set([
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
])

/** Every manifest of a layout, in its order. Missing nested indexes are listed as what they are. */
export async function listManifests(folder: Folder): Promise<Listed[]> {
  const top = await readFileJson(folder, 'index.json', imageIndex)
  if (top === null) throw folder.broken ?? new Fault(`${folder.name} has no index.json: it is no OCI layout.`)
  const listed: Listed[] = []
  const seen = new Set<string>()
  for (const one of top.manifests) await spread(one, namesOf(one), [])
  return listed

  async function spread(descriptor: Descriptor, names: string[], within: string[]): Promise<void> {
    if (listed.length >= MAX_MANIFESTS) throw new Fault(`${folder.name} lists more than ${MAX_MANIFESTS} manifests.`)
    const present = findBlob(folder, descriptor.digest) !== null || descriptor.data !== null
    if (!(await isIndex(folder, descriptor, present))) {
      listed.push({ descriptor, kind: kindOf(descriptor), names, within, platform: platformOf(descriptor), present })
      return
    }
    if (!present) {
      listed.push({ descriptor, kind: 'index', names, within, platform: null, present })
      return
    }
    // The same index under another name is another place to look in; within itself it would have no end.
    if (within.includes(descriptor.digest))
      throw new Fault(`${folder.name}: the index ${descriptor.digest} contains itself.`)
    if (within.length === MAX_DEPTH) throw new Fault(`${folder.name}: indexes are nested more than ${MAX_DEPTH} deep.`)
    const key = `${descriptor.digest} ${names.join(' ')}`
    if (seen.has(key)) return
    seen.add(key)
    const bytes = await readBlob(folder, descriptor, limits.manifest, 'an index')
    const index = readJson(bytes, imageIndex, `the index ${descriptor.digest} of ${folder.name}`)
    for (const one of index.manifests) {
      await spread(one, names.length > 0 ? names : namesOf(one), [...within, descriptor.digest])
    }
  }
}

/** By its media type; by its content where that says nothing. */
async function isIndex(folder: Folder, descriptor: Descriptor, present: boolean): Promise<boolean> {
  const { mediaType } = descriptor
  if (mediaType !== null && indexTypes.has(mediaType)) return true
  if ((mediaType !== null && manifestTypes.has(mediaType)) || !present) return false
  const bytes = await readBlob(folder, descriptor, limits.manifest, 'a manifest')
  const json = readJson(bytes, anyManifest, `the manifest ${descriptor.digest} of ${folder.name}`)
  return Array.isArray(json.manifests) && !Array.isArray(json.layers)
}

function namesOf({ annotations }: Descriptor): string[] {
  const full = annotations['io.containerd.image.name']
  const name = annotations['org.opencontainers.image.ref.name']
  if (typeof full === 'string' && full !== '') return [full]
  return typeof name === 'string' && name !== '' ? [name] : []
}

/** What the descriptor alone tells; reading the manifest may tell more. */
function kindOf(descriptor: Descriptor): OtherManifest['kind'] {
  const { annotations, platform, artifactType } = descriptor
  if (annotations['vnd.docker.reference.type'] === 'attestation-manifest') return 'attestation'
  if (platform?.os === 'unknown' && platform.architecture === 'unknown') return 'attestation'
  if (namesOf(descriptor).some(name => /(?:^|:)sha256-[0-9a-f]{64}\.(?:sig|att|sbom)$/.test(name))) return 'signature'
  return artifactType === null ? 'image' : 'artifact'
}

function platformOf({ platform }: Descriptor): Platform | null {
  if (platform === null || platform.os === null || platform.architecture === null) return null
  if (platform.os === 'unknown') return null
  return normalPlatform({ os: platform.os, architecture: platform.architecture, variant: platform.variant })
}

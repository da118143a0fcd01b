/**
 * OCI image layouts, as a directory or in a tar (OCI image-spec 1.1, image-layout.md). Which of the manifests is the
 * image that is meant, and what its config and layers are.
 */
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import { parseConfig } from '../image/config.ts'
import { bestPlatform, defaultPlatform, formatPlatform, hostPlatform, normalPlatform } from '../image/platform.ts'
import type { Platform } from '../image/types.ts'
import type { Anomaly } from '../layer/entry.ts'
import { choose, meantByDigest, type Named } from './choose.ts'
import { moreImages } from './docker-archive.ts'
import type { Folder } from './folder.ts'
import { type Choice, type FoundImage, type FoundLayer, imageAnomaly } from './found.ts'
import { parseJson, readJson } from './json.ts'
import { findBlob, readBlob } from './oci-blobs.ts'
import { type Listed, listManifests } from './oci-index.ts'
import { limits } from './read-stored.ts'
import { type Descriptor, type ImageManifest, imageManifest } from './shapes.ts'
import type { OtherManifest } from './types.ts'

/** More manifests than that are told apart by their descriptors alone. */
const MAX_READ = 256

interface Candidate extends Listed {
  manifest: ImageManifest | null
  artifactType: string | null
}

/** The image that the choice means. @throws Fault when there is none, or when a manifest or config is not what it should be. */
export async function readOci(folder: Folder, choice: Choice): Promise<FoundImage> {
  const listed = await listManifests(folder)
  if (listed.length === 0) throw folder.broken ?? new Fault(`${folder.name} is an OCI layout without an image.`)
  const named = groupByName(listed)
  const groups = named.map(one => one.members)
  const at = firstUsable(groups, choose(named, choice, folder.name), choice)
  const group = groups[at]!
  const byDigest = meantByDigest(choice.name, named[at]!.names, group, one => one.descriptor.digest)
  const candidates = await Promise.all((byDigest.length > 0 ? byDigest : group).map(one => look(folder, one)))
  const chosen = await pick(folder, candidates, choice.platform)
  const found = await readImage(folder, chosen)
  const others = listed.filter(one => one.descriptor.digest !== chosen.descriptor.digest)
  return {
    ...found,
    names: named[at]!.names,
    others: await Promise.all(
      others.map(async (one, nth) => describe(nth < MAX_READ ? await look(folder, one) : unread(one))),
    ),
    anomalies: [...found.anomalies, ...moreImages(named, at, choice)],
  }
}

/** What a layout holds, one entry a name: the positions of a choice. */
export async function listImages(folder: Folder): Promise<Named[]> {
  return groupByName(await listManifests(folder))
}

/**
 * The manifests that are one image to the person: those of one name. Without names, all that have a platform are one
 * image of several platforms, and any other is one of its own. Several names may stand for the same.
 */
function groupByName(listed: Listed[]): (Named & { members: Listed[] })[] {
  const groups = new Map<string, Listed[]>()
  for (const one of listed) {
    const own = one.platform === null && one.kind === 'image' ? one.descriptor.digest : ''
    const key = one.names[0] ?? one.within[0] ?? own
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  const images = new Map<string, Named & { members: Listed[] }>()
  for (const members of groups.values()) {
    const digests = members.flatMap(one => [one.descriptor.digest, ...one.within])
    const same = images.get(digests.join())
    if (same) same.names.push(...members[0]!.names)
    else images.set(digests.join(), { names: [...members[0]!.names], digests, members })
  }
  return [...images.values()]
}

/** Without a name, the first group that has an image: signatures and the like may stand before it. */
function firstUsable(groups: Listed[][], at: number, choice: Choice): number {
  if (choice.name !== null || choice.position !== null) return at
  const usable = groups.findIndex(group => group.some(one => one.kind === 'image' && one.present))
  return usable < 0 ? at : usable
}

/** Reads the manifest of what may be an image, to know what it is. A broken one counts as what its descriptor says. */
async function look(folder: Folder, one: Listed): Promise<Candidate> {
  if (!one.present || one.kind === 'index') return unread(one)
  try {
    const { manifest } = await readManifest(folder, one.descriptor)
    return { ...one, manifest, ...kindOf(one, manifest) }
  } catch (error) {
    if (error instanceof Fault) return unread(one)
    throw error
  }
}

function unread(one: Listed): Candidate {
  return { ...one, manifest: null, artifactType: one.descriptor.artifactType }
}

async function readManifest(folder: Folder, descriptor: Descriptor) {
  const raw = await readBlob(folder, descriptor, limits.manifest, 'the manifest')
  const manifest = readJson(raw, imageManifest, `the manifest ${descriptor.digest} of ${folder.name}`)
  const mediaType = manifest.mediaType ?? descriptor.mediaType ?? 'application/vnd.oci.image.manifest.v1+json'
  return { manifest, mediaType, raw }
}

const imageConfigs = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
  '',
])

function kindOf(one: Listed, manifest: ImageManifest): { kind: OtherManifest['kind']; artifactType: string | null } {
  const layerTypes = manifest.layers.map(layer => layer.mediaType ?? '')
  const configType = manifest.config.mediaType ?? ''
  const artifactType =
    manifest.artifactType ?? one.descriptor.artifactType ?? (imageConfigs.has(configType) ? null : configType)
  if (one.kind === 'attestation') return { kind: 'attestation', artifactType: artifactType ?? layerTypes[0] ?? null }
  if (layerTypes.length > 0 && layerTypes.every(type => type.includes('in-toto')))
    return { kind: 'attestation', artifactType }
  if (one.kind === 'signature' || layerTypes.some(type => /cosign|notary|sigstore/.test(type))) {
    return { kind: 'signature', artifactType: artifactType ?? layerTypes[0] ?? null }
  }
  return { kind: artifactType === null ? 'image' : 'artifact', artifactType }
}

/** The candidate for the platform; an artifact only where there is no image. @throws Fault that lists what there is. */
async function pick(folder: Folder, candidates: Candidate[], platform: Platform | null): Promise<Candidate> {
  const images = candidates.filter(one => one.kind === 'image')
  const here = images.filter(one => one.present)
  if (here.length === 0) {
    const artifact = candidates.find(
      one => one.kind === 'artifact' && one.manifest !== null && one.manifest.layers.length > 0,
    )
    if (artifact && images.length === 0) return artifact
    throw folder.broken ?? new Fault(`${folder.name} has no image: ${whatThereIs(candidates)}.`)
  }
  const offered: (Platform | null)[] = []
  for (const one of images) {
    const unnamed = one.platform === null && one.present && (images.length > 1 || platform !== null)
    offered.push(unnamed ? await platformOfConfig(folder, one) : one.platform)
  }
  // Where nobody asked, what is not here is not offered: Docker saves the index of all platforms with the blobs of one.
  const open = offered.map((one, at) => (images[at]!.present ? one : { ...nowhere }))
  const at = platform ? bestPlatform(offered, platform) : defaultPlatform(open, hostPlatform(process))
  const only = images.length === 1 && offered[0] === null ? 0 : at
  if (images[only]?.present) return images[only]
  const list = here
    .map(one => (one.platform ? formatPlatform(one.platform) : 'a platform that it does not name'))
    .join(', ')
  throw new Fault(
    `${folder.name} has no image for ${platform ? formatPlatform(platform) : 'this machine'}${at >= 0 ? ': it is listed, but its manifest is not here' : ''}.`,
    { hint: `It has: ${list}.` },
  )
}

const nowhere: Platform = { os: 'unknown', architecture: 'unknown', variant: null }

function whatThereIs(candidates: Candidate[]): string {
  const words = candidates.slice(0, 10).map(one => {
    if (!one.present)
      return `${one.kind === 'index' ? 'an index' : 'a manifest'} whose blob ${one.descriptor.digest} is missing`
    return `${one.kind === 'image' ? 'a manifest' : `an ${one.kind}`.replace('an signature', 'a signature')}${one.artifactType ? ` (${safe(one.artifactType)})` : ''}`
  })
  return `it has only ${words.join(', ')}`
}

async function platformOfConfig(folder: Folder, one: Candidate): Promise<Platform | null> {
  if (one.manifest === null) return null
  try {
    const bytes = await readBlob(folder, one.manifest.config, limits.config, 'the config')
    return normalPlatform(parseConfig(parseJson(bytes, 'the config')).config.platform)
  } catch (error) {
    if (error instanceof Fault) return null
    throw error
  }
}

async function readImage(folder: Folder, chosen: Candidate): Promise<FoundImage> {
  const { manifest, mediaType, raw } = await readManifest(folder, chosen.descriptor)
  const bytes = await readBlob(folder, manifest.config, limits.config, 'the config')
  const artifact = chosen.kind === 'artifact'
  const rawConfig = artifact
    ? configOfArtifact(bytes)
    : parseJson(bytes, `the config ${manifest.config.digest} of ${folder.name}`)
  const { config, anomalies } = parseConfig(rawConfig)
  const odd: Anomaly[] = artifact
    ? [
        imageAnomaly(
          'artifact',
          `This is no container image but an artifact: ${chosen.artifactType ?? 'of an unknown type'}.`,
        ),
      ]
    : anomalies.map(text => imageAnomaly('odd-config', text))
  return {
    source: folder.kind === 'directory' ? 'oci' : 'oci-archive',
    names: chosen.names,
    id: manifest.config.digest,
    digest: chosen.descriptor.digest,
    config,
    rawConfig,
    documents: { config: bytes, manifest: { mediaType, bytes: raw } },
    layers: manifest.layers.map(layer => findLayer(folder, layer)),
    anomalies: odd,
    others: [],
  }
}

/** An artifact's config may be anything, also no JSON. */
function configOfArtifact(bytes: Uint8Array): unknown {
  try {
    const json = parseJson(bytes, 'the config')
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? json : {}
  } catch {
    return {}
  }
}

function findLayer(folder: Folder, { digest, size, mediaType }: Descriptor): FoundLayer {
  const type = mediaType ?? 'application/vnd.oci.image.layer.v1.tar'
  const encrypted = /\+encrypted$/.test(type)
  const foreign = /nondistributable|foreign/.test(type)
  return {
    file: encrypted ? null : findBlob(folder, digest),
    missing: encrypted
      ? `the layer ${digest} is encrypted`
      : `${folder.name} does not have the blob ${digest}${foreign ? ': layers of its kind are not passed on with the image' : ''}`,
    digest,
    size,
    mediaType: type,
  }
}

function describe(one: Candidate): OtherManifest {
  return {
    kind: one.kind,
    digest: one.descriptor.digest,
    mediaType: one.descriptor.mediaType ?? one.manifest?.mediaType ?? '',
    artifactType: one.artifactType,
    platform: one.platform,
    names: one.names,
    present: one.present,
  }
}

/**
 * An image of a registry by its documents: the manifest for a platform, through indexes where there are some, its config,
 * and what its layers are. No layer is read.
 */
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { parseConfig } from '../../image/config.ts'
import type { ImageName } from '../../image/image-name.ts'
import {
  bestPlatform,
  defaultPlatform,
  formatPlatform,
  hostPlatform,
  normalPlatform,
  platformServes,
} from '../../image/platform.ts'
import type { Platform } from '../../image/types.ts'
import { parseJson, readJson } from '../json.ts'
import { limits } from '../read-stored.ts'
import { type Descriptor, type ImageManifest, imageIndex, imageManifest } from '../shapes.ts'
import type { Manifest, Registry } from './types.ts'

export interface RemoteImage {
  /** What the tag or digest means: an index, or the manifest itself. */
  top: Manifest
  /** Every manifest of the index that was chosen from; empty where there is none. */
  offered: Descriptor[]
  manifest: Manifest
  parsed: ImageManifest
  config: Uint8Array
  rawConfig: unknown
  parsedConfig: ReturnType<typeof parseConfig>
}

const indexTypes = new Set([
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
])
const configTypes = new Set([
  'application/vnd.oci.image.config.v1+json',
  'application/vnd.docker.container.image.v1+json',
  '',
])

/** Indexes may be nested, but nobody does so deeply. */
const mostNested = 4

/** What of a name is asked for: its digest, else its tag, else `latest`. */
export function wantedOf({ digest, tag }: ImageName): string {
  return digest ?? tag ?? 'latest'
}

/** @throws Fault when there is none for the platform, when it is no image, or when a document is not what it should be. */
export async function remoteImage(
  registry: Registry,
  reference: string,
  platform: Platform | null,
  signal?: AbortSignal,
): Promise<RemoteImage> {
  const top = await registry.manifest(reference, signal)
  const name = `${safe(registry.host)}/${safe(registry.repository)}`
  const offered: Descriptor[] = []
  let manifest = top
  for (let depth = 0; indexTypes.has(manifest.mediaType); depth++) {
    if (depth === mostNested) throw new Fault(`${name}: indexes are nested more than ${mostNested} deep.`)
    const { manifests } = readJson(manifest.bytes, imageIndex, `the index ${manifest.digest} of ${name}`)
    offered.push(...manifests)
    manifest = await registry.manifest(choose(manifests, platform, name).digest, signal)
  }
  const parsed = readJson(manifest.bytes, imageManifest, `the manifest ${manifest.digest} of ${name}`)
  refuseArtifact(parsed, name)
  const config = await registry.smallBlob(parsed.config, limits.config, 'the config', signal)
  const rawConfig = parseJson(config, `the config ${parsed.config.digest} of ${name}`)
  const parsedConfig = parseConfig(rawConfig)
  const own = normalPlatform(parsedConfig.config.platform)
  if (platform !== null && offered.length === 0 && !platformServes(own, platform))
    throw new Fault(`${name} has no image for ${formatPlatform(platform)}.`, {
      hint: `It has: ${formatPlatform(own)}.`,
    })
  return { top, offered, manifest, parsed, config, rawConfig, parsedConfig }
}

/** The member of an index for a platform, or for this machine. */
function choose(manifests: readonly Descriptor[], platform: Platform | null, name: string): Descriptor {
  const images = manifests.filter(
    one => one.artifactType === null && one.annotations['vnd.docker.reference.type'] === undefined,
  )
  const offered = images.map(({ platform: one }) =>
    one?.os && one.architecture
      ? normalPlatform({ os: one.os, architecture: one.architecture, variant: one.variant })
      : null,
  )
  const at = platform ? bestPlatform(offered, platform) : defaultPlatform(offered, hostPlatform(process))
  const only = images.length === 1 && offered[0] === null ? 0 : at
  if (images[only]) return images[only]
  const list = [...new Set(offered.flatMap(one => (one && one.os !== 'unknown' ? [formatPlatform(one)] : [])))]
  throw new Fault(`${name} has no image for ${platform ? formatPlatform(platform) : 'this machine'}.`, {
    hint: list.length > 0 ? `It has: ${list.slice(0, 30).map(safe).join(', ')}.` : 'Its index lists no image at all.',
  })
}

function refuseArtifact({ artifactType, config, layers }: ImageManifest, name: string): void {
  const type = artifactType ?? (configTypes.has(config.mediaType ?? '') ? null : config.mediaType)
  const proof = layers.length > 0 && layers.every(one => /in-toto|cosign|sigstore|notary/.test(one.mediaType ?? ''))
  if (type === null && !proof) return
  const what = type ?? layers[0].mediaType ?? 'of an unknown type'
  throw new Fault(`${name} is no container image but an artifact: ${safe(what.slice(0, 200))}.`)
}

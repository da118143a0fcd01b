/**
 * An image that stays in its registry: `docker://NAME`. Manifest and config are read at once, so that steps, sizes and
 * commands are there; what of the layers is read when somebody asks for it, far-layers.ts says.
 */
import { safe } from '../../base/text.ts'
import { fullName, type ImageName } from '../../image/image-name.ts'
import { normalPlatform } from '../../image/platform.ts'
import type { Digest, Platform } from '../../image/types.ts'
import { shownName } from '../../runtime/store/names.ts'
import { assemble } from '../assemble.ts'
import type { FoundLayer } from '../found.ts'
import { imageAnomaly } from '../found.ts'
import { createPool } from '../pool.ts'
import { openRegistry } from '../registry/client.ts'
import { type RemoteImage, remoteImage, wantedOf } from '../registry/image.ts'
import type { RegistryAccess } from '../registry/types.ts'
import type { Descriptor } from '../shapes.ts'
import type { Image, OtherManifest } from '../types.ts'
import { blobsOf } from './blobs.ts'
import type { Far, FindLayers } from './far.ts'
import { farLayers } from './far-layers.ts'
import { tocClaim } from './toc-place.ts'

export interface FarOptions {
  /** As the person wrote it. */
  reference: string
  access: RegistryAccess
  platform: Platform | null
  /** null: no cache. */
  cacheFolder: string | null
  /** Take no index that was not made of hashed bytes. */
  verify: boolean
  /** Files will be read, not only listed. */
  keep: boolean
  /** Which layers are on this machine already; nobody looks without it. */
  findLayers?: FindLayers | undefined
  /** Where a blob is on this machine; null: nowhere. */
  localBlob?: ((digest: Digest) => string | null) | undefined
  signal?: AbortSignal | undefined
}

/** Two or three small documents are read. @throws Fault when there is no such image, or no answer. */
export async function openFar(name: ImageName, options: FarOptions): Promise<Image> {
  const { access, platform, signal, findLayers } = options
  const registry = openRegistry(name, { access })
  let remote: RemoteImage
  try {
    remote = await remoteImage(registry, wantedOf(name), platform, signal)
  } catch (error) {
    registry.close()
    throw error
  }
  const { manifest, parsed, config: bytes, rawConfig, parsedConfig } = remote
  const { config, anomalies } = parsedConfig
  const where = `${safe(registry.host)}/${safe(registry.repository)}`
  const pool = createPool()
  const cacheFolder = options.cacheFolder
  const found = parsed.layers.map(
    ({ digest, size, mediaType }): FoundLayer => ({
      file: null,
      missing: 'it is in its registry',
      digest,
      size,
      mediaType: mediaType ?? '',
    }),
  )
  const context = { where, pool, cacheFolder, verify: options.verify, trust: false }
  const image = assemble(
    {
      source: 'registry',
      names: [shownName(fullName(name)!)],
      id: parsed.config.digest,
      digest: manifest.digest,
      config,
      rawConfig,
      documents: { config: bytes, manifest: { mediaType: manifest.mediaType, bytes: manifest.bytes } },
      layers: found,
      anomalies: anomalies.map(text => imageAnomaly('config', text)),
      others: remote.offered.filter(one => one.digest !== manifest.digest).map(otherOf),
    },
    { ...context, reference: options.reference, close() {} },
  )
  const blobs = blobsOf(registry)
  const layers = parsed.layers.map(({ digest, size, annotations }, at) => ({
    digest,
    size,
    diffId: image.layers[at]!.diffId,
    claim: tocClaim(annotations),
  }))
  const { toc, cost, contentCost, close, ...reader } = farLayers(layers, {
    ...context,
    blobs,
    keep: options.keep,
    localBlob: options.localBlob,
  })
  let here: ReturnType<Far['here']> | null = null
  const far: Far = {
    registry: registry.host,
    toc,
    cost,
    contentCost,
    transferred: blobs.transferred,
    here: () => (here ??= findLayers?.(image.layers, image.id) ?? image.layers.map(() => null)),
  }
  return {
    ...image,
    ...reader,
    far,
    async close() {
      await close()
      registry.close()
    },
  }
}

/** What the index offers beside the image that was chosen. */
function otherOf({ digest, mediaType, artifactType, platform, annotations }: Descriptor): OtherManifest {
  const attests = annotations['vnd.docker.reference.type'] !== undefined
  const known = platform?.os && platform.architecture && platform.os !== 'unknown'
  return {
    kind: attests ? 'attestation' : artifactType !== null ? 'artifact' : 'image',
    digest,
    mediaType: mediaType ?? '',
    artifactType,
    platform: known
      ? normalPlatform({ os: platform.os!, architecture: platform.architecture!, variant: platform.variant })
      : null,
    names: [],
    present: true,
  }
}

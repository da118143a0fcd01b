/** `strata inspect`: what an image says of itself, and what it starts with as of a step; or what a container is. Always JSON. */
import { Fault } from '../base/errors.ts'
import { formatPlatform } from '../image/platform.ts'
import { configAsOf } from '../image/replay.ts'
import type { Image, LayerInfo, OtherManifest } from '../source/types.ts'
import { streamed, writeObject } from './json.ts'
import type { Io } from './output.ts'
import type { Options } from './program.ts'
import { withImage } from './target.ts'
import { jsonPath } from './text.ts'

export async function inspect(io: Io, [text]: string[], options: Options): Promise<number> {
  const { inspectContainer } = await import('./containers/inspect.ts')
  if (options.type === 'container') return (await inspectContainer(io, text, options, 'anywhere')) ?? 1
  if (options.type !== 'image') {
    const found = await inspectContainer(io, text, options, 'here')
    if (found !== null) return found
  }
  try {
    return await inspectImage(io, text, options)
  } catch (error) {
    const isNone = options.type === undefined && error instanceof Fault && /^There is no image/.test(error.message)
    const found = isNone ? await inspectContainer(io, text, options, 'elsewhere') : null
    if (found === null) throw error
    return found
  }
}

function inspectImage(io: Io, text: string, options: Options): Promise<number> {
  return withImage(io, { text, options }, async ({ image, step, top }) => {
    const { run } = configAsOf(image.config, image.steps, step?.index ?? image.steps.length)
    await writeObject(io.out, {
      schema: 'strata.image/1',
      reference: image.reference,
      names: image.names,
      id: image.id,
      digest: image.digest,
      source: image.source,
      platform: formatPlatform(image.platform),
      created: image.config.created,
      author: image.config.author,
      parent: image.config.parent,
      step: step?.index ?? null,
      run,
      steps: streamed(image.steps.slice(0, step?.index)),
      far: farJson(image),
      layers: streamed(image.layers.slice(0, top + 1).map(layerJson)),
      others: streamed((image.others ?? []).map(otherJson)),
      anomalies: streamed(
        image.anomalies.map(({ layer, path, kind, text }) => ({
          layer,
          ...(path ? jsonPath(path) : { path }),
          kind,
          text,
        })),
      ),
      config: image.rawConfig,
    })
    return 0
  })
}

/** Attestations, signatures and other artifacts, and the images of other platforms, for what they are. */
function otherJson({ kind, digest, mediaType, artifactType, platform, names, present }: OtherManifest): unknown {
  return { kind, digest, mediaType, artifactType, platform: platform && formatPlatform(platform), names, present }
}

/** Of an image in its registry: what a pull would bring, and what looking at each layer would. */
function farJson({ far, layers }: Image): unknown {
  if (!far) return null
  const here = far.here()
  const missing = layers.filter(layer => here[layer.index] !== 'native')
  const bytes = (all: LayerInfo[]) => all.reduce((sum, one) => sum + (one.compressed ?? one.roughBytes ?? 0), 0)
  return {
    registry: far.registry,
    bytes: bytes(layers),
    pull: { layers: missing.length, bytes: bytes(missing) },
    layers: layers.map(({ index }) => ({ index, here: here[index], toc: far.toc(index), look: far.cost(index) })),
  }
}

function layerJson({ index, diffId, chainId, digest, mediaType, compressed }: LayerInfo): unknown {
  return { index, diffId, chainId, digest, mediaType, compressed }
}

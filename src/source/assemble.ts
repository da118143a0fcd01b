/** From what a format's reader found to the Image that everybody else knows. */
import { Fault } from '../base/errors.ts'
import { chainIds } from '../image/digest.ts'
import { stepAnomalies, stepsOf } from '../image/steps.ts'
import type { Digest } from '../image/types.ts'
import type { Anomaly } from '../layer/entry.ts'
import { type FoundImage, imageAnomaly } from './found.ts'
import { compressionOfFile, type LayerContext, type OpenLayer, readLayers } from './layers.ts'
import type { Image, LayerInfo } from './types.ts'

export interface AssembleContext extends LayerContext {
  /** As the person wrote it. */
  reference: string
  /** Closed after everything that reads from it. */
  close(): void | Promise<void>
}

/** The image. It owns the threads and the files of the context from now on. */
export function assemble(found: FoundImage, context: AssembleContext): Image {
  const { config } = found
  const compressions = found.layers.map(layer => compressionOfFile(layer.file))
  const diffIds = found.layers.map((layer, at): Digest => {
    const plain = compressions[at] === 'none' && layer.digest?.startsWith('sha256:') ? layer.digest : ''
    return config.diffIds[at] || plain
  })
  const chain = knownChain(diffIds)
  const layers = found.layers.map(
    (layer, at): OpenLayer => ({ found: layer, diffId: diffIds[at]!, compression: compressions[at]! }),
  )
  const reader = readLayers(layers, context)
  return {
    reference: context.reference,
    names: found.names,
    source: found.source,
    id: found.id,
    digest: found.digest,
    platform: config.platform,
    config,
    rawConfig: found.rawConfig,
    steps: stepsOf(config.history, found.layers.length),
    layers: layers.map((layer, index) => infoOf(layer, index, chain[index]!)),
    others: found.others,
    anomalies: [...found.anomalies, ...countAnomalies(found)],
    ...reader,
    async documents() {
      if (found.documents !== null) return found.documents
      throw new Fault(`${context.where} has no config of the image that could be handed on.`, {
        hint: 'It is an archive of Docker before 1.10: docker load and docker save make a new one of it.',
      })
    },
    async close() {
      await reader.close()
      await context.close()
    },
  }
}

function infoOf({ found, diffId, compression }: OpenLayer, index: number, chainId: Digest): LayerInfo {
  const size = found.file?.size ?? found.size
  const packed = compression === null ? /[.+](?:gzip|zstd)$/.test(found.mediaType) : compression !== 'none'
  return {
    index,
    diffId,
    chainId,
    digest: found.digest ?? found.file?.passed?.layer?.digest ?? null,
    mediaType: found.mediaType,
    compressed: packed ? size : null,
    roughBytes: size,
  }
}

/** Up to the first layer whose diffID nobody knows; '' from there on. */
function knownChain(diffIds: Digest[]): Digest[] {
  const known = diffIds.indexOf('')
  const chain = chainIds(known < 0 ? diffIds : diffIds.slice(0, known))
  return diffIds.map((_, at) => chain[at] ?? '')
}

function countAnomalies({ config, layers, anomalies }: FoundImage): Anomaly[] {
  if (anomalies.some(one => one.kind === 'artifact')) return []
  const odd = stepAnomalies(config.history, layers.length).map(text => imageAnomaly('history', text))
  if (config.diffIds.length !== layers.length) {
    odd.push(
      imageAnomaly('layer-count', `The config names ${config.diffIds.length} layers, the manifest ${layers.length}.`),
    )
  }
  return odd
}

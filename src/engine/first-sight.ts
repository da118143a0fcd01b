/**
 * What an engine tells of an image at once, before any byte of a layer is read: enough for the first frame. The config
 * is the image's own where it is kept from an earlier time; otherwise it is put together from the engine's answers.
 */
import { parseConfig } from '../image/config.ts'
import { chainIds } from '../image/digest.ts'
import { stepsOf } from '../image/steps.ts'
import type { Digest, ImageConfig, Step } from '../image/types.ts'
import type { Anomaly } from '../layer/entry.ts'
import type { LayerInfo } from '../source/types.ts'
import { keptConfig } from './config-cache.ts'
import type { Engine, EngineHistoryRow, ImageFacts, ImageQuery } from './engine.ts'
import { ancestry, inferHistory, stepImages } from './history.ts'

export interface FirstSight {
  /** Digest of the config, where it is the image's own. */
  id: Digest | null
  config: ImageConfig
  rawConfig: unknown
  anomalies: Anomaly[]
  steps: Step[]
  layers: LayerInfo[]
  /** The image of each step, where it has one. */
  stepIds: (Digest | null)[]
}

/** Asks for history and images. `cacheFolder`: where configs are kept, null for nowhere. */
export async function firstSight(
  engine: Engine,
  facts: ImageFacts,
  rows: EngineHistoryRow[],
  query: ImageQuery,
  cacheFolder: string | null,
): Promise<FirstSight> {
  const stepIds = stepImages(engine.kind, rows, await chainOf(engine, facts, query))
  const kept = cacheFolder === null ? null : keptConfig(cacheFolder, facts.manifest ?? facts.id, facts.diffIds)
  const raw = kept?.document ?? (await assembled(engine, facts, rows, query))
  const { config, anomalies } = parseConfig(raw)
  const steps = withIds(stepsOf(config.history, facts.diffIds.length), stepIds)
  return {
    id: kept?.digest ?? null,
    config,
    rawConfig: raw,
    anomalies: anomalies.map(text => ({ layer: null, path: null, kind: 'odd-config', text })),
    steps,
    layers: layersOf(facts.diffIds, steps, rows),
    stepIds,
  }
}

/** Steps with the images that end at them; only where the history has as many lines as the engine has rows. */
export function withIds(steps: Step[], ids: (Digest | null)[]): Step[] {
  return steps.map((step, at) => ({ ...step, imageId: steps.length === ids.length ? (ids[at] ?? null) : null }))
}

/** The image, its parent, and so on. Only Podman has to be asked, and only for an image that was built here. */
export async function chainOf(engine: Engine, facts: ImageFacts, { signal }: ImageQuery): Promise<Digest[]> {
  if (engine.kind === 'docker') return []
  return facts.parent === null ? [facts.id] : ancestry(facts.id, await engine.images({ all: true, signal }))
}

/** A config as the image's own would be, as far as the engine's answers go. */
async function assembled(
  engine: Engine,
  facts: ImageFacts,
  rows: EngineHistoryRow[],
  query: ImageQuery,
): Promise<unknown> {
  const count = facts.diffIds.length
  let inferred = inferHistory(rows, count)
  if (!inferred.sure && engine.kind === 'docker')
    inferred = inferHistory(rows, count, await layersAt(engine, rows, query))
  return {
    os: facts.os,
    architecture: facts.architecture,
    ...(facts.variant && { variant: facts.variant }),
    created: facts.created,
    author: facts.author,
    parent: facts.parent,
    config: facts.config,
    rootfs: { type: 'layers', diff_ids: facts.diffIds },
    history: inferred.lines.map(line => ({
      created: line.created,
      created_by: line.createdBy,
      comment: line.comment,
      ...(line.emptyLayer && { empty_layer: true }),
    })),
  }
}

/** How many layers the images of the rows have; those that the classic builder left. */
async function layersAt(engine: Engine, rows: EngineHistoryRow[], { signal }: ImageQuery): Promise<(number | null)[]> {
  const asked = rows.slice(0, 256).map(async ({ imageId }) => {
    if (imageId === null) return null
    return engine.inspect(imageId, { signal }).then(
      facts => facts.diffIds.length,
      () => null,
    )
  })
  return Promise.all(asked)
}

function layersOf(diffIds: Digest[], steps: Step[], rows: EngineHistoryRow[]): LayerInfo[] {
  const chain = chainIds(diffIds)
  return diffIds.map((diffId, index) => {
    const step = steps.find(one => one.layer === index)
    return {
      index,
      diffId,
      chainId: chain[index],
      digest: null,
      mediaType: 'application/vnd.docker.image.rootfs.diff.tar',
      compressed: null,
      roughBytes: steps.length === rows.length && step ? rows[step.index - 1].size : null,
    }
  })
}

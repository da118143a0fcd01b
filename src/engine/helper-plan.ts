/** Where an engine keeps what is needed to show an image, on its own machine and then in a helper container. */
import { chainIds, isDigest } from '../image/digest.ts'
import type { Engine, EngineInfo, ImageFacts } from './engine.ts'
import type { Mount } from './helper-container.ts'

export interface HelperPlan {
  mounts: Mount[]
  /** Paths to ask for; together they hold everything below. */
  requests: string[]
  /** The raw config. */
  config: string
  /** Bottom first. */
  layers: PlannedLayer[]
}

export interface PlannedLayer {
  /** Its tar-split. */
  split: string
  /** The file that says its diffID; null where there is none. */
  diff: string | null
  /** Where its files lie on the engine's machine; null where the engine does not say. */
  directory: string | null
}

/** Where everything is bound. */
export const BASE = '/.strata'

/** `needed`: the layers whose tar-split is wanted. null: the engine keeps images in another way. */
export function planFor(
  { kind }: Engine,
  info: EngineInfo,
  facts: ImageFacts,
  needed: readonly boolean[],
): HelperPlan | null {
  if (info.containerdStore || info.root === null || !isDigest(facts.id)) return null
  return (kind === 'podman' ? ofPodman : ofDocker)(info.root, info.driver, facts, needed)
}

/** Docker's graph drivers: image/<driver>/{imagedb,layerdb} of the data root. All of it in one request. */
function ofDocker(
  root: string,
  driver: string,
  { id, diffIds, raw }: ImageFacts,
  needed: readonly boolean[],
): HelperPlan | null {
  if (!/^[\w.-]{1,64}$/.test(driver)) return null
  const base = `${root}/image/${driver}`
  const directories = directoriesOf(raw, diffIds.length)
  const mounts = chainIds(diffIds).map((chainId, at) => ({
    source: `${base}/layerdb/${chainId.replace(':', '/')}`,
    target: `${BASE}/${at}`,
  }))
  const config = { source: `${base}/imagedb/content/${id.replace(':', '/')}`, target: `${BASE}/config` }
  return {
    mounts: [config, ...mounts.filter((_, at) => needed[at])],
    requests: [BASE],
    config: config.target,
    layers: mounts.map(({ target }, at) => ({
      split: `${target}/tar-split.json.gz`,
      diff: `${target}/diff`,
      directory: directories?.[at] ?? null,
    })),
  }
}

/**
 * containers/storage: <driver>-layers and <driver>-images of the graph root; a layer's id is the name of its directory.
 * Podman finds only what lies in a bound folder, so each file is asked for by itself.
 */
function ofPodman(
  root: string,
  driver: string,
  { id, diffIds, raw }: ImageFacts,
  needed: readonly boolean[],
): HelperPlan | null {
  const directories = directoriesOf(raw, diffIds.length)
  if (driver !== 'overlay' || directories === null) return null
  const layers = directories.map(directory => {
    const layer = /\/([0-9a-f]{64})\/diff$/.exec(directory)?.[1] ?? 'none'
    return { split: `${BASE}/layers/${layer}.tar-split.gz`, diff: null, directory }
  })
  const config = `${BASE}/image/=${Buffer.from(id).toString('base64')}`
  return {
    mounts: [
      { source: `${root}/overlay-images/${id.slice(id.indexOf(':') + 1)}`, target: `${BASE}/image` },
      { source: `${root}/overlay-layers`, target: `${BASE}/layers` },
    ],
    requests: [config, ...layers.filter((_, at) => needed[at]).map(layer => layer.split)],
    config,
    layers,
  }
}

/** Where the files of the layers lie, bottom first, as inspect tells; null where the driver does not say. */
function directoriesOf(raw: unknown, layers: number): string[] | null {
  const data = (raw as { GraphDriver?: { Data?: Record<string, unknown> | null } | null }).GraphDriver?.Data
  const [top, lower] = [data?.UpperDir, data?.LowerDir]
  if (typeof top !== 'string') return null
  const all = [top, ...(typeof lower === 'string' && lower !== '' ? lower.split(':') : [])].reverse()
  return all.length === layers && all.every(one => /^\/.*\/diff$/.test(one)) ? all : null
}

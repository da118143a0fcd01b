/**
 * Archives of Docker before 1.10: no manifest.json. `repositories` names the top layer of each tag, and each layer's
 * `json` names the one below (Docker image-spec v1). Nothing gives the digests of the layers.
 */
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import { historyOfV1, parseConfig } from '../image/config.ts'
import { formatPlatform, platformServes } from '../image/platform.ts'
import { choose } from './choose.ts'
import { moreImages } from './docker-archive.ts'
import type { Folder } from './folder.ts'
import { type Choice, type FoundImage, imageAnomaly } from './found.ts'
import { limits, readFileJson } from './read-stored.ts'
import { repositories, v1Config } from './shapes.ts'

/** As many as any image had: the old storage drivers allowed 127. */
const MAX_LAYERS = 1000

/** Whether it can be such an archive: it names repositories, or has layers with a `json` beside them. */
export function isLegacyArchive(folder: Folder): boolean {
  if (folder.file('repositories') !== null) return true
  for (const path of folder.paths()) if (/^[0-9a-f]{64}\/json$/.test(path)) return true
  return false
}

export async function readLegacyArchive(folder: Folder, choice: Choice): Promise<FoundImage> {
  const tops = await topLayers(folder)
  const named = tops.map(({ id, names }) => ({ names, digests: [`sha256:${id}`] }))
  if (tops.length === 0) throw folder.broken ?? new Fault(`${folder.name} names no image.`)
  const at = choose(named, choice, folder.name)
  const top = tops[at]!
  const chain = await walkChain(folder, top.id)
  const rawConfig = {
    ...chain.at(-1)!.json,
    history: chain.map(({ json }) => v1History(json)),
    rootfs: { type: 'layers', diff_ids: [] },
  }
  const { config, anomalies } = parseConfig(rawConfig)
  if (choice.platform && !platformServes(config.platform, choice.platform)) {
    throw new Fault(`${folder.name} holds an image for ${formatPlatform(config.platform)}.`)
  }
  return {
    source: 'docker-archive',
    names: top.names,
    id: top.id,
    digest: null,
    // The `parent` of a v1 config is a layer, not the image that the classic builder started from.
    config: {
      ...config,
      diffIds: chain.map(() => ''),
      history: chain.map(({ json }) => historyOfV1(json)),
      parent: null,
    },
    rawConfig,
    documents: null,
    layers: chain.map(({ id }) => ({
      file: folder.file(`${id}/layer.tar`),
      missing: `${folder.name} has no file ${id}/layer.tar`,
      digest: null,
      size: null,
      mediaType: 'application/vnd.docker.image.rootfs.diff.tar',
    })),
    anomalies: [
      ...anomalies.map(text => imageAnomaly('odd-config', text)),
      imageAnomaly(
        'no-diff-ids',
        'The archive is of Docker before 1.10: it has no digests to compare its layers with.',
      ),
      ...moreImages(named, at, choice),
    ],
    others: [],
  }
}

/** The top layers, each with its names; of an archive without names, every layer that is nobody's parent. */
async function topLayers(folder: Folder): Promise<{ id: string; names: string[] }[]> {
  const names = new Map<string, string[]>()
  const listed = (await readFileJson(folder, 'repositories', repositories)) ?? {}
  for (const [repository, tags] of Object.entries(listed)) {
    for (const [tag, id] of Object.entries(tags)) names.set(id, [...(names.get(id) ?? []), `${repository}:${tag}`])
  }
  if (names.size > 0) return [...names].map(([id, list]) => ({ id, names: list }))
  const parents = new Set<string>()
  const ids: string[] = []
  for (const path of folder.paths()) {
    const id = /^([0-9a-f]{64})\/json$/.exec(path)?.[1]
    if (id === undefined) continue
    ids.push(id)
    const json = await readFileJson(folder, path, v1Config)
    if (json?.parent) parents.add(json.parent)
  }
  return ids.filter(id => !parents.has(id)).map(id => ({ id, names: [] }))
}

/** The layers from the bottom to this one. */
async function walkChain(folder: Folder, top: string): Promise<{ id: string; json: Record<string, unknown> }[]> {
  const chain: { id: string; json: Record<string, unknown> }[] = []
  const seen = new Set<string>()
  for (let id: string | null = top; id; ) {
    if (!/^[0-9a-f]{1,64}$/.test(id)) throw new Fault(`${folder.name}: “${safe(id)}” is no id of a layer.`)
    if (seen.has(id)) throw new Fault(`${folder.name}: the layer ${id} is its own ancestor.`)
    if (seen.size === MAX_LAYERS)
      throw new Fault(`${folder.name}: an image of more than ${MAX_LAYERS} layers is not read.`)
    seen.add(id)
    const json: Record<string, unknown> | null = await readFileJson(folder, `${id}/json`, v1Config, limits.config)
    if (json === null) throw folder.broken ?? new Fault(`${folder.name} has no file ${id}/json, which its image needs.`)
    chain.unshift({ id, json })
    id = json.parent as string | null
  }
  return chain
}

/** As the history of a newer config would have it, so that `inspect` shows one shape. */
function v1History(json: unknown): Record<string, unknown> {
  const { created, createdBy, comment, author } = historyOfV1(json)
  return { created, created_by: createdBy, ...(comment ? { comment } : {}), ...(author ? { author } : {}) }
}

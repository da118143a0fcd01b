/**
 * docker-archive: what `docker save` of Docker 1.10 and later, podman, skopeo, kaniko, crane, jib and bazel write. They
 * all have a manifest.json; names of files mean nothing, only what it says.
 */
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import { parseConfig } from '../image/config.ts'
import { digestOf, isDigest } from '../image/digest.ts'
import { formatPlatform, platformServes } from '../image/platform.ts'
import type { Anomaly } from '../layer/entry.ts'
import { choose, listOf, type Named } from './choose.ts'
import { canonicalName, type Folder } from './folder.ts'
import { type Choice, type FoundImage, type FoundLayer, imageAnomaly } from './found.ts'
import { parseJson } from './json.ts'
import { limits, readFileJson, readStored } from './read-stored.ts'
import { type DockerItem, dockerManifest } from './shapes.ts'

/** The images that manifest.json lists; null where there is no such file. @throws Fault when it lists none. */
export async function readDockerManifest(folder: Folder): Promise<DockerItem[] | null> {
  if (folder.file('manifest.json') === null) return null
  const items = await readFileJson(folder, 'manifest.json', dockerManifest)
  if (items === null) throw new Fault(`manifest.json of ${folder.name} is null: it lists no image.`)
  if (items.length === 0) throw new Fault(`manifest.json of ${folder.name} is empty: it lists no image.`)
  return items
}

/** One image of the archive. @throws Fault when its config is missing or broken; layers may be missing. */
export async function readDockerArchive(folder: Folder, items: DockerItem[], choice: Choice): Promise<FoundImage> {
  const named = items.map(nameItem)
  const at = choose(named, choice, folder.name)
  const item = items[at]!
  const configFile = folder.file(canonicalName(item.Config))
  if (configFile === null) {
    throw (
      folder.broken ?? new Fault(`${folder.name} has no file ${safe(item.Config)}, which is the config of its image.`)
    )
  }
  const bytes = await readStored(folder, configFile, limits.config, `the config ${safe(item.Config)}`)
  const rawConfig = parseJson(bytes, `the config ${safe(item.Config)} of ${folder.name}`)
  const { config, anomalies } = parseConfig(rawConfig)
  const id = digestOf(bytes)
  if (choice.platform && !platformServes(config.platform, choice.platform)) {
    throw new Fault(
      `${folder.name} holds an image for ${formatPlatform(config.platform)}, not for ${formatPlatform(choice.platform)}.`,
    )
  }
  return {
    source: 'docker-archive',
    names: item.RepoTags,
    id,
    digest: null,
    config,
    rawConfig,
    documents: { config: bytes, manifest: null },
    layers: item.Layers.map((path, layer) => findLayer(folder, item, path, config.diffIds[layer])),
    anomalies: [
      ...anomalies.map(text => imageAnomaly('odd-config', text)),
      ...wrongName(item.Config, id),
      ...moreImages(named, at, choice),
    ],
    others: [],
  }
}

/** What is said of images that were not opened, so that nobody takes one for all. */
export function moreImages(named: Named[], opened: number, choice: Choice): Anomaly[] {
  if (named.length < 2 || choice.name !== null || choice.position !== null) return []
  const name = named[opened]!.names[0] ?? `@${opened}`
  return [imageAnomaly('more-images', `There are ${named.length} images; this is ${safe(name)}. ${listOf(named)}`)]
}

function nameItem(item: DockerItem): Named {
  const hex = /([0-9a-f]{64})(?:\.json)?$/.exec(item.Config)?.[1]
  return { names: item.RepoTags, digests: hex ? [`sha256:${hex}`] : [] }
}

/** A config that is named by a digest must have it; whoever wrote the archive or changed it since did not look. */
function wrongName(path: string, id: string): Anomaly[] {
  const named = /(?:^|\/|:)([0-9a-f]{64})(?:\.json)?$/.exec(path)?.[1]
  if (named === undefined || id === `sha256:${named}`) return []
  if (/^(?:sha256:|blobs\/sha256\/)/.test(path)) {
    throw new Fault(`The config ${path} does not have the digest that it is named by: its sha256 is ${id.slice(7)}.`)
  }
  return [imageAnomaly('digest-mismatch', `The config is named ${safe(path)}, but its digest is ${id}.`)]
}

function findLayer(folder: Folder, item: DockerItem, path: string, diffId: string | undefined): FoundLayer {
  const name = canonicalName(path)
  const file = folder.file(name)
  const blob = /^blobs\/([a-z0-9]+)\/([0-9a-f]+)$/.exec(name)
  const digest = blob ? `${blob[1]}:${blob[2]}` : null
  const source = diffId === undefined ? undefined : Object.entries(item.LayerSources).find(([of]) => of === diffId)?.[1]
  return {
    file,
    missing: `${folder.name} has no file ${safe(path)}${folder.broken ? ', or it is behind the place where the archive breaks off' : ''}`,
    digest: digest !== null && isDigest(digest) ? digest : null,
    size: null,
    mediaType: source?.mediaType ?? 'application/vnd.docker.image.rootfs.diff.tar',
  }
}

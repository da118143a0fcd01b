/** Which format a folder of files is in. Archives of Docker 25 and later are two at once: the whole one is read. */
import { Fault } from '../base/errors.ts'
import { sameName } from './choose.ts'
import { readDockerArchive, readDockerManifest } from './docker-archive.ts'
import { isLegacyArchive, readLegacyArchive } from './docker-legacy.ts'
import type { Folder } from './folder.ts'
import { type Choice, type FoundImage, imageAnomaly } from './found.ts'
import { listImages, readOci } from './oci.ts'
import { readFileJson } from './read-stored.ts'
import { imageIndex } from './shapes.ts'

export type Prefer = 'any' | 'docker-archive' | 'oci' | 'oci-archive'

/**
 * The chosen image of a folder. The OCI part comes first, because it knows media types, platforms and attestations; the
 * docker-archive part where that was asked for, or where the OCI part is not whole. @throws Fault when there is none.
 */
export async function readFormats(folder: Folder, choice: Choice, prefer: Prefer = 'any'): Promise<FoundImage> {
  const isDocker = folder.file('manifest.json') !== null
  const isOci = folder.file('index.json') !== null && !(isDocker && (await isEmptyIndex(folder)))
  const oci = () => readOci(folder, choice)
  const docker = async () => readDockerArchive(folder, (await readDockerManifest(folder))!, choice)
  const legacy = () => readLegacyArchive(folder, choice)
  const ways: (() => Promise<FoundImage>)[] = []
  if (isOci) ways.push(oci)
  if (isDocker) ways.push(docker)
  if (prefer === 'docker-archive') ways.reverse()
  // Of an archive that breaks off, the newer metadata may be what is missing: its layers would pass for an old image.
  if (folder.broken === null && isLegacyArchive(folder)) ways.push(legacy)
  if (ways.length === 0) throw folder.broken ?? notAnImage(folder)
  const found = await firstOf(ways)
  if (folder.broken !== null) found.anomalies.push(imageAnomaly('truncated', folder.broken.message))
  return isOci && isDocker ? asHybrid(folder, found) : found
}

/** How many images a folder has, those that can not be opened included: the positions of a choice. */
export async function countImages(folder: Folder, prefer: Prefer = 'any'): Promise<number> {
  const docker = await readDockerManifest(folder).catch(() => null)
  if (docker !== null && prefer === 'docker-archive') return docker.length
  const oci = folder.file('index.json') === null ? [] : await listImages(folder)
  return Math.max(1, oci.length > 0 ? oci.length : (docker?.length ?? 0))
}

/** The first way that leads to an image; what was wrong with those before it is told. */
async function firstOf(ways: (() => Promise<FoundImage>)[]): Promise<FoundImage> {
  const faults: Fault[] = []
  for (const way of ways) {
    try {
      const found = await way()
      const odd = faults.map(fault => imageAnomaly('broken-part', fault.message))
      return { ...found, anomalies: [...odd, ...found.anomalies] }
    } catch (error) {
      if (!(error instanceof Fault) || error.exitCode === 130) throw error
      faults.push(error)
    }
  }
  throw faults[0]!
}

/** Docker's own name for itself, and the names that only its part has. */
async function asHybrid(folder: Folder, found: FoundImage): Promise<FoundImage> {
  const items = await readDockerManifest(folder).catch(() => null)
  const item = items?.find(one => one.Config.includes(found.id.slice(found.id.indexOf(':') + 1)))
  const names = [...(item?.RepoTags ?? [])]
  for (const name of found.names)
    if (!names.some(other => sameName(other, name) || other.endsWith(`:${name}`))) names.push(name)
  return { ...found, names, source: 'docker-archive' }
}

/** Docker 25 wrote `"manifests": null` beside a manifest.json that is whole: nothing is wrong with that. */
async function isEmptyIndex(folder: Folder): Promise<boolean> {
  const index = await readFileJson(folder, 'index.json', imageIndex).catch(() => null)
  return index !== null && index.manifests.length === 0
}

function notAnImage(folder: Folder): Fault {
  const what =
    folder.kind === 'directory'
      ? 'no OCI layout: it has no index.json'
      : 'no image archive: it has neither a manifest.json nor an index.json'
  return new Fault(`${folder.name} is ${what}.`)
}

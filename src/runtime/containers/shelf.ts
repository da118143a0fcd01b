/** Containers on the disk: making one, finding one by what a person wrote, taking one away. */
import { existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import process from 'node:process'
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { renameOnNetwork } from '../network/rename.ts'
import type { Places } from '../places.ts'
import { claimName, claimSomeName, holderOf, releaseName } from './names.ts'
import { random } from './random.ts'
import { type ContainerFolder, type ContainerRecord, folderOf, idsIn, isId, readRecord, writeRecord } from './record.ts'

/** A new id, 64 hex digits. */
export function newId(): string {
  return random(32).toString('hex')
}

/** Makes the container's folder and gives it its name. `fill` writes what else belongs into it. The record comes last: then it exists. */
export function placeContainer(
  containers: string,
  { id, name, ...rest }: Omit<ContainerRecord, 'name'> & { name: string | null },
  fill: (folder: ContainerFolder, name: string) => void,
): ContainerRecord {
  const folder = folderOf(containers, id)
  mkdirSync(containers, { recursive: true, mode: 0o700 })
  mkdirSync(folder.path, { mode: 0o700 })
  let taken: string | null = null
  try {
    for (const path of [folder.bundle, folder.work]) mkdirSync(path, { mode: 0o700 })
    // The root of the container has the mode of this directory.
    mkdirSync(folder.upper, { mode: 0o755 })
    if (name === null) taken = claimSomeName(containers, id)
    else claimName(containers, name, id)
    taken ??= name!
    fill(folder, taken)
    const record = { ...rest, id, name: taken }
    writeRecord(folder, record, { flush: !record.remove })
    return record
  } catch (error) {
    if (taken !== null) releaseName(containers, taken, id)
    rmSync(folder.path, { recursive: true, force: true })
    throw error
  }
}

/** The container of this name, id, or unambiguous beginning of an id; null when there is none. Throws a Fault when there are several. */
export function lookUpContainer(containers: string, wanted: string): ContainerRecord | null {
  const named = holderOf(containers, wanted)
  const record = named === null ? null : readRecord(containers, named)
  if (record !== null && record.name === wanted) return record
  if (isId(wanted)) return readRecord(containers, wanted)
  if (!/^[0-9a-f]{1,63}$/.test(wanted)) return null
  const ids = idsIn(containers).filter(id => id.startsWith(wanted))
  const found = ids.map(id => readRecord(containers, id)).filter(one => one !== null)
  if (found.length <= 1) return found[0] ?? null
  throw new Fault(`The ids of ${found.length} containers begin with ${wanted}.`, {
    hint: `${found
      .slice(0, 4)
      .map(one => `${one.id.slice(0, 12)} is ${one.name}`)
      .join(', ')}.`,
  })
}

/** The same; throws a Fault when there is none. */
export function findContainer(containers: string, wanted: string): ContainerRecord {
  const found = lookUpContainer(containers, wanted)
  if (found) return found
  throw new Fault(`There is no container “${safe(wanted)}” here.`, { hint: 'strata ps -a lists the containers.' })
}

/**
 * Takes a container away, which does not run: first its name and record, so that it is gone whatever becomes of the rest.
 * `volumes`: those that nobody named go with it.
 */
export async function discardContainer(
  places: Places,
  record: ContainerRecord,
  { volumes = record.remove }: { volumes?: boolean } = {},
): Promise<void> {
  const folder = folderOf(places.containers, record.id)
  releaseName(places.containers, record.name, record.id)
  rmSync(folder.record, { force: true })
  if (record.mounts.some(one => one.kind === 'volume')) {
    const { releaseVolumes } = await import('../volumes/shelf.ts')
    await releaseVolumes(places, record, { anonymous: volumes })
  }
  await removeFolder(folder.path)
}

/** How old a folder without a record is before nobody can be making it any more, in milliseconds. */
const abandoned = 600_000

/** Takes away what a Strata that was killed left half made or half removed. */
export async function sweepContainers(containers: string): Promise<void> {
  for (const id of idsIn(containers)) {
    const folder = folderOf(containers, id)
    const changed = statSync(folder.path, { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY
    if (existsSync(folder.record) || Date.now() - changed < abandoned) continue
    await removeFolder(folder.path).catch(() => {}) // its next turn comes
  }
}

/** Files of a container belong to users whom only the helper may act for, unless we are root. */
async function removeFolder(path: string): Promise<void> {
  if (process.getuid?.() === 0) return rmSync(path, { recursive: true, force: true })
  const { removeTrees } = await import('../layers.ts')
  await removeTrees([path])
}

/** Gives the container another name. */
export function renameContainer(containers: string, record: ContainerRecord, name: string): ContainerRecord {
  if (name === record.name) throw new Fault(`The container is called “${name}” already.`, { exitCode: 1 })
  claimName(containers, name, record.id)
  const renamed = { ...record, name }
  const folder = folderOf(containers, record.id)
  renameOnNetwork(folder.bundle, record.name, name)
  writeRecord(folder, renamed)
  releaseName(containers, record.name, record.id)
  return renamed
}

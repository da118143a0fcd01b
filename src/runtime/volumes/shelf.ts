/** Volumes are made, taken by containers, let go and removed. `volume.ts` says how they lie on the disk. */
import { existsSync, mkdirSync, renameSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import process from 'node:process'
import { Fault, reasonOf } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { random } from '../containers/random.ts'
import { type ContainerRecord, readRecord } from '../containers/record.ts'
import type { Places } from '../places.ts'
import { checkVolumeName, findVolume, namesIn, readVolume, type Volume, volumeFolder, volumesOf } from './volume.ts'

export interface VolumeWish {
  name: string
  /** Nobody named it. */
  anonymous?: boolean | undefined
  labels?: Record<string, string> | undefined
}

/** A name for a volume that nobody names: 64 hex digits, as docker's. */
export function newVolumeName(): string {
  return random(32).toString('hex')
}

/** Makes it where it is not there yet: docker's way, the labels of one that is there stay. Throws a Fault for a bad name. */
export function createVolume(places: Places, { name, anonymous = false, labels = {} }: VolumeWish): Volume {
  checkVolumeName(name)
  const there = readVolume(places, name)
  if (there) return there
  const folder = volumeFolder(places, name)
  const fresh = join(volumesOf(places), `.new-${process.pid}-${random(4).toString('hex')}`)
  try {
    mkdirSync(join(fresh, 'users'), { recursive: true, mode: 0o700 })
    mkdirSync(join(fresh, '_data'), { mode: 0o755 })
    const about = { version: 1, name, created: new Date().toISOString(), labels, anonymous }
    writeFileSync(join(fresh, 'volume.json'), JSON.stringify(about), { mode: 0o600, flush: !anonymous })
    if (!existsSync(folder.users)) setAside(folder.path) // half removed by somebody who was killed
    renameSync(fresh, folder.path)
  } catch (error) {
    rmSync(fresh, { recursive: true, force: true })
    const meanwhile = readVolume(places, name)
    if (meanwhile) return meanwhile
    throw new Fault(`The volume ${safe(name)} can not be made: ${reasonOf(error)}.`, { cause: error, exitCode: 125 })
  }
  return findVolume(places, name)
}

/** A container has it from now on; makes it where it is not there. `user` is the container's id, whose folder is there. */
export function holdVolume(places: Places, wish: VolumeWish, user: string): Volume {
  for (let tries = 0; tries < 8; tries++) {
    const volume = createVolume(places, wish)
    try {
      writeFileSync(join(volumeFolder(places, volume.name).users, user), '', { mode: 0o600 })
      return { ...volume, users: [...new Set([...volume.users, user])] }
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ENOENT') throw error // removed meanwhile
    }
  }
  throw new Fault(`The volume ${safe(wish.name)} is removed again and again.`, { exitCode: 125 })
}

/** Volumes of a container that goes. Those that nobody named go too where that is wanted and nobody else has them. */
export async function releaseVolumes(
  places: Places,
  record: Pick<ContainerRecord, 'id' | 'mounts'>,
  { anonymous = false } = {},
): Promise<void> {
  for (const { kind, name, anonymous: nameless } of record.mounts) {
    if (kind !== 'volume' || name === undefined) continue
    rmSync(join(volumeFolder(places, name).users, record.id), { force: true })
    if (anonymous && nameless) await removeVolume(places, name).catch(() => {}) // another container has it
  }
}

/** Throws a Fault when there is none of that name, and one that names who has it while anybody has. */
export async function removeVolume(places: Places, name: string): Promise<void> {
  const volume = findVolume(places, name)
  const folder = volumeFolder(places, name)
  if (volume.users.length > 0) throw inUse(places, volume)
  for (const id of namesIn(folder.users)) rmSync(join(folder.users, id), { force: true }) // of containers that are gone
  try {
    rmdirSync(folder.users)
  } catch {
    throw inUse(places, findVolume(places, name)) // taken this moment
  }
  await removeTree(setAside(folder.path))
  await sweepVolumes(places)
}

/** What was being made or removed by a Strata that is no more. */
export async function sweepVolumes(places: Places): Promise<void> {
  const root = volumesOf(places)
  for (const name of namesIn(root)) {
    const [, owner] = /^\.(?:new|gone)-(\d{1,10})-/.exec(name) ?? []
    const dead = owner !== undefined && !existsSync(`/proc/${owner}`)
    const half = !name.startsWith('.') && !existsSync(join(root, name, 'users'))
    if (dead) await removeTree(join(root, name)).catch(() => {})
    else if (half) await removeTree(setAside(join(root, name))).catch(() => {})
  }
}

/** Volumes that no container has, docker's `volume prune`; gives those that went, or would with `dryRun`. */
export async function pruneVolumes(
  places: Places,
  volumes: readonly Volume[],
  { dryRun = false } = {},
): Promise<Volume[]> {
  const gone: Volume[] = []
  for (const volume of volumes.filter(one => one.users.length === 0)) {
    try {
      if (!dryRun) await removeVolume(places, volume.name)
      gone.push(volume)
    } catch {} // taken, or removed, meanwhile
  }
  return gone
}

function inUse({ containers }: Places, { name, users }: Volume): Fault {
  const names = users.map(id => readRecord(containers, id)?.name ?? id.slice(0, 12))
  const shown = names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '')
  return new Fault(`The volume ${safe(name)} is in use by ${safe(shown || 'a container that is being made')}.`, {
    hint: names.length > 0 ? `Remove that container first: strata rm ${safe(names[0])}` : 'Try it again.',
  })
}

/** Out of the way under a name that no volume has; gives the path. One that is not there is fine. */
function setAside(path: string): string {
  const aside = join(path, '..', `.gone-${process.pid}-${random(4).toString('hex')}`)
  try {
    renameSync(path, aside)
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ENOENT') throw error
  }
  return aside
}

/** Its files belong to users whom only the helper may act for, unless we are root. */
async function removeTree(path: string): Promise<void> {
  if (process.getuid?.() === 0) return rmSync(path, { recursive: true, force: true })
  const { removeTrees } = await import('../layers.ts')
  await removeTrees([path])
}

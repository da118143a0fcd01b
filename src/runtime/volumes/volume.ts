/**
 * Volumes of the native engine on the disk, one folder each below the store:
 *
 *   volumes/NAME/_data        what containers see
 *   volumes/NAME/volume.json  when it was made, its labels, whether anybody named it
 *   volumes/NAME/users/ID     an empty file for each container that has it
 *   volumes/NAME/filling      while `_data` is given what the image has there; found again, it is begun anew
 *
 * A volume is there as long as it has `users`: taking that folder away, which works only while it is empty, is how a volume
 * is removed, so that no container ever gets one that goes. A user whose container is gone counts for nothing.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { isId } from '../containers/record.ts'
import type { Places } from '../places.ts'

export interface Volume {
  name: string
  /** ISO 8601. */
  created: string
  labels: Record<string, string>
  /** Nobody named it: it goes with its container where that is asked for. */
  anonymous: boolean
  /** The directory that containers see. */
  path: string
  /** Ids of the containers that have it, whether they run or not. */
  users: string[]
}

/** Where a volume keeps its things. Paths only. */
export function volumeFolder(places: Places, name: string) {
  const path = join(volumesOf(places), name)
  return { path, data: join(path, '_data'), about: join(path, 'volume.json'), users: join(path, 'users') }
}

export function volumesOf({ store }: Places): string {
  return join(store, 'volumes')
}

/** docker's rule. */
export function isVolumeName(name: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]{1,254}$/.test(name)
}

/** Throws a Fault (exit code 125) that says what is wrong with it. */
export function checkVolumeName(name: string): void {
  if (isVolumeName(name)) return
  if (/^[a-zA-Z0-9]$/.test(name))
    throw new Fault(`The volume name “${safe(name)}” is too short: names have at least two characters.`, {
      exitCode: 125,
    })
  throw new Fault(`“${safe(name.slice(0, 300))}” includes invalid characters for a volume name.`, {
    hint: 'A name is letters, digits, dots, dashes and underscores, and begins with a letter or a digit; a directory of this machine is an absolute path.',
    exitCode: 125,
  })
}

/** All volumes, by name. */
export function listVolumes(places: Places): Volume[] {
  return namesIn(volumesOf(places))
    .filter(isVolumeName)
    .flatMap(name => readVolume(places, name) ?? [])
}

/** null where there is none of that name. */
export function readVolume(places: Places, name: string): Volume | null {
  if (!isVolumeName(name)) return null
  const { about, data, users } = volumeFolder(places, name)
  if (!existsSync(users)) return null
  const { created = '', labels = {}, anonymous = false } = read(about)
  return { name, created, labels, anonymous, path: data, users: usersIn(places, users) }
}

/** The same; throws a Fault when there is none. */
export function findVolume(places: Places, name: string): Volume {
  const found = readVolume(places, name)
  if (found) return found
  throw new Fault(`There is no volume “${safe(name)}”: no such volume.`, { hint: 'strata volume ls lists them.' })
}

function usersIn({ containers }: Places, users: string): string[] {
  return namesIn(users).filter(id => isId(id) && existsSync(join(containers, id)))
}

interface About {
  created?: string
  labels?: Record<string, string>
  anonymous?: boolean
}

/** Our own file; one that is damaged costs the labels, not the volume. */
function read(path: string): About {
  try {
    const about = JSON.parse(readFileSync(path, 'utf8'))
    return typeof about === 'object' && about !== null ? about : {}
  } catch {
    return {}
  }
}

export function namesIn(path: string): string[] {
  try {
    return readdirSync(path).sort()
  } catch {
    return []
  }
}

/**
 * A folder for a container that leaves nothing: upper, work and bundle directory, removed when it has ended. Its name says
 * which process owns it, so that what a killed Strata left is found and removed by the next one.
 */
import { randomBytes } from 'node:crypto'
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import process from 'node:process'
import { asFault } from '../base/errors.ts'
import { removeTrees } from './layers.ts'

export interface ThrowAway {
  upper: string
  work: string
  bundle: string
  /** Removes everything, files of other owners too. */
  remove(): Promise<void>
}

/** Makes one below `parent`, which is made where it is missing. What dead processes left there goes first. */
export async function throwAway(parent: string): Promise<ThrowAway> {
  try {
    await mkdir(parent, { recursive: true, mode: 0o700 })
    await sweep(parent)
    const owner = `${process.pid}-${await startOf(process.pid)}`
    const folder = join(parent, `${owner}-${randomBytes(4).toString('hex')}`)
    const room = { upper: join(folder, 'upper'), work: join(folder, 'work'), bundle: join(folder, 'bundle') }
    await mkdir(folder, { mode: 0o700 })
    // The root of the container has the mode of the upper directory.
    await mkdir(room.upper, { mode: 0o755 })
    for (const path of [room.work, room.bundle]) await mkdir(path, { mode: 0o700 })
    return { ...room, remove: () => removeTrees([folder]) }
  } catch (error) {
    throw asFault(error, `A throw-away layer can not be made in ${parent}`)
  }
}

/** Removes the folders whose processes are gone. */
async function sweep(parent: string): Promise<void> {
  const left: string[] = []
  for (const name of await readdir(parent)) {
    const [, pid, start] = /^(\d{1,10})-(\d{1,20})-[0-9a-f]{8}$/.exec(name) ?? []
    if (pid !== undefined && (await startOf(Number(pid))) !== start) left.push(join(parent, name))
  }
  if (left.length > 0) await removeTrees(left).catch(() => {})
}

/** When a process started, in ticks since boot (field 22 of /proc/PID/stat); '' when it is gone. A pid alone is used again. */
async function startOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1').catch(() => '')
  const [state, ...rest] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return state === 'Z' || state === '' ? '' : (rest[18] ?? '')
}

/** Containers begin: by themselves under their monitor, or with a terminal at hand. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Places } from '../places.ts'
import { volumeFolder } from '../volumes/volume.ts'
import { callHelper } from './call.ts'
import { forgetFailure, noteFailure } from './failure.ts'
import type { Ended } from './foreground.ts'
import { namePlace } from './names.ts'
import { type ContainerRecord, folderOf } from './record.ts'
import { hasState } from './states.ts'

/** A log is begun anew at so many bytes, and so many files are kept. */
const log = { bytes: 16 * 1024 * 1024, files: 4 }

/** Starts it under its monitor and comes back when its command runs. Throws a Fault (125, 126, 127) when it does not. */
export async function startContainer(places: Places, record: ContainerRecord): Promise<void> {
  await clearPast(places, record)
  const options = [...runOptions(places, record), ...(record.remove ? gone(places, record) : [])]
  try {
    await callHelper(places, ['run', '--detach', ...options, record.id])
  } catch (error) {
    noteFailure(places.containers, record.id, error)
    throw error
  }
}

/** Runs it at our terminal and comes back when it has ended or was let go: for who goes on afterwards. */
export async function runContainerHere(places: Places, record: ContainerRecord): Promise<Ended> {
  const { callHere } = await import('./foreground.ts')
  const ended = await callHere(places, 'run', await attachedRun(places, record))
  if (ended.fault) noteFailure(places.containers, record.id, ended.fault)
  return ended
}

/**
 * The words of the helper's `run` for who stays with the container, to its end or until it is let go. A container that is to
 * be removed at its end is.
 */
export async function attachedRun(places: Places, record: ContainerRecord, detachKeys?: string): Promise<string[]> {
  await clearPast(places, record)
  const keys = detachKeys === undefined ? [] : ['--detach-keys', detachKeys]
  const after = record.remove ? gone(places, record) : ['--keep-state']
  return [...runOptions(places, record), ...keys, ...after, record.id]
}

/** What its monitor takes away with it at its end: all that `discardContainer` would. */
function gone(places: Places, record: ContainerRecord): string[] {
  const { path, record: file } = folderOf(places.containers, record.id)
  const volumes = record.mounts.flatMap(({ kind, name, anonymous }) => {
    if (kind !== 'volume' || name === undefined) return []
    return [anonymous ? '--discard-volume' : '--discard-user', volumeFolder(places, name).path]
  })
  const name = ['--discard-name', namePlace(places.containers, record.name)]
  return ['--remove', ...volumes, ...name, '--discard', file, '--discard', path]
}

function runOptions(places: Places, record: ContainerRecord): string[] {
  const { bundle, log: path } = folderOf(places.containers, record.id)
  const size = ['--log-max-size', String(log.bytes), '--log-max-files', String(log.files)]
  return ['--bundle', bundle, '--log', path, ...size, ...(record.openStdin ? [] : ['--no-stdin'])]
}

/** What the last run left: its state, and an overlay that was not to be used twice. */
async function clearPast(places: Places, record: ContainerRecord): Promise<void> {
  forgetFailure(places.containers, record.id)
  if (!hasState(places, record.id)) return
  await callHelper(places, ['delete', record.id])
  const { work } = folderOf(places.containers, record.id)
  if (record.remove && existsSync(join(work, 'work'))) {
    const { removeTrees } = await import('../layers.ts')
    await removeTrees([work])
    mkdirSync(work, { mode: 0o700 })
  }
}

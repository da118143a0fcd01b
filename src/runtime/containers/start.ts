/** Containers begin: by themselves under their monitor, or with this process at their terminal. */
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Places } from '../places.ts'
import { callHelper } from './call.ts'
import { callHere, type Ended } from './foreground.ts'
import { type ContainerFolder, type ContainerRecord, folderOf } from './record.ts'
import { discardContainer } from './shelf.ts'
import { hasState } from './states.ts'

/** A log is begun anew at so many bytes, and so many old ones are kept. */
const log = { bytes: 16 * 1024 * 1024, files: 4 }

/** Starts it under its monitor and comes back when its command runs. Throws a Fault (125, 126, 127) when it does not. */
export async function startContainer(places: Places, record: ContainerRecord): Promise<void> {
  const folder = folderOf(places.containers, record.id)
  await clearPast(places, record, folder)
  await callHelper(places, ['run', '--detach', ...options(record, folder), record.id])
}

/**
 * Runs it with this process at its input and output, to its end or until it is let go. A container that is to be removed
 * afterwards is.
 */
export async function runContainerHere(
  places: Places,
  record: ContainerRecord,
  { detachKeys }: { detachKeys?: string | undefined } = {},
): Promise<Ended> {
  const folder = folderOf(places.containers, record.id)
  await clearPast(places, record, folder)
  const keys = detachKeys === undefined ? [] : ['--detach-keys', detachKeys]
  const keep = record.remove ? [] : ['--keep-state']
  const ended = await callHere(places, 'run', [...options(record, folder), ...keys, ...keep, record.id])
  if (record.remove && !hasState(places, record.id)) await discardContainer(places.containers, record)
  return ended
}

function options(record: ContainerRecord, { bundle, log: path }: ContainerFolder): string[] {
  const size = ['--log-max-size', String(log.bytes), '--log-max-files', String(log.files)]
  return ['--bundle', bundle, '--log', path, ...size, ...(record.openStdin ? [] : ['--no-stdin'])]
}

/** What the last run left: its state, and an overlay that was not to be used twice. */
async function clearPast(places: Places, record: ContainerRecord, folder: ContainerFolder): Promise<void> {
  if (!hasState(places, record.id)) return
  await callHelper(places, ['delete', record.id])
  if (record.remove && existsSync(join(folder.work, 'work'))) {
    const { removeTrees } = await import('../layers.ts')
    await removeTrees([folder.work])
    mkdirSync(folder.work, { mode: 0o700 })
  }
}

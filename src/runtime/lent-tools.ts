/** A static busybox and its names in a folder, bound read-only into a container whose image has no shell. */
import { createHash } from 'node:crypto'
import { chmod, mkdir, mkdtemp, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { asFault } from '../base/errors.ts'
import type { Volume } from './bundle.ts'

export interface Tools {
  volume: Volume
  /** Inside of the container. */
  folder: string
  shell: string
}

const inside = '/.strata'

/** Makes the folder below `parent` where it is not there yet. `names`: what busybox is to be called by. */
export async function lendTools(parent: string, busybox: Uint8Array, names: readonly string[]): Promise<Tools> {
  const digest = createHash('sha256').update(busybox).digest('hex').slice(0, 16)
  const folder = join(parent, `busybox-${digest}`)
  try {
    if (!(await stat(folder).catch(() => null))) await make(parent, folder, busybox, names)
  } catch (error) {
    throw asFault(error, `A shell to lend can not be put into ${parent}`)
  }
  return { volume: { source: folder, destination: inside, readOnly: true }, folder: inside, shell: `${inside}/sh` }
}

/** Made beside and renamed: two at once, or one that is killed, leave a whole folder or none. */
async function make(parent: string, folder: string, busybox: Uint8Array, names: readonly string[]): Promise<void> {
  await mkdir(parent, { recursive: true, mode: 0o700 })
  const fresh = await mkdtemp(`${folder}.`)
  await writeFile(join(fresh, 'busybox'), busybox, { mode: 0o755 })
  for (const name of new Set(['sh', ...names.map(path => basename(path))])) {
    if (name !== 'busybox') await symlink('busybox', join(fresh, name))
  }
  await chmod(fresh, 0o755)
  await rename(fresh, folder).catch(async error => {
    await rm(fresh, { recursive: true, force: true })
    if (!(await stat(folder).catch(() => null))) throw error
  })
}

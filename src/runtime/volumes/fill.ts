/**
 * An empty volume gets what the image has where it is mounted, as docker does it: files with their owners, modes, links,
 * attributes and times, and the directory's own. The helper does it in a container of the image's layers that has nothing
 * else and runs nothing of the image, so no link of the image leads out of it.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { callHelper } from '../containers/call.ts'
import { random } from '../containers/random.ts'
import type { Places } from '../places.ts'
import { volumeFolder } from './volume.ts'

export interface Fill {
  /** Of the volume. */
  name: string
  /** Where it is mounted. */
  destination: string
}

/** `lower`: layer directories, top first. `folder`: of the container that is being made. Volumes that hold something are left alone. */
export async function fillVolumes(
  places: Places,
  { lower, folder, fills }: { lower: readonly string[]; folder: string; fills: readonly Fill[] },
): Promise<void> {
  const empty = fills.filter(({ name }) => mayBeEmpty(places, name))
  if (empty.length === 0 || lower.length === 0) return
  const bundle = join(folder, `fill-${random(4).toString('hex')}`)
  const inside = empty.map(({ name, destination }, at) => ({
    destination,
    source: volumeFolder(places, name).path,
    place: `/.strata-volumes/${at}`,
  }))
  const config = {
    ociVersion: '1.2.0',
    process: { args: ['strata:fill', ...inside.flatMap(one => [one.destination, one.place])], env: [], cwd: '/' },
    root: { readonly: true },
    mounts: inside.map(({ source, place }) => ({ destination: place, source, type: 'bind', options: ['bind', 'rw'] })),
    linux: { namespaces: ['pid', 'mount', 'ipc', 'uts'].map(type => ({ type })) },
    strata: { overlay: { lower }, user: '0' },
  }
  mkdirSync(bundle, { mode: 0o700 })
  try {
    writeFileSync(join(bundle, 'config.json'), JSON.stringify(config), { mode: 0o600 })
    await callHelper(places, ['run', '--foreground', '--bundle', bundle, 'fill'])
  } finally {
    rmSync(bundle, { recursive: true, force: true })
  }
}

/** One that is closed to us may be too: the helper looks. */
function mayBeEmpty(places: Places, name: string): boolean {
  const { path, data } = volumeFolder(places, name)
  if (existsSync(join(path, 'filling'))) return true
  try {
    return readdirSync(data).length === 0
  } catch {
    return true
  }
}

/**
 * Layers that an engine of this machine keeps unpacked: their directories are what overlayfs takes as lower ones, so that
 * whoever may read them needs no copy. Found by the layers' digests, whatever the image was opened from.
 */
import { statSync } from 'node:fs'
import type { Digest } from '../image/types.ts'
import { containerdLayerDirectories } from './containerd-store.ts'
import { containersLayerDirectories } from './containers-storage.ts'
import { dockerLayerDirectories } from './docker-store.ts'
import type { StoreLocation } from './store-types.ts'

export interface LayerDirectories {
  engine: 'docker' | 'podman' | 'containerd'
  /** Bottom first. */
  directories: string[]
}

/**
 * The directories of this stack of layers (diffIDs, bottom first) in the first store that has all of them; null when none
 * has, or its driver does not lay them out as overlayfs does.
 */
export function findLayerDirectories(
  stores: readonly StoreLocation[],
  diffIds: readonly Digest[],
): LayerDirectories | null {
  for (const location of stores) {
    const directories = directoriesIn(location, diffIds)
    if (directories === null || !directories.every(isDirectory)) continue
    return { engine: engines[location.kind], directories }
  }
  return null
}

const engines = { 'docker-store': 'docker', 'containers-storage': 'podman', 'containerd-store': 'containerd' } as const

function directoriesIn(location: StoreLocation, diffIds: readonly Digest[]): string[] | null {
  try {
    if (location.kind === 'docker-store') return dockerLayerDirectories(location, diffIds)
    if (location.kind === 'containers-storage') return containersLayerDirectories(location, diffIds)
    return containerdLayerDirectories(location, diffIds)
  } catch {
    return null // not readable, or an engine is at work: the layers are unpacked then
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true
}

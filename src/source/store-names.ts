/** Finding an image by what a person calls it, in the spelling of the engine that keeps it. */
import { Fault } from '../base/errors.ts'
import { type ImageName, parseImageName } from '../image/image-name.ts'
import type { Digest } from '../image/types.ts'

/** Whether a stored name (`node:20`, `docker.io/library/node:20`, `repo@sha256:…`) is the wanted one, implied parts written out. */
export function sameImageName(stored: string, wanted: ImageName): boolean {
  if (stored === wanted.text) return true
  if (wanted.registry === null) return false
  const name = parsed(stored)
  if (name === null || name.registry !== wanted.registry || name.repository !== wanted.repository) return false
  // With a tag and a digest it is the digest that counts.
  if (wanted.digest !== null) return name.digest === wanted.digest
  return name.digest === null && (name.tag ?? 'latest') === (wanted.tag ?? 'latest')
}

/**
 * Whether a stored name is what podman understands by a name without a registry: the same path in this registry; null:
 * in any, or as the end of a longer path.
 */
export function sameShortName(stored: string, wanted: ImageName, registry: string | null): boolean {
  if (wanted.registry !== 'docker.io' || wanted.repository === null || /^(?:index\.)?docker\.io\//.test(wanted.text))
    return false
  const name = parsed(stored)
  if (name?.repository == null || name.digest !== null || (name.tag ?? 'latest') !== (wanted.tag ?? 'latest'))
    return false
  const path = wanted.repository.replace(/^library\//, '')
  if (registry !== null) return name.registry === registry && name.repository === path
  return `/${name.repository}`.endsWith(`/${path}`)
}

/** The one id that a wanted id or its first digits mean; null when none does. @throws Fault when several do. */
export function matchId(wanted: ImageName, ids: () => Digest[]): Digest | null {
  if (wanted.id === null) return null
  const found = ids().filter(id => id.slice(id.indexOf(':') + 1).startsWith(wanted.id!))
  if (found.length <= 1) return found[0] ?? null
  throw new Fault(`${found.length} images have an id that starts with ${wanted.id}.`, {
    exitCode: 2,
    hint: 'Write more digits of it.',
  })
}

function parsed(text: string): ImageName | null {
  try {
    return parseImageName(text)
  } catch {
    return null
  }
}

/** Which image a person means, and how an image is called. Pure. */
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { fullName, type ImageName, parseImageName } from '../../image/image-name.ts'
import type { KeptImage } from './index.ts'

/** `docker.io/library/node:20` as Docker shows it: `node:20`. */
export function shownName(name: string): string {
  return name.replace(/^docker\.io\/(?:library\/)?/, '')
}

/** The name that an image is kept by: in full, a tag with it, no digest. @throws Fault (exit code 2) when the text is none. */
export function keptName(text: string): string {
  const name = parseImageName(text)
  if (name.registry === null || name.digest !== null)
    throw new Fault(`“${safe(text)}” is no name that can be given to an image.`, {
      exitCode: 2,
      hint: 'A name is REPOSITORY[:TAG].',
    })
  return fullName(name)!
}

/** An image, and the name that it was found by; null: by its id or digest. */
export interface Found {
  image: KeptImage
  name: string | null
}

/**
 * By its name, by the digest of its manifest, by its id or the beginning of it: a name goes before an id. null when there
 * is none. @throws Fault (exit code 2) when several ids begin like the wanted one.
 */
export function findImage(images: readonly KeptImage[], wanted: ImageName): Found | null {
  const name = wanted.digest === null ? fullName(wanted) : null
  const named = name === null ? undefined : images.find(one => one.names.includes(name))
  if (named) return { image: named, name }
  if (wanted.digest !== null) {
    const inRegistry = `${wanted.registry}/${wanted.repository}@${wanted.digest}`
    const pulled = images.find(one => one.digests?.includes(inRegistry))
    if (pulled) return { image: pulled, name: null }
    const found = images.find(one => one.manifest === wanted.digest || one.id === wanted.digest)
    return found?.names.some(one => one.startsWith(`${wanted.registry}/${wanted.repository}:`))
      ? { image: found, name: null }
      : null
  }
  if (wanted.id === null) return null
  const begins = images.filter(one => [one.id, one.manifest].some(id => id.slice(7).startsWith(wanted.id!)))
  if (begins.length > 1)
    throw new Fault(`${begins.length} images have an id that starts with ${wanted.id}.`, {
      exitCode: 2,
      hint: 'Write more digits of it.',
    })
  return begins.length === 1 ? { image: begins[0], name: null } : null
}

/** The same, of what a person wrote. @throws Fault when there is none. */
export function getImage(images: readonly KeptImage[], text: string): Found {
  const found = findImage(images, parseImageName(text.replace(/^strata:/, '')))
  if (found) return found
  throw new Fault(`The store has no image “${safe(text)}”.`, { hint: '`strata images --engine native` lists them.' })
}

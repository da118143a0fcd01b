/** Which of several images is meant: by name, tag, digest, image id, position. */
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import { fullName, parseImageName } from '../image/image-name.ts'
import type { Choice } from './found.ts'

/** One of the images to choose from: all that it can be called by. */
export interface Named {
  /** `repo:tag` or a bare tag. */
  names: string[]
  /** Digests of manifest and config. */
  digests: string[]
}

/**
 * The position of the image that is meant. Without a name it is the first: a file with several images is opened like
 * any other, and the person is told of the rest. @throws Fault with the list when the name fits none.
 */
export function choose(images: readonly Named[], choice: Choice, where: string): number {
  if (choice.position !== null) {
    if (choice.position < images.length) return choice.position
    throw new Fault(`${where} has no image @${choice.position}.`, { hint: listOf(images) })
  }
  if (choice.name === null) return 0
  const wanted = choice.name
  for (const means of [isCalled, hasTag, hasDigest]) {
    const at = images.findIndex(one => means(one, wanted))
    if (at >= 0) return at
  }
  throw new Fault(`${where} has no image “${safe(wanted)}”.`, { hint: listOf(images) })
}

/** The names of images in a sentence, for a hint: what to write behind the path. */
export function listOf(images: readonly Named[]): string {
  const names = images.map((one, at) => one.names[0] ?? `@${at}`)
  const some = names.slice(0, 20).map(safe).join(', ')
  return `It has: ${some}${names.length > 20 ? ` and ${names.length - 20} more` : ''}.`
}

function isCalled({ names }: Named, wanted: string): boolean {
  return names.some(name => sameName(name, wanted))
}

function hasTag({ names }: Named, wanted: string): boolean {
  return names.some(name => tagOf(name) === wanted)
}

function hasDigest({ digests }: Named, wanted: string): boolean {
  return digests.some(digest => isDigestOf(digest, wanted))
}

/** Whether two spellings name the same: `node`, `library/node:latest`, `docker.io/library/node:latest`. */
export function sameName(a: string, b: string): boolean {
  return a === b || (normal(a) !== null && normal(a) === normal(b))
}

function normal(name: string): string | null {
  try {
    return fullName(parseImageName(name))
  } catch {
    return null
  }
}

function tagOf(name: string): string {
  const colon = name.lastIndexOf(':')
  return colon < name.lastIndexOf('/') ? name : name.slice(colon + 1)
}

/** The manifests that a name means by their digest, where it is none of their names. */
export function meantByDigest<T>(
  name: string | null,
  names: string[],
  of: readonly T[],
  digest: (one: T) => string,
): T[] {
  if (name === null || isCalled({ names, digests: [] }, name) || hasTag({ names, digests: [] }, name)) return []
  return of.filter(one => isDigestOf(digest(one), name))
}

/** A whole digest, or at least its first four hex digits with or without `sha256:`. */
function isDigestOf(digest: string, wanted: string): boolean {
  if (!/^(?:sha256:)?[0-9a-f]{4,}$/.test(wanted)) return digest === wanted
  return digest.startsWith(wanted) || digest.slice(digest.indexOf(':') + 1).startsWith(wanted)
}

/** What is stored, as a person would call it. From an engine: foreign text. Pure. */
import type { StoredImage, StoredLayer } from './usage.ts'

/** `node:24`, or the beginning of its id. */
export function imageName({ names, id }: Pick<StoredImage, 'names' | 'id'>): string {
  return names[0] ?? `<none> ${shortId(id)}`
}

/** What made a layer, as a person would say it. */
export function layerName({ createdBy, digest }: StoredLayer): string {
  const words = createdBy
    .replace(/^(?:\/bin\/sh -c )?#\(nop\)\s+/, '')
    .replace(/ # buildkit$/, '')
    .replace(/^(?:RUN )?(?:\|\d+ (?:[^= ]+=\S* ?)*)?\/bin\/sh -c /, 'RUN ')
    .replace(/\s+/g, ' ')
    .trim()
  return words || `layer ${shortId(digest)}`
}

/** The first twelve digits. */
export function shortId(id: string): string {
  return id.replace(/^(?:blob |partial )?sha256:/, '').slice(0, 12)
}

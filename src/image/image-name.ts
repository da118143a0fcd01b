/** Names of images in registries and engines: `[registry/]repository[:tag][@digest]`, or an image id. */
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import { isDigest } from './is-digest.ts'
import type { Digest } from './types.ts'

export interface ImageName {
  /** As written, without transport and step: what an engine is asked for. */
  text: string
  /** `docker.io` where the text names none; null when the text can only be an image id. */
  registry: string | null
  /** With `library/` for Docker Hub's own; null when the text can only be an image id. */
  repository: string | null
  /** null when none is written. */
  tag: string | null
  digest: Digest | null
  /** Hex digits when the text may be an image id: `sha256:…` or 4 to 64 bare hex digits. */
  id: string | null
}

/** Reads a name, as Docker's distribution/reference grammar has it. Throws a Fault that says what is wrong with it. */
export function parseImageName(text: string): ImageName {
  const bareId = /^(?:sha256:)?([0-9a-f]{64})$/.exec(text)
  const shortId = /^(?:sha256:)([0-9a-f]{4,63})$/.exec(text)
  const id = bareId?.[1] ?? shortId?.[1] ?? (/^[0-9a-f]{4,63}$/.test(text) ? text : null)
  if (bareId || shortId) return { text, registry: null, repository: null, tag: null, digest: null, id }

  const at = text.indexOf('@')
  const digest = at < 0 ? null : text.slice(at + 1)
  if (digest !== null && !isDigest(digest)) throw wrong(text, `“${safe(digest)}” is no digest`)
  const { path, tag } = splitTag(at < 0 ? text : text.slice(0, at))
  if (tag !== null && !/^\w[\w.-]{0,127}$/.test(tag)) throw wrong(text, `“${safe(tag)}” is no tag`)
  const { registry, repository } = splitRegistry(path)
  if (!registryPattern.test(registry)) throw wrong(text, `“${safe(registry)}” is no registry`)
  if (!repositoryPattern.test(repository)) {
    const lower = repository.toLowerCase()
    const hint = repositoryPattern.test(lower) ? `Repositories are lower case: ${safe(lower)}` : undefined
    throw wrong(text, `“${safe(repository)}” is no repository`, hint)
  }
  if (repository.length > 255) throw wrong(text.slice(0, 40), 'it is longer than 255 characters')
  return { text, registry, repository, tag, digest, id }
}

/** The name with everything that is implied written out: `docker.io/library/node:latest`. null for a bare image id. */
export function fullName(name: ImageName): string | null {
  if (name.registry === null) return null
  const path = `${name.registry}/${name.repository}`
  if (name.digest) return `${path}${name.tag ? `:${name.tag}` : ''}@${name.digest}`
  return `${path}:${name.tag ?? 'latest'}`
}

const repositoryPattern = /^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*$/

const registryPattern = /^(?:[\w-]+(?:\.[\w-]+)*|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/

function splitTag(text: string): { path: string; tag: string | null } {
  const colon = text.lastIndexOf(':')
  if (colon < 0 || text.indexOf('/', colon) >= 0) return { path: text, tag: null }
  return { path: text.slice(0, colon), tag: text.slice(colon + 1) }
}

function splitRegistry(path: string): { registry: string; repository: string } {
  const slash = path.indexOf('/')
  const first = path.slice(0, Math.max(0, slash))
  const isRegistry = first === 'localhost' || /[.:A-Z]/.test(first)
  if (!isRegistry) return { registry: 'docker.io', repository: path.includes('/') ? path : `library/${path}` }
  const rest = path.slice(slash + 1)
  if (first !== 'docker.io' && first !== 'index.docker.io') return { registry: first, repository: rest }
  return { registry: 'docker.io', repository: rest.includes('/') ? rest : `library/${rest}` }
}

function wrong(text: string, reason: string, hint?: string): Fault {
  return new Fault(`“${safe(text)}” is no image name: ${reason}.`, {
    exitCode: 2,
    hint: hint ?? 'A file is written ./FILE, a directory ./DIR, an image NAME[:TAG].',
  })
}

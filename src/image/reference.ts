/**
 * References: what a person writes where an image is taken, with the transports of containers-transports(5).
 * Only the text is looked at here; whether the image exists is for the source that opens it.
 */
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import { type ImageName, parseImageName } from './image-name.ts'

/** `@STEP`: 1-based from the bottom, negative from the end, or the first hex digits of a layer's diffID. */
export type StepSelector = { by: 'number'; number: number } | { by: 'diffId'; hex: string }

export type Place =
  /** `-` */
  | { kind: 'stdin' }
  /** A file or directory; what it is, its content tells. */
  | { kind: 'path'; path: string }
  /** An archive or layout; `name` picks one of several images (`repo:tag`, a tag), `position` the n-th (`:@0`). */
  | { kind: 'docker-archive' | 'oci' | 'oci-archive'; path: string; name: string | null; position: number | null }
  | { kind: 'engine'; engine: 'docker' | 'podman' | 'native'; name: ImageName }
  | { kind: 'registry'; name: ImageName }
  /** A bare name, to be looked up where it can be. */
  | { kind: 'name'; name: ImageName }
  | { kind: 'sample' }

export type Reference = Place & {
  /** As written. */
  text: string
  /** null: the whole image. */
  step: StepSelector | null
}

/** Reads a reference. Throws a Fault (exit code 2) that says what is wrong with it. */
export function parseReference(text: string): Reference {
  if (text === '') throw new Fault('The reference is empty.', { exitCode: 2 })
  if (text.includes('\0') || text.length > 8192)
    throw new Fault('The reference is no name and no path.', { exitCode: 2 })
  const { rest, step } = splitStep(text)
  return { ...placeOf(rest), text, step }
}

/** Finds the step that a selector means: its 1-based index. Throws a Fault when there is none or more than one. */
export function resolveStep(
  selector: StepSelector,
  steps: readonly { index: number; layer: number | null }[],
  diffIds: readonly string[],
): number {
  if (selector.by === 'number') {
    const index = selector.number < 0 ? steps.length + 1 + selector.number : selector.number
    if (index >= 1 && index <= steps.length) return index
    throw new Fault(`There is no step ${selector.number}: the image has ${steps.length} steps.`, { exitCode: 2 })
  }
  const layers = diffIds.flatMap((diffId, layer) =>
    diffId.slice(diffId.indexOf(':') + 1).startsWith(selector.hex) ? [layer] : [],
  )
  const distinct = new Set(layers.map(layer => diffIds[layer]))
  if (distinct.size > 1)
    throw new Fault(`${distinct.size} layers have a diffID that starts with ${selector.hex}.`, { exitCode: 2 })
  const step = steps.findLast(one => one.layer === layers.at(-1))
  if (layers.length === 0 || !step)
    throw new Fault(`No layer has a diffID that starts with ${selector.hex}.`, { exitCode: 2 })
  return step.index
}

const archiveSuffix = /\.(?:tar|tgz|tar\.(?:gz|zst|zstd|xz|bz2)|oci)$/i

function isPath(text: string): boolean {
  return /^(?:\/|\.{1,2}(?:\/|$)|~\/)/.test(text) || archiveSuffix.test(text)
}

/** What stands after the last `@`, when it is a step and not a part of a path or a digest. */
function splitStep(text: string): { rest: string; step: StepSelector | null } {
  const at = text.lastIndexOf('@')
  if (at <= 0 || text[at - 1] === ':') return { rest: text, step: null }
  const rest = text.slice(0, at)
  const word = text.slice(at + 1)
  const overPath =
    isPath(rest) || /^(?:docker-archive|oci|oci-archive):/.test(rest) || rest === '-' || rest === 'sample'
  if (/^-?\d{1,6}$/.test(word)) {
    if (Number(word) === 0) throw new Fault(`“${safe(text)}”: steps are numbered from 1.`, { exitCode: 2 })
    return { rest, step: { by: 'number', number: Number(word) } }
  }
  const hex = /^(?:sha256:)?([0-9a-f]{4,64})$/.exec(word)?.[1]
  if (hex && (overPath || hex.length < 64 || rest.includes('@'))) return { rest, step: { by: 'diffId', hex } }
  if (hex && word.startsWith('sha256:')) return { rest: text, step: null }
  if (hex) return { rest, step: { by: 'diffId', hex } }
  if (overPath || isPath(text) || /^sha(?:384|512):/.test(word)) return { rest: text, step: null }
  throw new Fault(`“${safe(word)}” in “${safe(text)}” is no step and no digest.`, {
    exitCode: 2,
    hint: 'A step is a number (NAME@3), a number from the end (NAME@-1) or the start of a layer’s diffID (NAME@3f2a…).',
  })
}

function placeOf(text: string): Place {
  if (text === '-') return { kind: 'stdin' }
  if (text === 'sample') return { kind: 'sample' }
  const transport = /^(docker-archive|oci-archive|oci|docker-daemon|podman|containers-storage|strata):/.exec(text)
  const rest = transport ? text.slice(transport[0].length) : text
  switch (transport?.[1]) {
    case 'docker-archive':
    case 'oci-archive':
    case 'oci':
      return { kind: transport[1], ...splitPath(rest, text) }
    case 'docker-daemon':
      return { kind: 'engine', engine: 'docker', name: parseImageName(rest) }
    case 'podman':
    case 'containers-storage':
      return { kind: 'engine', engine: 'podman', name: parseImageName(rest) }
    case 'strata':
      return { kind: 'engine', engine: 'native', name: parseImageName(rest) }
  }
  if (text.startsWith('docker://')) return { kind: 'registry', name: registryName(text.slice(9)) }
  if (isPath(text)) return { kind: 'path', path: text }
  return { kind: 'name', name: parseImageName(text) }
}

function registryName(text: string): ImageName {
  const name = parseImageName(text)
  if (name.repository !== null) return name
  throw new Fault(`“${safe(text)}” is an image id; a registry needs a name.`, { exitCode: 2 })
}

/** `PATH[:NAME]`; the path ends at the first colon, as podman and skopeo read it. */
function splitPath(rest: string, text: string): { path: string; name: string | null; position: number | null } {
  const colon = rest.indexOf(':')
  const path = colon < 0 ? rest : rest.slice(0, colon)
  const name = colon < 0 ? null : rest.slice(colon + 1)
  if (path === '') throw new Fault(`“${safe(text)}” names no path.`, { exitCode: 2 })
  if (name === '') throw new Fault(`“${safe(text)}” ends with a colon: the name after it is missing.`, { exitCode: 2 })
  const position = name === null ? undefined : /^@(\d{1,6})$/.exec(name)?.[1]
  return position === undefined ? { path, name, position: null } : { path, name: null, position: Number(position) }
}

/** What a person wishes to be mounted, and the image's own volumes, as the mounts of a native container. Pure. */
import { isAbsolute, normalize } from 'node:path'
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { MountRecord } from '../../runtime/containers/record.ts'
import { newVolumeName } from '../../runtime/volumes/shelf.ts'
import { checkVolumeName } from '../../runtime/volumes/volume.ts'
import type { ContainerSpec, MountSpec } from '../containers.ts'

export interface PlannedMount extends MountRecord {
  /** Of a file system in memory. */
  options: string[]
  /** A directory of this machine that is not there is made: docker's -v, not its --mount. */
  make: boolean
  /** An empty volume gets what the image has there. */
  fill: boolean
  labels: Record<string, string>
  recursive: boolean
  propagation: string | null
}

/**
 * Throws a Fault (exit code 125) for what is none, or comes twice. `imageVolumes`: paths that get a nameless volume unless
 * something else is mounted there. `others`: the mounts of containers whose volumes it gets.
 */
export function plannedMounts(
  spec: Pick<ContainerSpec, 'volumes' | 'tmpfs' | 'mounts'>,
  imageVolumes: readonly string[] = [],
  others: readonly MountRecord[] = [],
): PlannedMount[] {
  const wished = [
    ...(spec.volumes ?? []).map(readVolume),
    ...(spec.mounts ?? []).map(mountOf),
    ...(spec.tmpfs ?? []).map(readTmpfs),
  ]
  const mounts = new Map<string, PlannedMount>()
  for (const mount of wished) {
    if (mounts.has(mount.destination)) throw refused(`Duplicate mount point: ${safe(mount.destination)}.`)
    mounts.set(mount.destination, mount)
  }
  for (const other of others)
    if (!mounts.has(other.destination))
      mounts.set(other.destination, { ...plain, ...other, fill: other.kind === 'volume' })
  for (const path of imageVolumes.map(cleaned))
    if (isAbsolute(path) && path !== '/' && !mounts.has(path)) mounts.set(path, nameless(path))
  return [...mounts.values()]
}

const plain = {
  options: [] as string[],
  make: false,
  fill: false,
  labels: {},
  recursive: true,
  propagation: null,
  readOnly: false,
  source: '',
}

function nameless(destination: string): PlannedMount {
  return { ...plain, kind: 'volume', name: newVolumeName(), anonymous: true, destination, fill: true }
}

/** `HOST:CONTAINER[:MODE]`, `NAME:CONTAINER[:MODE]`, `CONTAINER`. A relative HOST is for the command line to complete. */
function readVolume(text: string): PlannedMount {
  const parts = text.split(':')
  if (parts.length > 3 || parts.includes(''))
    throw refused(
      `“${safe(text)}” is no volume.`,
      'Write -v HOST-PATH:CONTAINER-PATH[:ro] or -v NAME:CONTAINER-PATH[:ro].',
    )
  if (parts.length === 1) return nameless(destinationOf(text, text))
  const [source, place, mode] = parts
  const destination = destinationOf(place, text)
  const words = mode === undefined ? [] : mode.split(',')
  const bind = isAbsolute(source)
  checkMode(words, bind)
  const readOnly = words.includes('ro')
  if (bind) {
    const propagation = words.find(word => propagations.has(word)) ?? null
    return { ...plain, kind: 'bind', source: cleaned(source), destination, readOnly, make: true, propagation }
  }
  checkVolumeName(source)
  return { ...plain, kind: 'volume', name: source, destination, readOnly, fill: !words.includes('nocopy') }
}

const propagations = new Set(['private', 'rprivate', 'slave', 'rslave', 'shared', 'rshared'])

/** docker's: one word of a kind. Labels of SELinux and words of other systems say nothing to us. */
function checkMode(words: readonly string[], bind: boolean): void {
  const kinds = words.map(word => {
    if (word === 'ro' || word === 'rw') return 'access'
    if (word === 'z' || word === 'Z') return 'label'
    if (word === 'consistent' || word === 'cached' || word === 'delegated' || word === 'default') return 'consistency'
    if (word === 'nocopy' && !bind) return 'copy'
    return propagations.has(word) && bind ? 'propagation' : null
  })
  if (kinds.includes(null) || new Set(kinds).size < kinds.length)
    throw refused(`Invalid mode: ${safe(words.join(','))}.`)
}

function mountOf({ type, source, target, readOnly, bind, volume, tmpfs }: MountSpec): PlannedMount {
  const destination = destinationOf(target, target)
  if (type === 'bind') {
    const propagation = bind?.propagation ?? null
    return {
      ...plain,
      kind: type,
      source: cleaned(source),
      destination,
      readOnly,
      recursive: !bind?.nonRecursive,
      propagation,
    }
  }
  if (type === 'tmpfs') {
    const options = [
      ...(tmpfs?.size ? [`size=${tmpfs.size}`] : []),
      ...(tmpfs?.mode === undefined ? [] : [`mode=${tmpfs.mode.toString(8)}`]),
      ...(readOnly ? ['ro'] : []),
    ]
    return { ...plain, kind: type, destination, readOnly, options }
  }
  if (volume?.driver && volume.driver !== 'local')
    throw refused(`The native engine has no volume driver “${safe(volume.driver)}”.`, 'It has “local”.')
  if (Object.keys(volume?.options ?? {}).length > 0)
    throw refused(
      'Volumes of the native engine are directories: they take no options.',
      'A directory of this machine is mounted with type=bind.',
    )
  if (source !== '') checkVolumeName(source)
  const named = source === '' ? nameless(destination) : { ...plain, kind: type, name: source, destination }
  return { ...named, readOnly, fill: !volume?.noCopy, labels: volume?.labels ?? {} }
}

/** `/run`, `/run:size=64m,mode=1777` */
function readTmpfs(text: string): PlannedMount {
  const colon = text.indexOf(':')
  const path = colon < 0 ? text : text.slice(0, colon)
  if (!isAbsolute(path)) throw refused(`“${safe(text)}” is no path for a file system in memory.`)
  const options = colon < 0 ? [] : text.slice(colon + 1).split(',')
  return {
    ...plain,
    kind: 'tmpfs',
    destination: destinationOf(path, text),
    readOnly: options.includes('ro'),
    options: options.filter(word => word !== ''),
  }
}

function destinationOf(path: string, text: string): string {
  if (!isAbsolute(path) || path.includes('\0'))
    throw refused(`“${safe(text)}” is mounted nowhere: the path in the container must be absolute.`)
  const clean = cleaned(path)
  if (clean === '/') throw refused(`“${safe(text)}” can not be mounted: the destination can't be '/'.`)
  return clean
}

/** Without a slash at the end. */
function cleaned(path: string): string {
  const clean = normalize(path)
  return clean.length > 1 && clean.endsWith('/') ? clean.slice(0, -1) : clean
}

function refused(message: string, hint?: string): Fault {
  return new Fault(message, hint === undefined ? { exitCode: 125 } : { hint, exitCode: 125 })
}

/** What a person wishes of a container, as far as the native engine can grant it; a sentence for the rest. Pure. */
import { isAbsolute, normalize } from 'node:path'
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { ContainerRecord } from '../../runtime/containers/record.ts'
import { signalName } from '../../runtime/containers/signals.ts'
import type { ContainerSpec } from '../containers.ts'

export type Granted = Pick<
  ContainerRecord,
  'network' | 'mounts' | 'memory' | 'cpus' | 'pidsLimit' | 'stopSignal' | 'stopTimeout'
> & { tmpfs: { destination: string; options: string[] }[] }

/** Throws a Fault (exit code 125) for what the native engine does not have. */
export function granted(spec: ContainerSpec): Granted {
  if (spec.publish?.length)
    throw refused(
      'The native engine publishes no ports.',
      'With --network host the container has the ports of this machine.',
    )
  if (spec.restart && spec.restart !== 'no')
    throw refused('The native engine starts no container again by itself.', 'Docker and Podman do: --engine docker.')
  if (spec.memory !== undefined && spec.memory < 6 * 1024 * 1024)
    throw refused('The memory of a container can not be limited to less than 6 MiB.')
  if (spec.cpus !== undefined && !(spec.cpus > 0)) throw refused('Less than any processor is none.')
  const tmpfs = (spec.tmpfs ?? []).map(readTmpfs)
  const volumes = (spec.volumes ?? []).map(readVolume)
  return {
    network: networkOf(spec.network),
    mounts: [
      ...volumes,
      ...tmpfs.map(one => ({ kind: 'tmpfs' as const, source: '', destination: one.destination, readOnly: false })),
    ],
    tmpfs,
    memory: spec.memory ?? null,
    cpus: spec.cpus ?? null,
    pidsLimit: spec.pidsLimit !== undefined && spec.pidsLimit > 0 ? spec.pidsLimit : null,
    stopSignal: spec.stopSignal === undefined ? null : signalName(spec.stopSignal),
    stopTimeout: spec.stopTimeout ?? null,
  }
}

function networkOf(name: string | undefined): 'none' | 'host' {
  if (name === undefined || name === 'none' || name === 'host') return name ?? 'none'
  throw refused(
    `The native engine has no network “${safe(name)}”.`,
    'It has --network none, which is the default, and --network host.',
  )
}

/** `HOST:CONTAINER[:ro]`, HOST an absolute path: a relative one is for the command line to complete. */
function readVolume(text: string): ContainerRecord['mounts'][number] {
  const [source = '', destination = '', options = '', ...rest] = text.split(':')
  const words = options === '' ? [] : options.split(',')
  if (rest.length > 0 || !isAbsolute(destination) || words.some(word => !allowed.includes(word)))
    throw refused(`“${safe(text)}” is no volume.`, 'Write -v HOST-PATH:CONTAINER-PATH[:ro].')
  if (!isAbsolute(source))
    throw refused(
      `The native engine keeps no volumes, and “${safe(source)}” is a name.`,
      'Give a directory of this machine: -v /path:/path.',
    )
  return {
    kind: 'bind',
    source: normalize(source),
    destination: normalize(destination),
    readOnly: words.includes('ro'),
  }
}

/** What says nothing to us: labels of SELinux, propagation that we do anyway. */
const allowed = ['ro', 'rw', 'z', 'Z', 'rprivate', 'private', 'nocopy']

function readTmpfs(text: string): { destination: string; options: string[] } {
  const colon = text.indexOf(':')
  const destination = colon < 0 ? text : text.slice(0, colon)
  if (!isAbsolute(destination)) throw refused(`“${safe(text)}” is no path for a file system in memory.`)
  const options =
    colon < 0
      ? []
      : text
          .slice(colon + 1)
          .split(',')
          .filter(word => word !== '')
  return { destination: normalize(destination), options }
}

function refused(message: string, hint?: string): Fault {
  return new Fault(message, hint === undefined ? { exitCode: 125 } : { hint, exitCode: 125 })
}

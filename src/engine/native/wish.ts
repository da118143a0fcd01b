/** What a person wishes of a container, as far as the native engine can grant it; a sentence for the rest. Pure. */
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { ContainerRecord, MountRecord } from '../../runtime/containers/record.ts'
import { signalName } from '../../runtime/containers/signals.ts'
import type { ContainerSpec } from '../containers.ts'
import { type PlannedMount, plannedMounts } from './mounts.ts'

export type Granted = Pick<
  ContainerRecord,
  'network' | 'memory' | 'cpus' | 'pidsLimit' | 'stopSignal' | 'stopTimeout'
> & { mounts: PlannedMount[] }

/**
 * Throws a Fault (exit code 125) for what the native engine does not have. `imageVolumes`: paths that get a volume of their
 * own; `others`: the mounts of containers whose volumes it gets.
 */
export function granted(
  spec: ContainerSpec,
  imageVolumes: readonly string[] = [],
  others: readonly MountRecord[] = [],
): Granted {
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
  return {
    network: networkOf(spec.network),
    mounts: plannedMounts(spec, imageVolumes, others),
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

function refused(message: string, hint?: string): Fault {
  return new Fault(message, hint === undefined ? { exitCode: 125 } : { hint, exitCode: 125 })
}

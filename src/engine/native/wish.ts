/** What a person wishes of a container, as far as the native engine can grant it; a sentence for the rest. Pure. */
import { Fault } from '../../base/errors.ts'
import type { ConfigParts, Volume } from '../../runtime/bundle.ts'
import type { ContainerRecord, MountRecord } from '../../runtime/containers/record.ts'
import { signalName } from '../../runtime/containers/signals.ts'
import { type NetworkMeans, networkMeans } from '../../runtime/network/means.ts'
import type { ContainerSpec } from '../containers.ts'
import { type RestartPolicy, restartOf } from './care.ts'
import { type PlannedMount, plannedMounts } from './mounts.ts'
import { type NetworkGranted, networkGranted } from './network.ts'
import { rightsOf } from './rights.ts'

export type Granted = Pick<ContainerRecord, 'memory' | 'cpus' | 'pidsLimit' | 'stopSignal' | 'stopTimeout'> &
  NetworkGranted & {
    mounts: PlannedMount[]
    restart: RestartPolicy | null
    /** Of its configuration: what it may do and use. */
    parts: ConfigParts
    devices: Volume[]
  }

/**
 * Throws a Fault (exit code 125) for what the native engine does not have. `imageVolumes`: paths that get a volume of their
 * own; `others`: the mounts of containers whose volumes it gets; `means`: what networks this machine has.
 */
export function granted(
  spec: ContainerSpec,
  imageVolumes: readonly string[] = [],
  others: readonly MountRecord[] = [],
  means: NetworkMeans = networkMeans(),
): Granted {
  if (spec.memory !== undefined && spec.memory < 6 * 1024 * 1024)
    throw refused('The memory of a container can not be limited to less than 6 MiB.')
  if (spec.cpus !== undefined && !(spec.cpus > 0)) throw refused('Less than any processor is none.')
  const network = networkGranted(spec, means)
  const { parts, devices, warnings } = rightsOf(spec)
  return {
    ...network,
    warnings: [...network.warnings, ...warnings],
    restart: restartOf(spec),
    parts,
    devices,
    mounts: plannedMounts(spec, imageVolumes, others),
    memory: spec.memory ?? null,
    cpus: spec.cpus ?? null,
    pidsLimit: spec.pidsLimit !== undefined && spec.pidsLimit > 0 ? spec.pidsLimit : null,
    stopSignal: spec.stopSignal === undefined ? null : signalName(spec.stopSignal),
    stopTimeout: spec.stopTimeout ?? null,
  }
}

function refused(message: string, hint?: string): Fault {
  return new Fault(message, hint === undefined ? { exitCode: 125 } : { hint, exitCode: 125 })
}

/** Limits, rights and health checks of a new container as members of `POST /containers/create`. */
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import type { ContainerSpec, HealthSpec } from './containers.ts'

/** Members of its HostConfig. Throws a Fault (exit code 2) for what makes no sense. */
export function rightsBody(spec: ContainerSpec): Record<string, unknown> {
  const { devices = [], ulimits = [], securityOptions = [] } = spec
  return {
    ...(spec.memorySwap !== undefined && { MemorySwap: spec.memorySwap }),
    ...(spec.memoryReservation !== undefined && { MemoryReservation: spec.memoryReservation }),
    ...(spec.cpuShares !== undefined && { CpuShares: spec.cpuShares }),
    ...(spec.cpuPeriod !== undefined && { CpuPeriod: spec.cpuPeriod }),
    ...(spec.cpuQuota !== undefined && { CpuQuota: spec.cpuQuota }),
    ...(spec.capAdd?.length && { CapAdd: spec.capAdd }),
    ...(spec.capDrop?.length && { CapDrop: spec.capDrop }),
    ...(spec.privileged && { Privileged: true }),
    ...(spec.init && { Init: true }),
    ...(spec.shmSize !== undefined && { ShmSize: spec.shmSize }),
    ...(spec.groups?.length && { GroupAdd: spec.groups }),
    ...(Object.keys(spec.sysctls ?? {}).length > 0 && { Sysctls: spec.sysctls }),
    ...(spec.oomScore !== undefined && { OomScoreAdj: spec.oomScore }),
    ...(ulimits.length > 0 && {
      Ulimits: ulimits.map(({ name, soft, hard }) => ({ Name: name, Soft: soft, Hard: hard })),
    }),
    ...(devices.length > 0 && { Devices: devices.map(deviceOf) }),
    ...securityOf(securityOptions),
  }
}

/** `Healthcheck`: nanoseconds. What is left out is the image's. */
export function healthBody(health: HealthSpec | 'none'): object {
  if (health === 'none') return { Test: ['NONE'] }
  const ns = (ms: number | undefined) => (ms === undefined ? 0 : Math.round(ms * 1e6))
  return {
    ...(health.command !== undefined && { Test: ['CMD-SHELL', health.command] }),
    Interval: ns(health.interval),
    Timeout: ns(health.timeout),
    StartPeriod: ns(health.startPeriod),
    Retries: health.retries ?? 0,
  }
}

function deviceOf(text: string): object {
  const [host, second = host, third] = text.split(':')
  const rights = third ?? (/^[rwm]{1,3}$/.test(second) ? second : 'rwm')
  const inside = third === undefined && rights === second ? host : second
  if (!host.startsWith('/') || !inside.startsWith('/') || !/^[rwm]{1,3}$/.test(rights))
    throw new Fault(`“${safe(text)}” is no device.`, {
      hint: 'Write --device /dev/NAME[:/dev/NAME[:rwm]].',
      exitCode: 2,
    })
  return { PathOnHost: host, PathInContainer: inside, CgroupPermissions: rights }
}

/** systempaths is docker's own word: the daemon knows lists of paths. */
function securityOf(options: readonly string[]): object {
  const bare = options.includes('systempaths=unconfined')
  const others = options.filter(one => one !== 'systempaths=unconfined')
  return {
    ...(others.length > 0 && { SecurityOpt: others }),
    ...(bare && { MaskedPaths: [], ReadonlyPaths: [] }),
  }
}

/** A container's network in docker's shapes: ports of a row, `HostConfig.PortBindings`, `NetworkSettings`. Pure. */
import type { ContainerRecord } from '../../runtime/containers/record.ts'
import type { PortWish } from '../../runtime/network/plan.ts'
import type { NetworkTold } from '../../runtime/network/told.ts'
import type { Port } from '../containers.ts'

/** What is published now. */
export function portsOf(told: NetworkTold | null): Port[] {
  return (told?.ports ?? []).map(({ address, host, inside, udp }) => ({
    host: address,
    hostPort: host,
    port: inside,
    protocol: udp ? 'udp' : 'tcp',
  }))
}

type Bindings = Record<string, { HostIp: string; HostPort: string }[]>

/** What was wished: an address for all is none. */
export function portBindings(ports: readonly PortWish[]): Bindings {
  const bindings: Bindings = {}
  for (const { address, host, last, inside, protocol, follows } of ports) {
    if (follows) continue
    const key = `${inside}/${protocol}`
    bindings[key] ??= []
    const port = host === 0 ? '' : host === last ? String(host) : `${host}-${last}`
    bindings[key].push({ HostIp: address === '0.0.0.0' ? '' : address, HostPort: port })
  }
  return bindings
}

/** `told` null: it does not run, or its network is not ours to tell of. */
export function networkSettings(record: ContainerRecord, told: NetworkTold | null, pid: number): object {
  const ports: Bindings = {}
  for (const { host, hostPort, port, protocol } of portsOf(told)) {
    const key = `${port}/${protocol}`
    ports[key] ??= []
    ports[key].push({ HostIp: host, HostPort: String(hostPort) })
  }
  const address = {
    Gateway: told?.gateway ?? '',
    IPAddress: told?.address ?? '',
    IPPrefixLen: told?.prefix ?? 0,
    MacAddress: told?.mac ?? '',
  }
  const shares = record.network.startsWith('container:')
  return {
    Bridge: '',
    SandboxKey: pid > 0 && record.network !== 'host' ? `/proc/${pid}/ns/net` : '',
    Ports: ports,
    ...address,
    Networks: shares
      ? {}
      : {
          [record.network]: {
            Aliases: [...(record.networkPlan?.aliases ?? []), record.id.slice(0, 12)],
            NetworkID: told?.link ? 'strata0' : record.network,
            EndpointID: told?.link ?? '',
            ...address,
          },
        },
  }
}

/** What network a container is to have, as its record keeps it and the helper is told it. Pure. */

export interface NetworkPlan {
  /** `none`, `host`, `bridge`, `pasta`, `slirp4netns`, `container:ID`. */
  mode: string
  /** The path of pasta or slirp4netns; null for the others. */
  program: string | null
  /** Nobody asked for it by name: where it can not be had, the container runs without. */
  optional: boolean
  ports: PortWish[]
  /** What others on its bridge call it besides its name. */
  aliases: string[]
  dns: DnsWish
  /** More lines of /etc/hosts; `host-gateway` as an address is this machine. */
  hosts: { name: string; address: string }[]
}

export interface PortWish {
  /** `0.0.0.0`, `::`, or one address of this machine. */
  address: string
  /** The first free one of these; 0: any. */
  host: number
  last: number
  inside: number
  protocol: 'tcp' | 'udp'
  /** On the same port as the one before it, where this machine has such addresses. */
  follows: boolean
}

export interface DnsWish {
  servers: string[]
  /** `.` alone: none. */
  search: string[]
  options: string[]
}

/** Of a container without one. */
export const noNetwork: NetworkPlan = {
  mode: 'none',
  program: null,
  optional: false,
  ports: [],
  aliases: [],
  dns: { servers: [], search: [], options: [] },
  hosts: [],
}

/** The container whose network a mode shares; null for another mode. */
export function sharedWith(mode: string): string | null {
  return mode.startsWith('container:') ? mode.slice('container:'.length) : null
}

/**
 * `strata.network` of config.json (native/README.md); undefined for what needs no help. `hosts` is the container's file,
 * `state` the folder of all states.
 */
export function helperNetwork(
  plan: NetworkPlan,
  { id, name, hostname, hosts, state }: { id: string; name: string; hostname: string; hosts: string; state: string },
): object | undefined {
  const { mode, program, optional, ports, aliases } = plan
  const other = sharedWith(mode)
  if (other !== null) return { kind: 'container', container: `${state}/${other}` }
  if (mode === 'none' || mode === 'host') return undefined
  const known = (names: string[]) => [...new Set(names)].filter(one => hostName.test(one))
  return {
    kind: mode,
    ...(program === null ? {} : { program }),
    optional,
    hosts,
    own: known([hostname, name]),
    names: known([name, id.slice(0, 12), hostname, ...aliases]),
    gateway: plan.hosts.filter(one => one.address === 'host-gateway').map(one => one.name),
    ports,
  }
}

/** What can stand in a hosts file. */
export const hostName = /^[\w.-]{1,255}$/

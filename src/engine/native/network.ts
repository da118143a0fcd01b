/** docker's flags of networks, as far as the native engine can grant them on this machine; a sentence for the rest. Pure. */
import { isIP } from 'node:net'
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { type NetworkMeans, whyNoUserNetwork } from '../../runtime/network/means.ts'
import { hostName, type NetworkPlan, noNetwork, type PortWish } from '../../runtime/network/plan.ts'
import type { ContainerSpec } from '../containers.ts'
import { portsOf } from '../daemon-spec.ts'

export interface NetworkGranted {
  network: NetworkPlan
  /** What is not as it was wished, or as it usually is. */
  warnings: string[]
}

/**
 * Without a wish root has the bridge and an ordinary user slirp4netns or pasta; where neither can be had none, with a
 * warning. Throws a Fault (exit code 125) for what was asked for and can not be had. `container:NAME` comes back as it is.
 */
export function networkGranted(spec: ContainerSpec, means: NetworkMeans): NetworkGranted {
  const plan = { ...noNetwork, ...modeOf(spec, means) }
  const shares = plan.mode.startsWith('container:')
  if (shares) refuseBeside(spec)
  const warnings = plan.warning === null ? [] : [plan.warning]
  const { warning: _, ...network } = plan
  const ports = publishedPorts(spec.publish ?? [])
  if (ports.length > 0 && (plan.mode === 'host' || plan.mode === 'none'))
    warnings.push(
      plan.mode === 'host'
        ? 'Published ports are passed over: with --network host the container has the ports of this machine.'
        : 'Published ports are passed over: the container has no network.',
    )
  const published = plan.mode === 'host' || plan.mode === 'none' ? [] : ports
  if (published.length > most) throw refused(`More than ${most} ports can not be published.`)
  const aliases = (spec.networkAliases ?? []).map(name => checked(name, 'network alias'))
  return {
    network: { ...network, ports: published, aliases, dns: dnsOf(spec), hosts: hostsOf(spec, plan.mode) },
    warnings,
  }
}

/** Of a container (native/src/net_spec.h). */
const most = 1024

type Mode = Pick<NetworkPlan, 'mode' | 'program' | 'optional'> & { warning: string | null }

function modeOf(spec: ContainerSpec, means: NetworkMeans): Mode {
  const wanted = spec.network ?? 'default'
  const plain = { program: null, optional: false, warning: null }
  if (wanted === 'none' || wanted === 'host' || /^container:[\w.-]{1,128}$/.test(wanted))
    return { ...plain, mode: wanted }
  if (wanted === 'default') return usual(means, (spec.publish ?? []).length > 0)
  if (wanted === 'bridge') {
    if (!means.root)
      throw refused('A bridge can be had by root only.', 'Leave out --network: slirp4netns or pasta takes its place.')
    if (means.rules === null) throw refused(noRules, 'apt-get install nftables')
    return { ...plain, mode: wanted }
  }
  if (wanted === 'pasta' || wanted === 'slirp4netns') {
    if (means.root) throw refused(`${wanted} is for ordinary users.`, 'Root has --network bridge.')
    const program = means[wanted]
    if (program === null) throw refused(`${wanted} is not installed.`, `apt-get install ${packages[wanted]}`)
    if (!means.tun) throw refused('This user may not open /dev/net/tun.', 'chmod 666 /dev/net/tun')
    return { ...plain, mode: wanted, program }
  }
  throw refused(
    `The native engine has no network “${safe(wanted)}”.`,
    `It has none, host, container:NAME and ${means.root ? 'bridge' : 'slirp4netns or pasta'}.`,
  )
}

const packages = { pasta: 'passt', slirp4netns: 'slirp4netns' }

const noRules = 'A bridge needs nft or iptables, and neither is installed.'

function usual(means: NetworkMeans, needed: boolean): Mode {
  const problem = means.root
    ? means.rules !== null
      ? null
      : { why: 'neither nft nor iptables is installed', mend: 'apt-get install nftables' }
    : whyNoUserNetwork(means)
  if (problem === null && means.root) return { mode: 'bridge', program: null, optional: !needed, warning: null }
  // slirp4netns first: it is there in a tenth of the time that pasta takes.
  const mode = means.slirp4netns === null ? 'pasta' : 'slirp4netns'
  if (problem === null) return { mode, program: means[mode], optional: !needed, warning: null }
  if (needed) throw refused(`No port can be published: ${problem.why}.`, problem.mend)
  return { mode: 'none', program: null, optional: false, warning: `The container has no network: ${problem.why}.` }
}

/** docker's rule: what belongs to the other container's network can not be wished here. */
function refuseBeside({
  publish = [],
  hostname,
  dns = [],
  dnsSearch = [],
  dnsOptions = [],
  addHosts = [],
}: ContainerSpec) {
  const flags = [
    publish.length > 0 && '--publish',
    hostname && '--hostname',
    dns.length + dnsSearch.length + dnsOptions.length > 0 && '--dns',
    addHosts.length > 0 && '--add-host',
  ].filter(flag => typeof flag === 'string')
  if (flags.length === 0) return
  throw refused(`${flags.join(' and ')} can not be had with the network of another container.`, 'Give it to that one.')
}

/** Every port by itself; without an address on all of IPv4, and on IPv6 where this machine has it. */
export function publishedPorts(publish: readonly string[]): PortWish[] {
  return Object.entries(portsOf(publish).bindings).flatMap(([name, bindings]) => {
    const [inside, protocol] = name.split('/')
    if (protocol !== 'tcp' && protocol !== 'udp')
      throw refused(`The native engine publishes no ports of ${safe(protocol)}.`)
    return bindings.flatMap(({ HostIp, HostPort }): PortWish[] => {
      if (HostIp !== '' && isIP(HostIp) === 0) throw refused(`“${safe(HostIp)}” is no address.`)
      const [host = 0, last = host] = HostPort === '' ? [] : HostPort.split('-').map(Number)
      const wish = { host, last, inside: Number(inside), protocol, follows: false } as const
      if (HostIp !== '') return [{ address: HostIp, ...wish }]
      return [
        { address: '0.0.0.0', ...wish },
        { address: '::', ...wish, follows: true },
      ]
    })
  })
}

function dnsOf({ dns = [], dnsSearch = [], dnsOptions = [] }: ContainerSpec): NetworkPlan['dns'] {
  const wrong = dns.find(server => isIP(server) === 0)
  if (wrong !== undefined) throw refused(`“${safe(wrong)}” is no address of a name server.`)
  const words = (all: readonly string[], what: string) =>
    all.map(word => {
      if (/^[\w.:-]{1,255}$/.test(word)) return word
      throw refused(`“${safe(word)}” is no ${what}.`)
    })
  return {
    servers: [...dns],
    search: words(dnsSearch, 'domain to search in'),
    options: words(dnsOptions, 'option of a resolver'),
  }
}

function hostsOf({ addHosts = [] }: ContainerSpec, mode: string): NetworkPlan['hosts'] {
  return addHosts.map(text => {
    const at = text.search(/[:=]/)
    const name = checked(at < 0 ? '' : text.slice(0, at), 'host name', text)
    const address = text.slice(at + 1).replace(/^\[(.*)\]$/, '$1')
    if (address !== 'host-gateway' && isIP(address) === 0)
      throw refused(`“${safe(text)}” names no address.`, 'Write --add-host NAME:ADDRESS, or NAME:host-gateway.')
    if (address === 'host-gateway' && (mode === 'pasta' || mode === 'none'))
      throw refused(`With --network ${mode} there is no way to this machine: host-gateway can not be had.`)
    return { name, address }
  })
}

function checked(name: string, what: string, whole = name): string {
  if (hostName.test(name)) return name
  throw refused(`“${safe(whole)}” is no ${what}.`)
}

function refused(message: string, hint?: string): Fault {
  return new Fault(message, hint === undefined ? { exitCode: 125 } : { hint, exitCode: 125 })
}

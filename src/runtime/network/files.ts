/** /etc/hosts, /etc/hostname and /etc/resolv.conf of a container: files of its folder, mounted over the image's and never written into a layer. */
import { readFileSync, writeFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import { type NetworkPlan, sharedWith } from './plan.ts'
import { onlyStub, resolvConf } from './resolv.ts'

export interface NetworkFile {
  source: string
  destination: string
}

export interface NetworkFilesOptions {
  /** Where they are written. */
  folder: string
  hostname: string
  plan: NetworkPlan
  /** The folder of the container whose network is shared, and with it these files. */
  shared: string | null
}

/** Writes the three and says where they go. */
export function writeNetworkFiles({ folder, hostname, plan, shared }: NetworkFilesOptions): NetworkFile[] {
  const names = ['hosts', 'hostname', 'resolv.conf']
  if (sharedWith(plan.mode) !== null)
    return names.map(name => ({ source: join(shared ?? folder, name), destination: `/etc/${name}` }))
  const contents = [hostsOf(plan), `${hostname}\n`, resolvOf(plan)]
  return names.map((name, at) => {
    const source = join(folder, name)
    writeFileSync(source, contents[at], { mode: 0o644 })
    return { source, destination: `/etc/${name}` }
  })
}

/** What follows it in a container's /etc/hosts is the helper's to write (native/src/net_hosts.h). */
const mark = '# strata: kept up to date below\n'

function hostsOf({ mode, hosts }: NetworkPlan): string {
  const begin = mode === 'host' ? fromHost('/etc/hosts', loopback) : loopback
  const gateway = mode === 'host' ? '127.0.0.1' : mode === 'slirp4netns' ? ownAddress() : null
  const lines = hosts.flatMap(({ name, address }) => {
    const known = address === 'host-gateway' ? gateway : address
    return known === null ? [] : `${known}\t${name}\n`
  })
  return [begin, ...lines, ...(mode === 'host' || mode === 'none' ? [] : [mark])].join('')
}

/** This machine's, as others see it. */
function ownAddress(): string | null {
  const all = Object.values(networkInterfaces()).flatMap(one => one ?? [])
  return all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? null
}

/** With this machine's network, or none, its own is as good as any; unless something else is wished. */
function resolvOf({ mode, dns }: NetworkPlan): string {
  const own = fromHost('/etc/resolv.conf', '')
  const wished = dns.servers.length + dns.search.length + dns.options.length > 0
  if ((mode === 'host' || mode === 'none') && !wished) return own
  const host = mode !== 'host' && onlyStub(own) ? fromHost('/run/systemd/resolve/resolv.conf', own) : own
  const first = mode === 'slirp4netns' ? '10.0.2.3' : undefined
  return resolvConf(host, { wish: dns, first, six: mode === 'pasta' || mode === 'host', local: mode === 'host' })
}

/** As Docker writes it for a container without a network. */
const loopback = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
ff00::0\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`

function fromHost(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8').slice(0, 65_536)
  } catch {
    return otherwise
  }
}

/** /etc/resolv.conf of a container, from this machine's and a person's wishes; docker's rules (moby libnetwork/internal/resolvconf). Pure. */
import { isIPv6 } from 'node:net'
import type { DnsWish } from './plan.ts'

export interface ResolvOptions {
  wish: DnsWish
  /** Asked before all others: slirp4netns's own, which asks as this machine does. */
  first?: string | undefined
  /** The container has addresses of IPv6. */
  six?: boolean | undefined
  /** It has this machine's loopback. */
  local?: boolean | undefined
}

/**
 * Name servers on this machine's loopback are out of a container's reach and are left out; where none is left, Google's
 * stand in, as docker has it.
 */
export function resolvConf(host: string, { wish, first, six = false, local = false }: ResolvOptions): string {
  const lines = host.split('\n').map(line => line.trim().split(/\s+/))
  const values = (key: string) => lines.filter(([word]) => word === key).map(([, ...rest]) => rest)
  const reachable = values('nameserver')
    .flatMap(([server = '']) => server)
    .filter(server => server !== '' && (local || !/^(?:127\.|::1$)/.test(server)))
    .filter(server => six || !isIPv6(server.split('%', 1)[0]))
  const found = [...(first === undefined ? [] : [first]), ...reachable]
  const servers = wish.servers.length > 0 ? wish.servers : found.length > 0 ? found : ['8.8.8.8', '8.8.4.4']
  const search = wish.search.length > 0 ? wish.search : (values('search').at(-1) ?? values('domain').at(-1) ?? [])
  const options = wish.options.length > 0 ? wish.options : values('options').flat()
  const said = [
    ...servers.map(server => `nameserver ${server}`),
    ...(search.length > 0 && search.join() !== '.' ? [`search ${search.join(' ')}`] : []),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
  ]
  return `${said.join('\n')}\n`
}

/** Whether it names systemd-resolved's stub alone: then what that asks stands elsewhere. */
export function onlyStub(host: string): boolean {
  const servers = [...host.matchAll(/^[ \t]*nameserver[ \t]+(\S+)/gm)].map(([, server]) => server)
  return servers.length > 0 && servers.every(server => server === '127.0.0.53')
}

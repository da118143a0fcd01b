/** What networks this machine has for this user: found by looking, nothing is started. */
import { accessSync, constants } from 'node:fs'
import process from 'node:process'

export interface NetworkMeans {
  root: boolean
  /** What makes rules of the firewall. */
  rules: 'nft' | 'iptables' | null
  /** Paths of programs; null where they are not installed. */
  slirp4netns: string | null
  pasta: string | null
  /** /dev/net/tun may be opened, which both need. */
  tun: boolean
}

export function networkMeans(): NetworkMeans {
  const root = process.getuid?.() === 0
  if (root) return { root, rules: rulesTool(), slirp4netns: null, pasta: null, tun: false }
  return {
    root,
    rules: null,
    slirp4netns: find('slirp4netns'),
    pasta: find('pasta'),
    tun: may('/dev/net/tun', constants.R_OK | constants.W_OK),
  }
}

/** As far as it can be seen without asking the kernel: the helper may prefer iptables (native/src/net_rules.h). */
function rulesTool(): NetworkMeans['rules'] {
  return find('nft') !== null ? 'nft' : find('iptables-restore') !== null ? 'iptables' : null
}

/** Where systems keep programs; not PATH, which is the caller's. */
const folders = ['/usr/sbin', '/usr/bin', '/sbin', '/bin', '/usr/local/sbin', '/usr/local/bin']

function find(...names: string[]): string | null {
  const paths = names.flatMap(name => folders.map(folder => `${folder}/${name}`))
  return paths.find(path => may(path, constants.X_OK)) ?? null
}

function may(path: string, mode: number): boolean {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

/** Why an ordinary user has no network here, and what mends it; null when there is one. */
export function whyNoUserNetwork({ slirp4netns, pasta, tun }: NetworkMeans): { why: string; mend: string } | null {
  if (slirp4netns === null && pasta === null)
    return { why: 'neither slirp4netns nor pasta is installed', mend: 'apt-get install slirp4netns' }
  if (!tun) return { why: 'this user may not open /dev/net/tun', mend: 'chmod 666 /dev/net/tun' }
  return null
}

/** What `strata doctor` says of the native engine's networks: found by looking, nothing is started. */
import { readFileSync } from 'node:fs'
import { type NetworkMeans, networkMeans, whyNoUserNetwork } from '../runtime/network/means.ts'
import type { Finding } from './doctor.ts'

export function networkFinding(known: Partial<NetworkMeans>, forwards = forwarding()): Finding {
  const means = { ...networkMeans(), ...known }
  const what = 'native network'
  if (!means.root) {
    const problem = whyNoUserNetwork(means)
    if (problem) return { what, state: 'warn', detail: `Containers have none: ${problem.why}.`, mend: problem.mend }
    const all = [means.slirp4netns, means.pasta].filter(one => one !== null)
    return { what, state: 'ok', detail: `${all.join(', ')}; published ports through a process of ours`, mend: null }
  }
  if (means.rules === null)
    return {
      what,
      state: 'warn',
      detail: 'Containers have none: neither nft nor iptables is installed.',
      mend: 'apt-get install nftables',
    }
  const off = 'ip_forward is off: it is switched on as long as a container has the bridge'
  return {
    what,
    state: 'ok',
    detail: `bridge strata0, rules by ${means.rules}; ${forwards ? 'ip_forward is on' : off}`,
    mend: null,
  }
}

function forwarding(): boolean {
  try {
    return readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').startsWith('1')
  } catch {
    return false
  }
}

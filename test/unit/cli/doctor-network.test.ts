/** What doctor says of networks, for each kind of machine. */
import { expect, test } from 'vitest'
import { networkFinding } from '../../../src/cli/doctor-network.ts'
import type { NetworkMeans } from '../../../src/runtime/network/means.ts'

const root: NetworkMeans = { root: true, rules: 'iptables', slirp4netns: null, pasta: null, tun: false }
const user: NetworkMeans = { root: false, rules: null, slirp4netns: '/usr/bin/slirp4netns', pasta: null, tun: true }

test.each<[NetworkMeans, boolean, string]>([
  [root, true, 'ok bridge strata0, rules by iptables; ip_forward is on'],
  [
    { ...root, rules: 'nft' },
    false,
    'ok bridge strata0, rules by nft; ip_forward is off: it is switched on as long as a container has the bridge',
  ],
  [
    { ...root, rules: null },
    true,
    'warn Containers have none: neither nft nor iptables is installed. apt-get install nftables',
  ],
  [user, true, 'ok /usr/bin/slirp4netns; published ports through a process of ours'],
  [
    { ...user, tun: false },
    true,
    'warn Containers have none: this user may not open /dev/net/tun. chmod 666 /dev/net/tun',
  ],
  [
    { ...user, slirp4netns: null },
    true,
    'warn Containers have none: neither slirp4netns nor pasta is installed. apt-get install slirp4netns',
  ],
])('%j, forwarding %j', (means, forwards, expected) => {
  const { state, detail, mend } = networkFinding(means, forwards)
  expect([state, detail, ...(mend === null ? [] : [mend])].join(' ')).toBe(expected)
})

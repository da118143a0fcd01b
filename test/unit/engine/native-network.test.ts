/** docker's flags of networks, as the native engine grants them on a machine that has this or that. */
import { describe, expect, test } from 'vitest'
import type { ContainerSpec } from '../../../src/engine/containers.ts'
import { networkGranted, publishedPorts } from '../../../src/engine/native/network.ts'
import { networkSettings, portBindings } from '../../../src/engine/native/network-facts.ts'
import type { ContainerRecord } from '../../../src/runtime/containers/record.ts'
import type { NetworkMeans } from '../../../src/runtime/network/means.ts'
import { helperNetwork, noNetwork } from '../../../src/runtime/network/plan.ts'

const root: NetworkMeans = { root: true, rules: 'nft', slirp4netns: null, pasta: null, tun: false }
const user: NetworkMeans = { root: false, rules: null, slirp4netns: '/bin/slirp', pasta: '/bin/pasta', tun: true }
const grant = (spec: Partial<ContainerSpec>, means = root) => networkGranted({ image: 'a', ...spec }, means)
const mode = (spec: Partial<ContainerSpec>, means = root) => {
  const { network, warnings } = grant(spec, means)
  return [network.mode, network.program, network.optional ? 'optional' : 'needed', ...warnings].join(' ')
}

describe('which network', () => {
  test('root has the bridge, an ordinary user slirp4netns, else pasta; nobody asked, so the container can do without', () => {
    expect(mode({})).toBe('bridge  optional')
    expect(mode({}, user)).toBe('slirp4netns /bin/slirp optional')
    expect(mode({}, { ...user, slirp4netns: null })).toBe('pasta /bin/pasta optional')
  })

  test('what was asked for is needed', () => {
    expect(mode({ network: 'bridge' })).toBe('bridge  needed')
    expect(mode({ publish: ['80:80'] })).toBe('bridge  needed')
    expect(mode({ network: 'pasta' }, user)).toBe('pasta /bin/pasta needed')
    expect(mode({ network: 'container:web' })).toBe('container:web  needed')
  })

  test('where none can be had there is none, and it is said why', () => {
    expect(mode({}, { ...root, rules: null })).toBe(
      'none  needed The container has no network: neither nft nor iptables is installed.',
    )
    expect(mode({}, { ...user, tun: false })).toBe(
      'none  needed The container has no network: this user may not open /dev/net/tun.',
    )
    expect(mode({}, { ...user, slirp4netns: null, pasta: null })).toBe(
      'none  needed The container has no network: neither slirp4netns nor pasta is installed.',
    )
  })

  test.each<[Partial<ContainerSpec>, NetworkMeans, string]>([
    [{ network: 'no-such' }, root, 'no network “no-such”'],
    [{ network: 'bridge' }, user, 'by root only'],
    [{ network: 'bridge' }, { ...root, rules: null }, 'nft or iptables'],
    [{ network: 'pasta' }, root, 'for ordinary users'],
    [{ network: 'pasta' }, { ...user, pasta: null }, 'pasta is not installed'],
    [{ network: 'slirp4netns' }, { ...user, tun: false }, '/dev/net/tun'],
    [{ publish: ['80'] }, { ...user, tun: false }, 'No port can be published'],
    [{ network: 'container:a', publish: ['80'], hostname: 'h' }, root, '--publish and --hostname can not be had'],
    [{ network: 'container:a b' }, root, 'no network'],
    [{ publish: ['80:80/sctp'] }, root, 'no ports of sctp'],
    [{ publish: ['256.0.0.1:80:80'] }, root, 'no address'],
    [{ publish: ['1-2000:1-2000'] }, root, 'More than 1024 ports'],
    [{ dns: ['one.one'] }, root, 'no address of a name server'],
    [{ dnsSearch: ['a b'] }, root, 'no domain'],
    [{ dnsOptions: ['a\nnameserver 6.6.6.6'] }, root, 'no option'],
    [{ addHosts: ['db:nowhere'] }, root, 'names no address'],
    [{ addHosts: ['d b:1.2.3.4'] }, root, 'no host name'],
    [{ addHosts: ['h:host-gateway'], network: 'pasta' }, user, 'host-gateway'],
    [{ networkAliases: ['a\tb'] }, root, 'no network alias'],
  ])('%j is a sentence', (spec, means, sentence) => expect(() => grant(spec, means)).toThrow(sentence))
})

describe('ports', () => {
  const shown = (publish: string[]) =>
    publishedPorts(publish).map(
      ({ address, host, last, inside, protocol, follows }) =>
        `${address} ${host}${last === host ? '' : `-${last}`}:${inside}/${protocol}${follows ? ' too' : ''}`,
    )

  test.each([
    [['8080:80'], ['0.0.0.0 8080:80/tcp', ':: 8080:80/tcp too']],
    [['127.0.0.1:53:53/udp'], ['127.0.0.1 53:53/udp']],
    [['[::1]:80:80'], ['::1 80:80/tcp']],
    [['80'], ['0.0.0.0 0:80/tcp', ':: 0:80/tcp too']],
    [['127.0.0.1::80'], ['127.0.0.1 0:80/tcp']],
    [['127.0.0.1:8000-8001:80-81'], ['127.0.0.1 8000:80/tcp', '127.0.0.1 8001:81/tcp']],
    [['127.0.0.1:8000-8009:80'], ['127.0.0.1 8000-8009:80/tcp']],
  ])('%j', (publish, expected) => expect(shown(publish)).toEqual(expected))

  test('inspect shows them as they were wished', () => {
    expect(portBindings(publishedPorts(['8080:80', '127.0.0.1::53/udp', '8000-8009:90']))).toEqual({
      '80/tcp': [{ HostIp: '', HostPort: '8080' }],
      '53/udp': [{ HostIp: '127.0.0.1', HostPort: '' }],
      '90/tcp': [{ HostIp: '', HostPort: '8000-8009' }],
    })
  })

  test('without a network they are passed over, and it is said', () => {
    const { network, warnings } = grant({ network: 'host', publish: ['80'] })
    expect([network.ports, warnings.length]).toEqual([[], 1])
  })
})

test('what the helper is told', () => {
  const about = { id: 'a'.repeat(64), name: 'web', hostname: 'box', hosts: '/c/hosts', state: '/s' }
  const { network } = grant({ networkAliases: ['www'], addHosts: ['up:host-gateway', 'db:10.0.0.1'] })
  expect(helperNetwork(network, about)).toEqual({
    kind: 'bridge',
    optional: true,
    hosts: '/c/hosts',
    own: ['box', 'web'],
    names: ['web', 'aaaaaaaaaaaa', 'box', 'www'],
    gateway: ['up'],
    ports: [],
  })
  expect(helperNetwork({ ...noNetwork, mode: 'container:abc' }, about)).toEqual({
    kind: 'container',
    container: '/s/abc',
  })
  expect([helperNetwork(noNetwork, about), helperNetwork({ ...noNetwork, mode: 'host' }, about)]).toEqual([
    undefined,
    undefined,
  ])
})

test('NetworkSettings are docker’s', () => {
  const record = { id: 'b'.repeat(64), network: 'bridge' } as ContainerRecord
  const told = {
    kind: 'bridge',
    address: '10.91.0.2',
    prefix: 22,
    gateway: '10.91.0.1',
    mac: '02:53:0a:5b:00:02',
    link: 'strata0-2',
    ports: [{ address: '0.0.0.0', host: 8080, inside: 80, udp: false }],
  }
  expect(networkSettings(record, told, 7)).toMatchObject({
    SandboxKey: '/proc/7/ns/net',
    Ports: { '80/tcp': [{ HostIp: '0.0.0.0', HostPort: '8080' }] },
    IPAddress: '10.91.0.2',
    Networks: { bridge: { IPAddress: '10.91.0.2', Gateway: '10.91.0.1', Aliases: ['bbbbbbbbbbbb'] } },
  })
  expect(networkSettings(record, null, 0)).toMatchObject({ SandboxKey: '', Ports: {}, IPAddress: '' })
})

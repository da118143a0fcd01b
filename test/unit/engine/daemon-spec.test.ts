/** What `docker run` makes of its flags, and what it refuses. */
import { describe, expect, test } from 'vitest'
import type { ContainerSpec } from '../../../src/engine/containers.ts'
import { createBody } from '../../../src/engine/daemon-spec.ts'

type Body = {
  [key: string]: unknown
  HostConfig: Record<string, unknown> & { PortBindings: Record<string, { HostIp: string; HostPort: string }[]> }
}
const body = (spec: Partial<ContainerSpec>) => createBody({ image: 'x', ...spec }) as Body

describe('ports', () => {
  const published = (...publish: string[]) =>
    Object.entries(body({ publish }).HostConfig.PortBindings).map(
      ([port, bindings]) => `${port} ${bindings.map(one => `${one.HostIp}:${one.HostPort}`).join(' ')}`,
    )

  test.each([
    ['80', '80/tcp :'],
    ['8080:80', '80/tcp :8080'],
    ['127.0.0.1:8080:80', '80/tcp 127.0.0.1:8080'],
    ['127.0.0.1::80', '80/tcp 127.0.0.1:'],
    ['[::1]:8080:80', '80/tcp ::1:8080'],
    ['5353:53/udp', '53/udp :5353'],
    ['8000-8010:80', '80/tcp :8000-8010'],
  ])('%s is published as %s', (wish, result) => expect(published(wish)).toEqual([result]))

  test('a range for a range, port by port', () =>
    expect(published('8000-8002:80-82')).toEqual(['80/tcp :8000', '81/tcp :8001', '82/tcp :8002']))

  test('one port published twice', () =>
    expect(published('127.0.0.1:1:80', '127.0.0.2:2:80')).toEqual(['80/tcp 127.0.0.1:1 127.0.0.2:2']))

  test.each([
    '',
    'web',
    '80:',
    '8080:80/icmp',
    '0:80',
    '70000:80',
    '81-80:80',
    '1-2:1-3',
    '1:2:3:4',
  ])('“%s” is no port', wish => expect(() => published(wish)).toThrow(/is no port/))
})

test('names and name servers are handed on', () => {
  const { HostConfig, NetworkingConfig } = body({
    network: 'mine',
    networkAliases: ['db'],
    dns: ['1.1.1.1'],
    dnsSearch: ['a.example'],
    dnsOptions: ['ndots:2'],
    addHosts: ['up:host-gateway'],
  })
  expect(HostConfig).toMatchObject({
    NetworkMode: 'mine',
    Dns: ['1.1.1.1'],
    DnsSearch: ['a.example'],
    DnsOptions: ['ndots:2'],
    ExtraHosts: ['up:host-gateway'],
  })
  expect(NetworkingConfig).toEqual({ EndpointsConfig: { mine: { Aliases: ['db'] } } })
  expect(Object.keys(body({ network: 'mine' }).HostConfig)).not.toContain('Dns')
})

describe('volumes', () => {
  test('a path, a name, read-only; a path alone is a volume without a name', () => {
    const { HostConfig, Volumes } = body({ volumes: ['/here:/in', 'data:/data:ro', '/anonymous'] })
    expect(HostConfig.Binds).toEqual(['/here:/in', 'data:/data:ro'])
    expect(Volumes).toEqual({ '/anonymous': {} })
  })

  test.each(['', 'data', './here:/in', '/here:in', '/a:/b:ro:more', ':/in'])('“%s” is no volume', wish =>
    expect(() => body({ volumes: [wish] })).toThrow(/is no volume/))

  test('tmpfs with and without options', () => {
    expect(body({ tmpfs: ['/run', '/tmp:size=1m,mode=1777'] }).HostConfig.Tmpfs).toEqual({
      '/run': '',
      '/tmp': 'size=1m,mode=1777',
    })
    expect(() => body({ tmpfs: ['run'] })).toThrow(/is no tmpfs/)
  })
})

describe('the rest', () => {
  test.each([
    ['no', { Name: 'no' }],
    ['always', { Name: 'always' }],
    ['unless-stopped', { Name: 'unless-stopped' }],
    ['on-failure', { Name: 'on-failure' }],
    ['on-failure:3', { Name: 'on-failure', MaximumRetryCount: 3 }],
  ])('restart %s', (restart, policy) => expect(body({ restart }).HostConfig.RestartPolicy).toEqual(policy))

  test.each(['', 'never', 'always:3', 'on-failure:', 'on-failure:x'])('“%s” is no restart policy', restart =>
    expect(() => body({ restart })).toThrow(/is no restart policy/))

  test('cores are billionths for the engine', () => {
    expect(body({ cpus: 1.5, memory: 1024, pidsLimit: 7 }).HostConfig).toMatchObject({
      NanoCpus: 1_500_000_000,
      Memory: 1024,
      PidsLimit: 7,
    })
    for (const cpus of [0, -1, Number.NaN]) expect(() => body({ cpus })).toThrow(/cores/)
    expect(body({}).HostConfig).not.toHaveProperty('Memory')
  })

  test('no entrypoint is another thing than the image’s', () => {
    expect(body({})).not.toHaveProperty('Entrypoint')
    expect(body({ entrypoint: [] }).Entrypoint).toEqual([''])
    expect(body({ entrypoint: ['/bin/sh'] }).Entrypoint).toEqual(['/bin/sh'])
  })

  test('an end of input arrives without a terminal, unless it is not wanted', () => {
    expect(body({ openStdin: true }).StdinOnce).toBe(true)
    expect(body({ openStdin: true, tty: true }).StdinOnce).toBe(false)
    expect(body({ openStdin: true, stdinOnce: false }).StdinOnce).toBe(false)
    expect(body({}).StdinOnce).toBe(false)
  })
})

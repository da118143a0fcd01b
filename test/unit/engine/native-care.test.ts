/** What the monitor does for a container, and what a container may: docker's rules, and a sentence for the rest. */
import { describe, expect, test } from 'vitest'
import { healthBody, rightsBody } from '../../../src/engine/daemon-rights.ts'
import { healthOf, restartOf, restartWords } from '../../../src/engine/native/care.ts'
import { rightsOf } from '../../../src/engine/native/rights.ts'
import { statusOf } from '../../../src/runtime/containers/states.ts'

describe('restart', () => {
  test.each([
    [undefined, null],
    ['no', null],
    ['always', { policy: 'always', most: 0 }],
    ['unless-stopped', { policy: 'unless-stopped', most: 0 }],
    ['on-failure', { policy: 'on-failure', most: 0 }],
    ['on-failure:7', { policy: 'on-failure', most: 7 }],
  ])('%s', (restart, policy) => expect(restartOf({ restart })).toEqual(policy))

  test.each([
    ['sometimes', 'Invalid restart policy'],
    ['always:3', 'cannot be used with restart policy'],
    ['on-failure:-1', 'cannot be negative'],
  ])('%s is none', (restart, said) => expect(() => restartOf({ restart })).toThrow(said))

  test('not with --rm', () => {
    expect(() => restartOf({ restart: 'always', remove: true })).toThrow('Conflicting options')
    expect(restartWords({ policy: 'on-failure', most: 2 })).toBe('on-failure:2')
  })

  test('in docker’s words', () => {
    const now = Date.parse('2026-01-01T00:00:10Z')
    const state = { startedAt: '2026-01-01T00:00:00Z', finishedAt: '2026-01-01T00:00:07Z', exitCode: 1, reason: null }
    const of = (condition: 'restarting' | 'running', health: 'starting' | 'healthy' | null = null) =>
      statusOf(condition, state as never, now, health)
    expect(of('restarting')).toBe('Restarting (1) 3 seconds ago')
    expect([of('running'), of('running', 'starting'), of('running', 'healthy')]).toEqual([
      'Up 10 seconds',
      'Up 10 seconds (health: starting)',
      'Up 10 seconds (healthy)',
    ])
  })
})

describe('health', () => {
  const image = { test: ['CMD', 'a', 'b'], interval: 2e9, timeout: 0, startPeriod: 0, startInterval: 0, retries: 0 }

  test('the image’s, with what is wished over it', () => {
    const own = { test: ['a', 'b'], interval: 2000, timeout: 30_000, startPeriod: 0, retries: 3 }
    expect(healthOf(undefined, image)).toEqual(own)
    expect(healthOf({ retries: 5 }, image)).toEqual({ ...own, retries: 5 })
    expect(healthOf({ command: 'c d' }, image)).toEqual({ ...own, test: ['/bin/sh', '-c', 'c d'] })
  })

  test('none', () => {
    expect(healthOf('none', image)).toBe(null)
    expect(healthOf({ interval: 1000 }, null)).toBe(null)
    expect(healthOf(undefined, { ...image, test: ['NONE'] })).toBe(null)
    expect(() => healthOf({ interval: 0.5 }, image)).toThrow('cannot be less than 1ms')
  })

  test('for a daemon', () => {
    expect(healthBody('none')).toEqual({ Test: ['NONE'] })
    expect(healthBody({ command: 'x', interval: 1500 })).toMatchObject({ Test: ['CMD-SHELL', 'x'], Interval: 1.5e9 })
  })
})

describe('rights', () => {
  const rights = (spec: object) => rightsOf({ image: 'a', ...spec })
  const capabilities = (spec: object) =>
    (rights(spec).parts.process as { capabilities?: { bounding: string[] } }).capabilities?.bounding.length

  test('capabilities by moby’s rules', () => {
    expect(capabilities({})).toBe(undefined)
    expect(capabilities({ capDrop: ['ALL'] })).toBe(0)
    expect(capabilities({ capDrop: ['all'], capAdd: ['cap_chown'] })).toBe(1)
    expect(capabilities({ capAdd: ['NET_ADMIN'] })).toBe(15)
    expect(capabilities({ capAdd: ['ALL'], capDrop: ['MKNOD'] })).toBe(40)
    expect(rights({ capAdd: ['SYS_ADMIN'] }).warnings).toHaveLength(1)
    expect(rights({ capAdd: ['NET_ADMIN'] }).warnings).toEqual([])
    expect(rights({ capAdd: ['SYS_ADMIN'], securityOptions: ['seccomp=unconfined'] }).warnings).toEqual([])
  })

  test('devices are mounted files; those that every container has are there', () => {
    expect(rights({ devices: ['/dev/null', '/dev/fuse', '/dev/a:/dev/b:rwm'] }).devices).toMatchObject([
      { source: '/dev/fuse', destination: '/dev/fuse' },
      { source: '/dev/a', destination: '/dev/b' },
    ])
  })

  test.each([
    [{ privileged: true }],
    [{ capAdd: ['NOT_ONE'] }],
    [{ securityOptions: ['apparmor=mine'] }],
    [{ securityOptions: ['seccomp=/file.json'] }],
    [{ devices: ['fuse'] }],
    [{ devices: ['/dev/fuse:/dev/fuse:r'] }],
    [{ groups: ['video'] }],
    [{ memorySwap: 100 }],
    [{ memory: 1000, memorySwap: 100 }],
    [{ cpus: 1, cpuQuota: 1000 }],
  ])('%j is a sentence', spec => expect(() => rights(spec)).toThrow(expect.objectContaining({ exitCode: 125 })))

  test('a daemon gets all of it', () => {
    const body = rightsBody({
      image: 'a',
      privileged: true,
      devices: ['/dev/fuse:r', '/dev/a:/dev/b'],
      securityOptions: ['systempaths=unconfined', 'label=disable'],
      ulimits: [{ name: 'nofile', soft: 1, hard: 2 }],
    })
    expect(body).toEqual({
      Privileged: true,
      Devices: [
        { PathOnHost: '/dev/fuse', PathInContainer: '/dev/fuse', CgroupPermissions: 'r' },
        { PathOnHost: '/dev/a', PathInContainer: '/dev/b', CgroupPermissions: 'rwm' },
      ],
      SecurityOpt: ['label=disable'],
      MaskedPaths: [],
      ReadonlyPaths: [],
      Ulimits: [{ Name: 'nofile', Soft: 1, Hard: 2 }],
    })
  })
})

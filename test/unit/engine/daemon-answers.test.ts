/** What is made of engines' answers: right ones of several versions, and odd ones. */
import { describe, expect, test } from 'vitest'
import { changesShape, pathStatOf, topShape } from '../../../src/engine/daemon-answers.ts'
import { eventIn } from '../../../src/engine/daemon-events.ts'
import { containerFactsShape, containerListShape } from '../../../src/engine/daemon-shapes.ts'
import { dockerSample, podmanSamples } from '../../../src/engine/daemon-stats.ts'

const id = 'a'.repeat(64)

describe('lists', () => {
  const row = (more: object) => containerListShape.parse([{ Id: id, State: 'running', ...more }])[0]

  test.each([
    ['Up 3 hours (healthy)', 'healthy', null],
    ['Up 3 hours (unhealthy)', 'unhealthy', null],
    ['Up 3 seconds (health: starting)', 'starting', null],
    ['Up 3 hours (Paused)', null, null],
    ['Up 3 hours', null, null],
  ])('%s', (Status, health, exitCode) => expect(row({ Status })).toMatchObject({ health, exitCode }))

  test.each([
    ['exited', 'Exited (137) 2 days ago', 137],
    ['restarting', 'Restarting (1) 5 seconds ago', 1],
    ['dead', 'Dead', null],
    ['created', 'Created', null],
  ])('%s: %s', (State, Status, exitCode) => expect(row({ State, Status })).toMatchObject({ state: State, exitCode }))

  test('Podman’s words for states', () => {
    const states = ['configured', 'initialized', 'stopped', 'stopping', 'Running', 'what'].map(
      State => row({ State }).state,
    )
    expect(states).toEqual(['created', 'created', 'exited', 'running', 'running', 'lost'])
  })

  test('a name without its slash, not a link’s; without any name the id', () => {
    expect(row({ Names: ['/other/db', '/db'] }).name).toBe('db')
    expect(row({ Names: null }).name).toBe('aaaaaaaaaaaa')
    expect(row({ Names: [] }).name).toBe('aaaaaaaaaaaa')
  })

  test('ports that are published and those that are not', () => {
    const Ports = [
      { IP: '::', PrivatePort: 80, PublicPort: 8080, Type: 'tcp' },
      { PrivatePort: 53, Type: 'udp' },
      { PrivatePort: 'x' },
    ]
    expect(row({ Ports }).ports).toEqual([
      { host: '::', hostPort: 8080, port: 80, protocol: 'tcp' },
      { host: '', hostPort: null, port: 53, protocol: 'udp' },
    ])
  })

  test('bytes of an upper layer: Docker leaves none out', () => {
    expect(row({}).upperBytes).toBe(null)
    expect(row({ SizeRootFs: 100 }).upperBytes).toBe(0)
    expect(row({ SizeRw: 7, SizeRootFs: 100 }).upperBytes).toBe(7)
  })

  test('anything else is survived', () => {
    expect(containerListShape.parse(null)).toEqual([])
    const odd = [
      null,
      7,
      'x',
      [],
      { Id: 5, Names: [4], Ports: 'x', Labels: 3, Mounts: [null], Created: 'y', Status: {} },
    ]
    for (const one of containerListShape.parse(odd))
      expect(one).toMatchObject({ id: '', state: 'lost', ports: [], created: 0, image: '', networks: [] })
    expect(containerListShape.safeParse('x').success).toBe(false)
  })

  test('a label named like something of JavaScript’s is one like any other', () => {
    const { labels } = row({ Labels: JSON.parse('{"__proto__": "x", "constructor": "y"}') })
    expect(Object.entries(labels)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ])
  })
})

describe('inspected', () => {
  const facts = (more: object) => containerFactsShape.parse({ Id: id, ...more })

  test('nothing known is null', () => {
    expect(facts({})).toMatchObject({
      id,
      state: 'lost',
      startedAt: null,
      exitCode: null,
      overlay: null,
      driver: null,
      logPath: null,
      imageId: null,
      pid: 0,
      restartPolicy: 'no',
      command: '',
    })
  })

  test('Go’s zero time is never', () =>
    expect(facts({ State: { Status: 'created', StartedAt: '0001-01-01T00:00:00Z' } }).startedAt).toBe(null))

  test('lower directories top first, as the mount has them', () => {
    const Data = { UpperDir: '/u/diff', WorkDir: '/u/work', LowerDir: '/u-init/diff:/top/diff:/bottom/diff' }
    expect(facts({ GraphDriver: { Name: 'overlay2', Data } }).overlay).toEqual({
      upper: '/u/diff',
      work: '/u/work',
      lower: ['/u-init/diff', '/top/diff', '/bottom/diff'],
      merged: null,
    })
    expect(facts({ GraphDriver: null, Driver: 'overlayfs' })).toMatchObject({ overlay: null, driver: 'overlayfs' })
  })

  test('ports by their bindings', () => {
    const Ports = { '80/tcp': [{ HostIp: '', HostPort: '8080' }], '53/udp': null, '9/sctp': [], x: 3 }
    expect(facts({ NetworkSettings: { Ports } }).ports).toEqual([
      { host: '0.0.0.0', hostPort: 8080, port: 80, protocol: 'tcp' },
      { host: '', hostPort: null, port: 53, protocol: 'udp' },
      { host: '', hostPort: null, port: 9, protocol: 'sctp' },
    ])
  })

  test('an entrypoint that is one text', () =>
    expect(facts({ Config: { Entrypoint: '/run.sh' } }).entrypoint).toEqual(['/run.sh']))

  test('what is no container is refused', () => {
    for (const odd of [null, [], 'x', {}, { Id: 7 }]) expect(containerFactsShape.safeParse(odd).success).toBe(false)
  })
})

test('changes: none, the three kinds, and kinds that there are not', () => {
  expect(changesShape.parse(null)).toEqual([])
  const told = [
    { Path: '/c', Kind: 0 },
    { Path: '/a', Kind: 1 },
    { Path: '/d', Kind: 2 },
    { Path: '/x', Kind: 3 },
    null,
  ]
  expect(changesShape.parse([...told, { Path: 'relative', Kind: 0 }, { Kind: 1 }])).toEqual([
    { change: 'C', path: '/c' },
    { change: 'A', path: '/a' },
    { change: 'D', path: '/d' },
  ])
})

test('top: columns, Podman’s single one, nothing', () => {
  const table = { Titles: ['PID', 'CMD'], Processes: [['1', 'sh -c x']] }
  expect(topShape.parse(table)).toEqual({ titles: ['PID', 'CMD'], rows: [['1', 'sh -c x']] })
  const single = { Titles: ['PID   USER     COMMAND'], Processes: [['1 root     sleep 100  x']] }
  expect(topShape.parse(single)).toEqual({ titles: ['PID', 'USER', 'COMMAND'], rows: [['1', 'root', 'sleep 100 x']] })
  expect(topShape.parse(null)).toEqual({ titles: [], rows: [] })
})

describe('a path', () => {
  const seen = (value: unknown) => pathStatOf(Buffer.from(JSON.stringify(value)).toString('base64'))
  const bit = (at: number) => 2 ** at

  test.each([
    [0o644, 'file', 0o644],
    [bit(31) + 0o755, 'dir', 0o755],
    [bit(31) + bit(20) + 0o777, 'dir', 0o1777],
    [bit(27) + 0o777, 'symlink', 0o777],
    [bit(26) + bit(21) + 0o666, 'other', 0o666],
    [bit(25) + 0o600, 'other', 0o600],
    [bit(23) + bit(22) + 0o755, 'file', 0o6755],
  ])('Go’s mode %i is a %s', (mode, kind, permissions) =>
    expect(seen({ mode })).toMatchObject({ kind, mode: permissions }))

  test('anything else is survived', () => {
    expect(seen({ mode: 'x', size: -1, mtime: 3 })).toEqual({ kind: 'file', size: 0, mode: 0, mtime: 0 })
    for (const odd of [undefined, '', 'no base64!', 'eA==']) expect(pathStatOf(odd)).toBe(null)
  })
})

describe('events', () => {
  const event = (Type: string, Action: string, more: object = {}) =>
    eventIn({ Type, Action, Actor: { ID: id, Attributes: { name: 'web' } }, time: 1, timeNano: 1_500_000_000, ...more })

  test('as Docker tells them', () =>
    expect(event('container', 'start')).toEqual({
      kind: 'container',
      action: 'start',
      id,
      name: 'web',
      time: 1500,
      attributes: expect.objectContaining({ name: 'web' }),
    }))

  test.each([
    ['container', 'remove', 'destroy'],
    ['container', 'died', 'die'],
    ['container', 'stop', 'stop'],
    ['image', 'remove', 'delete'],
    ['image', 'loadfromarchive', 'load'],
    ['volume', 'remove', 'destroy'],
  ])('Podman’s %s %s is %s', (kind, word, action) => expect(event(kind, word)?.action).toBe(action))

  test('a health’s word goes to the attributes', () => {
    const told = event('container', 'health_status: unhealthy')
    expect([told?.action, told?.attributes.health_status]).toEqual(['health_status', 'unhealthy'])
  })

  test('a volume of Podman’s is known by its name', () =>
    expect(event('volume', 'create', { Actor: { ID: '', Attributes: { name: 'v' } } })).toMatchObject({
      id: 'v',
      name: 'v',
    }))

  test.each([
    ['container', 'exec_create: sh -c true'],
    ['container', 'exec_start: x'],
    ['container', 'exec_die'],
    ['container', 'exec'],
    ['container', 'exec_died'],
    ['system', 'refresh'],
    ['pod', 'create'],
    ['container', ''],
  ])('%s “%s” does not come through', (kind, action) => expect(event(kind, action)).toBe(null))

  test('anything else is survived', () => {
    for (const odd of [null, 3, 'x', [], {}, { Type: 'container', Action: 5 }]) expect(eventIn(odd)).toBe(null)
    expect(eventIn({ Type: 'image', Action: 'tag' })).toMatchObject({ id: '', name: '', time: 0 })
  })
})

describe('samples of Docker’s', () => {
  const sample = (more: object) => dockerSample({ read: '2026-01-01T00:00:01Z', ...more })
  const cpu = (total: number, system: number, more: object = {}) => ({
    cpu_usage: { total_usage: total, percpu_usage: [1, 2, 3, 4] },
    system_cpu_usage: system,
    ...more,
  })

  test('CPU: the share of the time of all cores, times the cores', () => {
    const both = { cpu_stats: cpu(150, 1400, { online_cpus: 2 }), precpu_stats: cpu(100, 1000) }
    expect(sample(both)?.cpuPercent).toBe((50 / 400) * 2 * 100)
    expect(sample({ ...both, cpu_stats: cpu(150, 1400) })?.cpuPercent).toBe((50 / 400) * 4 * 100)
  })

  test('CPU of a first sample is not known; of one without progress it is 0', () => {
    expect(sample({ cpu_stats: cpu(150, 1400), precpu_stats: { cpu_usage: { total_usage: 0 } } })?.cpuPercent).toBe(
      null,
    )
    expect(sample({ cpu_stats: cpu(100, 1000), precpu_stats: cpu(100, 1000) })?.cpuPercent).toBe(0)
    expect(sample({ cpu_stats: cpu(90, 1400), precpu_stats: cpu(100, 1000) })?.cpuPercent).toBe(0)
  })

  test.each([
    ['cgroups v1', { total_inactive_file: 30, inactive_file: 5 }, 70],
    ['cgroups v2', { inactive_file: 20 }, 80],
    ['more cache than use', { inactive_file: 200 }, 100],
    ['odd', { inactive_file: 'x' }, 100],
    ['none', {}, 100],
  ])('memory without the cache that can go: %s', (_, stats, bytes) =>
    expect(sample({ memory_stats: { usage: 100, limit: 1000, stats } })).toMatchObject({
      memory: bytes,
      memoryLimit: 1000,
    }))

  test('all networks, all block devices', () => {
    const networks = { eth0: { rx_bytes: 1, tx_bytes: 2 }, eth1: { rx_bytes: 10, tx_bytes: 20 }, odd: null }
    const blocks = [
      { op: 'Read', value: 1 },
      { op: 'write', value: 5 },
      { op: 'read', value: 2 },
      { op: 'Total', value: 9 },
      3,
    ]
    expect(sample({ networks, blkio_stats: { io_service_bytes_recursive: blocks } })).toMatchObject({
      netReceived: 11,
      netSent: 22,
      blockRead: 3,
      blockWritten: 5,
    })
    expect(sample({ blkio_stats: { io_service_bytes_recursive: null } })).toMatchObject({ blockRead: 0, netSent: 0 })
  })

  test('a container that does not run has none', () => {
    for (const odd of [{ read: '0001-01-01T00:00:00Z' }, {}, null, 'x']) expect(dockerSample(odd)).toBe(null)
  })
})

describe('samples of Podman’s', () => {
  const answer = (more: object) => ({ Error: null, Stats: [{ SystemNano: 1e18, CPUNano: 1e9, MemUsage: 5, ...more }] })

  test('CPU: nanoseconds used in the nanoseconds between two samples', () => {
    const read = podmanSamples()
    expect(read(answer({}))?.cpuPercent).toBe(null)
    expect(read(answer({ SystemNano: 1e18 + 1e9, CPUNano: 1.5e9 }))?.cpuPercent).toBeCloseTo(50, 5)
  })

  test('networks summed up by version 4, one by one in version 5', () => {
    expect(podmanSamples()(answer({ NetInput: 3, NetOutput: 4 }))).toMatchObject({ netReceived: 3, netSent: 4 })
    const Network = { a: { RxBytes: 1, TxBytes: 2 }, b: { RxBytes: 10, TxBytes: 20 } }
    expect(podmanSamples()(answer({ Network }))).toMatchObject({ netReceived: 11, netSent: 22 })
  })

  test('a container that does not run has none', () => {
    for (const odd of [answer({ SystemNano: 0 }), { Error: {}, Stats: null }, null])
      expect(podmanSamples()(odd)).toBe(null)
  })
})

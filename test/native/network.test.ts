/** Networks of native containers, on a machine of their own: who reaches whom, and that nothing of it is left. */
import { rmSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../harness/command.ts'
import { buildHelper, makeIdentities, missingForNative } from './helper.ts'
import { makeWorld, type World } from './world.ts'

const missing = missingForNative()
/** Answers on tcp 80 and udp 53. */
const server = ['sh', '-c', 'answer udp 53 & exec answer tcp 80']
const say = (where: string, port: number | string) => `echo hello | busybox nc -w 3 ${where} ${port}`
/** One datagram and its answer; the first ones may come before the container listens. */
const datagram = (where: string, port: number | string) =>
  `exec 3<>/dev/udp/${where}/${port}; for i in 1 2 3 4 5 6 7 8; do echo hi >&3; timeout 1 dd bs=2048 count=1 <&3 2>/dev/null && break; done`

let users: ReturnType<typeof makeIdentities>
let world: World
let before: string

beforeAll(async () => {
  if (missing !== null) return
  buildHelper()
  users = makeIdentities()
  world = await makeWorld()
  before = await world.look()
  await world.listen(9000)
})

afterAll(() => {
  world?.end()
  users?.remove()
})

/** A test that failed leaves its containers to nobody. */
const tidy = (strata: () => Awaited<ReturnType<World['person']>>) =>
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return
    const ids = (await strata()('ps', '-aq')).out.split('\n').filter(id => id !== '')
    if (ids.length > 0) await strata()('rm', '-f', ...ids)
  })

describe.skipIf(missing !== null)('root: the bridge', () => {
  let strata: Awaited<ReturnType<World['person']>>
  const address = async (name: string) => {
    const { raw } = JSON.parse((await strata('inspect', name)).out)
    return raw.NetworkSettings.IPAddress as string
  }
  beforeAll(async () => {
    strata = await world.person(users.identities[0])
  })
  tidy(() => strata)

  test('containers reach each other by name and the world outside, which sees this machine; nothing is left of it', async () => {
    expect(await strata('run', '-d', '--name', 'one', '--network-alias', 'uno', 'app:1', ...server)).toMatchObject({
      code: 0,
    })
    const two = (command: string, ...flags: string[]) =>
      strata('run', '--rm', '--name', 'two', ...flags, 'app:1', 'sh', '-c', command)
    const own = await address('one')
    expect(own).toMatch(/^10\.\d+\.\d+\.2$/)
    const other = own.replace(/2$/, '3')
    const both = await two('for name in one uno; do echo hello | nc $name 80; done')
    expect(both).toEqual({ code: 0, out: `${other} hello\n${other} hello\n`, err: '' })
    expect((await two('echo hello | nc 10.5.0.2 9000')).out).toBe('10.5.0.1 hello\n')
    expect((await strata('exec', 'one', 'cat', '/etc/hosts')).out).not.toContain('two')
    expect((await strata('diff', 'one')).out).toBe('')
    await strata('rename', 'one', 'eins')
    await strata('restart', '-t', '0', 'eins')
    expect((await two('echo hello | nc eins 80')).out).toBe(`${other} hello\n`)
    expect(await strata('rm', '-f', 'eins')).toMatchObject({ code: 0 })
    expect(await world.look()).toBe(before)
  })

  test('published ports: on every address, with the caller’s own from outside; one that is taken is said before anything runs', async () => {
    const flags = ['-p', '8080:80', '-p', '127.0.0.1:8081:80', '-p', '53/udp']
    expect(await strata('run', '-d', '--name', 'web', ...flags, 'app:1', ...server)).toMatchObject({ code: 0, err: '' })
    const { out } = await strata('ps')
    const random = /0\.0\.0\.0:(\d+)->53\/udp/.exec(out)?.[1]
    expect(out).toContain('0.0.0.0:8080->80/tcp, [::]:8080->80/tcp, 127.0.0.1:8081->80/tcp')
    const gateway = (await address('web')).replace(/2$/, '1')
    await until(async () => (await world.host(`${say('127.0.0.1', 8080)} || true`)) !== '')
    expect(await world.host(`curl -s --http0.9 --max-time 5 http://127.0.0.1:8080/`)).toBe(
      `${gateway} GET / HTTP/1.1\n`,
    )
    expect(await world.host(say('10.5.0.1', 8080))).toBe(`${gateway} hello\n`)
    expect(await world.host(say('::1', 8080))).toBe(`${gateway} hello\n`)
    expect(await world.host(say('127.0.0.1', 8081))).toBe(`${gateway} hello\n`)
    expect(await world.outside(say('10.5.0.1', 8080))).toBe('10.5.0.2 hello\n')
    await expect(world.outside(say('10.5.0.1', 8081))).rejects.toThrow()
    expect(await world.host(datagram('127.0.0.1', random!))).toBe(`${gateway} hi\n`)
    expect(await world.outside(datagram('10.5.0.1', random!))).toBe('10.5.0.2 hi\n')
    // A container that goes through this machine's address comes to it too.
    expect((await strata('run', '--rm', 'app:1', 'sh', '-c', 'echo hello | nc 10.5.0.1 8080')).out).toMatch(/ hello\n$/)
    // A port that nobody published is nobody's from outside.
    await world.outside('ip route add 10.91.0.0/22 via 10.5.0.1')
    await expect(world.outside(say(await address('web'), 80))).rejects.toThrow()
    await world.outside('ip route del 10.91.0.0/22')
    const taken = await strata('run', '-d', '--name', 'late', '-p', '8080:80', 'app:1')
    expect([taken.code, taken.err]).toEqual([
      125,
      expect.stringContaining('port 0.0.0.0:8080/tcp is taken on this machine'),
    ])
    await strata('stop', '-t', '0', 'web')
    expect((await strata('ps', '-a')).out).not.toContain('8080->')
    expect(await strata('start', 'late')).toMatchObject({ code: 0 })
    expect(await strata('rm', '-f', 'web', 'late')).toMatchObject({ code: 0 })
    expect(await world.look()).toBe(before)
  })

  test('names, name servers, hosts; another container’s network; none', async () => {
    const flags = ['--hostname', 'box', '--dns', '10.9.9.9', '--dns-search', 'a.example', '--dns-option', 'ndots:3']
    const more = ['--add-host', 'db:10.1.2.3', '--add-host', 'up:host-gateway']
    await strata('run', '-d', '--name', 'first', ...flags, ...more, 'app:1', ...server)
    const files = (await strata('exec', 'first', 'cat', '/etc/hostname', '/etc/resolv.conf', '/etc/hosts')).out
    expect(files).toContain('box\nnameserver 10.9.9.9\nsearch a.example\noptions ndots:3\n127.0.0.1\tlocalhost\n')
    expect(files).toContain('\n10.1.2.3\tdb\n')
    expect(files).toMatch(/\n10\.\d+\.\d+\.2\tbox first\n10\.\d+\.\d+\.1\tup\n$/)
    const command = 'hostname; echo hello | nc 127.0.0.1 80; cat /etc/hosts'
    const shared = await strata('run', '--rm', '--network', 'container:first', 'app:1', 'sh', '-c', command)
    expect(shared.out).toContain('box\n127.0.0.1 hello\n')
    expect(shared.out).toContain('\tbox first\n')
    const links = ['sh', '-c', 'ip -o link | cat']
    expect((await strata('run', '--rm', '--network', 'none', 'app:1', ...links)).out.trim().split('\n')).toHaveLength(1)
    expect((await strata('run', '--rm', '--network', 'host', 'app:1', ...links)).out).toContain('up0')
    expect((await strata('shell', 'app:1', ...links)).out.trim().split('\n')).toHaveLength(1)
    expect((await strata('shell', '--network', 'bridge', 'app:1', 'sh', '-c', 'echo hello | nc first 80')).out).toMatch(
      /hello/,
    )
    await strata('rm', '-f', 'first')
    const gone = await strata('run', '--rm', '--network', 'container:first', 'app:1', 'true')
    expect([gone.code, gone.err]).toEqual([125, expect.stringContaining('no container “first”')])
    expect(await world.look()).toBe(before)
  })

  test('what a killed monitor leaves is swept by the removal, and by the next start', async () => {
    const monitor = async (name: string) => {
      const { id } = JSON.parse((await strata('inspect', name)).out)
      const state = await world.host(`cat ${world.path}/root/strata/state/${id}/state.json`)
      return JSON.parse(state) as { pid: number; monitorPid: number }
    }
    const flags = ['-p', '8080:80', 'app:1', ...server]
    await strata('run', '-d', '--name', 'lost', ...flags)
    process.kill((await monitor('lost')).monitorPid, 'SIGKILL')
    await strata('rm', '-f', 'lost')
    expect(await world.look()).toBe(before)
    await strata('run', '-d', '--name', 'lost', ...flags)
    const { pid, monitorPid } = await monitor('lost')
    process.kill(monitorPid, 'SIGKILL')
    process.kill(pid, 'SIGKILL')
    expect((await strata('run', '--rm', ...flags.slice(0, 3), 'true')).code).toBe(0)
    expect(await world.look()).toBe(before)
    await strata('rm', '-f', 'lost')
  })

  test('where iptables drops what it does not know, its chains are ours by name', async () => {
    const look = () => world.host('iptables-save | grep -v "^[#:]"; cat /proc/sys/net/ipv4/ip_forward')
    await world.host('iptables -t nat -A POSTROUTING -s 10.77.0.0/16 -j MASQUERADE; iptables -P FORWARD DROP')
    const untouched = await look()
    await strata('run', '-d', '--name', 'web', '-p', '8080:80', 'app:1', ...server)
    expect(await world.host('iptables-save')).toContain('-A FORWARD -j STRATA-FORWARD')
    expect((await strata('run', '--rm', 'app:1', 'sh', '-c', 'echo hello | nc 10.5.0.2 9000')).out).toBe(
      '10.5.0.1 hello\n',
    )
    await until(async () => (await world.outside(`${say('10.5.0.1', 8080)} || true`)) === '10.5.0.2 hello\n')
    await strata('rm', '-f', 'web')
    expect(await look()).toBe(untouched)
    await world.host('iptables -P FORWARD ACCEPT; iptables -t nat -F')
  })
})

describe.skipIf(missing !== null)('an ordinary user', () => {
  let strata: Awaited<ReturnType<World['person']>>
  let start: string
  // Older pastas lose the rest of a connection of which one side has ended.
  const out = '(echo hello; sleep 1) | nc 10.5.0.2 9000'
  beforeAll(async () => {
    rmSync(`${world.path}/root`, { recursive: true, force: true })
    strata = await world.person(users.identities[1])
    start = await world.look()
  })
  tidy(() => strata)

  test.each([
    'slirp4netns',
    'pasta',
  ])('%s: out, published ports, another container’s network, nothing left', async kind => {
    const flags = ['--network', kind, '-p', '8080:80', '-p', '127.0.0.1:5353:53/udp']
    expect(await strata('run', '-d', '--name', 'web', ...flags, 'app:1', ...server)).toMatchObject({ code: 0, err: '' })
    expect((await strata('exec', 'web', 'sh', '-c', out)).out).toBe('10.5.0.1 hello\n')
    await until(async () => (await world.host(`${say('127.0.0.1', 8080)} || true`)).includes('hello'))
    expect(await world.outside(say('10.5.0.1', 8080))).toContain('hello')
    expect(await world.host(datagram('127.0.0.1', 5353))).toContain('hi')
    expect((await strata('ps')).out).toContain('0.0.0.0:8080->80/tcp')
    const shared = ['--network', 'container:web', 'app:1', 'sh', '-c', 'echo hello | nc 127.0.0.1 80']
    expect((await strata('run', '--rm', ...shared)).out).toBe('127.0.0.1 hello\n')
    expect((await strata('diff', 'web')).out).toBe('')
    const taken = await strata('run', '--rm', '-p', '8080:80', 'app:1', 'true')
    expect(taken.err).toContain('port 0.0.0.0:8080/tcp is taken')
    expect(await strata('rm', '-f', 'web')).toMatchObject({ code: 0 })
    await expect(world.host(say('127.0.0.1', 8080))).rejects.toThrow()
    expect(await world.look()).toBe(start)
    expect(await world.host(`ps -u ${users.identities[1].uid} -o args=; true`)).not.toMatch(/slirp4netns|pasta/)
  })

  test('a bridge is not to be had', async () => {
    expect((await strata('run', '--rm', '--network', 'bridge', 'app:1', 'true')).err).toContain('by root only')
  })
})

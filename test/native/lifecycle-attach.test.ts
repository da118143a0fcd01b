/** attach.sock and the verbs on top of it: who is connected to a container, and that nobody who is can harm it. */
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { until } from '../harness/command.ts'
import { startPty } from '../harness/pty.ts'
import { type Containers, containersOf } from './containers.ts'
import { helperPath } from './helper.ts'
import type { Room } from './room.ts'
import { asEverybody } from './suite.ts'

const sanitized = process.env.STRATA_NATIVE === 'sanitized'
const u32 = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
const u16s = (...values: number[]) => Buffer.from(new Uint16Array(values).buffer)

/** The helper on a terminal of its own, as the room's user. */
function onTerminal(room: Room, c: Containers, ...words: string[]) {
  const { kind, uid, gid } = room.who
  const as = kind === 'root' ? [] : ['--reuid', String(uid), '--regid', String(gid), '--clear-groups']
  return startPty('setpriv', [...as, '--', helperPath, '--root', c.root, ...words])
}

asEverybody('attach', room => {
  test('hello, output of both streams, the end', async () => {
    const c = containersOf(room())
    const id = await c.create({ args: ['sh', '-c', 'read x; echo out $x; echo err >&2; exit 6'] })
    const one = await c.connect(id)
    one.send('s')
    await one.until(() => one.frames.some(({ type }) => type === 's'))
    one.send('i', Buffer.from('typed\n'))
    await one.closed
    expect(one.frames[0]).toEqual({ type: 'h', bytes: Buffer.from([0, 1]) })
    expect([one.text('o'), one.text('e')]).toEqual(['out typed\n', 'err\n'])
    expect(one.frames.at(-1)).toEqual({ type: 'x', bytes: u32(6) })
    expect((await c.state(id)).strata.exitCode).toBe(6)
  })

  test('everybody who is attached sees everything; the end of one is not the end of another', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: ['cat'] })
    const clients = await Promise.all(Array.from({ length: 5 }, () => c.connect(id)))
    for (const client of clients) await client.until(() => client.frames.length > 0)
    clients[0].send('i', Buffer.from('one\n'))
    for (const client of clients) await client.until(() => client.text('o') === 'one\n')
    clients[1].socket.destroy()
    clients[2].send('d')
    await clients[2].closed
    clients[3].send('i', Buffer.from('two\n'))
    await clients[4].until(() => clients[4].text('o') === 'one\ntwo\n')
    clients[4].send('c')
    await clients[0].closed
    expect((await c.ended(id)).strata.exitCode).toBe(0)
  })

  test('a replay gives what was said before, once, and then what comes', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: ['sh', '-c', 'echo before; echo problem >&2; cat'] })
    await c.said(id, 'problem')
    const client = await c.connect(id)
    client.send('p')
    client.send('i', Buffer.from('after\n'))
    await client.until(() => client.text('o').endsWith('after\n'))
    const from = client.frames.findIndex(({ type }) => type === 'p')
    const said = client.frames.slice(from + 1).map(({ type, bytes }) => `${type} ${bytes}`)
    expect(said.sort()).toEqual(['e problem\n', 'o after\n', 'o before\n'])
    const result = await c.feed('bye\n', 'attach', '--replay', '--ends-stdin', id)
    expect([result.code, result.stdout.toString(), result.stderr]).toEqual([0, 'before\nafter\nbye\n', 'problem\n'])
  })

  test('replay upon replay, none of them read, ends the connection', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: ['sh', '-c', 'yes | head -n 50000; cat'] })
    await until(() => c.log(id).length === 50_000)
    const greedy = await c.connect(id)
    await greedy.until(() => greedy.frames.length > 0)
    greedy.socket.pause()
    const header = Buffer.from([0x70, 0, 0, 0, 0])
    greedy.socket.write(Buffer.concat(Array.from({ length: 5000 }, () => header)))
    const other = await c.connect(id)
    other.send('i', Buffer.from('alive\n'))
    await other.until(() => other.text('o').includes('alive'))
    greedy.socket.resume()
    await greedy.closed
    expect(greedy.frames.filter(({ type }) => type === 'p').length).toBeLessThan(100)
    const status = readFileSync(`/proc/${(await c.state(id)).strata.monitorPid}/status`, 'utf8')
    expect(Number(/VmHWM:\s+(\d+)/.exec(status)![1])).toBeLessThan(sanitized ? 200_000 : 20_000)
  })

  test('a replay is the last of much', async () => {
    const c = containersOf(room())
    const id = await c.run({
      args: ['sh', '-c', 'i=0; while [ $i -lt 20000 ]; do echo line $i; i=$((i+1)); done; cat'],
    })
    await c.said(id, 'line 19999')
    const client = await c.connect(id)
    client.send('p')
    await client.until(() => client.text('o').endsWith('line 19999\n'))
    const text = client.text('o')
    expect(text.length).toBeGreaterThan(40_000)
    expect(text.length).toBeLessThan(70_000)
    const lines = text.split('\n').slice(1, -1)
    expect(lines).toEqual(lines.map((_, i) => `line ${20000 - lines.length + i}`))
  })

  test('a client that does not read is dropped, and the container does not wait for it', async () => {
    const c = containersOf(room())
    const id = await c.create({ args: ['sh', '-c', 'yes 0123456789 | head -n 300000; echo done; exit 3'] })
    const stuck = await c.connect(id)
    stuck.socket.pause()
    await c.say('start', id)
    expect((await c.ended(id)).strata.exitCode).toBe(3)
    expect(c.log(id).at(-1)!.log).toBe('done\n')
    stuck.socket.resume()
    await stuck.closed
    expect(stuck.text('o').length).toBeLessThan(3_300_000)
  })

  test('a client that must have everything gets it, however slowly it reads', async () => {
    const c = containersOf(room())
    const id = await c.create({ args: ['sh', '-c', 'yes 0123456789 | head -n 400000'] })
    const slow = await c.connect(id)
    slow.send('f')
    slow.send('s')
    await slow.until(() => slow.frames.some(({ type }) => type === 's'))
    slow.socket.pause()
    // The container is held back: it fills what lies between, and waits.
    await until(() => c.log(id).length > 1000)
    expect((await c.state(id)).status).toBe('running')
    slow.socket.resume()
    await slow.closed
    expect(slow.text('o').length).toBe(4_400_000)
    expect(slow.frames.at(-1)!.type).toBe('x')
  })

  test('input that the container does not take holds nobody up but who sends it', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: ['sh', '-c', 'echo up; while [ ! -e /tmp/go ]; do sleep 0.01; done; cat | wc -c'] })
    const pushy = await c.connect(id)
    for (let i = 0; i < 100; i++) pushy.send('i', Buffer.alloc(50_000, 'x'))
    pushy.send('c')
    const other = await c.connect(id)
    await other.until(() => other.frames.length > 0)
    await c.say('exec', id, 'touch', '/tmp/go')
    await c.said(id, '5000000\n')
  })

  test.each([
    ['a length beyond all bounds', Buffer.from([0x69, 0xff, 0xff, 0xff, 0xff])],
    ['a length just above', Buffer.from([0x69, 1, 0, 1, 0, ...Buffer.alloc(0x10001)])],
    ['nonsense', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
  ])('%s ends a connection and nothing else', async (_, bytes) => {
    const c = containersOf(room())
    const id = await c.run({ args: ['cat'] })
    const bad = await c.connect(id)
    bad.socket.write(bytes)
    await bad.closed
    const good = await c.connect(id)
    for (const [type, payload] of [
      ['r', Buffer.from([1])],
      ['k', Buffer.from([200])],
      ['k', Buffer.alloc(0)],
      ['q', Buffer.from('unknown')],
      ['i', Buffer.alloc(0)],
    ] as const)
      good.send(type, payload)
    good.send('i', Buffer.from('fine\n'))
    await good.until(() => good.text('o') === 'fine\n')
    expect((await c.state(id)).status).toBe('running')
  })

  test('a hundred connections: those beyond the bound are turned away, the rest work', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: ['cat'] })
    const clients = await Promise.all(Array.from({ length: 100 }, () => c.connect(id).catch(() => null)))
    const there = clients.filter(client => client !== null)
    await there[0].until(() => there[0].frames.length > 0)
    there[0].send('i', Buffer.from('x\n'))
    await there[0].until(() => there[0].text('o') === 'x\n')
    for (const client of there) client.socket.destroy()
    expect((await c.feed('y\n', 'attach', '--ends-stdin', id)).stdout.toString()).toBe('y\n')
  })

  test('signals by frame', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: ['sh', '-c', 'trap "exit 8" USR1; echo up; while :; do sleep 0.01; done'] })
    await c.said(id, 'up')
    const client = await c.connect(id)
    client.send('k', Buffer.from([10]))
    await client.closed
    expect(client.frames.at(-1)).toEqual({ type: 'x', bytes: u32(8) })
  })

  test('a terminal: size at the start, resize by verb and by frame, echo, everything as output', async () => {
    const c = containersOf(room())
    const terminal = { terminal: true, consoleSize: { width: 77, height: 11 } }
    const id = await c.create({
      args: ['sh', '-c', 'trap "stty size" WINCH; stty size; echo problem >&2; while :; do read x; echo "<$x>"; done'],
      process: terminal,
    })
    const client = await c.connect(id)
    client.send('s')
    await client.until(() => client.text('o').includes('problem'))
    expect(client.frames[0].bytes[0]).toBe(1)
    expect(client.text('o')).toContain('11 77')
    await c.say('resize', id, '100', '40')
    await client.until(() => client.text('o').includes('40 100'))
    client.send('r', u16s(90, 30))
    await client.until(() => client.text('o').includes('30 90'))
    client.send('i', Buffer.from('hello\r'))
    await client.until(() => client.text('o').includes('<hello>'))
    expect((await c.state(id)).strata.tty).toBe(true)
  })

  test('the detach keys leave a container that goes on; the keys before them arrive', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: ['sh', '-c', 'while read x; do echo "<$x>"; done'], process: { terminal: true } })
    const first = onTerminal(room(), c, 'attach', '--replay', id)
    first.send('one\r')
    await first.until('<one>')
    first.send('two\x10')
    first.send('\x11')
    expect((await first.ended).code).toBe(0)
    const second = onTerminal(room(), c, 'attach', '--replay', '--detach-keys', 'ctrl-a,d', id)
    second.send('\x10\x11\r')
    second.send('\x01')
    second.send('x\r')
    await second.until(screen => /<two.*>/.test(screen) && /<.*x>/.test(screen))
    second.send('\x01d')
    expect((await second.ended).code).toBe(0)
    expect((await c.state(id)).status).toBe('running')
  })

  test('run in front on a terminal: size, keys, detach, and the same terminal again', async () => {
    const c = containersOf(room())
    const bundle = room().bundle({
      args: ['sh', '-c', 'stty size; while read x; do echo "<$x>"; done; exit 4'],
      process: { terminal: true },
    })
    const id = c.newId()
    const front = onTerminal(room(), c, 'run', '--keep-state', ...c.options(bundle), id)
    await front.until('36 120')
    front.resize(100, 30)
    front.send('one\r')
    await front.until('<one>')
    front.send('\x10\x11')
    expect((await front.ended).code).toBe(0)
    const again = onTerminal(room(), c, 'attach', id)
    again.send('two\r')
    await again.until('<two>')
    again.send('\x04')
    expect((await again.ended).code).toBe(4)
    expect((await c.state(id)).strata.exitCode).toBe(4)
  })

  test('attach tells what there is not: no container, one that has ended', async () => {
    const c = containersOf(room())
    expect((await c.verb('attach', 'none')).code).toBe(1)
    const id = await c.run({ args: ['true'] })
    await c.ended(id)
    const result = await c.verb('attach', id)
    expect([result.code, result.stderr]).toEqual([1, expect.stringContaining(`container ${id} is stopped`)])
    expect((await c.verb('attach', '--detach-keys', 'ctrl-1', id)).code).toBe(2)
  })

  test('nobody else may connect', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: ['cat'] })
    chmodSync(room().path, 0o755)
    const other = { uid: 65534, gid: 65534 }
    const { tryCommand } = await import('../harness/command.ts')
    const result = await tryCommand(helperPath, ['--root', c.root, 'attach', id], { ...other, env: {} })
    expect([result.code, result.stderr]).toEqual([1, expect.stringContaining('Permission denied')])
    expect((await tryCommand('ls', [join(c.root, id)], { ...other })).code).not.toBe(0)
  })
})

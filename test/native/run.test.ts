/** A container in the foreground: what Docker would give for the same. */
import { spawn } from 'node:child_process'
import { chownSync, mkdirSync, readlinkSync, statSync } from 'node:fs'
import { expect, test } from 'vitest'
import { entry, tar } from '../harness/tar.ts'
import { errorOf, helper, helperPath } from './helper.ts'
import { output, outputOf } from './room.ts'
import { asEverybody } from './suite.ts'

asEverybody('run', (room, kind) => {
  test.each([
    ['the command ended with 0', ['true'], 0],
    ['the command ended with 7', ['sh', '-c', 'exit 7'], 7],
    ['the command was ended by a signal', ['probe', 'raise', '9'], 137],
    ['the command is not there', ['no-such-command'], 127],
    ['the command is not there, by path', ['/bin/no-such-command'], 127],
    ['the command can not be run', ['/inside-the-container'], 126],
    ['the command is a directory', ['/bin'], 126],
  ])('exit status when %s', async (_, args, status) => {
    expect((await room().run({ args })).code).toBe(status)
  })

  test('exit status and sentence when the container can not be made', async () => {
    const result = await room().run({ args: ['true'], overlay: { lower: ['/no/such/layer'] } })
    expect([result.code, errorOf(result)]).toEqual([125, 'layer /no/such/layer: No such file or directory'])
  })

  test.each([
    ['the first that is there', ['no-bash', 'no-ash', 'sh'], 'sh', 0],
    ['nothing else when the command is there', ['sh', 'no-bash'], 'sh', 0],
    ['none when a command can not be run', ['/inside-the-container', 'sh'], '', 126],
    ['127 when none is there', ['no-bash', '/no/sh'], '', 127],
  ])('other commands in place of one that is missing: %s', async (_, names, printed, code) => {
    const args = [names[0], '-c', 'echo $0']
    const result = await room().run({ args, strata: { instead: names.slice(1) } })
    expect([result.code, result.stdout.toString().trim()]).toEqual([code, printed])
  })

  test('environment is what was asked for, and HOME', async () => {
    expect(
      outputOf(await room().run({ args: ['env'], env: ['A=1', 'B=x y'] }))
        .split('\n')
        .sort(),
    ).toEqual(['A=1', 'B=x y', 'HOME=/', 'PATH=/bin'])
  })

  test('a working directory that the image lacks is made', async () => {
    expect(outputOf(await room().run({ args: ['pwd'], cwd: '/made/here' }))).toBe('/made/here')
    expect(await room().diff()).toEqual(['A /made', 'A /made/here'])
  })

  test('what is mounted leaves no trace in the upper directory', async () => {
    await room().run({ args: ['true'] })
    expect(await room().diff()).toEqual([])
  })

  test('host name, own process ids, own loopback', async () => {
    const script = 'hostname; echo $$; ip -o addr show lo | head -n 1'
    const lines = outputOf(await room().run({ args: ['sh', '-c', script], top: { hostname: 'box' } })).split('\n')
    expect(lines.slice(0, 2)).toEqual(['box', '2'])
    expect(lines[2]).toContain('127.0.0.1/8')
  })

  test("the host's network when it is asked for", async () => {
    const namespaces = ['pid', 'mount', 'ipc', 'uts'].map(type => ({ type }))
    const own = await output(room(), 'readlink', '/proc/self/ns/net')
    const hosts = outputOf(
      await room().run({ args: ['sh', '-c', 'readlink /proc/self/ns/net; test -d /sys/class'], linux: { namespaces } }),
    )
    expect(own).not.toBe(hosts)
    expect(hosts).toBe(readlinkSync('/proc/self/ns/net'))
  })

  test('standard input reaches the command, and its end', async () => {
    expect((await room().run({ args: ['cat'] }, { input: 'one\ntwo' })).stdout.toString()).toBe('one\ntwo')
  })

  test('no layer that can be written: nothing can be', async () => {
    const result = await room().run({ args: ['sh', '-c', 'echo x > /tmp/x'], frozen: true })
    expect([result.code, result.stderr]).toEqual([1, expect.stringContaining('Read-only file system')])
  })

  test('a read-only root', async () => {
    const script = 'echo x > /tmp/x; echo y > /dev/shm/y && cat /dev/shm/y'
    const result = await room().run({ args: ['sh', '-c', script], top: { root: { readonly: true } } })
    expect([result.stdout.toString(), result.stderr]).toEqual(['y\n', expect.stringContaining('Read-only file system')])
  })

  test('limits above what is allowed are cut, not refused', async () => {
    const rlimits = [
      { type: 'RLIMIT_NOFILE', soft: 64, hard: 1 << 30 },
      { type: 'RLIMIT_CORE', soft: 0, hard: 0 },
    ]
    expect(outputOf(await room().run({ args: ['sh', '-c', 'ulimit -n; ulimit -c'], process: { rlimits } }))).toBe(
      '64\n0',
    )
  })

  test('a user by number', async () => {
    const result = await room().run({ args: ['probe', 'ids'], process: { user: { uid: 33, gid: 44 } } })
    if (kind === 'single id') expect(errorOf(result)).toMatch(/^user 33, group 44: this user namespace has no such ids/)
    else expect(outputOf(result)).toBe('33 33 44 44')
  })

  test('a volume, read-only, on a place the image lacks', async () => {
    const mounts = [
      { destination: '/proc', type: 'proc' },
      { destination: '/data/in', type: 'bind', source: room().layers.at(-1), options: ['rbind', 'ro'] },
    ]
    const script = 'test -e /data/in/inside-the-container && touch /data/in/x'
    const result = await room().run({ args: ['sh', '-c', script], top: { mounts } })
    expect([result.code, result.stderr]).toEqual([1, expect.stringContaining('Read-only file system')])
    // As with Docker: the place of a volume is made in the container's own layer.
    expect(await room().diff()).toEqual(['A /data', 'A /data/in'])
  })

  test('an upper directory serves one container at a time', async () => {
    const bundle = room().bundle({ args: ['sh', '-c', 'echo up; cat'] })
    const { uid, gid } = room().who
    const first = spawn(helperPath, ['run', '--foreground', '--bundle', bundle, 'first'], {
      uid,
      gid,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    await new Promise(resolve => first.stdout.once('data', resolve))
    const second = await helper(room().who, ['run', '--foreground', '--bundle', bundle, 'second'])
    first.stdin.end()
    await new Promise(resolve => first.once('close', resolve))
    expect([second.code, errorOf(second)]).toEqual([125, expect.stringMatching(/is in use by another container$/)])
  })

  test('kernels without the new mount calls get the old one', async () => {
    expect(
      outputOf(await room().run({ args: ['sh', '-c', 'echo x > /new; cat /new'], overlay: { classic: true } })),
    ).toBe('x')
    expect(await room().diff()).toEqual(['A /new'])
  })

  test('499 layers', async () => {
    const many = Array.from({ length: 498 }, (_, i) => `${room().path}/empty-${i}`)
    for (const folder of many) {
      mkdirSync(folder)
      chownSync(folder, room().who.uid, room().who.gid)
    }
    const result = await room().run({
      args: ['sh', '-c', 'echo x > /new; echo up'],
      overlay: { lower: [...many, room().layers.at(-1)] },
    })
    expect(outputOf(result)).toBe('up')
  })

  test('signals reach the command', async () => {
    const bundle = room().bundle({
      args: ['sh', '-c', 'trap "echo got it; exit 3" TERM; echo up; while :; do sleep 0.05; done'],
    })
    const { uid, gid } = room().who
    const run = spawn(helperPath, ['run', '--foreground', '--bundle', bundle, 'x'], {
      uid,
      gid,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    run.stdout.on('data', chunk => {
      if (said === '') run.kill('SIGTERM')
      said += chunk
    })
    const code = await new Promise(resolve => run.once('close', resolve))
    expect([said, code]).toEqual(['up\ngot it\n', 3])
  })

  test('a helper that is killed takes its container along', async () => {
    const bundle = room().bundle({ args: ['sh', '-c', 'echo up; sleep 100'] })
    const { uid, gid } = room().who
    const run = spawn(helperPath, ['run', '--foreground', '--bundle', bundle, 'x'], {
      uid,
      gid,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    await new Promise(resolve => run.stdout.once('data', resolve))
    run.kill('SIGKILL')
    // Its output ends only when nobody holds it any more.
    await new Promise(resolve => run.stdout.once('close', resolve))
  })

  test.runIf(kind !== 'single id')('names from the passwd and group of the image', async () => {
    const passwd = 'root:x:0:0::/root:/bin/sh\nweb:x:33:34::/srv/web:/bin/sh\n'
    const group = 'root:x:0:\nweb:x:34:\nextra:x:50:web,other\n'
    await room().add(accounts(passwd, group))
    const ids = async (user: string) =>
      outputOf(await room().run({ args: ['sh', '-c', 'echo $(id -u) $(id -G) $HOME'], strata: { user } }))
    expect(await ids('web')).toBe('33 34 50 /srv/web')
    expect(await ids('web:extra')).toBe('33 50 /srv/web')
    expect(await ids('33')).toBe('33 34 50 /srv/web')
    expect(await ids('1234')).toBe('1234 0 /')
    expect(await ids('0:7')).toBe('0 7 /root')
    for (const user of ['nobody-here', '4294967296', '-1'])
      expect((await room().run({ args: ['true'], strata: { user } })).code).toBe(125)
    room().layers.shift()
  })

  test('devices are owned by the container, and the null device of the host stays as it is', async () => {
    const before = statSync('/dev/null')
    await room().run({
      args: ['sh', '-c', 'chmod 600 /dev/null; chmod 600 /proc/keys; chown 1:1 /dev/null /proc/kcore'],
    })
    const after = statSync('/dev/null')
    expect([after.mode, after.uid, after.gid]).toEqual([before.mode, before.uid, before.gid])
  })
})

function accounts(passwd: string, group: string): Uint8Array {
  return tar(
    entry({ path: 'etc/passwd', body: Buffer.from(passwd) }),
    entry({ path: 'etc/group', body: Buffer.from(group) }),
  )
}

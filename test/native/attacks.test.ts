/** What a hostile image or a hostile program in a container tries: each threat of the runtime's checklist, tried. */
import { spawn } from 'node:child_process'
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { tar } from '../harness/tar.ts'
import { errorOf, helper, helperPath } from './helper.ts'
import { output, outputOf, type Room } from './room.ts'
import { asEverybody } from './suite.ts'

/** What the probe says to each of its calls, "call: outcome". */
async function probe(room: Room, ...calls: string[]): Promise<string[]> {
  const script = calls.map(call => `probe ${call} 2>&1 || echo "status $?"`).join('\n')
  const lines = (await output(room, 'sh', '-c', script)).split('\n')
  return calls.map((call, i) => `${call}: ${lines[i]}`)
}

asEverybody('attacks', (room, kind) => {
  test('CVE-2019-5736: the helper that a container can reach is a sealed copy', async () => {
    await room().add(tar('link bin/evil -> /proc/self/exe'))
    const bundle = room().bundle({ args: ['sh', '-c', 'echo up; sleep 100'] })
    const { uid, gid } = room().who
    const pidFile = join(bundle, 'pid')
    const args = ['run', '--foreground', '--bundle', bundle, '--pid-file', pidFile, 'x']
    const run = spawn(helperPath, args, { uid, gid, stdio: ['ignore', 'pipe', 'inherit'] })
    try {
      await new Promise(resolve => run.stdout.once('data', resolve))
      const init = readFileSync(pidFile, 'utf8')
      expect(readlinkSync(`/proc/${init}/exe`)).toMatch(/^\/memfd:strata-native/)
      expect(() => openSync(`/proc/${init}/exe`, 'r+')).toThrow(/ETXTBSY|EPERM/)
    } finally {
      run.kill('SIGKILL')
      await new Promise(resolve => run.once('close', resolve))
    }
    const before = readFileSync(helperPath)
    await room().run({ args: ['/bin/evil'] })
    await room().run({ args: ['sh', '-c', 'echo x > /proc/1/exe; cat /proc/1/mem; ls /proc/1/fd/ /proc/1/root/'] })
    expect(readFileSync(helperPath).equals(before)).toBe(true)
    room().layers.shift()
  })

  test("pid 1's memory, descriptors, root and environment are closed to the container", async () => {
    const script =
      'for f in mem environ root/ fd/ cwd/ exe; do ls -L /proc/1/$f/. >/dev/null 2>&1 && echo $f; done; cat /proc/1/environ 2>/dev/null'
    expect((await room().run({ args: ['sh', '-c', script], env: ['SECRET=1'] })).stdout.toString()).toBe('')
    expect((await output(room(), 'cat', '/proc/1/cmdline')).replaceAll('\0', '')).toBe('')
  })

  test('CVE-2024-21626: no descriptor of ours is a way out, not as working directory, not in the command', async () => {
    const host = openSync('/', 'r')
    try {
      const leaky = (cwd: string, args: string[]) => {
        const bundle = room().bundle({ args, cwd })
        const { uid, gid } = room().who
        const run = spawn(helperPath, ['run', '--foreground', '--bundle', bundle, 'x'], {
          uid,
          gid,
          stdio: ['ignore', 'pipe', 'pipe', host, host, host],
        })
        const said: Buffer[] = []
        run.stdout!.on('data', chunk => said.push(chunk))
        return new Promise<string>(resolve =>
          run.once('close', code => resolve(`${code} ${Buffer.concat(said)}`.trim())),
        )
      }
      expect(await leaky('/', ['probe', 'descriptors'])).toBe('0 0 1 2')
      for (let fd = 3; fd < 20; fd++) expect(await leaky(`/proc/self/fd/${fd}`, ['ls', '-a', '..'])).toMatch(/^125/)
    } finally {
      closeSync(host)
    }
  })

  test.each(['proc', 'sys', 'dev'])('an image in which /%s is a link does not start', async name => {
    const canary = mkdtempSync(join(tmpdir(), 'strata-canary-'))
    try {
      expect((await room().add(tar(`link ${name} -> ${canary}`))).code).toBe(0)
      const result = await room().run({ args: ['true'] })
      expect([result.code, errorOf(result)]).toEqual([125, expect.stringMatching(new RegExp(`^mount /${name}: `))])
      expect(existsSync(join(canary, 'null'))).toBe(false)
    } finally {
      room().layers.shift()
      rmSync(canary, { recursive: true })
    }
  })

  test.each([
    ['dev/pts', 'link dev/pts -> /tmp'],
    ['dev/null', 'file dev/null 3'],
    ['sys/fs/cgroup', 'dir sys\nlink sys/fs -> /tmp'],
  ])('an image that prepares /%s changes nothing', async (_, lines) => {
    await room().add(tar('dir dev', lines))
    expect(outputOf(await room().run({ args: ['sh', '-c', 'test -c /dev/null && ls /tmp'] }))).toBe('')
    room().layers.shift()
  })

  test('a volume whose place is a link out of the root lands inside (CVE-2021-30465, CVE-2022-23648)', async () => {
    const canary = mkdtempSync(join(tmpdir(), 'strata-canary-'))
    try {
      await room().add(tar(`link data -> ../../../../../..${canary}`, `dir ${canary.slice(1)}`))
      const mounts = [{ destination: '/data', type: 'bind', source: room().path, options: ['rbind', 'ro'] }]
      const script = `test -d ${canary}/layer-0 && echo inside`
      expect(outputOf(await room().run({ args: ['sh', '-c', script], top: { mounts } }))).toBe('inside')
      expect(existsSync(join(canary, 'layer-0'))).toBe(false)
    } finally {
      room().layers.shift()
      rmSync(canary, { recursive: true })
    }
  })

  test('a destination that climbs is refused', async () => {
    const mounts = [{ destination: '/a/../../b', type: 'tmpfs' }]
    expect((await room().run({ args: ['true'], top: { mounts } })).code).toBe(125)
  })

  test('no mounts, no namespaces, no way to unmount what hides something', async () => {
    const calls = [
      'mount',
      'remount /proc/sys',
      'remount /',
      'unmount /proc/sys',
      'unmount /proc/keys',
      'user-namespace',
      'clone-user-namespace',
    ]
    expect(await probe(room(), ...calls)).toEqual(calls.map(call => `${call}: EPERM`))
    // Also without the filter: the capabilities are not there.
    const bare = await room().run({
      args: ['sh', '-c', 'probe mount; probe remount /proc/sys; probe unmount /proc/keys'],
      strata: { seccomp: 'none' },
    })
    expect(outputOf(bare)).toBe('EPERM\nEPERM\nEPERM')
  })

  test('masked files are empty, and what configures the kernel can not be written', async () => {
    const masked = ['/proc/kcore', '/proc/keys', '/proc/timer_list', '/proc/interrupts', '/sys/firmware', '/proc/acpi']
    const script = `for f in ${masked.join(' ')}; do test -d $f && ls -A $f; test -c $f && cat $f; done; true`
    expect(await output(room(), 'sh', '-c', script)).toBe('')
    const written = [
      '/proc/sys/kernel/core_pattern',
      '/proc/sys/kernel/hostname',
      '/proc/irq/default_smp_affinity',
      '/sys/kernel/uevent_helper',
      '/sys/power/state',
    ]
    const there = written.filter(path => existsSync(path))
    expect(
      (await probe(room(), ...there.map(path => `write ${path}`))).filter(
        line => !/: (EROFS|EACCES|EPERM|ENOENT)$/.test(line),
      ),
    ).toEqual([])
  })

  test('a device node is only a name', async () => {
    const calls = ['/tmp/mem', '/dev/mem', '/dev/shm/mem'].map(path => `device ${path} c 1 1`)
    const disk = '/tmp/disk'
    const outcomes = await probe(room(), ...calls, `device ${disk} b 254 0`)
    expect(outcomes.map(line => line.split(': ')[1])).toEqual(Array(4).fill(kind === 'root' ? 'EACCES' : 'EPERM'))
  })

  test('the system call filter: refused, unknown, foreign', async () => {
    expect(
      await probe(room(), 'call 600', 'call 0x40000027', 'call 435', 'call 250', 'call 321', 'call 425', 'call 39'),
    ).toEqual([
      'call 600: ENOSYS',
      'call 0x40000027: ENOSYS',
      'call 435: ENOSYS',
      'call 250: EPERM',
      'call 321: EPERM',
      'call 425: EPERM',
      'call 39: done',
    ])
    expect((await room().run({ args: ['probe', 'compat'] })).code).toBe(128 + 31)
  })

  test('a second chroot stays inside', async () => {
    expect(await probe(room(), 'chroot')).toEqual(['chroot: inside'])
  })

  test('capabilities: the fourteen, none inheritable, none ambient, no new ones by a set-uid program', async () => {
    const status = (await output(room(), 'cat', '/proc/self/status')).split('\n')
    const value = (key: string) => status.find(line => line.startsWith(`${key}:`))?.split(/\s+/)[1]
    const set = '00000000a80425fb'
    expect(['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp'].map(value)).toEqual([
      '0000000000000000',
      set,
      set,
      set,
      '0000000000000000',
      '1',
      '2',
    ])
    if (kind === 'single id') return
    const script = 'cat /proc/self/status'
    const user = (
      await room().run({ args: ['sh', '-c', script], process: { user: { uid: 33, gid: 33 } } })
    ).stdout.toString()
    expect(user).toMatch(/CapPrm:\s+0{16}\nCapEff:\s+0{16}/)
  })

  test.runIf(kind !== 'single id')('a set-uid program stays the user', async () => {
    const layer = await output(room(), 'sh', '-c', 'true').then(() => tar('dir bin'))
    await room().add(layer)
    const script = 'cp /bin/probe /tmp/p 2>/dev/null || cat /bin/probe > /tmp/p; chmod 4755 /tmp/p; echo'
    const bundle = room().bundle({ args: ['sh', '-c', script] })
    expect((await helper(room().who, ['run', '--foreground', '--bundle', bundle, 'a'])).code).toBe(0)
    const config = JSON.parse(readFileSync(join(bundle, 'config.json'), 'utf8'))
    config.process.args = ['/tmp/p', 'ids']
    config.process.user = { uid: 33, gid: 33 }
    ;(await import('node:fs')).writeFileSync(join(bundle, 'config.json'), JSON.stringify(config))
    const result = await helper(room().who, ['run', '--foreground', '--bundle', bundle, 'b'])
    expect(outputOf(result)).toBe('33 33 33 33')
    room().layers.shift()
  })

  test('processes outside can be neither seen nor signalled nor traced, pid 1 not traced', async () => {
    const outcomes = await probe(room(), `kill ${process.pid}`, `trace ${process.pid}`, 'trace 1')
    expect(outcomes.map(line => line.split(': ')[1])).toEqual(['ESRCH', 'ESRCH', 'EPERM'])
    expect((await output(room(), 'sh', '-c', 'kill -9 -1; echo alive')).trim()).toBe('alive')
  })

  test('CVE-2017-5226: nothing can be typed into the terminal that the helper was started from', async () => {
    const { startPty } = await import('../harness/pty.ts')
    const say = async (strata: Record<string, unknown>) => {
      const { kind: who, uid, gid } = room().who
      const bundle = room().bundle({ args: ['sh', '-c', 'probe type-into-terminal'], strata })
      const as = who === 'root' ? [] : ['--reuid', String(uid), '--regid', String(gid), '--clear-groups']
      const pty = startPty('setpriv', [...as, helperPath, 'run', '--foreground', '--bundle', bundle, 'x'])
      await pty.ended
      return pty.text().trim()
    }
    expect(await say({})).toBe('EPERM')
    expect(await say({ seccomp: 'none' })).toMatch(/^(EPERM|EIO|ENOTTY)$/)
  })

  test.runIf(kind !== 'single id')(
    'an image whose passwd is a pipe, a device or endless does not hold the start up',
    async () => {
      for (const lines of ['fifo etc/passwd', 'link etc/passwd -> /dev/zero', 'link etc/passwd -> passwd']) {
        await room().add(tar('dir etc', lines))
        expect((await room().run({ args: ['true'], strata: { user: 'somebody' } })).code).toBe(125)
        room().layers.shift()
      }
    },
  )

  test('nothing of the container is written to the layers below', async () => {
    const base = room().layers.at(-1)!
    const before = statSync(join(base, 'tmp')).mtimeMs
    await room().run({ args: ['sh', '-c', 'touch /tmp/x /bin/y; rm /inside-the-container'] })
    expect([statSync(join(base, 'tmp')).mtimeMs, existsSync(join(base, 'inside-the-container'))]).toEqual([
      before,
      true,
    ])
  })

  test('a config.json that is none, or too much, is refused in a sentence', async () => {
    const { writeFileSync } = await import('node:fs')
    const bundle = room().bundle({ args: ['true'] })
    const deep = `${'['.repeat(100_000)}`
    for (const text of [
      '',
      '{',
      '[]',
      '{"process":{"args":[]}}',
      '{"a":1,"a":2}',
      '{"process":{"args":"x"}}',
      deep,
      `"${'x'.repeat(5 << 20)}"`,
      '{"x":"\\u0000"}',
      '{"x":"\xff"}',
      '{"a":01}',
    ]) {
      writeFileSync(join(bundle, 'config.json'), Buffer.from(text, 'latin1'))
      const result = await helper(room().who, ['run', '--foreground', '--bundle', bundle, 'x'])
      expect([result.code, errorOf(result)]).toEqual([125, expect.stringMatching(/^config/)])
    }
    for (const id of ['../x', '.x', 'a b', ''])
      expect((await helper(room().who, ['run', '--foreground', '--bundle', bundle, id])).code).toBe(2)
  })
})

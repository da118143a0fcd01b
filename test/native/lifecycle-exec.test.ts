/** Another command in a container that runs: held to the same rules, in nobody's way when it is killed. */
import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { until } from '../harness/command.ts'
import { startPty } from '../harness/pty.ts'
import { entry, tar } from '../harness/tar.ts'
import { containersOf } from './containers.ts'
import { errorOf, helperPath } from './helper.ts'
import { asEverybody } from './suite.ts'

const forever = ['sh', '-c', 'echo up; while :; do sleep 0.05; done']

asEverybody('exec', (room, kind) => {
  test.each([
    ['0', ['true'], 0],
    ['7', ['sh', '-c', 'exit 7'], 7],
    ['a signal', ['probe', 'raise', '9'], 137],
    ['a command that is not there', ['no-such-command'], 127],
    ['a command that can not be run', ['/inside-the-container'], 126],
    ['a directory that is not there', ['--cwd', '/nowhere', 'true'], 125],
  ])('exit status: %s', async (_, words, status) => {
    const c = containersOf(room())
    const id = await c.run({ args: forever })
    const at = words[0] === '--cwd' ? 2 : 0
    expect((await c.verb('exec', ...words.slice(0, at), id, ...words.slice(at))).code).toBe(status)
  })

  test('streams, environment over the container’s, directory; what follows the id is the command’s', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: forever, env: ['A=1', 'B=2'], cwd: '/tmp' })
    const script = 'cat; echo problem >&2; echo $A $B $C; pwd'
    const words = ['exec', '--env', 'B=3', '-e', 'C=4', id, 'sh', '-c', script, '--env']
    const result = await c.feed('one\n', ...words)
    expect([result.code, result.stdout.toString(), result.stderr]).toEqual([0, 'one\n1 3 4\n/tmp\n', 'problem\n'])
    expect(await c.say('exec', '--cwd', '/bin', id, 'pwd')).toBe('/bin')
    expect((await c.feed('lost\n', 'exec', '--no-stdin', id, 'cat')).stdout.toString()).toBe('')
  })

  test('the same world: processes, host name, files, network, devices, loopback', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: ['sh', '-c', 'echo here > /tmp/x; echo up; sleep 1000'], top: { hostname: 'box' } })
    await c.said(id, 'up')
    const script =
      'hostname; cat /tmp/x; ps | grep -c "sleep 1000"; for n in pid mnt net ipc uts cgroup user; do readlink /proc/self/ns/$n; done'
    const lines = (await c.say('exec', id, 'sh', '-c', script)).split('\n')
    expect(lines.slice(0, 2)).toEqual(['box', 'here'])
    const { pid } = await c.state(id)
    const theirs = ['pid', 'mnt', 'net', 'ipc', 'uts', 'cgroup', 'user'].map(name =>
      readlinkSync(`/proc/${pid}/ns/${name}`),
    )
    expect(lines.slice(3)).toEqual(theirs)
  })

  test('the same rules: capabilities, no new privileges, filter, nothing of ours open', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: forever })
    const status = (text: string) =>
      text.split('\n').filter(line => /^(Cap|NoNewPrivs|Seccomp:|Uid|Gid|Groups)/.test(line))
    const first = status(await c.say('exec', id, 'cat', '/proc/2/status'))
    expect(status(await c.say('exec', id, 'cat', '/proc/self/status'))).toEqual(first)
    expect(first).toContain('CapPrm:\t00000000a80425fb')
    expect((await c.say('exec', id, 'probe', 'descriptors')).trim()).toBe('0 1 2')
    for (const call of ['mount', 'user-namespace', 'call 321', 'unmount /proc/keys'])
      expect(await c.say('exec', id, 'probe', ...call.split(' '))).toBe('EPERM')
  })

  test.runIf(kind !== 'single id')('a user by number, by name, with a group', async () => {
    const c = containersOf(room())
    const passwd = 'root:x:0:0::/root:/bin/sh\nweb:x:33:34::/srv/web:/bin/sh\n'
    const group = 'web:x:34:\nextra:x:50:web\n'
    await room().add(
      tar(
        entry({ path: 'etc/passwd', body: Buffer.from(passwd) }),
        entry({ path: 'etc/group', body: Buffer.from(group) }),
      ),
    )
    const id = await c.run({ args: forever })
    room().layers.shift()
    const ids = (user: string) => c.say('exec', '--user', user, id, 'sh', '-c', 'echo $(id -u) $(id -G) $HOME')
    expect(await ids('web')).toBe('33 34 50 /srv/web')
    expect(await ids('33:7')).toBe('33 7 /srv/web')
    expect(await ids('0')).toBe('0 0 /root')
    expect((await c.verb('exec', '--user', 'nobody-here', id, 'true')).code).toBe(125)
  })

  test('a process file in place of the options', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: forever, env: ['A=1'] })
    const file = join(room().path, `process-${id}.json`)
    writeFileSync(
      file,
      JSON.stringify({ args: ['sh', '-c', 'echo "$A $B"; pwd; exit 5'], env: ['PATH=/bin', 'B=2'], cwd: '/tmp' }),
    )
    const result = await c.verb('exec', '--process', file, id)
    expect([result.code, result.stdout.toString()]).toEqual([5, ' 2\n/tmp\n'])
    writeFileSync(file, '{"args":"x"}')
    expect((await c.verb('exec', '--process', file, id)).code).toBe(125)
  })

  test('a terminal: its own, with the size of ours; keys, resize, exit status; ours is as it was', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: forever })
    const { uid, gid } = room().who
    const as = kind === 'root' ? [] : ['--reuid', String(uid), '--regid', String(gid), '--clear-groups']
    const script =
      'tty; stty size; trap "stty size" WINCH; echo $TERM; read x; while [ -z "$x" ]; do read x; done; echo "<$x>"; exit 6'
    const words = [helperPath, '--root', c.root, 'exec', '--tty', id, 'sh', '-c', script]
    const pty = startPty('setpriv', [...as, '--', ...words])
    await pty.until('xterm')
    pty.resize(90, 30)
    await pty.until('30 90')
    pty.send('hello\r')
    expect((await pty.ended).code).toBe(6)
    expect(pty.text()).toMatch(/\/dev\/pts\/0\s+36 120\s+xterm[\s\S]*<hello>/)
  })

  test('--detach is back when the command runs, and its parent is inside', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: forever })
    const pidFile = join(room().path, `pid-${id}`)
    const { uid, gid } = room().who
    const script = 'echo $PPID > /tmp/parent; exec sleep 1000'
    const words = ['--root', c.root, 'exec', '--detach', '--pid-file', pidFile, id, 'sh', '-c', script]
    const detached = spawn(helperPath, words, { uid, gid, stdio: 'ignore' })
    expect(await new Promise(resolve => detached.once('close', resolve))).toBe(0)
    const pid = Number(readFileSync(pidFile, 'utf8'))
    await until(async () => (await c.verb('exec', id, 'cat', '/tmp/parent')).stdout.length > 1)
    await until(() => readFileSync(`/proc/${pid}/cmdline`, 'latin1') === 'sleep\x001000\0')
    // The parent is a process of the container, whose parent is the container's pid 1.
    const parent = await c.say('exec', id, 'cat', '/tmp/parent')
    expect(await c.say('exec', id, 'grep', 'PPid', `/proc/${parent}/status`)).toBe('PPid:\t1')
    expect((await c.verb('exec', '--detach', '--tty', id, 'true')).code).toBe(125)
    // Whoever is outside could be stopped or killed: the container must be able to end all the same.
    await c.say('kill', id, 'KILL')
    expect((await c.ended(id)).strata.exitCode).toBe(137)
  })

  test.each([
    'SIGKILL',
    'SIGSTOP',
  ] as const)('the helper of an exec gets %s: the container ends as ever', async signal => {
    const c = containersOf(room())
    const id = await c.run({ args: forever })
    const { uid, gid } = room().who
    const args = ['--root', c.root, 'exec', id, 'sh', '-c', 'echo up; sleep 1000']
    const exec = spawn(helperPath, args, { uid, gid, stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise(resolve => exec.stdout.once('data', resolve))
    const closed = new Promise(resolve => exec.once('close', resolve))
    exec.kill(signal)
    await c.say('kill', id, 'KILL')
    expect((await c.ended(id)).strata.exitCode).toBe(137)
    await c.say('delete', id)
    exec.kill('SIGKILL')
    await closed
  })

  test('a command in a container that ends, ends with it', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: ['sh', '-c', 'read x'] })
    const running = c.verb('exec', id, 'sleep', '1000')
    await until(async () => (await c.say('exec', id, 'ps')).includes('sleep 1000'))
    const client = await c.connect(id)
    client.send('c')
    expect((await running).code).toBe(137)
  })

  test('what tells of the end of a command can be stopped or killed inside: the helper does not wait for ever', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: forever })
    const stop = 'cd /proc; for p in [0-9]*; do grep -q strata-exec $p/comm && kill -STOP $p; done; exit 3'
    expect((await c.verb('exec', id, 'sh', '-c', stop)).code).toBe(137)
    const kill = stop.replace('STOP', 'KILL')
    expect((await c.verb('exec', id, 'sh', '-c', kill)).code).toBe(137)
    await c.say('kill', id, 'KILL')
    expect((await c.ended(id)).strata.exitCode).toBe(137)
  })

  test('signals to the helper reach the command', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: forever })
    const { uid, gid } = room().who
    const script = 'trap "echo got it; exit 3" TERM; echo up; while :; do sleep 0.01; done'
    const exec = spawn(helperPath, ['--root', c.root, 'exec', id, 'sh', '-c', script], {
      uid,
      gid,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    exec.stdout.on('data', chunk => {
      if (said === '') exec.kill('SIGTERM')
      said += chunk
    })
    const code = await new Promise(resolve => exec.once('close', resolve))
    expect([said, code]).toEqual(['up\ngot it\n', 3])
  })

  test('not in a container that has ended, not in none', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: ['true'] })
    await c.ended(id)
    const result = await c.verb('exec', id, 'true')
    expect([result.code, errorOf(result)]).toEqual([125, `container ${id} is stopped`])
    expect((await c.verb('exec', 'none', 'true')).code).toBe(125)
    expect((await c.verb('exec', id)).code).toBe(2)
  })

  test('CVE-2019-5736: a command that is a link to /proc/self/exe is a sealed copy, and so is what runs before it', async () => {
    const c = containersOf(room())
    await room().add(tar('link bin/evil -> /proc/self/exe'))
    const id = await c.run({ args: forever })
    room().layers.shift()
    const before = readFileSync(helperPath)
    await c.verb('exec', id, '/bin/evil')
    const script =
      'i=0; while [ $i -lt 400 ]; do for p in /proc/[0-9]*; do (echo x > $p/exe) 2>/dev/null && echo wrote; done; i=$((i+1)); done'
    const attack = c.verb('exec', id, 'sh', '-c', script)
    for (let i = 0; i < 10; i++) await c.verb('exec', id, 'true')
    await c.say('kill', id, 'KILL')
    expect((await attack).stdout.toString()).toBe('')
    expect(readFileSync(helperPath).equals(before)).toBe(true)
  })

  test('CVE-2024-21626: no descriptor of ours is a way out, not as working directory, not in the command', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: forever })
    const host = openSync('/', 'r')
    const { uid, gid } = room().who
    try {
      const leaky = (...words: string[]) => {
        const run = spawn(helperPath, ['--root', c.root, 'exec', ...words], {
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
      expect(await leaky(id, 'probe', 'descriptors')).toBe('0 0 1 2')
      for (let fd = 3; fd < 16; fd++)
        expect(await leaky('--cwd', `/proc/self/fd/${fd}`, id, 'ls', '-a', '..')).toMatch(/^125/)
    } finally {
      closeSync(host)
    }
  })

  test('what runs before the command, and pid 1, can be neither traced nor read from inside', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: forever })
    expect(await c.say('exec', id, 'probe', 'trace', '1')).toBe('EPERM')
    const script =
      'for f in mem environ root/ fd/ cwd/ exe; do ls -L /proc/1/$f/. >/dev/null 2>&1 && echo $f; done; cat /proc/1/environ /proc/1/cmdline 2>/dev/null | tr -d "\\0"; true'
    expect(await c.say('exec', id, 'sh', '-c', script.replace(' | tr -d "\\0"', ''))).toMatch(/^\0*$/)
    const spy =
      'i=0; while [ $i -lt 300 ]; do for p in /proc/[0-9]*; do case "$(cat $p/comm 2>/dev/null)" in strata*) cat $p/environ $p/maps 2>/dev/null; readlink $p/fd/* 2>/dev/null; grep -a native $p/cmdline 2>/dev/null;; esac; done; i=$((i+1)); done'
    const spying = c.verb('exec', id, 'sh', '-c', spy)
    for (let i = 0; i < 10; i++) await c.verb('exec', '--env', 'SECRET=1', id, 'true')
    await c.say('kill', id, 'KILL')
    expect((await spying).stdout.toString()).toBe('')
  })

  test('a container without /dev/pts gets no terminal, and nothing in its place is taken for one', async () => {
    const c = containersOf(room())
    const mounts = [
      { destination: '/proc', type: 'proc' },
      { destination: '/dev', type: 'tmpfs' },
    ]
    const script = 'mkdir /dev/pts && echo > /dev/pts/ptmx; echo up; sleep 1000'
    const id = await c.run({ args: ['sh', '-c', script], top: { mounts } })
    await c.said(id, 'up')
    const result = await c.verb('exec', '--tty', id, 'true')
    expect([result.code, errorOf(result)]).toEqual([125, '/dev/pts of the container is not a devpts'])
    await c.say('exec', id, 'sh', '-c', 'rm /dev/pts/ptmx; ln -s /dev/tty /dev/pts/ptmx')
    expect((await c.verb('exec', '--tty', id, 'true')).code).toBe(125)
  })
})

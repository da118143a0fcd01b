/** `strata shell`, as everybody: the image as of a step, what that step has set, and nothing left. */
import { spawn } from 'node:child_process'
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { node } from '../harness/bundle.ts'
import { tryCommand, until } from '../harness/command.ts'
import { dockerArchive } from '../harness/docker-archives.ts'
import { startPty } from '../harness/pty.ts'
import { program } from '../harness/strata.ts'
import { tar } from '../harness/tar.ts'
import { helperPath } from './helper.ts'
import type { Room } from './room.ts'
import { asEverybody } from './suite.ts'

function shells(room: Room) {
  const { uid, gid } = room.who
  const home = join(room.path, 'home')
  mkdirSync(home, { recursive: true })
  chownSync(home, uid, gid)
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: home,
    STRATA_ROOT: join(home, 'strata'),
    STRATA_NATIVE_HELPER: helperPath,
    XDG_CACHE_HOME: join(home, 'cache'),
    TZ: 'UTC',
  }
  return {
    env,
    home,
    run: (...args: string[]) => tryCommand(node, [program(), 'shell', ...args], { env, uid, gid, cwd: home }),
    left: () => readdirSync(join(home, 'strata/state/shells')),
  }
}

asEverybody('a shell in an image', (room, kind) => {
  test("the step's environment, directory and user", async () => {
    const { run, left } = shells(room())
    const script = 'id -u; pwd; echo $APP_PORT; ls /srv/app | head -n 1'
    // With one id there is only root to be.
    const as = kind === 'single id' ? ['-u', '0'] : []
    const { code, stdout, stderr } = await run(...as, 'sample', '--', 'sh', '-c', script)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout.toString()).toBe(`${kind === 'single id' ? 0 : 1000}\n/srv/app\n8080\ncache\n`)
    expect(left()).toEqual([])
  })

  test('an earlier step has what was there then, and nothing later', async () => {
    const { run } = shells(room())
    const { stdout } = await run('sample@5', '--', 'sh', '-c', 'pwd; echo [$APP_PORT]; ls /srv; id -u')
    expect(stdout.toString()).toBe('/\n[]\n0\n')
  })

  test('what is changed is gone the next time', async () => {
    const { run, left } = shells(room())
    const change = 'echo x > /made && rm -rf /etc && ls /'
    expect((await run('sample@4', '--', 'sh', '-c', change)).stdout.toString()).toContain('made')
    const again = (await run('sample@4', '--', 'ls', '/')).stdout.toString().split('\n')
    expect([again.includes('made'), again.includes('etc')]).toEqual([false, true])
    expect(left()).toEqual([])
  })

  test.each([
    ['its own', ['sh', '-c', 'exit 7'], 7, ''],
    ['128+n for a signal', ['sh', '-c', 'kill -TERM $$'], 143, ''],
    ['127 for what is not there', ['no-such-program'], 127, 'no-such-program'],
    ['126 for what can not be run', ['/etc/passwd'], 126, '/etc/passwd'],
  ])('exit status: %s', async (_, command, status, said) => {
    const { code, stderr } = await shells(room()).run('sample@5', '--', ...command)
    expect(code).toBe(status)
    expect(stderr).toContain(said)
  })

  test('no network but loopback unless it is asked for', async () => {
    const { run } = shells(room())
    const devices = async (...args: string[]) => {
      const { stdout } = await run(...args, 'sample@1', '--', 'cat', '/proc/net/dev')
      return [...stdout.toString().matchAll(/^ *(\S+):/gm)].map(match => match[1]).filter(name => name !== 'lo')
    }
    expect(await devices()).toEqual([])
    const own = [...readFileSync('/proc/net/dev', 'latin1').matchAll(/^ *(\S+):/gm)].map(match => match[1])
    expect(await devices('--network', 'host')).toEqual(own.filter(name => name !== 'lo'))
  })

  test('an image without a shell gets a lent one, which leaves no trace in it', async () => {
    const { env, home } = shells(room())
    const path = join(home, 'none.tar')
    writeFileSync(
      path,
      dockerArchive({ layers: [tar('file hello 3')], config: { Env: ['PATH=/nowhere'] } }, 'docker-25'),
    )
    chmodSync(path, 0o644)
    const { uid, gid } = room().who
    const input = 'echo $PATH; ls /hello; exit 5\n'
    const args = [program(), 'shell', path]
    const { code, stdout } = await tryCommand(node, args, { env, uid, gid, cwd: home, input })
    expect([code, stdout.toString()]).toEqual([5, '/nowhere:/.strata\n/hello\n'])
    const plain = await tryCommand(node, [...args, '--', '/hello'], { env, uid, gid, cwd: home })
    expect(plain.code).toBe(126)
  })

  test('kept, it is a container', async () => {
    const { run, env, home } = shells(room())
    const { uid, gid } = room().who
    const strata = (...args: string[]) => tryCommand(node, [program(), ...args], { env, uid, gid, cwd: home })
    expect((await run('--keep', 'mine', 'sample@4', '--', 'sh', '-c', 'echo x > /made')).code).toBe(0)
    expect((await strata('diff', 'mine')).stdout.toString()).toContain('A /made')
    expect((await strata('rm', 'mine')).code).toBe(0)
    expect((await strata('ps', '-aq')).stdout.toString()).toBe('')
  })

  test('a Strata that is killed takes the shell with it, and the next one sweeps', async () => {
    const { run, env, home, left } = shells(room())
    const { uid, gid } = room().who
    const args = [program(), 'shell', 'sample@4', '--', 'sh', '-c', 'echo here; sleep 1000']
    const child = spawn(node, args, { env, uid, gid, cwd: home, stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise(resolve => child.stdout.once('data', resolve))
    child.kill('SIGKILL')
    expect(left()).toHaveLength(1)
    await until(() => sleepers(home) === 0, { failure: () => 'the shell outlived its Strata' })
    await run('sample@4', '--', 'ls')
    expect(left()).toEqual([])
  })

  // The terminal of a test is root's own.
  if (kind === 'root')
    test('on a terminal: the best shell there is, the size, and the terminal whole again', async () => {
      const { env, home } = shells(room())
      const pty = startPty(node, [program(), 'shell', 'sample@5'], {
        environment: env,
        cwd: home,
        columns: 97,
        rows: 21,
      })
      await pty.until('/ #')
      pty.send('stty size; tty; exit 9\r')
      await pty.until('21 97')
      await pty.until('/dev/pts/0')
      expect((await pty.ended).code).toBe(9)
      expect(pty.whole()).toBe(true)
    })
})

/** Containers whose layers lie in a folder. */
function sleepers(folder: string): number {
  return readdirSync('/proc').filter(pid => {
    try {
      return /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/mountinfo`, 'latin1').includes(folder)
    } catch {
      return false
    }
  }).length
}

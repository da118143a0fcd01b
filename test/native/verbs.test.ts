/** docker's verbs on the native engine, as everybody: from the command line, the program as a person starts it. */
import { execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { node } from '../harness/bundle.ts'
import { tryCommand, until } from '../harness/command.ts'
import { dockerArchive } from '../harness/docker-archives.ts'
import { startPty } from '../harness/pty.ts'
import { program } from '../harness/strata.ts'
import { entry, tar } from '../harness/tar.ts'
import { helperPath } from './helper.ts'
import type { Room } from './room.ts'
import { asEverybody } from './suite.ts'

interface Said {
  code: number
  out: string
  err: string
}

/** A home of its own with the image `app:1` in its native store. */
function workplace(room: Room) {
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
    XDG_RUNTIME_DIR: home,
    TZ: 'UTC',
  }
  const strata = async (...args: string[]): Promise<Said> => {
    const { code, stdout, stderr } = await tryCommand(node, [program(), ...args], { env, uid, gid, cwd: home })
    return { code, out: stdout.toString(), err: stderr }
  }
  const folders = (name: string) => {
    const path = join(home, 'strata', name)
    return existsSync(path) ? readdirSync(path).filter(one => /^[0-9a-f]{64}$/.test(one)) : []
  }
  return { home, env, uid, gid, strata, left: () => [...folders('containers'), ...folders('state')] }
}

/** busybox, and a little to change. */
function base(): Uint8Array {
  const busybox = execFileSync('sh', ['-c', 'command -v busybox']).toString().trim()
  const names = 'sh cat ls id echo sleep true false mkdir touch rm ln chmod chown stty printf'.split(' ')
  const program = entry({ path: 'bin/busybox', body: readFileSync(busybox), mode: 0o755 })
  const links = names.map(name => `link bin/${name} -> busybox`).join('\n')
  return tar('dir bin', program, links, 'dir tmp 01777\ndir etc\nfile etc/motd 5')
}

type Workplace = ReturnType<typeof workplace>

const places = new Map<Room, Workplace>()

async function withImage(room: Room): Promise<Workplace> {
  const known = places.get(room)
  if (known) return known
  const place = workplace(room)
  const config = { Env: ['PATH=/bin', 'OF_IMAGE=1'], Cmd: ['sh', '-c', 'echo from the image'] }
  const archive = join(place.home, 'app.tar')
  writeFileSync(archive, dockerArchive({ layers: [base()], names: ['app:1'], config }, 'docker-25'))
  expect(await place.strata('load', '-i', archive)).toMatchObject({ code: 0, err: '' })
  places.set(room, place)
  return place
}

asEverybody('verbs', (room, kind) => {
  test('run --rm leaves nothing, whatever comes of it', async () => {
    const { strata, left } = await withImage(room())
    for (const [command, code, out] of [
      [[], 0, 'from the image\n'],
      [['sh', '-c', 'echo $OF_IMAGE; echo x > /made; exit 7'], 7, '1\n'],
      [['no-such-program'], 127, ''],
      [['/etc/passwd-not'], 127, ''],
      [['/etc'], 126, ''],
    ] as const)
      expect(await strata('run', '--rm', 'app:1', ...command)).toMatchObject({ code, out })
    expect(left()).toEqual([])
  })

  test('a container is there from run -d to rm, and says what it is', async () => {
    const { strata, left } = await withImage(room())
    const id = (await strata('run', '-d', '--name', 'life', 'app:1', 'sleep', '1000')).out.trim()
    expect(id).toMatch(/^[0-9a-f]{64}$/)
    const state = async () => JSON.parse((await strata('ps', '-a', '--json', '--filter', 'name=life')).out)
    expect(await state()).toMatchObject({ id, state: 'running', engine: 'native', exitCode: null })
    expect((await strata('exec', 'life', 'sh', '-c', 'echo $OF_IMAGE; exit 3')).code).toBe(3)
    expect((await strata('top', id.slice(0, 8))).out).toContain('sleep 1000')
    expect(await strata('run', '--name', 'life', 'app:1', 'true')).toMatchObject({ code: 125, out: '' })
    expect((await strata('rm', 'life')).code).toBe(1)
    expect(await strata('stop', '-t', '20', 'life')).toEqual({ code: 0, out: 'life\n', err: '' })
    expect(await state()).toMatchObject({ state: 'exited', exitCode: 143 })
    expect((await strata('start', 'life')).code).toBe(0)
    expect((await strata('kill', 'life')).code).toBe(0)
    expect((await strata('wait', 'life')).out).toBe('137\n')
    expect((await strata('rename', 'life', 'afterlife')).code).toBe(0)
    expect(await strata('rm', 'life')).toMatchObject({ code: 1 })
    expect(await strata('rm', 'afterlife')).toEqual({ code: 0, out: 'afterlife\n', err: '' })
    expect(left()).toEqual([])
  })

  test('diff, commit and cp, of one that runs and of one that does not', async () => {
    const { strata, home, left } = await withImage(room())
    // Two owners, where there are two.
    const own = kind === 'single id' ? '' : 'chown 33:33 /d/secret;'
    await strata(
      'run',
      '-d',
      '--name',
      'made',
      'app:1',
      'sh',
      '-c',
      `mkdir /d; echo 1 > /d/secret; chmod 600 /d/secret; ${own} ln -s / /d/up; rm /etc/motd; sleep 1000`,
    )
    const wanted = 'C /etc\nD /etc/motd\nA /d\nA /d/secret\nA /d/up\n'.split('\n').sort()
    await until(async () => (await strata('diff', 'made')).out.split('\n').length === wanted.length)
    expect((await strata('diff', 'made')).out.split('\n').sort()).toEqual(wanted)
    for (const turn of ['running', 'stopped']) {
      expect(await strata('cp', 'made:/d/up/d/secret', join(home, turn))).toMatchObject({ code: 0, err: '' })
      expect(readFileSync(join(home, turn), 'utf8')).toBe('1\n')
      writeFileSync(join(home, 'in'), turn)
      expect(await strata('cp', join(home, 'in'), `made:/d/up/tmp/${turn}`)).toMatchObject({ code: 0, err: '' })
      const image = await strata('commit', '-c', 'CMD ["cat", "/d/secret"]', 'made', `was:${turn}`)
      expect(image).toMatchObject({ code: 0, err: '', out: expect.stringMatching(/^sha256:[0-9a-f]{64}\n$/) })
      expect((await strata('run', '--rm', `was:${turn}`)).out).toBe('1\n')
      expect(
        (await strata('run', '--rm', `was:${turn}`, 'sh', '-c', `cat /tmp/${turn}; ls /etc/motd 2>/dev/null`)).out,
      ).toBe(turn)
      if (turn === 'running') await strata('stop', '-t', '0', 'made')
    }
    expect((await strata('rm', 'made')).code).toBe(0)
    expect(left()).toEqual([])
  })

  test('logs: all of it, the end of it, and as it comes', async () => {
    const { strata, env, uid, gid } = await withImage(room())
    await strata(
      'run',
      '-d',
      '--name',
      'says',
      'app:1',
      'sh',
      '-c',
      'echo one; echo two >&2; while [ ! -e /go ]; do sleep 0.1; done; echo three; printf four',
    )
    await until(async () => (await strata('logs', 'says')).err === 'two\n')
    expect(await strata('logs', 'says')).toEqual({ code: 0, out: 'one\n', err: 'two\n' })
    const following = spawn(node, [program(), 'logs', '-f', '--tail', '1', 'says'], { env, uid, gid })
    let said = ''
    following.stdout.on('data', chunk => (said += chunk))
    following.stderr.on('data', chunk => (said += chunk))
    const ended = new Promise(resolve => following.on('close', resolve))
    await until(() => said === 'two\n')
    await strata('exec', 'says', 'touch', '/go')
    await ended
    expect(said).toBe('two\nthree\nfour')
    await strata('rm', '-f', 'says')
  })

  test('strata killed in the middle: the container goes on, and its end is told', async () => {
    const { strata, env, uid, gid } = await withImage(room())
    const child = spawn(
      node,
      [program(), 'run', '--name', 'orphan', 'app:1', 'sh', '-c', 'while [ ! -e /go ]; do sleep 0.1; done; exit 6'],
      { env, uid, gid, stdio: 'ignore' },
    )
    await until(async () => (await strata('ps')).out.includes('orphan'))
    child.kill('SIGKILL')
    await new Promise(resolve => child.on('close', resolve))
    expect((await strata('ps')).out).toContain('orphan')
    expect((await strata('exec', 'orphan', 'touch', '/go')).code).toBe(0)
    expect((await strata('wait', 'orphan')).out).toBe('6\n')
    expect((await strata('ps', '-a')).out).toMatch(/Exited \(6\)/)
    expect((await strata('rm', 'orphan')).code).toBe(0)
  })

  test('a dead monitor is told as what it is, and the container can be taken away', async () => {
    const { strata, home, left } = await withImage(room())
    const id = (await strata('run', '-d', '--name', 'alone', 'app:1', 'sleep', '1000')).out.trim()
    const { monitorPid } = JSON.parse(readFileSync(join(home, 'strata/state', id, 'state.json'), 'utf8'))
    process.kill(monitorPid, 'SIGKILL')
    const row = async () => JSON.parse((await strata('ps', '-a', '--json', '--filter', 'name=alone')).out)
    await until(async () => (await row()).status.includes('(monitor died)'))
    expect((await row()).state).toBe('running')
    expect((await strata('stop', '-t', '0', 'alone')).code).toBe(0)
    expect(await row()).toMatchObject({ state: 'lost', status: 'Lost (monitor died)', exitCode: null })
    expect((await strata('rm', '-f', 'alone')).code).toBe(0)
    expect(left()).toEqual([])
  })

  test('the terminal is the container’s, and whole again when it is let go and when it ends', async () => {
    const { env, uid, gid, strata, home } = await withImage(room())
    onTestFinished(async () => void (await strata('rm', '-f', 'screen')))
    const as = kind === 'root' ? [] : [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups']
    const pty = startPty('setpriv', [...as, 'sh'], { environment: env, cwd: home, columns: 90, rows: 20 })
    pty.send(`PS1='host> '; ${node} ${program()} run -it --name screen app:1 sh\r`)
    await pty.until(/\/ [#$]$/m)
    pty.send('stty size; echo PID $$\r')
    await pty.until('20 90')
    pty.resize(100, 30)
    await until(async () => {
      pty.send('stty size\r')
      return /30 100/.test(pty.text())
    })
    pty.send('\x10\x11')
    await pty.until(screen => /host>$/m.test(screen))
    pty.send('stty -a | grep -o " echo "; echo let go\r')
    await pty.until(/^let go/m)
    expect((await strata('ps')).out).toContain('screen')
    pty.send(`${node} ${program()} attach screen; echo code $?\r`)
    pty.send('\r')
    await until(() => /\/ [#$]$/m.test(pty.line(pty.terminal.buffer.active.cursorY)))
    pty.send('exit 4\r')
    await pty.until('code 4')
    expect(pty.whole()).toBe(true)
    pty.send('exit\r')
    await pty.ended
  })

  test.skipIf(kind === 'single id')(
    'two hundred containers at once come, are listed, and go without a trace',
    async () => {
      const { strata, left } = await withImage(room())
      const count = 200
      const ids: string[] = []
      let next = 0
      const worker = async () => {
        while (next < count) {
          const number = next++
          const flags = ['-d', '--network', 'none', '--name', `many-${number}`]
          const { code, out, err } = await strata('run', ...flags, 'app:1', 'sleep', '10000')
          expect([code, err]).toEqual([0, ''])
          ids.push(out.trim())
        }
      }
      await Promise.all(Array.from({ length: 4 }, worker))
      const rows = (await strata('ps', '-q', '--no-trunc')).out.trim().split('\n')
      expect(rows.sort()).toEqual(ids.sort())
      expect((await strata('rm', '-f', ...ids)).code).toBe(0)
      expect((await strata('ps', '-aq')).out).toBe('')
      expect(left()).toEqual([])
    },
    300_000,
  )
})

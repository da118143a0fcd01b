/** The command line and the state as crun and runc have them: a bundle of somebody else's, without a word of ours in it. */
import { execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { until } from '../harness/command.ts'
import { containersOf } from './containers.ts'
import { errorOf, helper, helperPath } from './helper.ts'
import type { Room } from './room.ts'
import { asEverybody } from './suite.ts'

/** What `runc spec` would write, more or less, over a copy of the base layer. */
function foreign(room: Room, args: string[], process: object = {}): string {
  const bundle = room.bundle({ args })
  const config = {
    ociVersion: '1.0.2-dev',
    process: { user: { uid: 0, gid: 0 }, args, env: ['PATH=/bin'], cwd: '/', noNewPrivileges: true, ...process },
    root: { path: 'rootfs', readonly: true },
    hostname: 'foreign',
    annotations: { 'org.example': 'x' },
    linux: { namespaces: ['pid', 'network', 'ipc', 'uts', 'mount'].map(type => ({ type })) },
  }
  mkdirSync(join(bundle, 'rootfs'))
  cpSync(room.layers.at(-1)!, join(bundle, 'rootfs'), { recursive: true, verbatimSymlinks: true })
  for (const name of ['proc', 'sys', 'dev']) mkdirSync(join(bundle, 'rootfs', name))
  writeFileSync(join(bundle, 'config.json'), JSON.stringify(config))
  if (room.who.kind !== 'root') execFileSync('chown', ['-R', `${room.who.uid}:${room.who.gid}`, bundle])
  return bundle
}

asEverybody('as others call it', room => {
  test('the life of a container by the specification', async () => {
    const c = containersOf(room())
    const bundle = foreign(room(), ['sh', '-c', 'echo $$ > /dev/shm/x; exec sleep 1000'])
    const id = c.newId()
    const { uid, gid } = room().who
    // Without --log the streams are the caller's: they stay open, as with crun.
    const run = (...words: string[]) =>
      new Promise(resolve =>
        spawn(helperPath, ['--root', c.root, '--log-format', 'json', ...words], { uid, gid, stdio: 'ignore' }).once(
          'close',
          resolve,
        ),
      )
    expect(await run('create', '--bundle', bundle, '--pid-file', join(bundle, 'pid'), id)).toBe(0)
    const created = await c.state(id)
    expect(created).toMatchObject({ id, status: 'created', bundle, annotations: { 'org.example': 'x' } })
    expect(created.pid).toBe(Number(readFileSync(join(bundle, 'pid'), 'utf8')))
    expect(await run('start', id)).toBe(0)
    expect((await c.state(id)).status).toBe('running')
    await until(async () => (await c.verb('exec', id, 'cat', '/dev/shm/x')).stdout.toString() === '1\n')
    expect(await run('delete', id)).toBe(1)
    expect(await run('kill', id, 'KILL')).toBe(0)
    expect(await c.ended(id)).toMatchObject({ status: 'stopped', pid: 0 })
    expect(await run('kill', id, 'KILL')).toBe(1)
    expect(await run('delete', id)).toBe(0)
    expect(await run('state', id)).toBe(1)
  })

  test('run: attached, detached with a short flag, and in the working directory', async () => {
    const c = containersOf(room())
    const bundle = foreign(room(), ['sh', '-c', 'hostname; exit 3'])
    const front = await c.verb('run', '-b', bundle, 'front')
    expect([front.code, front.stdout.toString()]).toEqual([3, 'foreign\n'])
    const here = await helper(room().who, ['--root', c.root, 'run', 'here'], { cwd: bundle })
    expect([here.code, here.stdout.toString()]).toEqual([3, 'foreign\n'])
    const id = c.newId()
    await c.verb('run', '-d', `--bundle=${bundle}`, id)
    expect((await c.ended(id)).strata.exitCode).toBe(3)
  })

  test('what is bound by a relative path is in the bundle', async () => {
    const c = containersOf(room())
    const bundle = foreign(room(), ['cat', '/dev/shm/file'])
    const path = join(bundle, 'config.json')
    const config = JSON.parse(readFileSync(path, 'utf8')) as object
    const mounts = [
      { destination: '/proc', type: 'proc' },
      { destination: '/dev', type: 'tmpfs' },
      { destination: '/dev/shm', type: 'bind', source: 'given', options: ['rbind', 'ro'] },
    ]
    writeFileSync(path, JSON.stringify({ ...config, mounts }))
    mkdirSync(join(bundle, 'given'))
    writeFileSync(join(bundle, 'given', 'file'), 'from the bundle')
    execFileSync('chown', ['-R', `${room().who.uid}:${room().who.gid}`, join(bundle, 'given')])
    for (const how of [[], ['--foreground']]) {
      const result = await c.verb('run', ...how, '--bundle', bundle, 'relative')
      expect([result.code, result.stdout.toString()]).toEqual([0, 'from the bundle'])
    }
  })

  test('errors go where --log says, as one object of JSON', async () => {
    const c = containersOf(room())
    const log = join(room().path, `errors-${c.newId()}`)
    expect((await c.verb('--log', log, 'start', 'none')).code).toBe(1)
    expect(JSON.parse(readFileSync(log, 'utf8'))).toMatchObject({ level: 'error', msg: 'there is no container none' })
  })

  test('--console-socket: the terminal goes to whoever listens there', async () => {
    const c = containersOf(room())
    const socket = join(room().path, `console-${c.newId()}`)
    // Node can not take descriptors over a socket.
    const receiver = join(room().path, 'receive-terminal')
    const source = fileURLToPath(new URL('./receive-terminal.c', import.meta.url))
    execFileSync('cc', ['-static', '-O1', '-o', receiver, source], { stdio: 'pipe' })
    const listener = spawn(receiver, [socket], { stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    listener.stdout.on('data', chunk => (said += chunk))
    await until(() => said.includes('listening'))
    const id = c.newId()
    const bundle = foreign(room(), ['sh', '-c', 'echo ready; read x; echo "<$x>"; exit 4'], { terminal: true })
    expect((await c.verb('run', '-d', '-b', bundle, '--console-socket', socket, id)).code).toBe(0)
    expect((await c.ended(id)).strata).toMatchObject({ exitCode: 4, tty: true })
    await until(() => said.includes('a terminal'))
    const nobody = await c.verb('create', '-b', bundle, '--console-socket', '/no/such/socket', 'x')
    expect([nobody.code, errorOf(nobody)]).toEqual([125, 'console socket /no/such/socket: No such file or directory'])
  })
})

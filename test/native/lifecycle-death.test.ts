/** What is killed, and when; what the state says afterwards; and that it never says more than is known. */
import { execFileSync, spawn } from 'node:child_process'
import { chownSync, existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { until } from '../harness/command.ts'
import { attachTo, type Containers, containersOf } from './containers.ts'
import { errorOf, helperPath } from './helper.ts'
import { asEverybody } from './suite.ts'

const forever = ['sh', '-c', 'trap "" HUP PIPE; echo up; while :; do sleep 0.02; done']

/** As the kernel says it: not there, or dead and waited for by nobody. */
function alive(pid: number): boolean {
  try {
    return !/^\d+ \(.*\) [ZX]/s.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  } catch {
    return false
  }
}

async function killMonitor(c: Containers, id: string): Promise<void> {
  const monitor = (await c.state(id)).strata.monitorPid!
  process.kill(monitor, 'SIGKILL')
  await until(() => !alive(monitor))
}

/** Changes what stands in a container's state.json. */
function forge(c: Containers, id: string, change: object): void {
  const path = join(c.root, id, 'state.json')
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }))
}

asEverybody('death', room => {
  test('kill -9 of who ran it in front: the container goes on, and tells its end', async () => {
    const c = containersOf(room())
    const id = c.newId()
    const { uid, gid } = room().who
    const args = [
      '--root',
      c.root,
      'run',
      ...c.options(room().bundle({ args: ['sh', '-c', 'echo up; read x; exit 4'] })),
      id,
    ]
    const run = spawn(helperPath, args, { uid, gid, stdio: ['pipe', 'pipe', 'inherit'] })
    await new Promise(resolve => run.stdout.once('data', resolve))
    run.kill('SIGKILL')
    await new Promise(resolve => run.once('close', resolve))
    expect((await c.state(id)).status).toBe('running')
    const client = await c.connect(id)
    client.send('i', Buffer.from('\n'))
    expect((await c.ended(id)).strata).toMatchObject({ exitCode: 4, reason: null })
  })

  test('kill -9 of create at any moment: no container, or a whole one; and its name is free after delete --force', async () => {
    const c = containersOf(room())
    const { uid, gid } = room().who
    for (let after = 0; after < 12; after++) {
      const id = c.newId()
      const args = ['--root', c.root, 'create', ...c.options(room().bundle({ args: ['sh', '-c', 'exit 3'] })), id]
      const create = spawn(helperPath, args, { uid, gid, stdio: 'ignore' })
      const closed = new Promise(resolve => create.once('close', resolve))
      await new Promise(resolve => setTimeout(resolve, after))
      create.kill('SIGKILL')
      await closed
      // The monitor, where there is one already, goes on with what it was told to make.
      if ((await c.verb('state', id)).code === 0) {
        await c.say('start', id)
        expect((await c.ended(id)).strata.exitCode).toBe(3)
      }
      await c.say('delete', '--force', id)
      expect((await c.verb('run', ...c.options(room().bundle({ args: ['true'] })), id)).code).toBe(0)
    }
  })

  test('kill -9 of the monitor: told as what it is; kill, exec and delete still work', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: forever })
    await c.said(id, 'up')
    const { pid } = await c.state(id)
    await killMonitor(c, id)
    expect(await c.state(id)).toMatchObject({
      status: 'running',
      pid,
      strata: { monitorPid: null, reason: 'monitor died' },
    })
    expect(await c.say('exec', id, 'echo', 'inside')).toBe('inside')
    expect(errorOf(await c.verb('attach', id))).toMatch(/^nobody watches over container .*: its monitor died/)
    await c.say('kill', id, 'KILL')
    await until(() => !alive(pid))
    expect(JSON.parse(await c.say('wait', id))).toMatchObject({ exitCode: null, reason: 'monitor died' })
    const last = await c.state(id)
    expect(last).toMatchObject({ status: 'stopped', strata: { exitCode: null, reason: 'monitor died' } })
    const cgroup = join('/sys/fs/cgroup/unified', last.strata.cgroup)
    await c.say('delete', id)
    expect(last.strata.cgroup !== '' && existsSync(cgroup)).toBe(false)
  })

  test('what a delete that was killed has left goes with the next one', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: ['true'] })
    await c.ended(id)
    const left = join(c.root, '.gone-other-4194305')
    const { uid, gid } = room().who
    execFileSync('mkdir', [left], { uid, gid })
    execFileSync('touch', [join(left, 'lock')], { uid, gid })
    expect(await c.say('list')).not.toContain('gone')
    await c.say('delete', id)
    expect(existsSync(left)).toBe(false)
  })

  test('kill -9 of the monitor of a created container takes it along: nobody could start it any more', async () => {
    const c = containersOf(room())
    const id = await c.create({ args: ['true'] })
    const { pid } = await c.state(id)
    await killMonitor(c, id)
    await until(() => !alive(pid))
    expect(await c.state(id)).toMatchObject({ status: 'stopped', strata: { exitCode: null, reason: 'monitor died' } })
    expect((await c.verb('start', id)).code).toBe(1)
  })

  test('kill -9 of the monitor while it works: start and attach tell it, delete --force removes all', async () => {
    const c = containersOf(room())
    for (let after = 0; after < 6; after++) {
      const id = await c.create({ args: ['sh', '-c', 'yes | head -n 100000; sleep 1000'] })
      const monitor = (await c.state(id)).strata.monitorPid!
      const started = c.verb('start', id)
      await new Promise(resolve => setTimeout(resolve, after))
      process.kill(monitor, 'SIGKILL')
      const { code } = await started
      expect([0, 1]).toContain(code)
      const { pid } = await c.state(id)
      await c.say('delete', '--force', id)
      expect(pid === 0 || !alive(pid)).toBe(true)
      expect(existsSync(join(c.root, id))).toBe(false)
    }
  })

  test('kill -9 of the first process: 137 and the signal', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: forever })
    process.kill((await c.state(id)).pid, 'SIGKILL')
    expect((await c.ended(id)).strata).toMatchObject({ exitCode: 137, signal: 9, reason: null })
  })

  test('another boot: lost, whatever runs under its number', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: forever })
    const path = join(c.root, id, 'state.json')
    const whole = readFileSync(path, 'utf8')
    forge(c, id, { bootId: '00000000-0000-0000-0000-000000000000' })
    expect(await c.state(id)).toMatchObject({
      status: 'stopped',
      pid: 0,
      strata: { exitCode: null, reason: 'lost (reboot)' },
    })
    expect(errorOf(await c.verb('kill', id, 'KILL'))).toBe(`container ${id} is stopped`)
    writeFileSync(path, whole)
    expect((await c.state(id)).status).toBe('running')
  })

  test('a number that is another process’s by now: that one is never signalled', async () => {
    const c = containersOf(room())
    // Older than the container by more than a tick of the clock that start times are counted in.
    const victim = spawn('sleep', ['1000'], { uid: room().who.uid, gid: room().who.gid })
    await new Promise(resolve => setTimeout(resolve, 30))
    const id = await c.run({ args: forever })
    const path = join(c.root, id, 'state.json')
    const whole = readFileSync(path, 'utf8')
    try {
      forge(c, id, { pid: victim.pid, monitorPid: victim.pid })
      expect(await c.state(id)).toMatchObject({ status: 'stopped', strata: { reason: 'monitor died', exitCode: null } })
      for (const words of [
        ['kill', id, 'KILL'],
        ['exec', id, 'true'],
      ])
        expect((await c.verb(...words)).code).not.toBe(0)
      expect(alive(victim.pid!)).toBe(true)
    } finally {
      victim.kill('SIGKILL')
      writeFileSync(path, whole)
    }
  })

  test('files of the state that are damaged, huge or strange are an error or nothing known, and can be removed', async () => {
    const c = containersOf(room())
    for (const text of ['', '{', '[]', '{"id":1}', `{"id":"${'x'.repeat(2 << 20)}"}`, '{"pid":-1}']) {
      const id = c.newId()
      mkdirSync(join(c.root, id), { recursive: true })
      writeFileSync(join(c.root, id, 'state.json'), text)
      const { uid, gid } = room().who
      for (const path of [c.root, join(c.root, id), join(c.root, id, 'state.json')]) chownSync(path, uid, gid)
      expect((await c.verb('state', id)).code).toBe(1)
      expect((await c.verb('list')).code).toBe(0)
      expect((await c.verb('delete', id)).code).toBe(1)
    }
    const id = await c.run({ args: ['sh', '-c', 'exit 3'] })
    await c.ended(id)
    for (const text of ['', '{"exitCode":"3"}', '{"exitCode":300}']) {
      writeFileSync(join(c.root, id, 'exit'), text)
      expect(await c.state(id)).toMatchObject({
        status: 'stopped',
        strata: { exitCode: null, reason: 'its exit file is damaged' },
      })
    }
  })

  test('a creation that died half-way is in nobody’s way', async () => {
    const c = containersOf(room())
    const id = c.newId()
    const { uid, gid } = room().who
    execFileSync('mkdir', ['-p', '-m', '700', join(c.root, id)], { uid, gid })
    const left = ['lock', 'config.json', 'state.json.new', 'exit.new', 'attach.sock']
    execFileSync(
      'touch',
      left.map(name => join(c.root, id, name)),
      { uid, gid },
    )
    expect((await c.verb('run', ...c.options(room().bundle({ args: ['sh', '-c', 'exit 5'] })), id)).code).toBe(5)
  })

  test('a disk that is full when a container ends: how it ended is known all the same', async () => {
    const c = containersOf(room())
    const disk = join(room().path, `small-${room().who.kind.replace(' ', '-')}`)
    mkdirSync(disk)
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=128k,uid=${room().who.uid},mode=0700`, 'tmpfs', disk])
    onTestFinished(() => {
      execFileSync('umount', [disk])
      rmdirSync(disk)
    })
    const id = 'full'
    const bundle = room().bundle({ args: ['sh', '-c', 'read x; echo last; exit 6'] })
    await c.say('--root', disk, 'run', '--detach', '--bundle', bundle, '--log', join(disk, 'log'), id)
    expect(() => writeFileSync(join(disk, 'filler'), Buffer.alloc(1 << 20))).toThrow(/ENOSPC/)
    const client = await attachTo(join(disk, id, 'attach.sock'))
    client.send('c')
    await client.closed
    expect(JSON.parse(await c.say('--root', disk, 'wait', id))).toMatchObject({
      exitCode: 6,
      reason: null,
      lostLogLines: 1,
    })
    const second = await c.verb('--root', disk, 'run', '--bundle', bundle, 'second')
    expect([second.code, errorOf(second)]).toEqual([125, expect.stringContaining('No space left on device')])
    rmSync(join(disk, 'filler'))
    await c.say('--root', disk, 'delete', id)
    expect(readdirSync(disk)).toEqual(['log'])
  })

  test('two that make a container of the same name: one has it, whole', async () => {
    const c = containersOf(room())
    const id = c.newId()
    const results = await Promise.all(
      [1, 2, 3, 4].map(n => c.verb('create', ...c.options(room().bundle({ args: ['sh', '-c', `exit ${n}`] })), id)),
    )
    expect(results.map(({ code }) => code).sort()).toEqual([0, 125, 125, 125])
    await c.say('start', id)
    expect((await c.ended(id)).strata.exitCode).toBe(results.findIndex(({ code }) => code === 0) + 1)
  })

  test('two that remove it: one does', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: forever })
    const results = await Promise.all([1, 2, 3].map(() => c.verb('delete', '--force', id)))
    expect(results.some(({ code }) => code === 0)).toBe(true)
    expect(readdirSync(c.root).filter(name => name.includes(id))).toEqual([])
  })
})

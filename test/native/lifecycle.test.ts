/** Containers that outlive their caller: what the verbs do, what the state says, what is left. */
import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { until } from '../harness/command.ts'
import { containersOf } from './containers.ts'
import { errorOf, helperPath } from './helper.ts'
import { asEverybody } from './suite.ts'

const forever = ['sh', '-c', 'echo up; while :; do sleep 0.05; done']

asEverybody('lifecycle', room => {
  test('created, running, stopped, gone', async () => {
    const c = containersOf(room())
    const id = await c.create({ args: ['sh', '-c', 'echo hello; exit 3'], top: { annotations: { a: 'b' } } })
    const created = await c.state(id)
    expect(created).toMatchObject({
      id,
      status: 'created',
      pid: expect.any(Number),
      annotations: { a: 'b' },
      strata: { startedAt: null, exitCode: null, reason: null, tty: false },
    })
    expect(existsSync(`/proc/${created.pid}`)).toBe(true)
    await c.say('start', id)
    expect(JSON.parse(await c.say('wait', id))).toMatchObject({ exitCode: 3, signal: null, oomKilled: false })
    expect(await c.state(id)).toMatchObject({
      status: 'stopped',
      pid: 0,
      strata: { monitorPid: null, exitCode: 3, reason: null, finishedAt: expect.stringMatching(/^20.*Z$/) },
    })
    await c.say('delete', id)
    expect(errorOf(await c.verb('state', id))).toBe(`there is no container ${id}`)
    expect(existsSync(join(c.root, id))).toBe(false)
  })

  test('a created container does nothing, and its command is not there yet', async () => {
    const c = containersOf(room())
    const id = await c.create({ args: ['sh', '-c', 'echo > /tmp/ran'] })
    expect(await room().diff()).toEqual([])
    await c.say('kill', id, 'KILL')
    expect((await c.ended(id)).strata).toMatchObject({ exitCode: 137, signal: 9, startedAt: null })
    expect((await c.verb('start', id)).code).toBe(1)
  })

  test('running: a second start is refused, a second container of the same name too', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: forever })
    expect((await c.state(id)).status).toBe('running')
    expect(errorOf(await c.verb('start', id))).toBe(`container ${id} was started already`)
    const again = await c.verb('create', '--bundle', room().bundle({ args: ['true'] }), id)
    expect([again.code, errorOf(again)]).toEqual([125, `a container ${id} is there already`])
    expect((await c.state(id)).status).toBe('running')
  })

  test.each([
    ['is not there', ['no-such-command'], 127],
    ['can not be run', ['/inside-the-container'], 126],
  ])('start tells that the command %s', async (_, args, status) => {
    const c = containersOf(room())
    const id = await c.create({ args })
    const started = await c.verb('start', id)
    expect([started.code, errorOf(started)]).toEqual([status, expect.stringContaining(`start ${args[0]}: `)])
    expect((await c.ended(id)).strata).toMatchObject({ exitCode: status, startedAt: null, error: errorOf(started) })
    for (const how of [[], ['--detach']]) {
      const run = await c.verb('run', ...how, ...c.options(room().bundle({ args })), 'fails')
      expect([run.code, errorOf(run)]).toEqual([status, errorOf(started)])
      expect(existsSync(join(c.root, 'fails'))).toBe(false)
    }
  })

  test('what can not be created leaves nothing', async () => {
    const c = containersOf(room())
    const none = await c.verb('create', '--bundle', '/no/such/bundle', 'x')
    expect([none.code, errorOf(none)]).toEqual([125, 'bundle /no/such/bundle: No such file or directory'])
    const bundle = room().bundle({ args: ['true'], overlay: { lower: ['/no/such/layer'] } })
    const layer = await c.verb('create', ...c.options(bundle), 'x')
    expect([layer.code, errorOf(layer)]).toEqual([125, 'layer /no/such/layer: No such file or directory'])
    expect(existsSync(c.root) ? readdirSync(c.root) : []).toEqual([])
    expect((await c.verb('create', '--bundle', bundle, '../x')).code).toBe(2)
    expect((await c.verb('create', '--no-such-option', 'x')).code).toBe(2)
  })

  test('delete wants it stopped, or --force; one that is not there is an error without it', async () => {
    const c = containersOf(room())
    const running = await c.run({ args: forever })
    const created = await c.create({ args: forever })
    for (const id of [running, created]) {
      expect((await c.verb('delete', id)).code).toBe(1)
      await c.say('delete', '--force', id)
      expect((await c.verb('delete', id)).code).toBe(1)
      expect((await c.verb('delete', '--force', id)).code).toBe(0)
    }
  })

  test('signals by name and by number, to the command', async () => {
    const c = containersOf(room())
    const script =
      'for s in HUP USR1 TERM; do trap "echo got $s" $s; done; trap "exit 5" INT; echo up; while :; do sleep 0.01; done'
    const id = await c.run({ args: ['sh', '-c', script] })
    await c.said(id, 'up')
    for (const [signal, name] of [
      ['SIGHUP', 'HUP'],
      ['usr1', 'USR1'],
      ['15', 'TERM'],
    ]) {
      await c.say('kill', id, signal)
      await c.said(id, `got ${name}`)
    }
    expect((await c.verb('kill', id, 'NOSUCH')).code).toBe(2)
    await c.say('kill', id, 'INT')
    expect((await c.ended(id)).strata.exitCode).toBe(5)
    expect(errorOf(await c.verb('kill', id))).toBe(`container ${id} is stopped`)
  })

  test('list: one line a container, those that are half made left out', async () => {
    const c = containersOf(room())
    const ids = [await c.run({ args: forever }), await c.create({ args: ['true'] })]
    await c.feed('', 'create', ...c.options(room().bundle({ args: ['true'] })), '--pid-file', '/no/such/place', 'x')
    const lines = (await c.say('list')).split('\n').map(line => JSON.parse(line) as { id: string; status: string })
    expect(lines.filter(({ id }) => ids.includes(id)).map(({ id, status }) => [id, status])).toEqual(
      expect.arrayContaining([
        [ids[0], 'running'],
        [ids[1], 'created'],
      ]),
    )
    await c.verb('delete', '--force', 'x')
  })

  test('run in front: standard streams, end of input, exit status, and nothing is kept', async () => {
    const c = containersOf(room())
    const script = 'cat; echo problem >&2; exit 9'
    const bundle = room().bundle({ args: ['sh', '-c', script] })
    const result = await c.feed('one\ntwo', 'run', ...c.options(bundle), 'front')
    expect([result.code, result.stdout.toString(), result.stderr]).toEqual([9, 'one\ntwo', 'problem\n'])
    expect(existsSync(join(c.root, 'front'))).toBe(false)
    expect(readFileSync(join(bundle, 'log'), 'utf8')).toContain('"log":"one\\n","stream":"stdout"')
  })

  test('run in front without a log: the streams are the caller’s own', async () => {
    const c = containersOf(room())
    const bundle = room().bundle({ args: ['sh', '-c', 'cat; echo problem >&2; exit 9'] })
    const result = await c.feed('one\ntwo', 'run', '--bundle', bundle, 'front')
    expect([result.code, result.stdout.toString(), result.stderr]).toEqual([9, 'one\ntwo', 'problem\n'])
  })

  test('run --keep-state: the state stays, as does what an image is told of its end', async () => {
    const c = containersOf(room())
    const id = c.newId()
    const result = await c.verb(
      'run',
      '--keep-state',
      ...c.options(room().bundle({ args: ['probe', 'raise', '9'] })),
      id,
    )
    expect([result.code, (await c.state(id)).strata.exitCode]).toEqual([137, 137])
  })

  test('--no-stdin: standard input is empty from the start', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: ['sh', '-c', 'cat; echo end'] }, '--no-stdin')
    await c.ended(id)
    expect(c.log(id).map(line => line.log)).toEqual(['end\n'])
  })

  test('a signal to run in front reaches the command, its end is ours', async () => {
    const c = containersOf(room())
    const { uid, gid } = room().who
    const script = 'trap "echo got it; exit 3" TERM; echo up; while :; do sleep 0.01; done'
    const args = ['--root', c.root, 'run', ...c.options(room().bundle({ args: ['sh', '-c', script] })), c.newId()]
    const run = spawn(helperPath, args, { uid, gid, stdio: ['ignore', 'pipe', 'inherit'] })
    let said = ''
    run.stdout.on('data', chunk => {
      if (said === '') run.kill('SIGTERM')
      said += chunk
    })
    const code = await new Promise(resolve => run.once('close', resolve))
    expect([said, code]).toEqual(['up\ngot it\n', 3])
  })

  test('everything that a command says before it ends arrives, however much, on both streams', async () => {
    const c = containersOf(room())
    const script = 'yes 123456789 | head -n 300000; yes abcdefghi | head -n 100000 >&2'
    const bundle = room().bundle({ args: ['sh', '-c', script] })
    const result = await c.verb('run', ...c.options(bundle), c.newId())
    expect([result.code, result.stdout.length, result.stderr.length]).toEqual([0, 3_000_000, 1_000_000])
  })

  test('run in front, and who reads it goes: the command is told as by a pipe of its own', async () => {
    const c = containersOf(room())
    const { uid, gid } = room().who
    const args = [
      '--root',
      c.root,
      'run',
      '--log',
      '/dev/null',
      '--bundle',
      room().bundle({ args: ['yes'] }),
      c.newId(),
    ]
    const run = spawn(helperPath, args, { uid, gid, stdio: ['ignore', 'pipe', 'inherit'] })
    run.stdout.once('data', () => run.stdout.destroy())
    expect(await new Promise(resolve => run.once('exit', resolve))).toBe(128 + 13)
  })

  test('run in front, its output read by nobody for now: signals still reach the command', async () => {
    const c = containersOf(room())
    const { uid, gid } = room().who
    const id = c.newId()
    const args = [
      '--root',
      c.root,
      'run',
      '--keep-state',
      '--log',
      '/dev/null',
      '--bundle',
      room().bundle({ args: ['yes'] }),
      id,
    ]
    const run = spawn(helperPath, args, { uid, gid, stdio: ['ignore', 'pipe', 'inherit'] })
    await until(async () => (await c.verb('state', id)).stdout.includes('"running"'))
    run.kill('SIGTERM')
    expect((await c.ended(id)).strata.exitCode).toBe(128 + 15)
    run.stdout.resume()
    expect(await new Promise(resolve => run.once('close', resolve))).toBe(128 + 15)
  })

  test('the pid file names the first process', async () => {
    const c = containersOf(room())
    const bundle = room().bundle({ args: forever })
    const id = c.newId()
    await c.say('create', ...c.options(bundle), '--pid-file', join(bundle, 'pid'), id)
    expect(Number(readFileSync(join(bundle, 'pid'), 'utf8'))).toBe((await c.state(id)).pid)
  })

  test('a bundle that is changed or removed later changes nothing of the container', async () => {
    const c = containersOf(room())
    const id = await c.create({ args: ['sh', '-c', 'exit 4'] })
    const { bundle } = await c.state(id)
    writeFileSync(join(bundle, 'config.json'), '{')
    await c.say('start', id)
    expect((await c.ended(id)).strata.exitCode).toBe(4)
  })

  test('a state path that is longer than a socket’s path may be', async () => {
    const c = containersOf(room())
    const deep = join(c.root, 'x'.repeat(120))
    const bundle = room().bundle({ args: ['sh', '-c', 'read x; echo got $x'] })
    const result = await c.feed('keys\n', '--root', deep, 'run', ...c.options(bundle), 'deep')
    expect([result.code, result.stdout.toString()]).toEqual([0, 'got keys\n'])
  })

  test('processes that a command leaves behind end with it', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: ['sh', '-c', 'sleep 1000 & sleep 1000 & echo up'] })
    await c.ended(id)
    expect(c.log(id).map(line => line.log)).toEqual(['up\n'])
    await until(() => !existsSync(join(c.root, id, 'attach.sock')))
  })
})

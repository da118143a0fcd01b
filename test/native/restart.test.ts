/** Restart policies: the monitor starts the container again, counts, stops when it is told to; as everybody, and as Docker does it. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { until } from '../harness/command.ts'
import { startDocker } from '../harness/engines.ts'
import { missingForEngines } from '../harness/needs.ts'
import { appArchive, type Place, placeIn } from './place.ts'
import type { Room } from './room.ts'
import { asEverybody } from './suite.ts'

const archive = () => appArchive({ Cmd: ['true'] })
const none = ['--network', 'none']
const started = 'echo started; '

asEverybody('restart', (room, kind) => {
  /** An ordinary user is one, as far as this goes. */
  const some = kind === 'single id' ? test.skip : test
  const place = () => placeIn(room() as Room, 'restart', archive)
  const run = ({ run }: Place, name: string, policy: string, script: string) =>
    run(name, '--restart', policy, 'app:1', 'sh', '-c', started + script)
  const said = async ({ say }: Place, name: string) => (await say('logs', name)).split('\n').length

  some('on-failure: so often and no more, and never after success; the log goes on', async () => {
    const p = await place()
    await run(p, 'fails', 'on-failure:2', 'exit 3')
    await run(p, 'succeeds', 'on-failure', 'exit 0')
    const over = await p.until('fails', one => one.state === 'exited')
    expect(over).toMatchObject({ restarts: 2, exitCode: 3, status: expect.stringMatching(/^Exited \(3\)/) })
    expect(await said(p, 'fails')).toBe(3)
    expect(await p.until('succeeds', one => one.state === 'exited')).toMatchObject({ restarts: 0, exitCode: 0 })
    await p.say('rm', 'fails', 'succeeds')
    expect(p.left()).toEqual([])
  })

  some('always: restarting between two runs, up in them, until it is stopped for good', async () => {
    const p = await place()
    await run(p, 'again', 'always', 'exit 1')
    const resting = await p.until('again', one => one.state === 'restarting' && one.restarts >= 2)
    expect(resting).toMatchObject({
      pid: 0,
      exitCode: null,
      status: expect.stringMatching(/^Restarting \(1\) .* ago$/),
    })
    expect((await p.strata('exec', 'again', 'true')).err).toContain('is restarting')
    expect(await p.say('ps', '--engine', 'native', '--filter', 'name=again')).toContain('Restarting (1)')
    await p.say('stop', 'again')
    const over = await p.inspect('again')
    expect(over).toMatchObject({ state: 'exited', restarts: expect.any(Number) })
    await p.say('rm', 'again')
    await run(p, 'up', 'unless-stopped', 'trap "exit 5" TERM; while :; do sleep 0.05; done')
    await p.until('up', one => one.state === 'running' && one.pid > 0)
    await p.say('stop', 'up')
    expect(await p.inspect('up')).toMatchObject({ state: 'exited', exitCode: 5, restarts: 0 })
    await p.say('start', 'up')
    await p.say('kill', 'up')
    expect(await p.inspect('up')).toMatchObject({ state: 'exited', exitCode: 137, restarts: 0 })
    await p.say('rm', 'up')
  })

  some('wait and whoever is attached hear of the end of a run; rm -f ends them all', async () => {
    const p = await place()
    await run(p, 'waited', 'always', 'sleep 0.3; exit 7')
    expect(await p.say('wait', 'waited')).toBe('7')
    await p.say('rm', '-f', 'waited')
    const attached = await p.strata(
      'run',
      ...none,
      '--name',
      'here',
      '--restart',
      'on-failure:1',
      'app:1',
      'sh',
      '-c',
      'echo x; exit 4',
    )
    expect(attached).toMatchObject({ code: 4, out: 'x\n' })
    await p.until('here', one => one.state === 'exited' && one.restarts === 1)
    await p.say('rm', 'here')
    expect(p.left()).toEqual([])
  })

  some('a command that can not be started is tried once', async () => {
    const p = await place()
    const { code } = await p.strata('run', '-d', ...none, '--name', 'none', '--restart', 'always', 'app:1', 'no-such')
    expect(code).toBe(127)
    await p.strata('rm', '-f', 'none')
    for (const [policy, words] of [
      ['foo', 'Invalid restart policy'],
      ['always:3', 'maximum retry count cannot be used'],
      ['on-failure:-1', 'cannot be negative'],
    ])
      expect((await p.strata('run', ...none, '--restart', policy, 'app:1')).err).toContain(words)
    expect((await p.strata('run', '--rm', ...none, '--restart', 'always', 'app:1')).err).toContain(
      'Conflicting options',
    )
    expect(p.left()).toEqual([])
  })

  test('a monitor that is killed while the container rests leaves nothing behind', async () => {
    const p = await place()
    const id = await run(p, 'resting', 'always', 'exit 9')
    // Its pause is long by now: the monitor is not about to end it.
    await p.until('resting', one => one.state === 'restarting' && one.restarts >= 6)
    const { monitorPid } = JSON.parse(readFileSync(join(p.root, 'state', id, 'state.json'), 'utf8'))
    process.kill(monitorPid, 'SIGKILL')
    await until(
      () =>
        !existsSync(`/proc/${monitorPid}`) || /^State:\s+Z/m.test(readFileSync(`/proc/${monitorPid}/status`, 'utf8')),
    )
    expect(await p.inspect('resting')).toMatchObject({ state: 'exited', exitCode: 9, pid: 0 })
    expect(cgroupsOf(id)).toEqual([])
    await p.say('rm', 'resting')
    expect(p.left()).toEqual([])
  })

  describe.skipIf(kind !== 'root' || missingForEngines() !== null)('as Docker', () => {
    test('counts, codes and logs', async () => {
      const p = await place()
      const docker = await startDocker()
      try {
        writeFileSync(join(docker.scratch.path, 'app.tar'), archive())
        await docker.cli('load', '-i', join(docker.scratch.path, 'app.tar'))
        for (const [policy, script] of [
          ['no', 'exit 2'],
          ['on-failure:1', 'exit 2'],
          ['on-failure:2', 'exit 200'],
          ['on-failure', 'test -e /second || { touch /second; exit 6; }'],
        ]) {
          const args = ['-d', ...none, '--name', 'judged', '--restart', policy, 'app:1', 'sh', '-c', started + script]
          await docker.cli('run', ...args)
          const format = '{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}}'
          let theirs = ''
          await until(async () => (theirs = await docker.cli('inspect', '-f', format, 'judged')).startsWith('exited'))
          onTestFinished(async () => void (await p.strata('rm', '-f', 'judged')))
          await p.say('run', ...args)
          const { restarts, exitCode } = await p.until('judged', one => one.state === 'exited')
          expect(`${policy}: exited ${restarts} ${exitCode}`).toBe(`${policy}: ${theirs.trim()}`)
          expect(await p.say('logs', 'judged')).toBe((await docker.cli('logs', 'judged')).trim())
          await docker.cli('rm', 'judged')
          await p.say('rm', 'judged')
        }
      } finally {
        await docker.stop()
      }
    })
  })
})

function cgroupsOf(id: string): string[] {
  const trees = ['/sys/fs/cgroup', ...readdirSync('/sys/fs/cgroup').map(name => join('/sys/fs/cgroup', name))]
  return trees.map(tree => join(tree, 'strata', id)).filter(path => existsSync(path))
}

/** Health checks: run by the monitor, bounded in time and words, nothing of them left; as everybody, and as Docker judges. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { until } from '../harness/command.ts'
import { startDocker } from '../harness/engines.ts'
import { missingForEngines } from '../harness/needs.ts'
import { appArchive, type Place, placeIn } from './place.ts'
import type { Room } from './room.ts'
import { asEverybody } from './suite.ts'

/** The image's own check: the file /well. Nanoseconds. */
const check = { Test: ['CMD', 'test', '-e', '/well'], Interval: 100e6, Timeout: 5e9, Retries: 2 }
const archive = () => appArchive({ Cmd: ['sleep', '1000'], Healthcheck: check })
const none = ['--network', 'none']
const often = ['--health-interval', '100ms', '--health-retries', '1']

asEverybody('health', (room, kind) => {
  /** An ordinary user is one, as far as this goes. */
  const some = kind === 'single id' ? test.skip : test
  const place = () => placeIn(room() as Room, 'health', archive)
  const run = ({ run }: Place, name: string, ...options: string[]) => run(name, ...options, 'app:1')
  const health = (one: Awaited<ReturnType<Place['inspect']>>) => one.raw.State.Health!

  ;(kind === 'root' ? test : test.skip)(
    'starting, unhealthy after so many failures, healthy after one success',
    async () => {
      const p = await place()
      await run(p, 'fresh', '--health-interval', '1h')
      expect(await p.inspect('fresh')).toMatchObject({
        health: 'starting',
        status: expect.stringContaining('(health: starting)'),
      })
      await p.say('rm', '-f', 'fresh')
      await run(p, 'own')
      expect(health(await p.until('own', one => one.health === 'unhealthy'))).toMatchObject({ Status: 'unhealthy' })
      await p.say('exec', 'own', 'touch', '/well')
      await p.until('own', one => one.health === 'healthy')
      expect(await p.say('ps', '--engine', 'native', '--filter', 'health=healthy')).toContain('(healthy)')
      await p.say('stop', '-t', '0', 'own')
      const stopped = await p.inspect('own')
      expect([stopped.health, health(stopped).Status]).toEqual([null, 'unhealthy'])
      await p.say('rm', 'own')
      await run(p, 'off', '--no-healthcheck')
      expect((await p.inspect('off')).raw.State.Health).toBe(undefined)
      await p.say('rm', '-f', 'off')
    },
  )

  test('one that takes too long is killed with all that it has started', async () => {
    const p = await place()
    const check = 'test -e /once && exit 0; touch /once; (sleep 500 &); sleep 500 & sleep 500'
    const id = await run(p, 'slow', ...often, '--health-timeout', '300ms', '--health-cmd', check)
    const { Log } = health(await p.until('slow', one => health(one).Log.length > 0))
    expect(Log[0]).toMatchObject({ ExitCode: -1, Output: 'Health check exceeded timeout (300ms)' })
    await until(async () => !(await p.say('top', 'slow')).includes('sleep 500'), { within: 10_000 })
    await p.say('rm', '-f', 'slow')
    expect(existsSync(join(p.root, 'state', id))).toBe(false)
    expect(p.left()).toEqual([])
  })

  some('what it starts and leaves is gone too; the last five are kept, 4 KiB of each', async () => {
    const p = await place()
    const check = 'sleep 500 & dd if=/dev/zero bs=1000 count=9 2>/dev/null; echo $$; exit 3'
    const id = await run(p, 'many', '--health-interval', '50ms', '--health-retries', '7', '--health-cmd', check)
    const { Log, FailingStreak } = health(await p.until('many', one => health(one).FailingStreak >= 7))
    expect(FailingStreak).toBeGreaterThanOrEqual(7)
    expect(Log.map(one => [one.ExitCode, one.Output.length])).toEqual(Array(5).fill([3, 4096 + 3]))
    const { monitorPid } = JSON.parse(readFileSync(join(p.root, 'state', id, 'state.json'), 'utf8'))
    process.kill(monitorPid, 'SIGKILL')
    await until(async () => !(await p.say('top', 'many')).includes('sleep 500'), { within: 10_000 })
    await p.say('rm', '-f', 'many')
  })

  some('nothing is checked while the container is paused', async () => {
    const p = await place()
    await run(p, 'paused', ...often, '--health-cmd', 'echo . >> /checks')
    await p.until('paused', one => one.health === 'healthy')
    await p.say('pause', 'paused')
    const before = JSON.stringify(health(await p.inspect('paused')))
    await new Promise(resolve => setTimeout(resolve, 400))
    expect(JSON.stringify(health(await p.inspect('paused')))).toBe(before)
    await p.say('unpause', 'paused')
    await p.until('paused', one => JSON.stringify(health(one)) !== before)
    expect((await p.inspect('paused')).health).toBe('healthy')
    await p.say('rm', '-f', 'paused')
  })

  describe.skipIf(kind !== 'root' || missingForEngines() !== null)('as Docker', () => {
    test('states, streaks, codes and words', async () => {
      const p = await place()
      const docker = await startDocker()
      try {
        writeFileSync(join(docker.scratch.path, 'app.tar'), archive())
        await docker.cli('load', '-i', join(docker.scratch.path, 'app.tar'))
        for (const [options, streak] of [
          [['--health-cmd', 'echo fine; echo too >&2'], 0],
          [['--health-cmd', 'echo bad; exit 5', '--health-retries', '2'], 2],
          [['--health-cmd', 'sleep 9', '--health-timeout', '150ms', '--health-retries', '1'], 1],
          [['--health-cmd', 'exit 1', '--health-start-period', '1m', '--health-retries', '1'], 0],
          [['--health-cmd', 'no-such-program', '--health-retries', '1'], 1],
        ] as const) {
          const args = ['-d', ...none, '--name', 'judged', '--health-interval', '120ms', ...options, 'app:1']
          type Health = { Status: string; FailingStreak: number; Log: { ExitCode: number; Output: string }[] }
          const shown = ({ Status, Log: [first] }: Health) => [Status, first.ExitCode, first.Output]
          const enough = ({ Log, FailingStreak }: Health) =>
            Log.length >= Math.max(2, streak) && FailingStreak >= streak
          await docker.cli('run', ...args)
          let theirs: Health
          await until(async () =>
            enough((theirs = JSON.parse(await docker.cli('inspect', '-f', '{{json .State.Health}}', 'judged')))),
          )
          await docker.cli('rm', '-f', 'judged')
          onTestFinished(async () => void (await p.strata('rm', '-f', 'judged')))
          await p.say('run', ...args)
          const ours = health(await p.until('judged', one => enough(health(one))))
          await p.say('rm', '-f', 'judged')
          expect([options, ...shown(ours)]).toEqual([options, ...shown(theirs!)])
        }
      } finally {
        await docker.stop()
      }
    })
  })
})

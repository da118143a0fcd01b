/** Limits, pausing and killing: with cgroups of each layout, and without any. */
import { chownSync, existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { tryCommand, until } from '../harness/command.ts'
import { type Containers, containersOf } from './containers.ts'
import { errorOf, helper, helperPath } from './helper.ts'
import { outputOf } from './room.ts'
import { asEverybody } from './suite.ts'

const counting = ['sh', '-c', 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done']
const trees = ['unified', 'memory', 'cpu', 'cpuacct', 'pids', 'freezer', '.']

/** The file of a container's cgroup, in whichever tree it is. */
function cgroupFile(path: string, ...names: string[]): string {
  const found = names.flatMap(name => trees.map(tree => join('/sys/fs/cgroup', tree, path, name))).find(existsSync)
  if (found === undefined) throw new Error(`no ${names.join(', ')} of ${path}`)
  return readFileSync(found, 'utf8').trim()
}

function cgroupsLeft(path: string): string[] {
  return trees.map(tree => join('/sys/fs/cgroup', tree, path)).filter(folder => existsSync(folder))
}

/** Stands still: nothing is said while more than twenty lines would have been. */
async function standsStill(c: Containers, id: string): Promise<void> {
  const before = c.log(id).length
  await new Promise(resolve => setTimeout(resolve, 500))
  expect(c.log(id).length).toBeLessThanOrEqual(before + 1)
}

async function goesOn(c: Containers, id: string): Promise<void> {
  const before = c.log(id).length
  await until(() => c.log(id).length > before + 3)
}

asEverybody('cgroups', (room, kind) => {
  const isRoot = kind === 'root'

  test('paused it stands still, resumed it goes on', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: counting })
    await goesOn(c, id)
    await c.say('pause', id)
    expect(await c.state(id)).toMatchObject({ status: 'paused', strata: { pausedBy: isRoot ? 'cgroup' : 'signals' } })
    await standsStill(c, id)
    expect(errorOf(await c.verb('pause', id))).toBe(`container ${id} is not running, it is paused`)
    await c.say('resume', id)
    expect((await c.state(id)).status).toBe('running')
    await goesOn(c, id)
    expect(errorOf(await c.verb('resume', id))).toBe(`container ${id} is not paused, it is running`)
  })

  test('one that forks all the time is paused as a whole', async () => {
    const c = containersOf(room())
    const script = 'for i in 1 2 3 4; do (while :; do sh -c "echo x; (sleep 0.01 &)"; done) & done; wait'
    const id = await c.run({ args: ['sh', '-c', script] })
    await goesOn(c, id)
    for (let i = 0; i < 3; i++) {
      await c.say('pause', id)
      await standsStill(c, id)
      await c.say('resume', id)
      await goesOn(c, id)
    }
  })

  test('what waits to be started and what has ended can not be paused', async () => {
    const c = containersOf(room())
    const id = await c.create({ args: ['true'] })
    expect(errorOf(await c.verb('pause', id))).toBe(`container ${id} is not running, it is created`)
    await c.say('start', id)
    await c.ended(id)
    expect(errorOf(await c.verb('pause', id))).toBe(`container ${id} is not running, it is stopped`)
    expect(errorOf(await c.verb('pause', 'nobody'))).toBe('there is no container nobody')
  })

  test('a paused one can be killed and removed', async () => {
    const c = containersOf(room())
    const [id, other] = [await c.run({ args: counting }), await c.run({ args: counting })]
    await c.say('pause', id)
    await c.say('kill', id, 'KILL')
    expect((await c.ended(id)).strata).toMatchObject({ exitCode: 137, signal: 9 })
    await c.say('pause', other)
    await c.say('delete', '--force', other)
    expect(existsSync(join(c.root, other))).toBe(false)
  })

  test('kill --all reaches every process, also those in the background of an exec', async () => {
    const c = containersOf(room())
    const script =
      'for i in 1 2 3; do sh -c "trap \\"echo got $i; exit\\" USR1; echo up; while :; do sleep 0.05; done" & done; trap : USR1; while :; do sleep 0.1; done'
    const id = await c.run({ args: ['sh', '-c', script] })
    await until(() => c.log(id).filter(line => line.log === 'up\n').length === 3)
    await c.say('kill', '--all', id, 'USR1')
    await until(() => c.log(id).filter(line => /^got/.test(line.log)).length === 3)
    await c.say('kill', '--all', id, 'KILL')
    expect((await c.ended(id)).strata.exitCode).toBe(137)
  })

  test('limits: kept for root, for an ordinary user without a cgroup of its own a warning', async () => {
    const c = containersOf(room())
    const resources = { memory: { limit: 64 << 20 }, cpu: { quota: 50_000, period: 100_000 }, pids: { limit: 7 } }
    const id = await c.run({ args: counting, linux: { resources } })
    const { strata } = (await c.state(id)) as unknown as { strata: { cgroup: string; warning: string | null } }
    if (!isRoot) {
      expect(strata.warning).toMatch(/^the limits on memory, cpu or processes can not be kept: /)
      return
    }
    expect(strata.warning).toBeNull()
    expect(cgroupFile(strata.cgroup, 'memory.max', 'memory.limit_in_bytes')).toBe(String(64 << 20))
    expect(cgroupFile(strata.cgroup, 'cpu.max', 'cpu.cfs_quota_us')).toMatch(/^50000/)
    expect(cgroupFile(strata.cgroup, 'pids.max')).toBe('7')
    const crowd = ['sh', '-c', 'for i in 1 2 3 4 5 6 7 8 9; do sleep 1 & done; wait']
    const other = await c.run({ args: crowd, linux: { resources } })
    await c.said(other, "can't fork")
    await c.say('delete', '--force', id)
    expect(cgroupsLeft(strata.cgroup)).toEqual([])
  })

  test.runIf(isRoot)('more memory than it may have: killed, and the state says why', async () => {
    const c = containersOf(room())
    const resources = { memory: { limit: 16 << 20, swap: 16 << 20 } }
    const id = await c.run({ args: ['sh', '-c', 'x=x; while :; do x=$x$x; done'], linux: { resources } })
    expect((await c.ended(id)).strata).toMatchObject({ exitCode: 137, oomKilled: true })
  })

  test.runIf(isRoot)('one that was killed by a person was not killed for its memory', async () => {
    const c = containersOf(room())
    const id = await c.run({ args: counting, linux: { resources: { memory: { limit: 64 << 20 } } } })
    await c.say('kill', id, 'KILL')
    expect((await c.ended(id)).strata).toMatchObject({ exitCode: 137, oomKilled: false })
  })

  test.runIf(isRoot)('half a processor is half a processor', async () => {
    const c = containersOf(room())
    const resources = { cpu: { quota: 20_000, period: 100_000 } }
    const id = await c.run({ args: ['sh', '-c', 'while :; do :; done'], linux: { resources } })
    const { cgroup } = (await c.state(id)).strata
    const used = () => Number(/usage_usec (\d+)/.exec(cgroupFile(cgroup, 'cpu.stat'))![1])
    const [began, before] = [performance.now(), used()]
    await new Promise(resolve => setTimeout(resolve, 2000))
    const share = (used() - before) / 1000 / (performance.now() - began)
    expect(share).toBeLessThan(0.3)
  })

  test.runIf(isRoot)('update changes limits of one that has some, and of one that was made without any', async () => {
    const c = containersOf(room())
    const some = await c.run({ args: counting, linux: { resources: { memory: { limit: 64 << 20, swap: 64 << 20 } } } })
    const none = await c.run({ args: counting })
    for (const id of [some, none]) {
      await c.say(
        'update',
        '--memory',
        String(128 << 20),
        '--memory-swap',
        String(256 << 20),
        '--cpus',
        '0.5',
        '--pids-limit',
        '9',
        id,
      )
      const { cgroup } = (await c.state(id)).strata
      expect(cgroupFile(cgroup, 'memory.max', 'memory.limit_in_bytes')).toBe(String(128 << 20))
      expect(cgroupFile(cgroup, 'cpu.max', 'cpu.cfs_quota_us')).toMatch(/^50000/)
      expect(cgroupFile(cgroup, 'pids.max')).toBe('9')
      const current = Number(cgroupFile(cgroup, 'pids.current'))
      expect(current).toBeGreaterThan(1)
      await c.say('update', '--memory', String(32 << 20), '--memory-swap', String(32 << 20), '--pids-limit', '-1', id)
      expect(cgroupFile(cgroup, 'memory.max', 'memory.limit_in_bytes')).toBe(String(32 << 20))
      expect(cgroupFile(cgroup, 'pids.max')).toBe('max')
      await goesOn(c, id)
    }
  })

  test.runIf(isRoot)(
    'a limit that the kernel refuses, a cgroup that is in use, a path upwards: an error, and nothing is left',
    async () => {
      const c = containersOf(room())
      const tried = async (linux: Record<string, unknown>) => {
        const id = c.newId()
        const result = await c.verb('create', '--bundle', room().bundle({ args: ['true'], linux }), id)
        expect(cgroupsLeft(`/strata/${id}`)).toEqual([])
        expect(existsSync(join(c.root, id))).toBe(false)
        return [result.code, errorOf(result)]
      }
      expect(await tried({ resources: { cpu: { quota: 5 } } })).toEqual([
        125,
        'set the limit on processor time to 5: Invalid argument',
      ])
      expect(await tried({ cgroupsPath: '/strata/../../x' })).toEqual([
        125,
        'config: linux.cgroupsPath /strata/../../x leads upwards',
      ])
      expect(await tried({ resources: { cpu: { cpus: '0' } } })).toEqual([
        125,
        'config: linux.resources.cpus is not supported',
      ])
      const running = await c.run({ args: counting })
      const { cgroup } = (await c.state(running)).strata
      expect(await tried({ cgroupsPath: cgroup })).toEqual([125, `the cgroup ${cgroup} is in use`])
    },
  )

  test.runIf(isRoot)('two containers of one name in two places, and a path of the caller', async () => {
    const [c, d] = [containersOf(room()), containersOf({ ...room(), path: join(room().path, 'other') })]
    mkdirSync(join(room().path, 'other'), { recursive: true })
    const id = c.newId()
    await c.say(
      'run',
      '--detach',
      '--log',
      join(room().path, 'log-1'),
      '--bundle',
      room().bundle({ args: counting }),
      id,
    )
    await d.say(
      'run',
      '--detach',
      '--log',
      join(room().path, 'log-2'),
      '--bundle',
      room().bundle({ args: counting }),
      id,
    )
    const paths = [(await c.state(id)).strata.cgroup, (await d.state(id)).strata.cgroup]
    expect(paths).toEqual([`/strata/${id}`, `/strata/${id}-1`])
    await d.say('delete', '--force', id)
    const given = `/strata-test-${process.pid}/a/b`
    const own = await c.run({ args: counting, linux: { cgroupsPath: given } })
    expect((await c.state(own)).strata.cgroup).toBe(given)
    await c.say('delete', '--force', own)
    expect(cgroupsLeft(given)).toEqual([])
    for (const tree of trees)
      for (const path of ['a', '']) {
        const folder = join('/sys/fs/cgroup', tree, `strata-test-${process.pid}`, path)
        if (existsSync(folder)) rmdirSync(folder)
      }
  })

  test('inside, the cgroup is the root of all there is, and nothing of it can be written', async () => {
    const c = containersOf(room())
    const script = [
      'cat /proc/self/cgroup',
      'for f in $(find /sys/fs/cgroup -name release_agent -o -name cgroup.procs -o -name notify_on_release); do (echo 1 > $f) 2>/dev/null && echo "wrote $f"; done',
      'mkdir /sys/fs/cgroup/x 2>/dev/null && echo made',
      'mkdir /tmp/c; for t in cgroup cgroup2; do mount -t $t -o memory none /tmp/c 2>/dev/null && echo mounted $t; done',
      'echo end',
    ]
    const id = await c.run({
      args: ['sh', '-c', script.join('\n')],
      linux: isRoot ? { resources: { pids: { limit: 50 } } } : {},
    })
    await c.ended(id)
    const lines = c.log(id).map(line => line.log.trim())
    const own = lines.filter(line => /^\d+:/.test(line))
    if (isRoot)
      expect(own.filter(line => /:(pids|memory|cpu|cpuacct|):/.test(line)).map(line => line.split(':')[2])).toEqual([
        '/',
        '/',
        '/',
        '/',
        '/',
      ])
    expect(own.filter(line => line.includes('strata'))).toEqual([])
    expect(lines.slice(own.length)).toEqual(['end'])
  })

  test.runIf(isRoot)(
    'inside it sees its own limits and no cgroup of anybody else, and a mount that asks to be written to can not be',
    async () => {
      const c = containersOf(room())
      const script = [
        'cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids.max /sys/fs/cgroup/memory.max 2>/dev/null',
        'find /sys/fs/cgroup -name release_agent; find /sys/fs/cgroup -mindepth 2 -type d | head -3',
        'echo 9 > /sys/fs/cgroup/pids/pids.max; echo 9 > /sys/fs/cgroup/pids.max; mkdir /sys/fs/cgroup/pids/x',
        'echo end',
      ]
      const mounts = [
        ['/proc', 'proc', []],
        ['/dev', 'tmpfs', []],
        ['/sys', 'sysfs', []],
        ['/sys/fs/cgroup', 'cgroup', ['rw']],
      ].map(([destination, type, options]) => ({ destination, type, source: type, options }))
      const resources = { pids: { limit: 50 }, memory: { limit: 64 << 20 } }
      const id = await c.run({ args: ['sh', '-c', script.join('\n')], linux: { resources }, top: { mounts } })
      await c.ended(id)
      const lines = c
        .log(id)
        .filter(line => line.stream === 'stdout')
        .map(line => line.log.trim())
      expect(lines).toEqual(['50', String(64 << 20), 'end'])
    },
  )

  test('a throw-away container has no cgroup of ours, unless limits are asked for', async () => {
    const plain = await room().run({ args: ['sh', '-c', 'echo fine'] })
    expect(outputOf(plain)).toBe('fine')
    const limited = await room().run({
      args: ['sh', '-c', '(sleep 0.1 & sleep 0.1 & sleep 0.1 & sleep 0.1 & wait) 2>&1; echo end'],
      linux: { resources: { pids: { limit: 3 } } },
    })
    expect(limited.code === 0 || isRoot).toBe(true)
    if (isRoot) expect(limited.stdout.toString()).toContain("can't fork")
  })

  test.runIf(kind === 'sub-ids')('a cgroup that was delegated to the user is used', async () => {
    const folder = `/sys/fs/cgroup/unified/strata-delegated-${process.pid}`
    if (!existsSync('/sys/fs/cgroup/unified')) return
    const { uid, gid } = room().who
    mkdirSync(join(folder, 'session'), { recursive: true })
    try {
      for (const one of [folder, join(folder, 'session')])
        for (const name of ['', 'cgroup.procs', 'cgroup.threads', 'cgroup.subtree_control'])
          chownSync(join(one, name), uid, gid)
      const c = containersOf(room())
      const inside = (...words: string[]) =>
        tryCommand('sh', [
          '-c',
          `echo $$ > ${folder}/session/cgroup.procs; exec setpriv --reuid ${uid} --regid ${gid} --clear-groups "$0" "$@"`,
          helperPath,
          '--root',
          c.root,
          ...words,
        ])
      const id = c.newId()
      const bundle = room().bundle({ args: counting })
      expect(await inside('run', '--detach', '--bundle', bundle, '--log', join(bundle, 'log'), id)).toMatchObject({
        code: 0,
        stderr: '',
      })
      const state = await c.state(id)
      expect(state.strata.cgroup).toBe(`/strata-delegated-${process.pid}/session/strata-${id}`)
      await c.say('pause', id)
      expect(await c.state(id)).toMatchObject({ status: 'paused', strata: { pausedBy: 'cgroup' } })
      await c.say('resume', id)
      await c.say('kill', '--all', id, 'KILL')
      await c.ended(id)
      expect(cgroupsLeft(state.strata.cgroup)).toEqual([])
      await until(() => readFileSync(join(folder, 'session', 'cgroup.events'), 'utf8').includes('populated 0'))
    } finally {
      rmdirSync(join(folder, 'session'))
      rmdirSync(folder)
    }
  })

  describe.runIf(isRoot)('layouts, each made of this machine by covering the others', () => {
    const layouts: [string, string, string, string | null][] = [
      ['v1', 'umount -l /sys/fs/cgroup/unified', 'cgroup', '7'],
      ['unified', 'mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup', 'cgroup', null],
      ['none', 'mount -t tmpfs -o ro none /sys/fs/cgroup', 'signals', null],
    ]
    test.each(layouts)('%s', async (name, cover, pausedBy, pids) => {
      if (!existsSync('/sys/fs/cgroup/unified')) return
      const root = join(room().path, `state-${name}`)
      const verb = (...words: string[]) =>
        tryCommand('unshare', ['--mount', 'sh', '-c', `${cover} && exec "$0" "$@"`, helperPath, ...words])
      const features = JSON.parse((await verb('features')).stdout.toString())
      expect(features.cgroups).toBe(name === 'none' ? 'v1' : name)
      const id = `layout-${name}-${process.pid}`
      const say = async (...words: string[]) => {
        const result = await verb('--root', root, ...words)
        expect([words[0], result.code, result.stderr]).toEqual([words[0], 0, ''])
        return result.stdout.toString()
      }
      const bundle = room().bundle({
        args: counting,
        linux: pids === null ? {} : { resources: { pids: { limit: Number(pids) } } },
      })
      const lines = () => readFileSync(join(bundle, 'log'), 'utf8').split('\n').length
      try {
        await say('run', '--detach', '--bundle', bundle, '--log', join(bundle, 'log'), id)
        const { cgroup } = JSON.parse(await say('state', id)).strata
        expect(cgroup).toBe(name === 'none' ? '' : `/strata/${id}`)
        if (pids !== null) expect(cgroupFile(cgroup, 'pids.max')).toBe(pids)
        await until(() => lines() > 3)
        await say('pause', id)
        expect(JSON.parse(await say('state', id))).toMatchObject({ status: 'paused', strata: { pausedBy } })
        const before = lines()
        await new Promise(resolve => setTimeout(resolve, 300))
        expect(lines()).toBeLessThanOrEqual(before + 1)
        await say('resume', id)
        await until(() => lines() > before + 3)
        await say('pause', id)
        await say('kill', '--all', id, 'KILL')
        expect(JSON.parse(await say('wait', id)).exitCode).toBe(137)
        expect(cgroupsLeft(`/strata/${id}`)).toEqual([])
        const limited = room().bundle({ args: ['true'], linux: { resources: { pids: { limit: 5 } } } })
        const result = await verb(
          '--root',
          root,
          'create',
          '--log',
          join(limited, 'log'),
          '--bundle',
          limited,
          `${id}-limited`,
        )
        if (name === 'v1') await say('delete', '--force', `${id}-limited`)
        else expect([result.code, errorOf(result)]).toEqual([125, expect.stringMatching(/limit.* can not be kept/)])
      } finally {
        await verb('--root', root, 'delete', '--force', id)
      }
    })
  })

  test('linux.resources that is no object, and numbers that are none', async () => {
    for (const resources of ['x', { memory: { limit: 'much' } }, { pids: { limit: 1.5 } }, { cpu: { quota: [] } }]) {
      const result = await room().run({ args: ['true'], linux: { resources } })
      expect([result.code, errorOf(result)]).toEqual([125, expect.stringMatching(/^config: linux\.resources/)])
    }
    const bundle = room().bundle({ args: ['true'] })
    writeFileSync(join(bundle, 'config.json'), '{"linux":{"cgroupsPath":7},"process":{"args":["x"]}}')
    expect(errorOf(await helper(room().who, ['run', '--foreground', '--bundle', bundle, 'x']))).toMatch(/^config: /)
  })
})

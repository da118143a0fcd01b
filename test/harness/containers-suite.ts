/** What every daemon has to do with containers through the one interface. Its own command line is the judge. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { ContainerSpec, Containers, LogLine, Session, Stats } from '../../src/engine/containers.ts'
import { type Engine, openEngine } from '../../src/engine/engine.ts'
import { until } from './command.ts'
// Loaded before sockets are counted: the test runner opens one for what is loaded later.
import '../../src/engine/processes.ts'
import { importBusybox } from './engine-images.ts'
import type { TestEngine } from './engines.ts'

export interface ContainersSetting {
  name: string
  start: () => Promise<TestEngine>
  /** Whether inspect tells the overlay's directories; the containerd image store has none to tell. */
  overlay?: boolean
  /** Whether the machine of the engine has a `ps`, which `top` is made of. */
  ps?: boolean
  /** Without root on the old cgroups nothing is frozen, measured or limited. */
  cgroups?: boolean
}

/** Starts the engine and does everything that can be done to a container. */
export function describeContainers({
  name,
  start,
  overlay = true,
  cgroups = true,
  ps = true,
}: ContainersSetting): void {
  describe(name, () => {
    let real: TestEngine
    let engine: Engine
    let containers: Containers
    let openAtStart: number

    beforeAll(async () => {
      real = await start()
      await importBusybox(real)
      openAtStart = sockets()
      const address = { kind: 'unix', path: real.socket } as const
      engine = await openEngine({ name: 'tested', origin: 'test', asked: true, address }, { env: {} })
      containers = engine.containers
    })

    afterAll(async () => {
      engine?.close()
      await until(() => sockets() <= openAtStart, { within: 5_000, failure: () => `${sockets()} sockets are left` })
      await real?.stop()
    })

    test('lists what its own command line lists', async () => {
      await made({ name: 'list-up', command: ['sleep', '1000'], labels: { a: 'b' } })
      await made({ name: 'list-made', command: ['true'] }, false)
      await made({ name: 'list-done', command: ['sh', '-c', 'exit 3'] })
      await containers.wait('list-done')
      await until(async () => (await row('list-done')).state === 'exited')
      const words = { created: 'Created', running: 'Up', exited: 'Exited' } as Record<string, string>
      const rows = (await containers.list({ all: true })).map(one => `${one.id} ${one.name} ${words[one.state]}`)
      const judge = await real.cli('ps', '-a', '--no-trunc', '--format', '{{.ID}} {{.Names}} {{.Status}}')
      const judged = judge.split('\n').map(line => line.split(' ').slice(0, 3).join(' '))
      expect(rows.sort()).toEqual(judged.sort())
      expect((await containers.list()).map(one => one.name)).toEqual(['list-up'])
      expect(await row('list-up')).toMatchObject({ exitCode: null, labels: { a: 'b' }, upperBytes: null })
      expect(await row('list-done')).toMatchObject({ exitCode: 3, status: expect.stringMatching(/^Exited \(3\)/) })
      expect(await row('list-made')).toMatchObject({ exitCode: null })
      expect((await row('list-up')).image).toMatch(/busybox:test$/)
      expect(Math.abs((await row('list-up')).created - Date.now() / 1000)).toBeLessThan(60)
    })

    test('sizes of upper layers are told when they are asked for', async () => {
      const id = await made({ name: 'sized', command: ['sh', '-c', 'head -c 100000 /dev/zero > /file; sleep 1000'] })
      await until(async () => ((await containers.inspect(id, { sizes: true })).upperBytes ?? 0) >= 100_000)
      const [one] = (await containers.list({ sizes: true })).filter(container => container.id === id)
      expect(one.upperBytes).toBeGreaterThanOrEqual(100_000)
      expect(one.upperBytes).toBeLessThan(200_000)
    })

    test('a container has everything that was wished', async () => {
      const spec: ContainerSpec = {
        image: 'busybox:test',
        command: ['-c', 'sleep 1000'],
        entrypoint: ['/bin/sh'],
        env: ['A=1', 'B=x y'],
        labels: { one: '1' },
        workingDir: '/tmp',
        user: '33:44',
        hostname: 'wished',
        readOnly: true,
        volumes: ['data:/data', `${real.scratch.path}:/host:ro`, '/anonymous'],
        tmpfs: ['/scratch:size=1m'],
        stopSignal: 'SIGINT',
        stopTimeout: 3,
        restart: 'on-failure:2',
        ...(cgroups && { memory: 64 << 20, cpus: 0.5, pidsLimit: 50 }),
        network: 'none',
      }
      const id = await made({ ...spec, name: 'wished' })
      const facts = await containers.inspect('wished')
      expect(facts).toMatchObject({
        id,
        name: 'wished',
        state: 'running',
        env: expect.arrayContaining(['A=1', 'B=x y']),
        labels: { one: '1' },
        workingDir: '/tmp',
        user: '33:44',
        entrypoint: ['/bin/sh'],
        cmd: ['-c', 'sleep 1000'],
        stopTimeout: 3,
        restartPolicy: 'on-failure:2',
        command: "/bin/sh -c 'sleep 1000'",
        tty: false,
        openStdin: false,
        autoRemove: false,
      })
      expect(facts.stopSignal).toMatch(/^(SIGINT|2)$/)
      const mounts = facts.mounts.map(one => `${one.kind} ${one.destination} ${one.readOnly ? 'ro' : 'rw'}`)
      expect(mounts).toEqual(
        expect.arrayContaining(['volume /data rw', 'bind /host ro', 'volume /anonymous rw', 'tmpfs /scratch rw']),
      )
      expect(facts.mounts.find(one => one.destination === '/data')?.name).toBe('data')
      const seen = await said(id, ['sh', '-c', 'hostname; pwd; id -u; id -g; df -k /scratch | tail -1; touch /no'])
      expect(seen.output).toMatch(/^wished\n\/tmp\n33\n44\n.*1024 .*\/scratch\n$/)
      expect(seen.errors).toContain('Read-only file system')
      const judge = JSON.parse(await real.cli('inspect', 'wished'))[0]
      expect(facts.pid).toBe(judge.State.Pid)
      expect(Date.parse(facts.startedAt!)).toBe(Date.parse(judge.State.StartedAt))
      if (cgroups) expect(judge.HostConfig).toMatchObject({ Memory: 64 << 20, NanoCpus: 500_000_000, PidsLimit: 50 })
    })

    if (overlay)
      test('tells the directories of the overlay: upper, and lower ones top first', async () => {
        const id = await made({ name: 'layers', command: ['sh', '-c', 'echo new > /new; sleep 1000'] })
        const found = (await containers.inspect(id)).overlay!
        await until(() => existsSync(join(found.upper, 'new')))
        expect(readFileSync(join(found.upper, 'new'), 'utf8')).toBe('new\n')
        const bottom = found.lower.at(-1)!
        expect(existsSync(join(bottom, 'bin/busybox'))).toBe(true)
        expect(found.lower).toHaveLength(engine.kind === 'docker' ? 2 : 1)
        if (engine.kind === 'docker') expect(found.lower[0]).toMatch(/-init\/diff$/)
      })

    test('start, stop, restart, kill, rename, remove; a name, an id and its beginning are good for it', async () => {
      const id = await made({ name: 'acted', command: ['sh', '-c', 'trap "exit 5" TERM; while :; do sleep 0.1; done'] })
      await containers.start(id)
      const first = (await containers.inspect(id)).startedAt
      await containers.restart('acted', { timeout: 5 })
      expect((await containers.inspect('acted')).startedAt).not.toBe(first)
      const waited = containers.wait(id.slice(0, 12))
      await containers.stop(id.slice(0, 12), { timeout: 5 })
      expect(await waited).toBe(5)
      await containers.stop(id)
      expect(await containers.inspect(id)).toMatchObject({ state: 'exited', exitCode: 5, pid: 0 })
      await containers.rename(id, 'acted-2')
      expect((await containers.inspect('acted-2')).id).toBe(id)
      await containers.start('acted-2')
      await expect(containers.remove('acted-2')).rejects.toMatchObject({
        message: expect.stringMatching(/running|stop/),
      })
      await containers.kill('acted-2', 'SIGKILL')
      await containers.wait('acted-2')
      await until(async () => (await containers.inspect(id)).exitCode === 137)
      await containers.remove('acted-2', { volumes: true })
      await expect(containers.inspect(id)).rejects.toMatchObject({ status: 404 })
    })

    if (cgroups)
      test('pause and unpause', async () => {
        const id = await made({ name: 'paused', command: ['sleep', '1000'] })
        await containers.pause(id)
        expect((await containers.inspect(id)).state).toBe('paused')
        expect((await row('paused')).state).toBe('paused')
        await containers.unpause(id)
        expect((await containers.inspect(id)).state).toBe('running')
        expect(containers.capabilities.pause).toBe(true)
      })

    if (!cgroups)
      test('what can not be done without root on the old cgroups is not offered', async () => {
        const newCgroups = existsSync('/sys/fs/cgroup/cgroup.controllers')
        await containers.list()
        await until(() => containers.capabilities.pause === newCgroups && containers.capabilities.stats === newCgroups)
      })

    test('what it refuses is said in its own words', async () => {
      await expect(containers.start('nobody')).rejects.toMatchObject({
        status: 404,
        message: expect.stringMatching(/nobody/),
      })
      await expect(containers.inspect('../images/json')).rejects.toMatchObject({ exitCode: 2 })
      await expect(containers.create({ image: 'nowhere/nothing:1' })).rejects.toMatchObject({ status: 404 })
    })

    if (ps)
      test('top', async () => {
        const id = await made({ name: 'topped', command: ['sh', '-c', 'sleep 1000; true'] })
        const { titles, rows } = await until(async () => {
          const told = await containers.top(id)
          return told.rows.length === 2 && told
        })
        expect(titles).toContain('PID')
        for (const one of rows) expect(one).toHaveLength(titles.length)
        expect(rows.map(one => one.at(-1)).sort()).toEqual(['sh -c sleep 1000; true', 'sleep 1000'])
      })

    test('changes are those of its own command line', async () => {
      const script = 'echo a > /new; mkdir /dir; echo b > /dir/file; rm /bin/ls; echo "#" >> /etc/passwd; sleep 1000'
      const id = await made({ name: 'changed', command: ['sh', '-c', script] })
      await until(async () => (await containers.changes(id)).some(one => one.path === '/etc/passwd'))
      const changes = (await containers.changes(id)).map(one => `${one.change} ${one.path}`)
      expect(changes.sort()).toEqual((await real.cli('diff', 'changed')).split('\n').sort())
      expect(changes).toEqual(expect.arrayContaining(['A /dir/file', 'A /new', 'C /etc/passwd', 'D /bin/ls']))
      await made({ name: 'unchanged', command: ['true'] }, false)
      expect((await containers.changes('unchanged')).filter(one => one.path === '/new')).toEqual([])
    })

    test('signals one of the processes and no other', async () => {
      const id = await made({ name: 'signalled', command: ['sh', '-c', 'sleep 1001 & sleep 1002 & exec sleep 2000'] })
      const running = async () => (await containers.processes(id)).filter(one => /^sleep 100/.test(one.command))
      const two = await until(async () => {
        const found = await running()
        return found.length === 2 && found
      })
      const one = two.find(process => process.command === 'sleep 1001')!
      expect(one.inside).toBeGreaterThan(1)
      expect(await containers.signalProcess(id, one, 'KILL')).toBe('directly')
      await until(async () => (await running()).length === 1)
      const [other] = await running()
      // As it is where its numbers on the machine mean nothing.
      expect(await containers.signalProcess(id, { ...other!, pid: null, started: null }, 'TERM')).toBe('inside')
      await until(async () => (await running()).length === 0)
    })

    test('commit makes an image of it', async () => {
      const id = await made({ name: 'committed', command: ['sh', '-c', 'echo kept > /kept'] })
      await containers.wait(id)
      const spec = { reference: 'kept:1', author: 'me', message: 'why', changes: ['CMD ["cat", "/kept"]', 'ENV Z=1'] }
      const image = await containers.commit(id, spec)
      const facts = await engine.inspect(image)
      expect(facts.names[0]).toMatch(/kept:1$/)
      expect(facts.config).toMatchObject({ Cmd: ['cat', '/kept'], Env: expect.arrayContaining(['Z=1']) })
      const again = await made({ image: 'kept:1', name: 'again' })
      expect(await texts(containers.logs(again, { follow: true }))).toEqual(['kept'])
    })

    test('copies out and in as tars', async () => {
      const id = await made({ name: 'copied', command: ['true'] }, false)
      const tar = execFileSync('tar', ['-c', '--owner=0', '-C', '/etc', 'hostname'])
      await containers.copyIn(id, '/tmp', Readable.from([tar]))
      const chunks: Uint8Array[] = []
      for await (const chunk of await containers.copyOut(id, '/tmp/hostname')) chunks.push(chunk)
      const back = execFileSync('tar', ['-xO', 'hostname'], { input: Buffer.concat(chunks) }).toString()
      expect(back).toBe(readFileSync('/etc/hostname', 'utf8'))
      expect((await containers.changes(id)).map(one => one.path)).toContain('/tmp/hostname')
    })

    test('looks at one path', async () => {
      const script =
        'echo hello > /f; chmod 4751 /f; mkfifo /p; ln -s /f /l; mkdir -m 1777 /d; touch /ready; sleep 1000'
      const id = await made({ name: 'looked', command: ['sh', '-c', script] })
      await until(() => containers.stat!(id, '/ready'))
      const seen = async (path: string) => {
        const found = await containers.stat!(id, path)
        return found && `${found.kind} ${found.mode.toString(8)}`
      }
      expect(await Promise.all(['/f', '/p', '/l', '/d', '/none'].map(seen))).toEqual([
        'file 4751',
        'other 644',
        'symlink 777',
        'dir 1777',
        null,
      ])
      const found = await containers.stat!(id, '/f')
      expect(found?.size).toBe(6)
      expect(Math.abs(found!.mtime - Date.now())).toBeLessThan(60_000)
    })

    test('events tell a life in Docker’s words, and no exec', async () => {
      const stop = new AbortController()
      const told: string[] = []
      const open = Promise.withResolvers<void>()
      const since = Date.now()
      const ended = (async () => {
        for await (const event of containers.events({ signal: stop.signal, onOpen: open.resolve })) {
          expect(event.time).toBeGreaterThan(since - 5_000)
          if (event.name.startsWith('told')) told.push(`${event.kind} ${event.action}`)
        }
      })()
      await open.promise
      const id = await made({ name: 'told', command: ['sleep', '1000'] })
      await said(id, ['true'])
      await containers.rename(id, 'told-2')
      await containers.kill(id)
      await containers.wait(id)
      await until(() => told.includes('container die'))
      await containers.remove(id, { force: true })
      await until(() => told.includes('container destroy'))
      const life = ['create', 'start', 'rename', 'die', 'destroy'].map(one => `container ${one}`)
      expect(told.filter(one => life.includes(one))).toEqual(life)
      expect(told.filter(one => one.includes('exec'))).toEqual([])
      stop.abort()
      await ended
      const again = new AbortController()
      for await (const event of containers.events({ signal: again.signal, since: since / 1000 - 1 })) {
        if (event.action === 'destroy' && event.id === id) again.abort()
      }
    })

    test('logs: both streams, times, the last ones, a span of time', async () => {
      const script = 'echo one; echo two >&2; sleep 2; echo three; echo four'
      const id = await made({ name: 'logged', command: ['sh', '-c', script] })
      const followed = await lines(containers.logs(id, { follow: true }))
      const whole = await lines(containers.logs(id))
      const shown = (line: LogLine) => `${line.stream} ${Buffer.from(line.bytes)}${line.partial ? '' : '$'}`
      const streams = (stream: string) => whole.filter(line => line.stream === stream).map(shown)
      expect(streams('stdout')).toEqual(['stdout one$', 'stdout three$', 'stdout four$'])
      expect(streams('stderr')).toEqual(['stderr two$'])
      expect(followed.map(shown).sort()).toEqual(whole.map(shown).sort())
      expect(await texts(containers.logs(id, { tail: 2 }))).toEqual(['three', 'four'])
      expect(await texts(containers.logs(id, { tail: 0 }))).toEqual([])
      const third = whole.find(line => shown(line).includes('three'))!
      for (const line of whole) expect(Math.abs(Number(line.time! / 1_000_000n) - Date.now())).toBeLessThan(60_000)
      const between = Number(third.time! / 1_000_000n) / 1000 - 0.5
      expect(await texts(containers.logs(id, { since: between }))).toEqual(['three', 'four'])
      expect((await texts(containers.logs(id, { until: between }))).sort()).toEqual(['one', 'two'])
    })

    test.each([false, true])('a line of any length comes in parts (terminal: %s)', async tty => {
      const script = 'head -c 200000 /dev/zero | tr "\\0" x; echo; printf a; sleep 0.2; echo b; printf end'
      const id = await made({ name: `long-${tty}`, tty, command: ['sh', '-c', script] })
      await containers.wait(id)
      const parts = await lines(containers.logs(id))
      const text = parts.map(line => `${Buffer.from(line.bytes)}${line.partial ? '' : '\n'}`).join('')
      expect(text.replaceAll('\r', '')).toBe(`${'x'.repeat(200_000)}\nab\nend`)
      expect(Math.max(...parts.map(line => line.bytes.length))).toBe(65_536)
    })

    test('following ends with the signal, with the reader, and leaves no connection', async () => {
      const script = 'while :; do echo x; sleep 0.05; done'
      const id = await made({ name: 'followed', command: ['sh', '-c', script] })
      const stop = new AbortController()
      let count = 0
      for await (const _ of containers.logs(id, { follow: true, signal: stop.signal })) if (++count === 3) stop.abort()
      expect(count).toBeGreaterThanOrEqual(3)
      for await (const _ of containers.logs(id, { follow: true, tail: 1 })) break
    })

    test('exec: streams, exit code, environment, user, folder', async () => {
      const id = await made({ name: 'host', command: ['sleep', '1000'] })
      expect(await said(id, ['sh', '-c', 'echo out; echo err >&2; exit 7'])).toEqual({
        output: 'out\n',
        errors: 'err\n',
        code: 7,
      })
      const session = await containers.exec(id, {
        command: ['sh', '-c', 'echo $B; pwd; id -u'],
        env: ['B=2'],
        user: '33',
        workingDir: '/tmp',
      })
      expect((await ending(session)).output).toBe('2\n/tmp\n33\n')
      const missing = await said(id, ['nothing-like-it'])
      expect(missing.output + missing.errors).toContain('not found')
      expect([126, 127]).toContain(missing.code)
      const done = await made({ name: 'over', command: ['true'] })
      await containers.wait(done)
      await until(async () => (await containers.inspect(done)).state === 'exited')
      await expect(said(done, ['true'])).rejects.toMatchObject({
        message: expect.stringMatching(/not running|running containers/),
      })
    })

    test('exec: megabytes of input, its end, and what comes after it', async () => {
      const id = await made({ name: 'eater', command: ['sleep', '1000'] })
      const session = await containers.exec(id, { command: ['sh', '-c', 'wc -c; echo done'], stdin: true })
      session.input!.end(Buffer.alloc(3_000_000, 'x'))
      expect(await ending(session)).toEqual({ output: '3000000\ndone\n', errors: '', code: 0 })
    })

    test('exec with a terminal: its size, keys, exit code', async () => {
      const id = await made({ name: 'typed', command: ['sleep', '1000'] })
      const session = await containers.exec(id, { command: ['sh'], tty: true, stdin: true })
      expect(session.errors).toBe(null)
      await session.resize(133, 44)
      session.input!.write('stty size; exit 5\n')
      const { output, code } = await ending(session)
      expect(output).toContain('44 133')
      expect(code).toBe(5)
    })

    test('letting go of a program leaves it running', async () => {
      const id = await made({ name: 'left', command: ['sleep', '1000'] })
      const session = await containers.exec(id, { command: ['sh', '-c', 'echo here; sleep 1; touch /tmp/went-on'] })
      await new Promise(resolve => session.output.once('data', resolve))
      session.close()
      expect(await session.ended).toBe(null)
      await until(async () => (await said(id, ['test', '-e', '/tmp/went-on'])).code === 0)
    })

    test('attach before the start: input, both outputs, the exit code of one that is removed at its end', async () => {
      const spec = { name: 'first', openStdin: true, remove: true, command: ['sh', '-c', 'cat; echo err >&2; exit 9'] }
      const id = await made(spec, false)
      const session = await containers.attach(id, { stdin: true })
      await containers.start(id)
      session.input!.end('typed')
      expect(await ending(session)).toEqual({ output: 'typed', errors: 'err\n', code: 9 })
    })

    // Docker refuses the start, Podman 4 already who wants to be attached: neither may leave the person waiting.
    test('attach before a start that is refused ends with the reason', async () => {
      const id = await made({ name: 'refused', command: ['no-such-program'] }, false)
      const attempt = async () => {
        const session = await containers.attach(id)
        await containers.start(id).finally(() => session.close())
      }
      await expect(attempt()).rejects.toThrow(/no-such-program/)
    })

    test('attach to a terminal: all keys arrive at once, also those on which engines detach; closing lets go', async () => {
      const id = await made({ name: 'keys', tty: true, openStdin: true, command: ['cat'] }, false)
      const session = await containers.attach(id, { stdin: true })
      await containers.start(id)
      await session.resize(100, 30)
      let seen = ''
      session.output.on('data', chunk => (seen += chunk))
      session.input!.write('\x10')
      await until(() => seen === '^P')
      session.input!.write('\x11ok\r')
      await until(() => seen.includes('ok'))
      session.close()
      expect(await session.ended).toBe(null)
      expect((await containers.inspect(id)).state).toBe('running')
    })

    test('attach replays what was said', async () => {
      const id = await made({ name: 'replayed', command: ['sh', '-c', 'echo out; echo err >&2; sleep 1000'] })
      await until(async () => (await texts(containers.logs(id))).length === 2)
      const session = await containers.attach(id, { replay: true })
      const first = (stream: Readable) => new Promise(resolve => stream.once('data', chunk => resolve(String(chunk))))
      expect(await Promise.all([first(session.output), first(session.errors!)])).toEqual(['out\n', 'err\n'])
      session.close()
    })

    if (cgroups)
      test('stats are those of its own command line: CPU, memory without cache, network, blocks', async () => {
        const script = 'head -c 30000000 /dev/urandom > /file; cat /file > /dev/null; touch /ready; while :; do :; done'
        const id = await made({ name: 'measured', cpus: 0.3, command: ['sh', '-c', script] })
        await until(async () => (await said(id, ['test', '-e', '/ready'])).code === 0)
        const stop = new AbortController()
        onTestFinished(() => stop.abort())
        const samples: Stats[] = []
        const measuring = (async () => {
          for await (const sample of containers.stats(id, { signal: stop.signal })) samples.push(sample)
        })()
        await until(() => samples.length >= 3)
        const format = '{{.CPUPerc}} {{.MemUsage}} {{.NetIO}} {{.BlockIO}} {{.PIDs}}'
        const judge = await real.cli('stats', '--no-stream', '--format', format, 'measured')
        await until(() => samples.at(-1)!.time >= Date.now() - 1_500)
        const ours = samples.at(-1)!
        stop.abort()
        await measuring
        const [cpu, memory, limit, received, sent, read, written, pids] = judge.replaceAll(' / ', ' ').split(' ')
        expect(samples[0].cpuPercent).toBe(null)
        expect(Math.abs(ours.cpuPercent! - Number.parseFloat(cpu))).toBeLessThan(10)
        expect(ours.cpuPercent).toBeGreaterThan(10)
        expect(Math.abs(ours.memory - bytesOf(memory))).toBeLessThan(1_500_000)
        if (engine.kind === 'docker') expect(ours.memory).toBeLessThan(20_000_000)
        expect(ours.memoryLimit! / bytesOf(limit)).toBeCloseTo(1, 2)
        expect([ours.netReceived, ours.netSent].map(rounded)).toEqual([received, sent].map(bytesOf).map(rounded))
        expect([ours.blockRead, ours.blockWritten].map(rounded)).toEqual([read, written].map(bytesOf).map(rounded))
        expect(ours.pids).toBe(Number(pids))
      })

    if (cgroups)
      test('stats end with the container, and there are none of one that does not run', async () => {
        const id = await made({ name: 'short', command: ['sleep', '1000'] })
        let count = 0
        for await (const _ of containers.stats(id, { signal: new AbortController().signal }))
          if (++count === 2) await containers.kill(id)
        expect(count).toBeGreaterThanOrEqual(2)
        for await (const _ of containers.stats(id, { signal: new AbortController().signal }))
          expect('a sample').toBe('none')
      })

    async function made(spec: Partial<ContainerSpec>, started = true): Promise<string> {
      const { id } = await containers.create({ image: 'busybox:test', network: 'none', ...spec })
      onTestFinished(() => containers.remove(id, { force: true, volumes: true }).catch(() => {}))
      if (started) await containers.start(id)
      return id
    }

    async function row(wanted: string) {
      return (await containers.list({ all: true })).find(one => one.name === wanted)!
    }

    async function said(id: string, command: string[]) {
      return ending(await containers.exec(id, { command }))
    }
  })
}

async function ending(session: Session) {
  const [output, errors] = await Promise.all([textOf(session.output), session.errors ? textOf(session.errors) : ''])
  return { output, errors, code: await session.ended }
}

async function textOf(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

async function lines(log: AsyncIterable<LogLine>): Promise<LogLine[]> {
  const all: LogLine[] = []
  for await (const line of log) all.push(line)
  return all
}

async function texts(log: AsyncIterable<LogLine>): Promise<string[]> {
  return (await lines(log)).map(line => Buffer.from(line.bytes).toString())
}

/** `1.5MiB`, `30.1MB`, `--` as bytes. */
function bytesOf(text: string): number {
  const [, number = '0', unit = 'B'] = /^([\d.]+)\s*([A-Za-z]*)$/.exec(text) ?? []
  const base = unit.includes('i') ? 1024 : 1000
  return Number(number) * base ** 'BKMGT'.indexOf(unit[0].toUpperCase())
}

/** Three digits: what a command line prints. */
function rounded(bytes: number): number {
  return Number(bytes.toPrecision(2))
}

/** Sockets that this process has open. */
function sockets(): number {
  return process.getActiveResourcesInfo().filter(one => /^(Pipe|TCPSocket|TLS)Wrap$/.test(one)).length
}

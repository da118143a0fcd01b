/** `watch`: at every moment of quiet its lines together say what a fresh `diff` says. */
import { execFileSync, spawn } from 'node:child_process'
import { chownSync, linkSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { beforeAll, expect, test } from 'vitest'
import { until } from '../harness/command.ts'
import { helper, helperPath } from './helper.ts'
import { asEverybody } from './suite.ts'
import { addStorm, diffOf, type Watcher, watch } from './watcher.ts'

const sanitized = process.env.STRATA_NATIVE === 'sanitized'

asEverybody('watch', (room, kind) => {
  beforeAll(() => addStorm(room()))

  /** A container that runs while its upper directory is watched. */
  async function watched(
    args: string[],
    look: (watcher: Watcher, upper: string, agree: () => Promise<void>) => Promise<void>,
  ): Promise<void> {
    const bundle = room().bundle({ args })
    const upper = join(bundle, 'upper')
    const watcher = await watch(room().who, room().layers, upper)
    try {
      const run = helper(room().who, ['run', '--foreground', '--bundle', bundle, 'x'])
      const agree = async () => {
        expect((await run).stderr).toBe('')
        const expected = await diffOf(room().who, room().layers, upper)
        await until(() => JSON.stringify(watcher.letters()) === JSON.stringify(expected), {
          within: 10_000,
          failure: () => `watch and diff differ:\n${difference(watcher.letters(), expected).join('\n')}`,
        })
      }
      await look(watcher, upper, agree)
    } finally {
      expect(await watcher.end()).toBe(0)
    }
  }

  const script = (text: string) => ['sh', '-c', text]

  test('nothing changed, nothing told but the mark; the end of the input ends it', async () => {
    await watched(['true'], async (watcher, _, agree) => {
      await agree()
      expect([watcher.lines, watcher.marks]).toEqual([[], [{ sync: 1 }]])
    })
  })

  test('sizes, what was written, where it came from and in what it differs', async () => {
    await watched(
      script('echo 12345 >> /storm/a; chmod 600 /storm/data/a; rm /storm/data/b; ln -s x /l'),
      async (w, _, agree) => {
        await agree()
        expect(w.now.get('/storm/a')).toMatchObject({
          op: 'C',
          type: 'file',
          size: 106,
          lower: 0,
          lowerSize: 100,
          reasons: ['content', 'time'],
        })
        expect(w.now.get('/storm/data/a')).toMatchObject({ op: 'C', size: 100, mode: 0o600, reasons: ['mode'] })
        expect(w.now.get('/storm/data/b')).toMatchObject({ op: 'D', size: 100 })
        expect(w.now.get('/l')).toMatchObject({ op: 'A', type: 'symlink', link: 'x' })
        expect(w.now.get('/storm')).toMatchObject({ op: 'C', type: 'dir', reasons: [] })
      },
    )
  })

  test('a copy-up that changes nothing is never told', async () => {
    await watched(script('true >> /storm/a; chmod 644 /storm/data/a; touch /end'), async (watcher, _, agree) => {
      await agree()
      expect(watcher.lines.map(line => `${line.op} ${line.path}`)).toEqual(['A /end'])
    })
  })

  test('what grows is told with what was written to it since', async () => {
    await watched(script('for i in 1 2 3 4; do echo 123456789 >> /log; sleep 0.3; done'), async (watcher, _, agree) => {
      await agree()
      const steps = watcher.lines.filter(line => line.path === '/log')
      expect(steps.map(({ op, size, written }) => [op, size, written])).toEqual([
        ['A', 10, 10],
        ['A', 20, 10],
        ['A', 30, 10],
        ['A', 40, 10],
      ])
    })
  })

  test('a whole tree that moves, and one that takes its place', async () => {
    const steps = [
      'mkdir -p /t/a/b/c; touch /t/a/b/c/1',
      'mv /t/a /t/z',
      'touch /t/z/b/c/2; mkdir -p /t/a/b; touch /t/a/b/3',
      'mv /t/z /t/a/b; rm -r /t/a/b/z/b/c; mkdir /t/a/b/z/b/c; touch /t/a/b/z/b/c/4',
      'rm -r /storm; mkdir /storm; touch /storm/a',
      'rm -r /storm; touch /storm; rm /storm; mkdir -p /storm/deep/a',
    ]
    await watched(script(steps.join('\nsleep 0.1\n')), (_, _upper, agree) => agree())
  })

  // What an identity is different in are its marks and ids, not how many things happen: much happens to root.
  const seeds = kind === 'root' ? [1, 2, 3, 4, 5, 6, 7, 8] : kind === 'sub-ids' ? [9, 10] : [11, 12]
  test.each(seeds)('random operations, seed %i', async seed => {
    const wild = `storm random ${seed} 400; sleep 0.1; storm random ${seed + 100} 3000; sleep 0.05; storm random ${seed + 200} 50`
    await watched(script(wild), async (watcher, upper, agree) => {
      await agree()
      const before = watcher.letters()
      await watcher.sync()
      expect(watcher.letters()).toEqual(before)
      expect(await diffOf(room().who, room().layers, upper)).toEqual(before)
    })
  })

  const many = kind === 'root' ? 10_000 : 1000
  test(`${many} files made, renamed and half of them removed in a burst`, async () => {
    await watched(['storm', 'burst', String(many)], async (watcher, _, agree) => {
      await agree()
      expect([...watcher.now.keys()].filter(path => path.includes('/g'))).toHaveLength(many / 2)
    })
  })

  test.runIf(kind === 'root')(
    'lost events are made up for: the watcher stands still while more happens than the kernel keeps',
    async () => {
      const bundle = room().bundle({ args: ['storm', 'burst', '12000'] })
      const upper = join(bundle, 'upper')
      const watcher = await watch(room().who, room().layers, upper)
      const pids = [watcher.pid, ...childrenOf(watcher.pid)]
      try {
        for (const pid of pids) process.kill(pid, 'SIGSTOP')
        expect((await helper(room().who, ['run', '--foreground', '--bundle', bundle, 'x'])).code).toBe(0)
        for (const pid of pids) process.kill(pid, 'SIGCONT')
        const expected = await diffOf(room().who, room().layers, upper)
        await until(() => JSON.stringify(watcher.letters()) === JSON.stringify(expected), { within: 20_000 })
      } finally {
        for (const pid of pids) process.kill(pid, 'SIGCONT')
        await watcher.end()
      }
    },
  )

  test('what is written through memory, of which no event tells, is found by a slow look and at once when asked', async () => {
    const bundle = room().bundle({ args: ['storm', 'map', '/storm/a'] })
    const { uid, gid } = room().who
    const upper = join(bundle, 'upper')
    const watcher = await watch(room().who, room().layers, upper)
    const run = spawn(helperPath, ['run', '--foreground', '--bundle', bundle, 'x'], {
      uid,
      gid,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const said: string[] = []
    createInterface({ input: run.stdout }).on('line', line => said.push(line))
    const ended = new Promise(resolve => run.once('close', resolve))
    const write = async () => {
      const before = said.length
      run.stdin.write('\n')
      await until(() => said.length > before, { every: 5 })
    }
    try {
      await until(() => said.includes('mapped'))
      await write()
      await watcher.sync()
      const first = watcher.now.get('/storm/a')
      expect(first).toMatchObject({ op: 'C', size: 100 })
      const lines = watcher.lines.length
      await write()
      await until(() => watcher.lines.slice(lines).some(line => line.path === '/storm/a'), { within: 10_000 })
    } finally {
      run.stdin.end()
      await ended
      await watcher.end()
    }
  })

  test('where a link leads is told, whatever it says, and again when it leads elsewhere', async () => {
    const long = 'y'.repeat(4095)
    const steps = String.raw`ln -s "$(printf 'a\377\n')" /odd; ln -s ${long} /long; ln -s one /l; sleep 0.1; ln -sfn two /l; touch -h -d @5 /l; sleep 0.1; ln -s six /m; touch -h -d @5 /m; mv /m /l; rm /long; touch /end`
    await watched(script(steps.replaceAll('\\\\', '\\')), async (w, _, agree) => {
      await agree()
      const odd = w.now.get('/odd') as { linkBase64?: string } | undefined
      expect(Buffer.from(odd?.linkBase64 ?? '', 'base64').toString('latin1')).toBe('a\xff')
      expect(w.now.get('/l')).toMatchObject({ op: 'A', link: 'six' })
      const told = w.lines.filter(line => line.path === '/long' && line.op === 'A') as { link?: string }[]
      expect(told.map(line => line.link)).toEqual(told.length === 0 ? [] : [long])
    })
  })

  test('a name that is not UTF-8 comes whole, a name with a line end stays one line', async () => {
    const names = String.raw`touch "$(printf '/a\377b')" "$(printf '/c\nd')"`
    await watched(script(names), async watcher => {
      await until(() => watcher.now.size === 2)
      const paths = [...watcher.now.values()] as { path: string; pathBase64?: string }[]
      const bytes = paths.map(({ path, pathBase64 }) => Buffer.from(pathBase64 ?? path, pathBase64 ? 'base64' : 'utf8'))
      expect(bytes.map(name => name.toString('latin1')).sort()).toEqual(['/a\xffb', '/c\nd'])
    })
  })

  test('the upper directory is removed: all is taken back, and it ends by itself', async () => {
    await watched(script('mkdir /d; touch /d/f'), async (watcher, upper, agree) => {
      await agree()
      expect(watcher.now.size).toBeGreaterThan(0)
      expect((await helper(room().who, ['rm', upper])).code).toBe(0)
      await until(() => watcher.marks.some(mark => mark.gone))
      expect(watcher.letters()).toEqual([])
    })
  })

  test('names that become links outwards while it looks lead nowhere', async () => {
    const swap =
      'mkdir -p /s/d; touch /s/d/f; for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do mv /s/d /s/e; ln -s /etc /s/d; touch /s/e/$i; rm /s/d; mv /s/e /s/d; done; rm -r /s/d; ln -s / /s/d'
    await watched(script(swap), async (watcher, _, agree) => {
      await agree()
      expect(watcher.lines.filter(line => /passwd|\/s\/d\/(etc|usr|bin)/.test(line.path))).toEqual([])
    })
  })

  test('from write to line: the middle one of 25 within 60 ms, though each waits for what may belong to it', async () => {
    await watched(['storm', 'tick', '25'], async (watcher, _, agree) => {
      const delays: number[] = []
      watcher.onLine = line => {
        const made = /^\/tick-(\d+)$/.exec(line.path)
        if (made !== null) delays.push(Date.now() - Number(BigInt(made[1]) / 1_000_000n))
      }
      await agree()
      delays.sort((a, b) => a - b)
      expect(delays).toHaveLength(25)
      expect(delays[12]).toBeLessThanOrEqual(sanitized ? 200 : 60)
    })
  })

  test.runIf(kind === 'root' && !sanitized)(
    '100 000 changed files: at most 60 MB, and no processor time while nothing happens',
    async () => {
      // In memory, and names of one file a directory: it is the watcher that is measured, not the disk.
      const upper = mkdtempSync('/dev/shm/strata-watch-')
      chownSync(upper, room().who.uid, room().who.gid)
      for (let i = 0; i < 100_000; i++) {
        const folder = join(upper, `folder-${Math.floor(i / 500)}`)
        if (i % 500 === 0) mkdirSync(folder)
        if (i % 500 === 0) writeFileSync(join(folder, 'a-file-with-a-name-0'), 'x')
        else linkSync(join(folder, 'a-file-with-a-name-0'), join(folder, `a-file-with-a-name-${i}`))
      }
      const watcher = await watch(room().who, room().layers, upper)
      try {
        expect(watcher.now.size).toBe(100_200)
        const pids = [watcher.pid, ...childrenOf(watcher.pid)]
        const memory = pids.map(pid => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]))
        expect(memory.reduce((a, b) => a + b) / 1024).toBeLessThan(60)
        await watcher.sync()
        const before = ticksOf(pids)
        await new Promise(resolve => setTimeout(resolve, 4000))
        expect(ticksOf(pids) - before).toBeLessThanOrEqual(2)
      } finally {
        await watcher.end()
        rmSync(upper, { recursive: true })
      }
    },
  )

  // The limit is one of the machine's: only root may lower it, for a moment, and nobody else is to be hurt.
  test.runIf(kind === 'root')('without watches to be had it goes and looks, and says so', async () => {
    const bundle = room().bundle({ args: script('mkdir -p /p/q; touch /p/q/r; sleep 1; rm -r /p/q; echo x > /p/y') })
    const upper = join(bundle, 'upper')
    const below = room().layers.flatMap(folder => ['--lower', folder])
    // In a user namespace of its own the limit can be set for it alone.
    const command = `echo 1 > /proc/sys/user/max_inotify_watches; exec ${helperPath} watch --user-marks ${below.join(' ')} ${upper}`
    const args = ['--user', '--map-root-user', 'sh', '-c', command]
    const child = spawn('unshare', args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines: { op?: string; path?: string; notice?: string; sync?: number }[] = []
    createInterface({ input: child.stdout }).on('line', line => lines.push(JSON.parse(line)))
    const ended = new Promise(resolve => child.once('close', resolve))
    try {
      await until(() => lines.some(line => line.sync === 1))
      expect((await helper(room().who, ['run', '--foreground', '--bundle', bundle, 'x'])).code).toBe(0)
      await until(() => lines.some(line => line.path === '/p/y' && line.op === 'A'), { within: 15_000 })
      expect(lines.filter(line => line.notice).map(line => line.notice)).toEqual(['polled'])
      expect(lines.some(line => line.path === '/p/q/r' && line.op === '-')).toBe(true)
    } finally {
      child.stdin.end()
      await ended
    }
  })

  test.runIf(kind === 'root')(
    'a directory that another runtime renamed in place is told, and that not all of it is',
    async () => {
      const folder = join(room().path, 'redirected')
      for (const name of ['', 'lower', 'lower/old', 'upper', 'work', 'merged']) mkdirSync(join(folder, name))
      writeFileSync(join(folder, 'lower/old/file'), 'x')
      const watcher = await watch(room().who, [join(folder, 'lower')], join(folder, 'upper'))
      try {
        const layers = `redirect_dir=on,lowerdir=${folder}/lower,upperdir=${folder}/upper,workdir=${folder}/work`
        const move = `mount -t overlay overlay -o ${layers} ${folder}/merged && mv ${folder}/merged/old ${folder}/merged/new`
        execFileSync('unshare', ['--mount', 'sh', '-c', move])
        await until(() => watcher.notices.length > 0 && watcher.now.size === 2)
        expect([watcher.letters(), watcher.notices[0].notice]).toEqual([['A /new', 'D /old'], 'redirected'])
      } finally {
        await watcher.end()
      }
    },
  )

  test('a directory that is not there is an error', async () => {
    const result = await helper(room().who, ['watch', join(room().path, 'nothing-there')])
    expect([result.code, result.stderr]).toEqual([
      1,
      expect.stringMatching(/upper directory .*nothing-there: No such file/),
    ])
    expect(statSync(room().path).isDirectory()).toBe(true)
  })
})

function difference(one: string[], two: string[]): string[] {
  const [a, b] = [new Set(one), new Set(two)]
  return [
    ...one.filter(x => !b.has(x)).map(x => `watch only: ${x}`),
    ...two.filter(x => !a.has(x)).map(x => `diff only: ${x}`),
  ]
}

function childrenOf(pid: number): number[] {
  const text = execFileSync('sh', ['-c', `cat /proc/${pid}/task/${pid}/children`]).toString()
  return text.split(' ').filter(Boolean).map(Number)
}

/** Processor time used so far, in hundredths of a second. */
function ticksOf(pids: number[]): number {
  return pids.reduce((sum, pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
    return sum + Number(fields[11]) + Number(fields[12])
  }, 0)
}

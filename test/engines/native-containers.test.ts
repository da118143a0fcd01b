/** Containers of the native engine and of a real Docker, side by side: the same command lines, the same answers. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { node } from '../harness/bundle.ts'
import { type CommandResult, tryCommand, until } from '../harness/command.ts'
import { buildImage, importBusybox } from '../harness/engine-images.ts'
import { dockerClient, startDocker, type TestEngine } from '../harness/engines.ts'
import { startPty } from '../harness/pty.ts'
import { program } from '../harness/strata.ts'
import { buildHelper, helperPath } from '../native/helper.ts'

const dockerfile = `FROM busybox:test
RUN mkdir -p /d/sub && echo a > /d/a && echo b > /d/b && echo c > /d/sub/c && ln -s a /d/link && ln /d/a /d/hard
RUN echo again > /d/b && echo app:x:1234:1234::/home/app:/bin/sh >> /etc/passwd && mkdir -p /home/app && chown 1234 /home/app
ENV FROM_IMAGE="two words" OTHER=1
LABEL kept=yes
WORKDIR /d
CMD ["sh", "-c", "echo from the image"]
`

interface Said {
  code: number
  out: string
  err: string
}

let docker: TestEngine
let env: NodeJS.ProcessEnv
let names = 0

beforeAll(async () => {
  buildHelper()
  docker = await startDocker()
  await importBusybox(docker)
  await buildImage(docker, { tag: 'app:1', builder: 'classic', dockerfile })
  const home = join(docker.scratch.path, 'home')
  mkdirSync(home)
  env = {
    ...docker.env,
    HOME: home,
    STRATA_ROOT: join(home, 'strata'),
    STRATA_NATIVE_HELPER: helperPath,
    XDG_CACHE_HOME: join(home, 'cache'),
    TZ: 'UTC',
  }
  const archive = join(home, 'app.tar')
  await docker.cli('save', '-o', archive, 'app:1')
  expect((await ask('strata', 'load', '-i', archive)).err).toBe('')
})
afterAll(async () => {
  const { out } = await ask('strata', 'ps', '-aq', '--engine', 'native')
  if (out.trim()) await ask('strata', 'rm', '-f', '--engine', 'native', ...out.trim().split('\n'))
  await docker?.stop()
})

type Who = 'docker' | 'strata' | 'through'

/** `through`: strata, told to use Docker. */
async function ask(who: Who, ...args: string[]): Promise<Said> {
  return saidOf(await askWith({}, who, ...args))
}

function askWith(
  options: { input?: string; env?: NodeJS.ProcessEnv },
  who: Who,
  ...args: string[]
): Promise<CommandResult> {
  const [verb = '', ...rest] = args
  const engine = who === 'through' ? ['--engine', 'docker'] : []
  const words = who === 'docker' ? args : [program(), verb, ...engine, ...rest]
  return tryCommand(who === 'docker' ? dockerClient : node, words, { ...options, env: { ...env, ...options.env } })
}

function saidOf({ code, stdout, stderr }: CommandResult): Said {
  return { code, out: stdout.toString(), err: stderr }
}

/** A name that neither has yet; containers of it go with the test. */
function newName(): string {
  const name = `t${++names}`
  onTestFinished(async () => {
    await ask('docker', 'rm', '-f', name)
    await ask('strata', 'rm', '-f', '--engine', 'native', name)
  })
  return name
}

const run = ['run', '--rm', '--network', 'none', '-h', 'box']

describe('run', () => {
  test.each<[string, string[]]>([
    ['a success', ['app:1', 'true']],
    ['a failure', ['app:1', 'false']],
    ['a number of its own', ['app:1', 'sh', '-c', 'exit 42']],
    ['a signal', ['app:1', 'sh', '-c', '(sleep 9 & kill -9 $!; wait $!)']],
    ['a command that is not there', ['app:1', 'no-such-program']],
    ['a command that can not be run', ['app:1', '/etc/passwd']],
    ['the command of the image', ['app:1']],
    ['arguments as they are', ['app:1', 'printf', '<%s>', 'a b', '', '-x', '--', '*']],
    ['another entrypoint drops the command', ['--entrypoint', 'pwd', 'app:1']],
    ['another entrypoint with arguments', ['--entrypoint', 'echo', 'app:1', 'x', 'y']],
    ['the working directory', ['-w', '/tmp', 'app:1', 'pwd']],
    ['a working directory that is made', ['-w', '/not/there', 'app:1', 'pwd']],
    ['a user by name', ['-u', 'app', 'app:1', 'sh', '-c', 'id -u; echo $HOME']],
    ['a user by numbers', ['-u', '33:44', 'app:1', 'sh', '-c', 'id -u; id -g']],
    ['environment', ['-e', 'A=1', '-e', 'OTHER=2', '-e', 'EMPTY=', '-e', 'ASKED', 'app:1', 'sh', '-c', 'env | sort']],
    ['host name', ['app:1', 'sh', '-c', 'hostname; cat /etc/hostname']],
    ['limits of files', ['app:1', 'sh', '-c', 'umask; ulimit -c']],
    ['a read-only root', ['--read-only', 'app:1', 'sh', '-c', 'touch /x 2>/dev/null; echo $?']],
    [
      'a file system in memory',
      ['--tmpfs', '/mem:size=1m', 'app:1', 'sh', '-c', 'df -k /mem | tail -1 | tr -s " " | cut -d " " -f 2-'],
    ],
    ['who may do what', ['app:1', 'sh', '-c', "grep -E '^(Cap|Uid|Gid|Groups|Seccomp:)' /proc/self/status"]],
    ['what an ordinary user may do', ['-u', '1234', 'app:1', 'sh', '-c', "grep -E '^(Cap|Uid|Gid)' /proc/self/status"]],
    ['devices', ['app:1', 'sh', '-c', 'ls /dev | grep -v console']],
    ['what is masked', ['app:1', 'sh', '-c', 'wc -c < /proc/kcore; wc -c < /proc/keys; ls /sys/firmware | wc -l']],
    ['what can not be written', ['app:1', 'sh', '-c', 'echo 1 > /proc/sys/kernel/hostname; touch /sys/x; echo $?']],
    [
      'network',
      ['app:1', 'sh', '-c', "grep -o '^ *[a-z0-9]*:' /proc/net/dev; ping -c1 -w1 127.0.0.1 >/dev/null; echo $?"],
    ],
    ['hosts', ['app:1', 'sh', '-c', 'grep -v box /etc/hosts']],
  ])('%s', async (_, args) => {
    const [judge, own, through] = await Promise.all(
      (['docker', 'strata', 'through'] as const).map(who => said(who, args)),
    )
    expect(own).toEqual(judge)
    expect(through).toEqual(judge)
    expect(judge.code < 125 || judge.out === '').toBe(true)
  })

  async function said(who: Who, args: string[]): Promise<Omit<Said, 'err'>> {
    const { code, out } = saidOf(await askWith({ env: { ASKED: 'from outside' } }, who, ...run, ...args))
    return { code, out }
  }

  test('the places where something is mounted', async () => {
    const places = async (who: Who) => {
      const { out } = await ask(who, ...run, 'app:1', 'cut', '-d', ' ', '-f', '5', '/proc/self/mountinfo')
      // How cgroups are shown, of what /dev is made, and what newer Dockers mask too, is each engine's own.
      return out
        .split('\n')
        .filter(
          path => !/^\/sys\/fs\/cgroup|^\/dev\/(?:null|zero|full|random|urandom|tty)$|^\/proc\/interrupts$/.test(path),
        )
        .sort()
    }
    expect(await places('strata')).toEqual(await places('docker'))
  })

  test('input comes in with -i and not without', async () => {
    for (const who of ['docker', 'strata', 'through'] as const) {
      const given = await askWith({ input: 'typed\n' }, who, 'run', '--rm', '-i', '--network', 'none', 'app:1', 'cat')
      expect([who, given.code, given.stdout.toString()]).toEqual([who, 0, 'typed\n'])
      const without = await askWith({ input: 'typed\n' }, who, ...run, 'app:1', 'cat')
      expect([who, without.code, without.stdout.toString()]).toEqual([who, 0, ''])
    }
  })

  test('a directory of this machine, and only to be read', async () => {
    const folder = join(docker.scratch.path, `volume-${newName()}`)
    mkdirSync(folder)
    writeFileSync(join(folder, 'in'), 'hello\n')
    for (const who of ['docker', 'strata', 'through'] as const) {
      const script = 'cat /v/in; touch /v/x 2>/dev/null; echo $?'
      expect((await ask(who, ...run, '-v', `${folder}:/v:ro`, 'app:1', 'sh', '-c', script)).out).toBe('hello\n1\n')
      expect((await ask(who, ...run, '-v', `${folder}:/v`, 'app:1', 'sh', '-c', `${script}; rm /v/x`)).out).toBe(
        'hello\n0\n',
      )
    }
  })

  test('an image that only Docker has, an archive, and an image as of a step', async () => {
    await docker.cli('tag', 'app:1', 'only-docker:1')
    const archive = join(docker.scratch.path, 'home/app.tar')
    for (const image of ['only-docker:1', 'docker-daemon:only-docker:1', archive])
      expect(await ask('strata', ...run, image, 'pwd')).toEqual({ code: 0, out: '/d\n', err: '' })
    expect((await ask('strata', ...run, 'app:1@1', 'ls', '/d')).code).toBe(1)
    expect((await ask('strata', ...run, 'app:1@2', 'cat', '/d/b')).out).toBe('b\n')
    expect((await ask('strata', ...run, 'app:1@3', 'cat', '/d/b')).out).toBe('again\n')
  })

  test('what can not be started is 125 with a sentence', async () => {
    for (const args of [
      ['run', '--no-such-flag', 'app:1'],
      ['run', 'no-such-image:here'],
      ['run', '-m', 'lots', 'app:1'],
    ]) {
      const { code, out, err } = await ask('strata', ...args, '--engine', 'native')
      expect([args, code, out]).toEqual([args, 125, ''])
      expect(err).toMatch(/^strata: .*\.\n/)
    }
  })
})

/** Starts the same on both, and waits until it has said that it is ready. */
async function pairOf(script: string, ...flags: string[]): Promise<string> {
  const name = newName()
  for (const who of ['docker', 'strata'] as const) {
    const { code, err } = await ask(
      who,
      'run',
      '-d',
      '--network',
      'none',
      '--name',
      name,
      ...flags,
      'app:1',
      'sh',
      '-c',
      script,
    )
    expect([who, code, err]).toEqual([who, 0, ''])
    await until(async () => /ready/.test((await ask(who, 'logs', name)).out))
  }
  return name
}

const lines = ({ out }: Said) => out.trim().split('\n').sort()

describe('a container that stays', () => {
  const changes = [
    'echo new > /d/new; mkdir /n; echo x > /n/x; rm /d/a; echo more >> /d/b; chmod 700 /d/sub; touch -d @5 /d/sub/c',
    'rm -r /d/sub; mkdir /d/sub; echo y > /d/sub/y; ln /d/b /d/other; ln -s x /d/sym; mkfifo /d/pipe; chown 5:6 /home/app',
    'cat /d/a >/dev/null; chmod 644 /d/a; : >> /d/b; mv /d/link /d/moved; rm -r /tmp; echo file > /tmp',
  ]

  test.each(changes)('diff after %s', async script => {
    const name = await pairOf(`${script}; echo ready; exec sleep 1000`)
    expect(lines(await ask('strata', 'diff', '--engine', 'native', name))).toEqual(
      lines(await ask('docker', 'diff', name)),
    )
    expect(lines(await ask('through', 'diff', name))).toEqual(lines(await ask('docker', 'diff', name)))
  })

  test('commit: the same layer, and the same config but for what names the container', async () => {
    const name = await pairOf(
      `${changes[0]}; ln /d/new /d/twice; echo ready; exec sleep 1000`,
      '-e',
      'ADDED=1',
      '-l',
      'mine=2',
      '-u',
      '0',
    )
    const made = `made-${name}:1`
    const flags = [
      '-m',
      'why',
      '-a',
      'who',
      '-c',
      'CMD ["cat", "/d/b"]',
      '-c',
      'ENV LATER="3 4"',
      '-c',
      'EXPOSE 80',
      '-c',
      'USER app',
      '-c',
      'WORKDIR /tmp',
    ]
    expect((await ask('docker', 'commit', ...flags, name, made)).code).toBe(0)
    expect(await ask('strata', 'commit', '--engine', 'native', ...flags, name, made)).toMatchObject({
      code: 0,
      err: '',
    })
    const facts = async (engine: string) => {
      const config = JSON.parse((await ask('strata', 'inspect', '--type', 'image', '--engine', engine, made)).out)
      const tree = (await ask('strata', 'tree', '--changes', '--json', '--engine', engine, made)).out
        .split('\n')
        .filter(one => one !== '')
      const entries = tree.map(one => {
        const { mtime: _, ...entry } = JSON.parse(one)
        return entry
      })
      const last = config.steps.at(-1)
      return {
        run: { ...config.run, env: [...config.run.env].sort() },
        layers: config.layers.length,
        last: [last.comment, last.author],
        entries,
      }
    }
    const [own, judge] = [await facts('native'), await facts('docker')]
    expect(own).toEqual(judge)
    expect((await ask('strata', 'run', '--rm', made)).out).toBe('again\nmore\n')
  })

  test('logs: streams, the last lines, times', async () => {
    const name = await pairOf(
      'for i in 1 2 3; do echo out $i; sleep 0.1; echo err $i >&2; sleep 0.1; done; echo ready; printf end',
    )
    for (const args of [[], ['--tail', '2'], ['--tail', '0'], ['--since', '1h'], ['--until', '1h'], ['-f']]) {
      const [judge, own] = [
        await ask('docker', 'logs', ...args, name),
        await ask('strata', 'logs', '--engine', 'native', ...args, name),
      ]
      expect([args, own.out, own.err]).toEqual([args, judge.out, judge.err])
    }
    const stamp = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z out 1\n/
    expect((await ask('strata', 'logs', '-t', '--engine', 'native', name)).out).toMatch(stamp)
  })

  test('exec: exit codes, user, directory, environment, input', async () => {
    const name = await pairOf('echo ready; exec sleep 1000', '-e', 'OF_CONTAINER=1')
    for (const args of [
      ['true'],
      ['false'],
      ['sh', '-c', 'exit 9'],
      ['no-such-program'],
      ['/etc/passwd'],
      ['pwd'],
      ['sh', '-c', 'env | grep -v HOSTNAME | sort'],
      ['sh', '-c', 'kill -9 $$'],
    ]) {
      for (const flags of [[], ['-u', 'app', '-w', '/tmp', '-e', 'X=1']]) {
        const [judge, own, through] = [
          await ask('docker', 'exec', ...flags, name, ...args),
          await ask('strata', 'exec', '--engine', 'native', ...flags, name, ...args),
          await ask('through', 'exec', ...flags, name, ...args),
        ]
        // Newer Dockers have 127 for what is not there, as run has. Their client says on standard output what the runtime could not start.
        const out = judge.code >= 126 && judge.code <= 127 ? '' : judge.out
        const code = args[0] === 'no-such-program' ? 127 : judge.code
        expect([args, flags, own.code, own.out]).toEqual([args, flags, code, out])
        expect([args, flags, through.code]).toEqual([args, flags, judge.code])
      }
    }
    const fed = await askWith({ input: 'typed\n' }, 'strata', 'exec', '-i', '--engine', 'native', name, 'cat')
    expect(fed.stdout.toString()).toBe('typed\n')
  })

  test('ps: the same rows in the same words', async () => {
    const name = newName()
    for (const who of ['docker', 'strata'] as const) {
      await ask(who, 'run', '--network', 'none', '--name', name, 'app:1', 'sh', '-c', 'exit 3')
    }
    const judge = (
      await ask(
        'docker',
        'ps',
        '-a',
        '--no-trunc',
        '--filter',
        `name=${name}`,
        '--format',
        '{{.Image}}|{{.Command}}|{{.Names}}',
      )
    ).out
    const words = (await ask('docker', 'ps', '-a', '--filter', `name=${name}`, '--format', '{{.Status}}')).out
    const [head, row] = (await ask('strata', 'ps', '-a', '--engine', 'native', '--filter', `name=${name}`)).out.split(
      '\n',
    )
    expect(head).toBe('CONTAINER ID\tIMAGE\tCOMMAND\tCREATED\tSTATUS\tPORTS\tNAMES\tENGINE')
    const [id, image, command, , status, , called] = row.split('\t')
    expect(id).toMatch(/^[0-9a-f]{64}$/)
    expect(`${image}|"${command}"|${called}\n`).toBe(judge.replaceAll("'", ''))
    expect([status.slice(0, 10), words.slice(0, 10)]).toEqual(['Exited (3)', 'Exited (3)'])
    const both = (await ask('strata', 'ps', '-a', '--filter', `name=${name}`, '--json')).out
      .trim()
      .split('\n')
      .map(one => JSON.parse(one))
    expect(both.map(one => [one.engine, one.name, one.state, one.exitCode === null ? 3 : one.exitCode]).sort()).toEqual(
      [
        ['docker', name, 'exited', 3],
        ['native', name, 'exited', 3],
      ],
    )
  })

  test('stop, start, kill, wait, restart, pause, rename, rm: what is printed, and what comes of it', async () => {
    const name = await pairOf("trap 'exit 5' TERM; echo ready; while :; do sleep 0.1; done")
    const told = async (...args: string[]) => {
      const verb = args[0]
      const [judge, own] = [
        await ask('docker', ...args),
        await ask('strata', verb, '--engine', 'native', ...args.slice(1)),
      ]
      expect([args, own.code, own.out]).toEqual([args, judge.code, judge.out])
      return own
    }
    await told('pause', name)
    await told('unpause', name)
    await told('stop', '-t', '20', name)
    expect((await told('wait', name)).out).toBe('5\n')
    await told('start', name)
    await told('restart', '-t', '20', name)
    await told('kill', name)
    expect((await told('wait', name)).out).toBe('137\n')
    await told('rename', name, `${name}-new`)
    await told('rename', `${name}-new`, name)
    await told('rm', name)
    expect((await told('rm', 'no-such-container')).err).toContain('There is no container')
  })

  test('cp: out, in, and what a link of the container leads to is the container’s', async () => {
    const name = await pairOf('ln -s / /d/up; ln -s /etc/passwd /d/pw; echo ready; exec sleep 1000')
    const to = (what: string) => join(docker.scratch.path, `${what}-${name}`)
    for (const who of ['docker', 'strata', 'through'] as const) {
      const own = who === 'strata' ? ['--engine', 'native'] : []
      const folder = to(who)
      mkdirSync(folder)
      expect((await ask(who, 'cp', ...own, `${name}:/d`, folder)).code).toBe(0)
      expect((await ask(who, 'cp', ...own, `${name}:/d/up/etc/passwd`, join(folder, 'inside'))).code).toBe(0)
      expect((await ask(who, 'cp', ...own, '/etc/hostname', `${name}:/d/up/tmp/of-${who}`)).code).toBe(0)
      expect((await ask(who, 'cp', ...own, `${folder}/d`, `${name}:/tmp/back-${who}`)).code).toBe(0)
      expect((await ask(who, 'cp', ...own, `${name}:/not/there`, folder)).code).toBe(1)
    }
    const listed = async (who: Who) =>
      (
        await tryCommand('sh', ['-c', `cd ${to(who)} && find . | sort && cat inside d/b && readlink d/up`])
      ).stdout.toString()
    expect(await listed('strata')).toBe(await listed('docker'))
    expect(await listed('through')).toBe(await listed('docker'))
    const find = ['exec', name, 'sh', '-c', 'find /tmp | sort']
    expect((await ask('strata', ...find)).out.replaceAll('strata', 'X')).toContain('/tmp/back-X/sub/c')
  })

  test('top and stats: the processes, and about the same bytes', async () => {
    const name = await pairOf('echo ready; sleep 1000 & sleep 2000')
    const [judge, own] = [await ask('docker', 'top', name), await ask('strata', 'top', '--engine', 'native', name)]
    expect(own.out.split('\n')[0].split('\t')).toEqual(judge.out.split('\n')[0].trim().split(/\s+/))
    for (const command of ['sleep 1000', 'sleep 2000'])
      for (const one of [judge, own]) expect(one.out).toContain(command)
    const { out, code } = await ask('strata', 'stats', '--no-stream', '--json', '--engine', 'native', name)
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({
      name,
      netReceived: 0,
      pids: expect.any(Number),
      cpuPercent: expect.any(Number),
    })
    expect(JSON.parse(out).memory).toBeLessThan(20_000_000)
  })
})

test('a name that both daemons and the native engine have is the native one’s, unless another is named', async () => {
  const name = await pairOf('echo ready; exec sleep 1000')
  const id = async (...flags: string[]) =>
    JSON.parse((await ask('strata', 'inspect', '--type', 'container', ...flags, name)).out)
  expect((await id()).engine).toBe('native')
  expect((await id('--engine', 'docker')).engine).toBe('docker')
  await ask('strata', 'rm', '-f', name)
  expect((await id()).engine).toBe('docker')
  await ask('strata', 'stop', '-t', '0', name)
  expect((await id()).state).toBe('exited')
})

test.each([
  'native',
  'docker',
])('at a terminal, on %s: size, letting go, attaching, executing, the end', async engine => {
  const name = newName()
  const pty = startPty('sh', [], { environment: { ...env, PS1: 'host> ' }, columns: 90, rows: 20 })
  const strata = `${node} ${program()}`
  const prompt = /\/d # ?$/m
  await pty.until('host>')
  pty.send(`${strata} run -it --network none --engine ${engine} --name ${name} app:1 sh\r`)
  await pty.until(prompt)
  pty.send('stty size\r')
  await pty.until('20 90')
  pty.resize(100, 30)
  await until(() => {
    pty.send('stty size\r')
    return /30 100/.test(pty.text())
  })
  pty.send('\x10\x11')
  await pty.until(screen => screen.split('host>').length === 3)
  pty.send(`clear; stty -a | grep -o ' echo '; ${strata} ps --engine ${engine}\r`)
  await pty.until(new RegExp(`echo[^]*Up [^]*${name}`))
  pty.send(
    `clear; ${strata} exec -it --engine ${engine} ${name} sh -c 'tty; until stty size 2>/dev/null | grep 30; do :; done; exit 3'; echo code $?\r`,
  )
  await pty.until(/^code 3/m)
  expect(pty.text()).toContain('30 100')
  pty.send(`clear; ${strata} attach --engine ${engine} ${name}; echo code $?\r`)
  await pty.until(/code/)
  pty.send('\r')
  await pty.until(prompt)
  pty.send('exit 4\r')
  await pty.until(/^code 4/m)
  expect(pty.whole()).toBe(true)
  pty.send('exit\r')
  await pty.ended
})

/**
 * The unified cgroup layout with all its controllers, which this machine may not have: in a Linux that runs as an ordinary
 * process (user-mode-linux), with this machine's files as its root and a version 6.1 kernel.
 */
import { execFileSync, spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildHelper, helperPath, missingForNative } from './helper.ts'

const uml = '/usr/bin/linux.uml'
const missing = missingForNative() ?? (existsSync(uml) ? null : 'user-mode-linux is not installed')
if (missing !== null) console.warn(`Unified cgroups are not tested: ${missing}.`)

const cgroups = '/sys/fs/cgroup'
const counting = 'i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done'
const limits = {
  memory: { limit: 64 << 20, swap: 96 << 20 },
  cpu: { quota: 50_000, period: 100_000, shares: 2048 },
  pids: { limit: 9 },
}

describe.skipIf(missing !== null)('unified cgroups, in a kernel of their own', () => {
  let folder: string
  let said: Record<string, string>

  /** A bundle, and what the shell in there calls it. */
  function bundle(name: string, script: string, resources: object): void {
    mkdirSync(join(folder, name))
    const process = { args: ['sh', '-c', script], env: ['PATH=/bin'], cwd: '/' }
    const root = { path: join(folder, 'root') }
    writeFileSync(
      join(folder, name, 'config.json'),
      JSON.stringify({ ociVersion: '1.2.0', process, root, linux: { resources }, strata: { seccomp: 'none' } }),
    )
  }

  beforeAll(async () => {
    buildHelper()
    folder = mkdtempSync(join(tmpdir(), 'strata-uml-'))
    for (const name of ['bin', 'proc', 'sys', 'dev', 'tmp', 'etc'])
      mkdirSync(join(folder, 'root', name), { recursive: true })
    const busybox = execFileSync('sh', ['-c', 'command -v busybox']).toString().trim()
    copyFileSync(busybox, join(folder, 'root/bin/busybox'))
    for (const name of ['sh', 'cat', 'sleep', 'find', 'mkdir']) symlinkSync('busybox', join(folder, 'root/bin', name))
    copyFileSync(helperPath, join(folder, 'helper'))
    execFileSync('chmod', ['755', folder, join(folder, 'helper')])
    bundle('counting', counting, limits)
    bundle('greedy', 'x=x; while :; do x=$x$x; done', { memory: { limit: 16 << 20, swap: 16 << 20 } })
    bundle('many', 'for i in 1 2 3 4 5 6 7; do sleep 1 & done; wait', { pids: { limit: 4 } })
    bundle('wrong', 'true', { cpu: { quota: 5 } })
    writeFileSync(join(folder, 'init'), script(folder), { mode: 0o755 })
    said = await boot(join(folder, 'init'))
  })

  afterAll(() => rmSync(folder, { recursive: true }))

  test('it is what it is meant to be', () => {
    expect(said.layout).toBe('unified')
    expect(said.able).toBe('"limits":["memory","cpu","pids"],"freezes":true')
    expect(said.controllers.split(' ')).toEqual(expect.arrayContaining(['cpu', 'memory', 'pids']))
  })

  test('limits, as the specification counts them', () => {
    expect(said).toMatchObject({
      'memory.max': String(64 << 20),
      'memory.swap.max': String(32 << 20),
      'cpu.max': '50000 100000',
      'cpu.weight': '174',
      'pids.max': '9',
    })
  })

  test('paused by its cgroup, resumed, killed as a whole', () => {
    expect(said.paused).toMatch(/"status":"paused".*"pausedBy":"cgroup"/)
    expect(said.stood).toBe('still')
    expect(said.resumed).toMatch(/"status":"running"/)
    expect(said.killed).toMatch(/"exitCode":137,"signal":9/)
    expect(said.left).toBe('')
  })

  test('inside it sees its own, read-only', () => {
    expect(said.inside).toBe(`0::/ ${64 << 20} refused refused`)
  })

  test('update', () => {
    expect(said.updated).toBe(`${128 << 20} 0 150000 100000 max`)
  })

  test('too much memory, too many processes, a limit that can not be', () => {
    expect(said.greedy).toMatch(/"exitCode":137,.*"oomKilled":true/)
    expect(said.many).toMatch(/can't fork/)
    expect(said.wrong).toMatch(/set the limit on processor time to 5: Invalid argument/)
  })

  test('an ordinary user without a cgroup: a warning, and paused by signals', () => {
    expect(said.user).toMatch(
      /"status":"paused".*"cgroup":"".*"warning":"the limits on memory.*no cgroup was delegated.*"pausedBy":"signals"/,
    )
  })

  test('an ordinary user with one, as systemd delegates it: the limits whose controllers came with it', () => {
    expect(said.delegated).toMatch(
      /"status":"paused".*"cgroup":"\/user\/service\/strata-d","log".*"warning":"the limit on processor time can not be kept/,
    )
    expect(said.delegated).toMatch(/"pausedBy":"cgroup"/)
    expect(said['delegated limits']).toBe(`${64 << 20} 9`)
    expect(said['delegated left']).toBe('session')
  })
})

/** What runs as pid 1 there. Lines that begin with @@ are for us. */
function script(folder: string): string {
  return `#!/bin/sh
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
say() { echo "@@ $1: $(echo $2)"; }
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev; mount -t cgroup2 none ${cgroups}
cd ${folder}
mkdir t && mount -t tmpfs tmpfs t && cp -r counting greedy many wrong t/ && cd t
H="${folder}/helper --root ${folder}/t/state"
say controllers "$(cat ${cgroups}/cgroup.controllers)"
say layout "$($H features | sed 's/.*"cgroups":"\\([a-z]*\\)".*/\\1/')"
say able "$($H features | sed 's/.*"limits":/"limits":/;s/,"rules.*//')"
$H run -d --bundle counting --log counting/log a
for f in memory.max memory.swap.max cpu.max cpu.weight pids.max; do say $f "$(cat ${cgroups}/strata/a/$f)"; done
$H pause a; say paused "$($H state a)"
before=$(wc -l < counting/log); sleep 1; say stood "$([ $before = $(wc -l < counting/log) ] && echo still)"
$H resume a; say resumed "$($H state a)"
say inside "$($H exec a sh -c 'cat /proc/self/cgroup /sys/fs/cgroup/memory.max; (echo 5 > /sys/fs/cgroup/pids.max) 2>/dev/null || echo refused; mkdir /sys/fs/cgroup/x 2>/dev/null || echo refused')"
$H update --memory ${128 << 20} --memory-swap ${128 << 20} --cpus 1.5 --pids-limit -1 a
say updated "$(cd ${cgroups}/strata/a; cat memory.max memory.swap.max cpu.max pids.max)"
$H pause a; $H kill --all a KILL; say killed "$($H wait a)"; $H delete a; say left "$(ls ${cgroups} | grep strata)"
$H run -d --bundle greedy --log greedy/log o; say greedy "$($H wait o)"; $H delete o
$H run -d --bundle many --log many/log p; $H wait p; say many "$(cat many/log)"; $H delete p
say wrong "$($H create --bundle wrong --log wrong/log q 2>&1)"
chown -R 1000:1000 .
as="setpriv --reuid 1000 --regid 1000 --clear-groups $H"
$as run -d --bundle counting --log counting/log u; $as pause u; say user "$($H state u)"; $H delete --force u
mkdir -p ${cgroups}/user/service/session
echo "+memory +pids +cpu" > ${cgroups}/cgroup.subtree_control; echo "+memory +pids" > ${cgroups}/user/cgroup.subtree_control
for d in ${cgroups}/user/service ${cgroups}/user/service/session; do chown 1000:1000 $d $d/cgroup.procs $d/cgroup.threads $d/cgroup.subtree_control; done
sh -c "echo \\$\\$ > ${cgroups}/user/service/session/cgroup.procs; exec $as run -d --bundle counting --log counting/log d"
say "delegated limits" "$(cat ${cgroups}/user/service/strata-d/memory.max ${cgroups}/user/service/strata-d/pids.max)"
$H pause d; say delegated "$($H state d)"; $H delete --force d
say "delegated left" "$(cd ${cgroups}/user/service; ls -d */ | tr -d /)"
cd ..; umount -l t
echo o > /proc/sysrq-trigger; sleep 100
`
}

async function boot(init: string): Promise<Record<string, string>> {
  const args = [
    'root=/dev/root',
    'rootfstype=hostfs',
    'rootflags=/',
    'rw',
    'mem=512M',
    'quiet',
    'con=null',
    'con0=fd:0,fd:1',
  ]
  const child = spawn(uml, [...args, `init=${init}`], { stdio: ['ignore', 'pipe', 'pipe'] })
  let text = ''
  child.stdout.on('data', chunk => {
    text += chunk
  })
  const timer = setTimeout(() => child.kill('SIGKILL'), 120_000)
  await new Promise(resolve => child.once('close', resolve))
  clearTimeout(timer)
  const lines = text.split(/\r?\n/).flatMap(line => /^@@ ([^:]+): (.*)$/.exec(line) ?? [])
  const said: Record<string, string> = {}
  for (let i = 0; i < lines.length; i += 3) said[lines[i + 1]] = lines[i + 2].trim()
  return said
}

/** The native engine next to those of others: the same five layers, the same `true`, root. */
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dockerArchive } from '../harness/docker-archives.ts'
import { startDocker, startPodman, type TestEngine } from '../harness/engines.ts'
import type { Cost } from '../harness/measured.ts'
import { isThere } from '../harness/needs.ts'
import { entry, tar } from '../harness/tar.ts'
import { type Bench, type Row, rowsOf } from './bench.ts'
import { type Contender, race } from './measure.ts'

const helper = fileURLToPath(new URL('../../native/build/strata-native', import.meta.url))

/** A helper that only starts things, next to bubblewrap and runc; a whole process next to whole clients. */
export async function run(bench: Bench): Promise<Row[] | string> {
  if (process.getuid?.() !== 0) return 'it starts engines of its own, and that takes root.'
  const busybox = ['/bin/busybox', '/usr/bin/busybox'].find(path => existsSync(path))
  if (!busybox || !existsSync(helper)) return 'it needs busybox-static and the native helper.'
  const room = join(bench.folder, 'native')
  rmSync(room, { recursive: true, force: true })
  mkdirSync(room, { recursive: true })
  const archive = join(room, 'image.tar')
  writeFileSync(archive, dockerArchive(fiveLayers(readFileSync(busybox)), 'docker-25'))
  const env = { ...process.env, STRATA_ROOT: join(room, 'strata') }
  const strata = (...args: string[]) => execFileSync(bench.program, args, { env, encoding: 'utf8' }).trim()
  strata('load', '-i', archive)
  const id = strata('create', '--network', 'none', 'five:1', 'true')
  const bundle = join(room, 'strata', 'containers', id, 'bundle')
  strata('start', strata('create', '--name', 'long', '--network', 'none', 'five:1', 'sleep', '1000'))
  const long = readdirSync(join(room, 'strata', 'state')).find(name => name.length === 64)!
  const rounds = bench.rounds * 4
  try {
    const small = await race(bench.meter, rounds, [
      { name: 'helper', program: helper, args: ['run', '--foreground', '--bundle', bundle, 'x'] },
      { name: 'monitor', program: helper, args: ['--root', join(room, 'state'), 'run', '--bundle', bundle, 'y'] },
      { name: 'exec', program: helper, args: ['--root', join(room, 'strata', 'state'), 'exec', long, 'true'] },
      ...peers(room, busybox),
    ])
    const rows = startRows(small)
    return [...rows, ...(await wholeProcesses(bench, archive, env))]
  } finally {
    strata('rm', '-f', 'long', id)
    execFileSync(helper, ['rm', join(room, 'strata')])
  }
}

function fiveLayers(busybox: Uint8Array) {
  const links = ['sh', 'true', 'sleep'].map(name => `link bin/${name} -> busybox`).join('\n')
  const base = tar(
    'dir bin',
    entry({ path: 'bin/busybox', body: busybox, mode: 0o755 }),
    links,
    'dir proc\ndir dev\ndir sys',
  )
  const others = [1, 2, 3, 4].map(at => tar(`dir d${at}\nfile d${at}/f ${at * 1000}`))
  return { names: ['five:1'], layers: [base, ...others], config: { Env: ['PATH=/bin'], Cmd: ['true'] } }
}

function peers(room: string, busybox: string): Contender[] {
  const rootfs = join(room, 'rootfs')
  for (const name of ['bin', 'proc', 'dev', 'sys']) mkdirSync(join(rootfs, name), { recursive: true })
  writeFileSync(join(rootfs, 'bin', 'true'), readFileSync(busybox), { mode: 0o755 })
  const found: Contender[] = []
  if (isThere('bwrap')) {
    const args = ['--unshare-all', '--bind', rootfs, '/', '--proc', '/proc', '--dev', '/dev', '/bin/true']
    found.push({ name: 'bwrap', program: 'bwrap', args })
  }
  if (isThere('runc')) {
    execFileSync('runc', ['spec', '--bundle', room])
    const path = join(room, 'config.json')
    const config = JSON.parse(readFileSync(path, 'utf8'))
    Object.assign(config.process, { terminal: false, args: ['/bin/true'], rlimits: [] })
    writeFileSync(path, JSON.stringify(config))
    found.push({ name: 'runc', program: 'runc', args: ['run', '--bundle', room, 'strata-bench'] })
  }
  return found
}

function startRows(costs: Map<string, Cost>): Row[] {
  const row = rowsOf('native engine, `true` in five layers')
  const wall = (name: string) => (costs.get(name) as Cost).wall * 1000
  const beside = (figure: string, ours: string, peer: string, factor: number) =>
    costs.has(peer) ? [row(figure, wall(ours), 'ms', wall(peer) * factor, { name: peer, value: wall(peer) })] : []
  return [
    ...beside('helper, spawn to exit', 'helper', 'bwrap', 1.5),
    ...beside('helper, spawn to exit', 'helper', 'runc', 0.5),
    ...beside('the same with a monitor', 'monitor', 'bwrap', Number.POSITIVE_INFINITY),
    row('exec, spawn to exit', wall('exec'), 'ms', 10),
  ]
}

async function wholeProcesses(bench: Bench, archive: string, env: NodeJS.ProcessEnv): Promise<Row[]> {
  const row = rowsOf('native engine, `run --rm IMAGE true` as a whole')
  const rows: Row[] = []
  for (const [program, start] of [
    ['podman', startPodman],
    ['docker', startDocker],
  ] as const) {
    if (!isThere(program === 'docker' ? 'dockerd' : program)) continue
    const engine: TestEngine = await start()
    try {
      await engine.cli('load', '-i', archive)
      const name = program === 'podman' ? 'localhost/five:1' : 'five:1'
      const args = ['run', '--rm', '--network=none', name, 'true']
      const ours = (name: string, network: string) => {
        const args = ['run', '--rm', `--network=${network}`, 'five:1', 'true']
        return { name, program: bench.program, args, options: { env } }
      }
      const costs = await race(bench.meter, bench.rounds, [
        ours('strata', 'none'),
        // Its bridge, rules of the firewall and all, made and taken away again: next to the other's run without a network.
        ours('bridge', 'bridge'),
        { name: program, program, args, options: { env: engine.env } },
      ])
      const peer = (costs.get(program) as Cost).wall * 1000
      const wall = (name: string) => (costs.get(name) as Cost).wall * 1000
      rows.push(
        row('wall', wall('strata'), 'ms', peer / 3, { name: `${program} run`, value: peer }),
        row('wall, on a bridge of its own', wall('bridge'), 'ms', peer, { name: `${program} run`, value: peer }),
      )
    } finally {
      await engine.stop()
    }
  }
  return rows
}

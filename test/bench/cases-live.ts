/** What it costs to look at a container while it changes: memory, processor time, the way from a write to the screen. */
import { linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { command } from '../harness/command.ts'
import { importBusybox } from '../harness/engine-images.ts'
import { startDocker } from '../harness/engines.ts'
import { type Bench, cacheOf, describe, type Row, rowsOf, shell } from './bench.ts'
import { withEngine } from './cases-engines.ts'
import { localImage } from './inputs.ts'
import { race } from './measure.ts'
import { openScreen, type Screen } from './screen.ts'

const FILES = 100_000

/** A container of our own, watched: with nothing changed, and with very much. */
export async function live(bench: Bench): Promise<Row[] | string> {
  if (process.getuid?.() !== 0) return 'it starts a dockerd of its own for its image, and that takes root.'
  const docker = await startDocker()
  const archive = join(bench.folder, 'busybox.tar')
  try {
    await importBusybox(docker)
    await docker.cli('save', '-o', archive, 'busybox:test')
  } finally {
    await docker.stop()
  }
  const files = FILES * bench.scale
  const found = await liveFigures(bench.program, archive, 'busybox:test', files)
  const row = rowsOf(`live layer, ${files} changed files`)
  return [
    row('write to screen, few changes, median', found.delayFew, 'ms', 100),
    row('write to screen, all of them, median', found.delayMany, 'ms', Number.POSITIVE_INFINITY),
    row('resident, opened', found.opened / 1e6, 'MB', 150),
    row('resident, after a hundred redraws', found.redrawn / 1e6, 'MB', 150),
    row('resident, the helper', found.helper / 1e6, 'MB', 60),
    row('five quiet seconds, CPU', found.idle * 1000, 'ms', 20),
  ]
}

/** What a container of a big image has changed, when that is nothing: the engine's own answer beside ours. */
export async function dockerDiff(bench: Bench): Promise<Row[] | string> {
  const image = await localImage(bench.folder, bench.scale)
  const rows: Row[] = []
  for (const driver of ['overlay2', 'vfs'] as const) {
    const found = await withEngine(
      'dockerd',
      () => startDocker({ driver }),
      image,
      async engine => {
        await engine.cli('create', '--name', 'still', 'bench:latest', 'true')
        const env = { ...process.env, DOCKER_HOST: `unix://${engine.socket}`, ...cacheOf(bench) }
        const costs = await race(bench.meter, bench.rounds, [
          {
            name: 'strata diff',
            program: bench.program,
            args: ['diff', '--engine', 'docker', 'still'],
            options: { env },
          },
          shell('docker diff', 'docker diff still > /dev/null', [], engine.env),
        ])
        const limit = { name: `docker diff, ${driver}`, value: costs.get('docker diff')!.wall }
        const row = rowsOf(`diff of an unchanged container, ${driver}, ${describe(image)}`)
        return [row('wall, whole process', costs.get('strata diff')!.wall, 's', limit.value / 100, limit)]
      },
    )
    if (typeof found === 'string') return found
    rows.push(...found)
  }
  return rows
}

export interface LiveFigures {
  /** Bytes resident: the screen once it shows everything, after many redraws, and the helper. */
  opened: number
  redrawn: number
  helper: number
  /** Seconds of processor time in five seconds of nothing, screen and helper. */
  idle: number
  /** Milliseconds from a write to the screen that shows it, the middle one; without much in the layer and with all of it. */
  delayFew: number
  delayMany: number
}

/** `strata`: the built program; `archive`: an image with a shell and `sleep`. */
export async function liveFigures(
  strata: string,
  archive: string,
  reference: string,
  files: number,
): Promise<LiveFigures> {
  const folder = mkdtempSync(join(tmpdir(), 'strata-bench-live-'))
  const environment = {
    STRATA_ROOT: join(folder, 'root'),
    XDG_CACHE_HOME: join(folder, 'cache'),
    XDG_CONFIG_HOME: join(folder, 'config'),
  }
  const env = { ...process.env, ...environment }
  const run = (...args: string[]) => command(strata, args, { env })
  try {
    await run('load', '-i', archive)
    await run('run', '-d', '--name', 'many', reference, 'sleep', '100000')
    const upper = JSON.parse(await run('inspect', 'many')).overlay.upper as string
    let screen = openScreen(strata, ['container:native/many'], environment)
    await screen.until('Nothing is changed yet')
    const delayFew = await middleDelay(screen, upper, 'few')
    await screen.close()
    fill(upper, files)
    screen = openScreen(strata, ['container:native/many'], environment)
    await screen.until(new RegExp(`${(files / 1000).toFixed(0)}.\\d\\d\\d changes`))
    await sleep(2000)
    const opened = screen.resident()
    const delayMany = await middleDelay(screen, upper, 'more')
    for (let at = 0; at < 100; at++) {
      writeFileSync(join(upper, 'many-0', 'file-0'), 'x'.repeat(at))
      await sleep(120)
    }
    await sleep(6000)
    const redrawn = screen.resident()
    const helper = helperOf(upper)
    const before = screen.cpu() + cpuOf(helper)
    await sleep(5000)
    const idle = screen.cpu() + cpuOf(helper) - before
    const figures = { opened, redrawn, helper: residentOf(helper), idle, delayFew, delayMany }
    await screen.close()
    return figures
  } finally {
    await run('rm', '-f', 'many').catch(() => {})
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Names of one file a directory: it is the watching that is measured, not the disk. */
function fill(upper: string, files: number): void {
  for (let at = 0; at < files; at++) {
    const place = join(upper, `many-${Math.floor(at / 500)}`)
    if (at % 500 === 0) {
      mkdirSync(place)
      writeFileSync(join(place, 'file-0'), 'x')
    } else linkSync(join(place, 'file-0'), join(place, `file-with-a-name-${at}`))
  }
}

/** A directory's row says how many changes are in it; its name is new each time, and the first of all. */
async function middleDelay(screen: Screen, upper: string, word: string): Promise<number> {
  const delays: number[] = []
  for (let at = 0; at < 25; at++) {
    const name = `a-${word}-${at}`
    mkdirSync(join(upper, name))
    delays.push(await screen.until(`${name}/`))
    rmSync(join(upper, name), { recursive: true })
    await screen.until(text => !text.includes(`${name}/`))
    await sleep(150)
  }
  return delays.sort((a, b) => a - b)[12]!
}

function helperOf(upper: string): number {
  const pids = readPids()
  return pids.find(
    pid => textOf(`/proc/${pid}/cmdline`).includes(`watch\0`) && textOf(`/proc/${pid}/cmdline`).includes(upper),
  )!
}

function readPids(): number[] {
  return readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

function cpuOf(pid: number): number {
  const stat = textOf(`/proc/${pid}/stat`)
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / 100
}

function residentOf(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 0) * 1024
}

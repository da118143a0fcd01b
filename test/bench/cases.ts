/** What is measured, and next to what. A case gives rows: a figure of ours, its limit, and the target for both. */
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Cost, Meter } from '../harness/measured.ts'
import { compressedImage, deletingImage, type ImageInput, ordinaryImage, tallImage, wideImage } from './inputs.ts'
import { type Contender, median, percentile, race } from './measure.ts'
import { openScreen, type Screen } from './screen.ts'

export interface Row {
  case: string
  figure: string
  ours: number
  /** What it is held against; null where the target is a number of its own. */
  limit: { name: string; value: number } | null
  target: number
  unit: 's' | 'ms' | 'MB' | 'bytes' | 'bytes/s'
}

export interface Bench {
  meter: Meter
  folder: string
  program: string
  rounds: number
  /** 1, or a tenth for `--quick`. */
  scale: number
}

/** The cases by name, in the order in which they run. */
export const cases: Record<string, (bench: Bench) => Promise<Row[]>> = {
  plain,
  gzip: bench => compressed(bench, 'gzip', 1.7),
  zstd: bench => compressed(bench, 'zstd', 1.2),
  wide,
  tall,
  start,
  deleting,
  keys,
}

async function plain(bench: Bench): Promise<Row[]> {
  const image = await ordinaryImage(bench.folder, bench.scale)
  const costs = await race(bench.meter, bench.rounds, [
    analyse(bench, 'cold', image, true),
    analyse(bench, 'again', image, false),
    shell('cat', 'cat "$1" > /dev/null', [image.path]),
    shell('tar -tf', 'for tar; do tar -tf "$tar"; done > /dev/null', image.tars),
    shell('bsdtar -tf', 'for tar; do bsdtar -tf "$tar"; done > /dev/null', image.tars),
  ])
  const of = (name: string) => costs.get(name) as Cost
  const row = rowsOf(`plain archive, ${describe(image)}`)
  return [
    row('wall, cold index', of('cold').wall, 's', of('cat').wall + 0.3, { name: 'cat', value: of('cat').wall }),
    row('CPU, cold index', of('cold').cpu, 's', of('cat').cpu * 3 + 0.3, { name: 'cat', value: of('cat').cpu }),
    row('CPU, cold index', of('cold').cpu, 's', Number.POSITIVE_INFINITY, {
      name: 'tar -tf',
      value: of('tar -tf').cpu,
    }),
    row('CPU, cold index', of('cold').cpu, 's', Number.POSITIVE_INFINITY, {
      name: 'bsdtar -tf',
      value: of('bsdtar -tf').cpu,
    }),
    row('resident, cold index', of('cold').memory / 1e6, 'MB', 200),
    row('wall, from the index cache', of('again').wall, 's', 0.3),
  ]
}

async function compressed(bench: Bench, how: 'gzip' | 'zstd', target: number): Promise<Row[]> {
  const image = await compressedImage(await ordinaryImage(bench.folder, bench.scale), bench.folder, how)
  const tool = how === 'gzip' ? 'igzip -dc' : 'zstd -dc'
  const costs = await race(bench.meter, bench.rounds, [
    analyse(bench, 'ours', image, true),
    shell(tool, `for blob; do ${tool} < "$blob"; done > /dev/null`, image.blobs),
    shell('tar -tf', `for blob; do ${tool} < "$blob" | tar -tf -; done > /dev/null`, image.blobs),
  ])
  const of = (name: string) => costs.get(name) as Cost
  const row = rowsOf(`${how} layers, ${describe(image)}`)
  return [
    row('CPU', of('ours').cpu, 's', of(tool).cpu * target, { name: tool, value: of(tool).cpu }),
    row('wall', of('ours').wall, 's', Number.POSITIVE_INFINITY, {
      name: `${tool} | tar -tf`,
      value: of('tar -tf').wall,
    }),
    row('resident', of('ours').memory / 1e6, 'MB', 250),
  ]
}

async function wide(bench: Bench): Promise<Row[]> {
  const image = await wideImage(bench.folder, bench.scale)
  const costs = await race(bench.meter, bench.rounds, [
    analyse(bench, 'ours', image, true),
    shell('tar -tf', 'tar -tf "$1" > /dev/null', image.tars),
    shell('bsdtar -tf', 'bsdtar -tf "$1" > /dev/null', image.tars),
  ])
  const of = (name: string) => costs.get(name) as Cost
  const row = rowsOf(`one layer, ${describe(image)}`)
  return [
    row('CPU, analyze', of('ours').cpu, 's', 3, { name: 'tar -tf', value: of('tar -tf').cpu }),
    row('CPU, analyze', of('ours').cpu, 's', 3, { name: 'bsdtar -tf', value: of('bsdtar -tf').cpu }),
    row('resident, analyze', of('ours').memory / 1e6, 'MB', 250),
  ]
}

/** Twice the layers and deletions may cost twice the time, not four times. The start of the program is taken off. */
async function tall(bench: Bench): Promise<Row[]> {
  const [low, high] = [await tallImage(bench.folder, 60, 150), await tallImage(bench.folder, 120, 300)]
  const costs = await race(bench.meter, bench.rounds, [
    analyse(bench, '60', low, true),
    analyse(bench, '120', high, true),
    { name: 'nothing', program: bench.program, args: ['--version'] },
  ])
  const of = (name: string) => (costs.get(name) as Cost).cpu
  const base = of('60') - of('nothing')
  const row = rowsOf('120 layers, 300 deletions')
  return [
    row('CPU, next to 60 layers and 150', of('120') - of('nothing'), 's', base * 2.4, {
      name: 'half of it',
      value: base,
    }),
  ]
}

async function start(bench: Bench): Promise<Row[]> {
  const image = await tallImage(bench.folder, 12, 30)
  const times: number[] = []
  const cpu: number[] = []
  for (let round = 0; round < bench.rounds * 2; round++) {
    await withScreen(bench, image, round === 0, async screen => {
      times.push(await screen.until(fullFrame))
      cpu.push(screen.cpu() * 1000)
    })
  }
  const row = rowsOf('start')
  return [
    row('to the first full frame, median', median(times), 'ms', 350),
    row('CPU to the first full frame', median(cpu), 'ms', Number.POSITIVE_INFINITY),
  ]
}

async function deleting(bench: Bench): Promise<Row[]> {
  const image = await deletingImage(bench.folder, bench.scale)
  const times: number[] = []
  const memory: number[] = []
  const switches: number[] = []
  for (let round = 0; round < bench.rounds; round++) {
    await withScreen(bench, image, true, async screen => {
      times.push(await screen.until(fullTree))
      await settled(screen)
      switches.push(...(await latencies(screen, image.tars.length - 1, () => 'k')))
      memory.push(screen.memory() / 1e6)
    })
  }
  const row = rowsOf(`many deletions, ${describe(image)}`)
  return [
    row('to the first full tree', median(times), 'ms', 1200),
    row('resident', median(memory), 'MB', 200),
    row('layer switch, median', median(switches), 'ms', 16),
    row('layer switch, slowest', percentile(switches, 1), 'ms', 33),
  ]
}

async function keys(bench: Bench): Promise<Row[]> {
  const image = await wideImage(bench.folder, bench.scale)
  const rows: Row[] = []
  const row = rowsOf(`keys in one layer, ${describe(image)}`)
  await withScreen(bench, image, true, async screen => {
    await screen.until(fullTree)
    await settled(screen)
    rows.push(row('CPU to the first screen', screen.cpu(), 's', 3), row('resident', screen.memory() / 1e6, 'MB', 250))
    await quiet(screen)
    screen.bytes()
    const before = screen.cpu()
    await pause(3000)
    rows.push(
      row('idle, written', screen.bytes() / 3, 'bytes/s', 0),
      row('idle, CPU in 3 s', screen.cpu() - before, 's', 0.03),
    )
    for (const key of ['\t', '\r']) {
      await screen.press(key)
      await settled(screen)
    }
    const sizes: number[] = []
    screen.bytes()
    const times = await latencies(
      screen,
      200,
      key => (key % 40 < 20 ? 'j' : 'k'),
      () => sizes.push(screen.bytes()),
    )
    rows.push(
      row('key to screen, median', median(times), 'ms', 16),
      row('key to screen, p99', percentile(times, 0.99), 'ms', 33),
    )
    rows.push(row('cursor move, median', median(sizes), 'bytes', 600))
  })
  return rows
}

/** Times from each key to its drawing; a key that draws nothing counts as a second. */
async function latencies(
  screen: Screen,
  count: number,
  key: (n: number) => string,
  after = () => {},
): Promise<number[]> {
  const times: number[] = []
  for (let n = 0; n < count; n++) {
    times.push((await screen.press(key(n))) ?? 1000)
    await settled(screen)
    after()
  }
  return times
}

/** Until the screen has not changed for a tenth of a second. */
async function settled(screen: Screen): Promise<void> {
  for (let before = ''; before !== screen.text(); ) {
    before = screen.text()
    await pause(40)
  }
}

/** Until nothing is worked on in the background any more. */
async function quiet(screen: Screen): Promise<void> {
  for (let before = -1; screen.cpu() - before > 0.02; ) {
    before = screen.cpu()
    await pause(500)
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds))
}

async function withScreen(
  bench: Bench,
  image: ImageInput,
  cold: boolean,
  use: (screen: Screen) => Promise<void>,
): Promise<void> {
  if (cold) emptyCache(bench)
  const screen = openScreen(bench.program, [image.path], cacheOf(bench))
  try {
    await use(screen)
  } finally {
    await screen.close()
  }
}

function fullFrame(text: string): boolean {
  return /Layers/.test(text) && /Tree/.test(text) && /\? help\s*$/.test(text)
}

/** The tree is there, and the figures that need every layer. */
function fullTree(text: string): boolean {
  return fullFrame(text) && /(node_modules|usr)\//.test(text) && /% efficient/.test(text)
}

function analyse(bench: Bench, name: string, image: ImageInput, cold: boolean): Contender {
  const options = { env: { ...process.env, ...cacheOf(bench) } }
  const before = cold ? () => emptyCache(bench) : () => {}
  return { name, program: bench.program, args: ['analyze', image.path, '--json'], options, before }
}

function shell(name: string, script: string, args: readonly string[]): Contender {
  return { name, program: 'sh', args: ['-c', script, name, ...args] }
}

function cacheOf(bench: Bench): Record<string, string> {
  return { XDG_CACHE_HOME: join(bench.folder, 'cache') }
}

function emptyCache(bench: Bench): void {
  rmSync(join(bench.folder, 'cache'), { recursive: true, force: true })
  mkdirSync(join(bench.folder, 'cache'))
}

function rowsOf(
  name: string,
): (figure: string, ours: number, unit: Row['unit'], target: number, limit?: Row['limit']) => Row {
  return (figure, ours, unit, target, limit = null) => ({ case: name, figure, ours, limit, target, unit })
}

function describe(image: ImageInput): string {
  return `${(image.bytes / 1e6).toFixed(0)} MB, ${image.entries} entries, ${image.tars.length} layers`
}

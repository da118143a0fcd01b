/** Images on the screen: when they are there, how fast keys are answered, and what all of it takes. */

import { type Bench, cacheOf, describe, emptyCache, type Row, rowsOf } from './bench.ts'
import type { ImageInput } from './inputs.ts'
import { deletingImage, layersImage, tallImage, wideImage } from './inputs.ts'
import { median, percentile } from './measure.ts'
import { openScreen, type Screen } from './screen.ts'

export async function start(bench: Bench): Promise<Row[]> {
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

export async function deleting(bench: Bench): Promise<Row[]> {
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

export async function keys(bench: Bench): Promise<Row[]> {
  const image = await wideImage(bench.folder, bench.scale)
  const rows: Row[] = []
  const row = rowsOf(`keys in one layer, ${describe(image)}`)
  await withScreen(bench, image, true, async screen => {
    await screen.until(fullTree)
    await settled(screen)
    rows.push(row('CPU to the first screen', screen.cpu(), 's', 2), row('resident', screen.memory() / 1e6, 'MB', 200))
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

/** Half a million entries in ten layers: from one layer to the next. */
export async function layers(bench: Bench): Promise<Row[]> {
  const image = await layersImage(bench.folder, bench.scale)
  const switches: number[] = []
  const memory: number[] = []
  for (let round = 0; round < bench.rounds; round++) {
    await withScreen(bench, image, round === 0, async screen => {
      await screen.until(fullTree)
      await settled(screen)
      switches.push(...(await latencies(screen, image.tars.length - 1, () => 'k')))
      memory.push(screen.memory() / 1e6)
    })
  }
  const row = rowsOf(`layers, ${describe(image)}`)
  return [
    row('layer switch, median', median(switches), 'ms', 20),
    row('layer switch, slowest', percentile(switches, 1), 'ms', Number.POSITIVE_INFINITY),
    row('resident', median(memory), 'MB', 200),
  ]
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
export async function settled(screen: Screen): Promise<void> {
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

export function pause(milliseconds: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, milliseconds))
}

/** `cold`: with an empty index cache. */
export async function withScreen(
  bench: Bench,
  image: Pick<ImageInput, 'path'>,
  cold: boolean,
  use: (screen: Screen) => Promise<void>,
  env: Record<string, string> = {},
): Promise<void> {
  if (cold) emptyCache(bench)
  const screen = openScreen(bench.program, [image.path], { ...cacheOf(bench), ...env })
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
export function fullTree(text: string): boolean {
  return fullFrame(text) && /(node_modules|usr)\//.test(text) && /% efficient/.test(text)
}

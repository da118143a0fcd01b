/** Containers on the screen: when they are there, what they cost while nobody does anything, and logs that never stop. */
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Bench, cacheOf, type Row, rowsOf } from './bench.ts'
import { type BusyEngine, startBusyEngine } from './busy-engine.ts'
import { pause, settled } from './cases-screen.ts'
import { median, percentile } from './measure.ts'
import { openScreen, type Screen } from './screen.ts'

const COUNT = 20

export async function containers(bench: Bench): Promise<Row[]> {
  const rows: Row[] = []
  const row = rowsOf(`${COUNT} containers`)
  const starts: number[] = []
  for (let round = 0; round < bench.rounds; round++) {
    await withContainers(bench, async (screen, _, took) => {
      await settled(screen)
      starts.push(took)
    })
  }
  rows.push(row('to the containers screen, median', median(starts), 'ms', 350))
  const seconds = Math.round(30 * bench.scale)
  await withContainers(bench, async (screen, engine) => {
    await screen.until(/\d %/)
    await pause(6000)
    await engine.asked()
    screen.bytes()
    const before = screen.cpu()
    await pause(seconds * 1000)
    rows.push(
      row('live CPU, written', screen.bytes() / seconds, 'bytes/s', 300),
      row('live CPU, CPU a second', ((screen.cpu() - before) / seconds) * 1000, 'ms', Number.POSITIVE_INFINITY),
      row('idle, API calls a minute', ((await engine.asked()).length / seconds) * 60, 'calls', 60),
    )
    engine.say(20)
    const sizes: number[] = []
    for (let at = 0; at < 40; at++) {
      screen.bytes()
      await screen.press(at % 20 < 10 ? 'j' : 'k')
      await settled(screen)
      sizes.push(screen.bytes())
      await pause(150)
    }
    rows.push(
      row('cursor move over logs, median', median(sizes), 'bytes', 600),
      row('cursor move over logs, p90', percentile(sizes, 0.9), 'bytes', Number.POSITIVE_INFINITY),
    )
    screen.bytes()
    await pause(seconds * 1000)
    rows.push(row('live CPU and a busy log, written', screen.bytes() / seconds, 'bytes/s', 300))
    engine.say(0)
    await screen.press('u')
    await pause(6000)
    screen.bytes()
    await pause(seconds * 1000)
    rows.push(
      row('stats hidden, written', screen.bytes() / seconds, 'bytes/s', 0),
      row('resident', screen.memory() / 1e6, 'MB', 130),
    )
  })
  return rows
}

/** On the whole screen, following. */
export async function logs(bench: Bench): Promise<Row[]> {
  const rows: Row[] = []
  await withContainers(bench, async (screen, engine) => {
    const row = rowsOf('logs')
    await screen.press('l')
    await screen.until('following · 200 lines')
    engine.say(2000)
    await pause(2000)
    const seconds = Math.round(20 * bench.scale)
    const before = screen.cpu()
    await pause(seconds * 1000)
    const share = (screen.cpu() - before) / seconds
    const times = await keyTimes(screen, 2 * Math.round(15 * bench.scale))
    rows.push(
      row('2 000 lines/s, of a core', share * 100, '%', 50),
      row('2 000 lines/s, key to paint, median', median(times), 'ms', 100),
      row('2 000 lines/s, key to paint, slowest', percentile(times, 1), 'ms', 100),
    )
    engine.say(0)
    await settled(screen)
    const said = await lastLine(screen)
    engine.burst(100_000)
    const stalls = keyTimes(screen, 16)
    const took = await screen.until(text => last(text) >= said + 100_000)
    rows.push(
      row('100 000 lines at once, shown after', took, 'ms', Number.POSITIVE_INFINITY),
      row('meanwhile, key to paint, slowest', percentile(await stalls, 1), 'ms', 100),
    )
    const first = screen.resident() / 1e6
    const million = Math.round(10 * bench.scale)
    for (let at = 0; at < million; at++) {
      const now = await lastLine(screen)
      engine.burst(100_000)
      await screen.until(text => last(text) >= now + 100_000)
    }
    rows.push(
      row(`resident after ${million} x 100 000 lines`, screen.resident() / 1e6, 'MB', 130),
      row('the most that was resident', screen.memory() / 1e6, 'MB', 130),
      row('more than after the first 100 000', screen.resident() / 1e6 - first, 'MB', 25),
    )
  })
  return rows
}

/** For an hour, or as long as wanted: a log that is followed, usage that is watched, somebody who looks around now and then. */
export async function soak(bench: Bench): Promise<Row[]> {
  const rows: Row[] = []
  await withContainers(bench, async (screen, engine) => {
    const row = rowsOf(`soak, ${bench.minutes} min`)
    engine.say(200)
    await screen.until(/\d %/)
    const end = performance.now() + bench.minutes * 60_000
    const samples: number[] = []
    const before = screen.cpu()
    const begun = performance.now()
    for (let at = 0; performance.now() < end; at++) {
      await screen.press(at % 2 === 0 ? 'l' : '\x1b[27u')
      await pause(Math.min(15_000, bench.minutes * 3_000))
      samples.push(screen.resident() / 1e6)
    }
    const third = samples.slice(Math.floor(samples.length / 3), Math.ceil((2 * samples.length) / 3))
    const lastThird = samples.slice(Math.floor((2 * samples.length) / 3))
    rows.push(
      row('the most that was resident', screen.memory() / 1e6, 'MB', 130),
      row('last third over the middle one', median(lastThird) - median(third), 'MB', 5),
      row('CPU a second', ((screen.cpu() - before) / (performance.now() - begun)) * 1e6, 'ms', 500),
    )
  })
  return rows
}

/** The Containers screen on a busy engine and on no other, and how long it took to be there. */
async function withContainers(
  bench: Bench,
  use: (screen: Screen, engine: BusyEngine, took: number) => Promise<void>,
): Promise<void> {
  const socket = join(bench.folder, 'engine.sock')
  const engine = await startBusyEngine(socket, COUNT)
  const env = { ...cacheOf(bench), DOCKER_HOST: `unix://${socket}`, HOME: bench.folder }
  const begun = performance.now()
  const screen = openScreen(bench.program, ['--engine', 'docker'], env)
  try {
    await screen.until(/Images/)
    await screen.press('2')
    await screen.until('web-19')
    await use(screen, engine, performance.now() - begun)
  } finally {
    await screen.close()
    await engine.close()
    rmSync(socket, { force: true })
  }
}

/** From a key to what it says on the bottom line, whatever else is drawn meanwhile. */
async function keyTimes(screen: Screen, count: number): Promise<number[]> {
  const times: number[] = []
  for (let at = 0; at < count; at++) {
    const begun = performance.now()
    await screen.press('p')
    await screen.until(at % 2 === 0 ? 'JSON as it was said' : 'JSON as level')
    times.push(performance.now() - begun)
    await pause(100)
  }
  return times
}

function last(text: string): number {
  return Math.max(0, ...[...text.matchAll(/line (\d+)/g)].map(([, number]) => Number(number)))
}

async function lastLine(screen: Screen): Promise<number> {
  await settled(screen)
  return last(screen.text())
}

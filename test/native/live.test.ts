/** A container as the screens open it, over a plain upper directory: bursts, much that is different, leaving early. */
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { ContainerEngine, ContainerFacts } from '../../src/engine/containers.ts'
import { openContainer } from '../../src/engine/live-container.ts'
import { Stack } from '../../src/layer/stack.ts'
import { upperChanges } from '../../src/runtime/upper-changes.ts'
import { watchUpper } from '../../src/runtime/upper-watch.ts'
import type { Image } from '../../src/source/types.ts'
import { until } from '../harness/command.ts'
import { memoryImage } from '../harness/memory-image.ts'
import { treeText } from '../harness/stacks.ts'
import { tar } from '../harness/tar.ts'
import { buildHelper } from './helper.ts'

let folder = ''
let upper = ''
let lower: string[] = []

beforeAll(buildHelper)

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'strata-live-'))
  upper = join(folder, 'upper')
  lower = [join(folder, 'lower')]
  mkdirSync(upper)
  mkdirSync(join(folder, 'lower', 'data'), { recursive: true })
  writeFileSync(join(folder, 'lower', 'data', 'old'), 'old')
})

afterEach(() => rmSync(folder, { recursive: true }))

/** An engine that knows of one container, the one whose upper directory this is. */
function engine(): ContainerEngine {
  const facts = { id: 'x', name: 'web', mounts: [], logPath: null, logDriver: null, overlay: { upper, lower } }
  const containers = { capabilities: { local: true }, inspect: async () => facts as unknown as ContainerFacts }
  return { kind: 'native', id: 'native', containers } as unknown as ContainerEngine
}

async function opened(): Promise<Image> {
  const openImage = async () => memoryImage({ layers: [tar('dir data\nfile data/old 3')] })
  const image = await openContainer(engine(), 'x', { now: () => performance.now(), openImage })
  await image.indexLayer(image.live!.number)
  return image
}

const told = (image: Image): string[] =>
  [...image.live!.layer.paths()].map(one => `${one.op} /${Buffer.from(one.path).toString()}`).sort()

async function fresh(): Promise<string[]> {
  const all: string[] = []
  for await (const { change, path } of upperChanges(upper, lower)) all.push(`${change} ${Buffer.from(path).toString()}`)
  return all.sort()
}

async function agree(image: Image): Promise<string[]> {
  const expected = await fresh()
  await until(() => JSON.stringify(told(image)) === JSON.stringify(expected), { within: 20_000 })
  return expected
}

/** Files in directories of a hundred, each with a few bytes. */
function fill(from: number, to: number): void {
  for (let at = from; at < to; at++) {
    if (at % 100 === 0) mkdirSync(join(upper, 'many', String(at / 100)), { recursive: true })
    writeFileSync(join(upper, 'many', String(Math.floor(at / 100)), `file-${at}`), 'x')
  }
}

describe('a burst', () => {
  test('after 10 000 creates, renames and deletes the live layer is what a fresh look finds', {
    timeout: 120_000,
  }, async () => {
    const image = await opened()
    try {
      const place = (at: number) => join(upper, 'many', String(Math.floor(at / 100)), `file-${at}`)
      for (let from = 0; from < 10_000; from += 1000) {
        fill(from, from + 1000)
        for (let at = from; at < from + 1000; at += 2) renameSync(place(at), `${place(at)}.moved`)
        for (let at = from; at < from + 1000; at += 4) rmSync(`${place(at)}.moved`)
        for (let at = from + 1; at < from + 1000; at += 4) rmSync(place(at))
        // What watches has its turn between.
        await new Promise(setImmediate)
      }
      const expected = await agree(image)
      expect(expected.length).toBe(5000 + 100 + 1)
      const stack = new Stack()
      stack.push(await image.indexLayer(0))
      stack.pushLive(image.live!.take())
      const files = treeText(stack)
        .split('\n')
        .filter(line => line.includes('file-'))
      expect(files.length).toBe(5000)
      rmSync(join(upper, 'many'), { recursive: true })
      expect(await agree(image)).toEqual([])
      expect([image.live!.layer.count(), image.live!.layer.bytes()]).toEqual([0, 0])
    } finally {
      await image.close()
    }
  })
})

describe('much that is different', () => {
  const many = Number(process.env.STRATA_LIVE_FILES ?? 20_000)

  test(`${many} files: bounded memory, and no work while nothing happens`, { timeout: 300_000 }, async () => {
    fill(0, many)
    global.gc?.()
    const before = process.memoryUsage().rss
    const image = await opened()
    try {
      image.live!.take()
      expect(image.live!.layer.count()).toBe(many + Math.ceil(many / 100) + 1)
      const grown = process.memoryUsage().rss - before
      if (process.env.STRATA_LIVE_FILES) console.log(`rss grew by ${(grown / 1e6).toFixed(1)} MB`)
      expect(grown).toBeLessThan(100e6 + many * 1000)
      const helper = watchers()
      expect(helper.length).toBe(1)
      const ticks = cpuTicks(helper[0]!)
      const revision = image.live!.layer.revision()
      const ours = process.cpuUsage()
      await new Promise(resolve => setTimeout(resolve, 1000))
      const spent = process.cpuUsage(ours)
      if (process.env.STRATA_LIVE_FILES)
        console.log(`idle ${(spent.user + spent.system) / 1000} ms; helper ${helperKb(helper[0]!)} kB`)
      expect(cpuTicks(helper[0]!) - ticks).toBeLessThanOrEqual(1)
      expect(image.live!.layer.revision()).toBe(revision)
    } finally {
      await image.close()
    }
    expect(watchers()).toEqual([])
  })

  test('leaving while the first look is still being told ends the helper at once', { timeout: 60_000 }, async () => {
    fill(0, 20_000)
    // The helper has more to tell than a pipe holds, and nobody reads it.
    const stop = new AbortController()
    const batches = watchUpper({ upper, lower }, stop.signal)
    const first = batches.next()
    await until(() => watchers().length === 1)
    stop.abort()
    await first
    await batches.return(undefined)
    expect(watchers()).toEqual([])
  })
})

/** Our own helpers that watch this upper directory. */
function watchers(): number[] {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim().split(' ')
  return children.flatMap(pid => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(upper) ? [Number(pid)] : []
    } catch {
      return []
    }
  })
}

function cpuTicks(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(fields[11]) + Number(fields[12])
}

function helperKb(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])
}

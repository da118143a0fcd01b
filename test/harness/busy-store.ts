/** Reads an image out of a store again and again while its engine works on that store: right, or not at all. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { Fault } from '../../src/base/errors.ts'
import { analyse } from '../../src/cli/analysis.ts'
import { reportOn } from '../../src/cli/report.ts'
import { parseImageName } from '../../src/image/image-name.ts'
import { openImage } from '../../src/source/open.ts'
import type { StoreAnswer, StoreLocation, StoreOptions, Wanted } from '../../src/source/store-types.ts'
import type { Image } from '../../src/source/types.ts'
import { dockerArchive } from './docker-archives.ts'
import type { TestEngine } from './engines.ts'
import { everyKind, everyKindName } from './every-kind.ts'
import { contents } from './same-image.ts'

export interface BusyStore {
  engine: TestEngine
  location: StoreLocation
  open(location: StoreLocation, wanted: Wanted, options: StoreOptions): Promise<StoreAnswer>
}

/** What came of all the readings. */
export interface BusyOutcome {
  right: number
  /** The store said that it has no such image, or is changing. */
  absent: number
  /** A layer or file was gone after the image was opened: an error, and nothing that is wrong. */
  gone: number
}

/** How often the engine loads, tags and removes the image. */
const ROUNDS = 6

/** @throws when anything that is read is not as it is in the archive that the engine loads. */
export async function readWhileBusy({ engine, location, open }: BusyStore): Promise<BusyOutcome> {
  const archive = join(engine.scratch.path, 'busy.tar')
  writeFileSync(archive, dockerArchive(everyKind(), 'docker-1.10'))
  const expected = await openImage(archive, { cache: false })
  const wanted = { said: await said(expected), files: await filesOf(expected) }
  await expected.close()

  let working = true
  const work = keepBusy(engine, archive).finally(() => {
    working = false
  })
  const outcome: BusyOutcome = { right: 0, absent: 0, gone: 0 }
  const options = { reference: everyKindName, platform: null, cacheFolder: null }
  while (working) {
    const { image, reason } = await open(location, parseImageName(everyKindName), options)
    if (image === null) {
      expect([null, 'unsettled', 'foreign', 'incomplete']).toContain(reason?.kind ?? null)
      outcome.absent++
      // The engine works in another process: let it.
      await new Promise(resolve => setImmediate(resolve))
      continue
    }
    try {
      expect(await said(image)).toEqual(wanted.said)
      expect(await filesOf(image)).toEqual(wanted.files)
      outcome.right++
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      outcome.gone++
    } finally {
      await image.close()
    }
  }
  await work
  return outcome
}

async function keepBusy(engine: TestEngine, archive: string): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    await engine.cli('load', '-i', archive)
    await engine.cli('tag', everyKindName, `example.org/other:${round}`)
    await engine.cli('rmi', `example.org/other:${round}`)
    await engine.cli('rmi', everyKindName)
  }
  await engine.cli('load', '-i', archive)
}

/** @throws Fault when a layer can not be read. */
async function said(image: Image): Promise<unknown> {
  const analysis = await analyse(image)
  const [broken] = analysis.broken
  if (broken) throw broken.fault
  const { bytes, entries, layers, waste } = reportOn(analysis)
  return {
    id: image.id,
    config: image.rawConfig,
    bytes: { ...bytes, compressed: null },
    entries,
    waste,
    layers: layers.map(({ diffId, stored, adds, entries, added, changed, deleted }) => {
      return { diffId, stored, adds, entries, added, changed, deleted }
    }),
  }
}

async function filesOf(image: Image): Promise<Record<string, string>[]> {
  const all: Record<string, string>[] = []
  for (const layer of image.layers) all.push(await contents(image, layer.index))
  return all
}

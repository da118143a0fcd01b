/** What `analyze --json` has to say of the image of every-kind.ts, from wherever it is read. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import { type AnalyzeOptions, analyzeJson, comparable } from './analysis-json.ts'
import { dockerArchive } from './docker-archives.ts'
import { openScratch } from './engine-scratch.ts'
import { everyKind, type Sparse } from './every-kind.ts'

export interface EveryAnalysis {
  /** The image as a docker-archive that engines load, without and with the sparse files that they load. */
  archives: { none: string; pax: string }
  /** What the plain docker-archive says of it. */
  expected: Record<Sparse, string>
  /** Writes a file into a folder that goes with all of this; gives its path. */
  put(name: string, bytes: Uint8Array): string
  /** Read anew, read and kept, and from what was kept: each time the same, from the source that is meant. */
  expectSame(reference: string, source: string, options?: AnalyzeOptions & { sparse?: Sparse }): Promise<void>
  /** The same image with its config written anew in OCI's shape: it has another digest, and so the image another id. */
  expectSameButId(reference: string, source: string): Promise<void>
  close(): Promise<void>
}

const anew = ['--no-cache']

export async function everyAnalysis(): Promise<EveryAnalysis> {
  const scratch = await openScratch()
  // Ordinary users read archives and keep caches there too.
  chmodSync(scratch.path, 0o777)
  const put = (name: string, bytes: Uint8Array) => {
    const path = join(scratch.path, name)
    writeFileSync(path, bytes)
    return path
  }
  const archive = (sparse: Sparse) => put(`${sparse}.tar`, dockerArchive(everyKind('none', sparse), 'docker-1.10'))
  const archives = { none: archive('none'), pax: archive('pax'), all: archive('all') }
  const say = async (path: string) => comparable(await analyzeJson(path, { args: anew }))
  const expected = { none: await say(archives.none), pax: await say(archives.pax), all: await say(archives.all) }
  let caches = 0
  return {
    archives,
    expected,
    put,
    async expectSame(reference, source, { sparse = 'none', args = [], env } = {}) {
      const cache = join(scratch.path, `cache-${caches++}`)
      mkdirSync(cache)
      for (const more of [anew, [], []]) {
        const printed = await analyzeJson(reference, {
          args: [...more, ...args],
          env: { XDG_CACHE_HOME: cache, ...env },
        })
        expect(printed.image.source).toBe(source)
        expect(comparable(printed)).toBe(expected[sparse])
      }
    },
    async expectSameButId(reference, source) {
      const printed = await analyzeJson(reference, { args: anew })
      expect(printed.image.source).toBe(source)
      const { id } = JSON.parse(expected.none).image
      expect(comparable({ ...printed, image: { ...printed.image, id } })).toBe(expected.none)
    },
    close: scratch.close,
  }
}

/**
 * The stack against the kernel: random images, their layers unpacked by GNU tar and laid over each other by a real
 * overlay mount. Names, types, modes, owners, sizes, contents, times of files, link targets and which names are one
 * inode have to be the same.
 */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Judge, listingOf, startJudge } from '../harness/judges.ts'
import { randomImage } from '../harness/random-image.ts'
import { stackOf } from '../harness/stacks.ts'
import { tar } from '../harness/tar.ts'

let judge: Judge
beforeAll(() => {
  judge = startJudge()
})
afterAll(() => judge.close())

interface Layer {
  tar: Uint8Array
  explicit: string[]
}

function layersFor(layers: Layer[]): { tar: string; explicit: string[] }[] {
  return layers.map(layer => ({ tar: Buffer.from(layer.tar).toString('base64'), explicit: layer.explicit }))
}

/** Layers in the language of tar.ts; every line's second word is a path of its own. */
function written(...layers: string[]): Layer[] {
  return layers.map(text => ({ tar: tar(text), explicit: text.split('\n').map(line => line.trim().split(' ')[1]) }))
}

async function expectSame(layers: Layer[]): Promise<void> {
  const seen = await judge.ask({ judge: 'overlay', layers: layersFor(layers) })
  expect(listingOf(stackOf(...layers.map(layer => layer.tar)))).toEqual(seen)
}

describe('the kernel sees what the stack says', () => {
  test('in random images', async () => {
    await fc.assert(fc.asyncProperty(randomImage({ symlinks: true, implied: true }), expectSame), {
      numRuns: 150,
      ...(process.env.FUZZ_SEED ? { seed: Number(process.env.FUZZ_SEED) } : {}),
    })
  })

  test('of an entry below a lower symlink: lib becomes a directory that holds only b', async () => {
    await expectSame(written('dir usr\ndir usr/lib\nfile usr/lib/a 10\nlink lib -> usr/lib', 'dir lib\nfile lib/b 2'))
  })

  test('of a bare .wh.: an ordinary file', async () => {
    await expectSame(written('dir etc\nfile etc/passwd 100', 'file etc/.wh. 0'))
  })

  test('of a file that came, went and came back', async () => {
    await expectSame(written('file x 100', 'file .wh.x 0', 'file x 50'))
  })
})

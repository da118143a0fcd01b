/**
 * The stack against umoci: random images unpacked layer by layer into one folder. Where sequential unpacking and the
 * kernel disagree, the kernel is right: the tests say where that is.
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

async function unpacked(...tars: Uint8Array[]): Promise<string[]> {
  const layers = tars.map(layer => ({ tar: Buffer.from(layer).toString('base64'), explicit: [] }))
  return judge.ask({ judge: 'umoci', layers })
}

describe('umoci unpacks what the stack says', () => {
  test('of random images in which every directory is listed and nothing is behind a symbolic link', async () => {
    await fc.assert(
      fc.asyncProperty(randomImage({ symlinks: false, implied: false }), async layers => {
        const tars = layers.map(layer => layer.tar)
        expect(listingOf(stackOf(...tars))).toEqual(await unpacked(...tars))
      }),
      { numRuns: 100 },
    )
  })
})

describe('where umoci and the kernel disagree, the stack is with the kernel', () => {
  test('umoci follows a lower symbolic link in the middle of a path', async () => {
    const tars = [tar('dir usr\nfile usr/a 10\nlink lib -> usr'), tar('file lib/b 2')]
    expect((await unpacked(...tars)).map(line => line.split(' ').at(-1))).toEqual(['lib', 'usr', 'usr/a', 'usr/b'])
    expect(listingOf(stackOf(...tars)).map(line => line.split(' ').at(-1))).toEqual(['lib', 'lib/b', 'usr', 'usr/a'])
  })

  test('umoci gives up on a bare .wh.', async () => {
    const tars = [tar('dir etc\nfile etc/passwd 10'), tar('file etc/.wh. 0')]
    await expect(unpacked(...tars)).rejects.toThrow()
    expect(listingOf(stackOf(...tars)).map(line => line.split(' ').at(-1))).toEqual(['etc', 'etc/.wh.', 'etc/passwd'])
  })
})

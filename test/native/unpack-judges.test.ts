/** Random images: what our helper unpacks, laid over each other by the kernel, is what the stack says, and what umoci unpacks. */
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Judge, type JudgeRequest, listingOf, startJudge } from '../harness/judges.ts'
import { type RandomLayer, randomImage } from '../harness/random-image.ts'
import { stackOf } from '../harness/stacks.ts'
import { buildHelper, helperPath, missingForNative } from './helper.ts'

describe.skipIf(missingForNative() !== null)('random images', () => {
  let judge: Judge
  beforeAll(() => {
    buildHelper()
    process.env.STRATA_NATIVE_HELPER = helperPath
    judge = startJudge()
  })
  afterAll(() => judge.close())

  const asked = (name: JudgeRequest['judge'], layers: RandomLayer[]) =>
    judge.ask({
      judge: name,
      layers: layers.map(({ tar, explicit }) => ({ tar: Buffer.from(tar).toString('base64'), explicit })),
    })

  test.each([
    ['plain', { symlinks: false, implied: false }],
    ['with links and directories that nobody listed', { symlinks: true, implied: true }],
  ])('%s: as the stack says', async (_, options) => {
    await fc.assert(
      fc.asyncProperty(randomImage(options), async layers => {
        expect(await asked('native', layers)).toEqual(listingOf(stackOf(...layers.map(layer => layer.tar))))
      }),
      { numRuns: 100 },
    )
  })

  test('plain: as umoci unpacks them', async () => {
    await fc.assert(
      fc.asyncProperty(randomImage({ symlinks: false, implied: false }), async layers => {
        expect(await asked('native', layers)).toEqual(await asked('umoci', layers))
      }),
      { numRuns: 60 },
    )
  })
})

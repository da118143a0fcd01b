import { expect, test } from 'vitest'
import { readme } from '../harness/readme.ts'

test('the README shows the keys and screens that there are (node test/harness/readme.ts writes them)', () => {
  const { written, wanted } = readme()
  expect(written).toBe(wanted)
})

/** A layer that changes: whatever lay on top before, the stack is as if only what lies there now had ever been pushed. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Stack } from '../../../src/layer/stack.ts'
import { randomImage } from '../../harness/random-image.ts'
import { anomaliesText, expectLedgerAddsUp, indexOf, ledgerText, treeText } from '../../harness/stacks.ts'
import { tar } from '../../harness/tar.ts'

function said(stack: Stack): string[] {
  expectLedgerAddsUp(stack)
  const trees = stack.layers.map((_, layer) => treeText(stack, layer))
  return [...trees, ledgerText(stack), anomaliesText(stack)]
}

test('what lay on top leaves nothing behind', () => {
  const image = randomImage({ symlinks: true, implied: true })
  fc.assert(
    fc.property(image, layers => {
      const indexes = layers.map(({ tar: bytes }, layer) => indexOf(bytes, layer))
      const below = indexes.slice(0, -1)
      const plain = new Stack()
      for (const index of indexes) plain.push(index)
      const live = new Stack()
      for (const index of below) live.push(index)
      for (const index of [...indexes].reverse()) live.pushLive(index)
      live.pushLive(indexes.at(-1)!)
      expect(said(live)).toEqual(said(plain))
    }),
    { numRuns: 200 },
  )
})

test('views of the layers below stay what they are', () => {
  const stack = new Stack()
  stack.push(indexOf(tar('file a 1\ndir d\nfile d/x 5')))
  const before = treeText(stack, 0)
  for (const layer of ['gone d', 'file a 9\nfile b 2', 'file d 3']) {
    stack.pushLive(indexOf(tar(layer), 1))
    expect(treeText(stack, 0)).toBe(before)
  }
  expect(treeText(stack)).toBe('a 1\nd 3')
})

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

test('paths that came and went are forgotten where that is asked for, and the layers below stay what they are', () => {
  fc.assert(
    fc.property(randomImage({ symlinks: true, implied: true }), layers => {
      const indexes = layers.map(({ tar: bytes }, layer) => indexOf(bytes, layer))
      const plain = new Stack()
      for (const index of indexes) plain.push(index)
      let live = new Stack()
      for (const index of indexes.slice(0, -1)) live.push(index)
      const { nodes } = live.tree
      const gone = indexOf(tar('dir went\nfile went/a 1\nfile went/b 2'), indexes.length - 1)
      live = live.withLive(gone)
      const before = said(live)
      const next = live.withLive(indexes.at(-1)!, nodes)
      expect(said(next)).toEqual(said(plain))
      expect(next.tree.nodes).toBe(plain.tree.nodes)
      expect(next.tree.find(Buffer.from('went/a'))).toBe(-1)
      expect(treeText(live, live.deltas.length - 1)).toBe(before[before.length - 3])
    }),
    { numRuns: 100 },
  )
})

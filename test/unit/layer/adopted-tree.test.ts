/** The stack shares the paths of its first layer, also those of a kept index, whose columns lie within one buffer. */
import { expect, test } from 'vitest'
import { IndexBuilder } from '../../../src/layer/index-builder.ts'
import { decodeIndex, encodeIndex } from '../../../src/layer/index-codec.ts'
import { PathTree } from '../../../src/layer/path-tree.ts'
import { TarScanner } from '../../../src/layer/tar-scanner.ts'
import { tar } from '../../harness/tar.ts'

function indexOf(...entries: string[]) {
  const builder = new IndexBuilder()
  const bytes = tar(...entries)
  const scanner = new TarScanner(builder, { name: 'x' })
  scanner.push(bytes)
  scanner.end()
  return decodeIndex(encodeIndex(builder.finish({ tarBytes: bytes.length, diffId: null }))!)
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString()
const paths = (tree: PathTree) => Array.from({ length: tree.nodes }, (_, node) => text(tree.path(node)))

test('the first layer’s paths are shared, and what grows on them is a copy', () => {
  const [below, above] = [indexOf('dir a', 'file a/b 1', 'file c 1'), indexOf('file a/b 2', 'file a/d 1', 'file e 1')]
  const before = [below.parent.slice(), below.nameStart.slice(), below.names.slice()]
  const tree = new PathTree({ linked: true })
  const run = (index: typeof below) => {
    const taking = tree.take(index, 1)
    for (;;) {
      const { done, value } = taking.next()
      if (done) return [...value]
    }
  }
  expect(run(below)).toEqual([0, 1, 2, 3])
  expect(tree.names).toBe(below.names)
  expect(run(above)).toEqual([0, 1, 2, 4, 5])
  expect(paths(tree)).toEqual(['', 'a', 'a/b', 'c', 'a/d', 'e'])
  expect(tree.children(1).map(node => text(tree.path(node)))).toEqual(['a/d', 'a/b'])
  expect(tree.find(Buffer.from('a/d'))).toBe(4)
  expect(tree.find(Buffer.from('c'))).toBe(3)
  expect([below.parent, below.nameStart, below.names]).toEqual(before)
})

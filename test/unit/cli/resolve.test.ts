import { Buffer } from 'node:buffer'
import { expect, test } from 'vitest'
import { safeBytes } from '../../../src/base/text.ts'
import { resolvePath } from '../../../src/cli/resolve.ts'
import type { Target } from '../../../src/cli/target.ts'
import { ancestry, walk } from '../../../src/cli/walk.ts'
import type { Step } from '../../../src/image/types.ts'
import { stackOf } from '../../harness/stacks.ts'
import { entry, type Piece, tar } from '../../harness/tar.ts'

/** The path that a person means by `path`, as of the last layer; or the sentence that says why there is none. */
function resolved(path: string, layers: (string | Piece[])[], last = true): string {
  const stack = stackOf(...layers.map(layer => (typeof layer === 'string' ? tar(layer) : tar(...layer))))
  const steps = layers.map((_, layer) => ({ index: layer + 1, layer }) as Step)
  const target = { top: layers.length - 1, step: null, own: null, image: { steps } } as unknown as Target
  try {
    return safeBytes(stack.tree.path(resolvePath(stack, target, path, last))) || '/'
  } catch (error) {
    return (error as Error).message
  }
}

test.each([
  ['etc/motd', 'etc/motd'],
  ['/etc//motd/', 'etc/motd'],
  ['./etc/../etc/motd', 'etc/motd'],
  ['../../etc', 'etc'],
  ['', '/'],
  ['/', '/'],
  ['bin/sh', 'usr/bin/dash'],
  ['bin', 'usr/bin'],
  ['usr/back/etc', 'etc'],
  ['up', '/'],
  ['none', 'There is no none in the image.'],
  ['etc/motd/x', 'There is no etc/motd/x in the image.'],
  ['dangling', 'There is no dangling in the image.'],
  ['loop', 'loop: more than 40 symbolic links lead on from there.'],
  ['loop/x', 'loop/x: more than 40 symbolic links lead on from there.'],
])('%s is %s', (path, expected) => {
  const layer = `file etc/motd 1
    link bin -> usr/bin
    link usr/bin/sh -> dash
    file usr/bin/dash 1
    link usr/back -> /usr/..
    link up -> ../../..
    link dangling -> nowhere
    link loop -> loop`
  expect(resolved(path, [layer])).toBe(expected)
})

test('a link at the end is followed only when that is wanted', () => {
  const layer = 'link a -> b\nfile b 1\nlink d -> e\nfile e/a 1'
  expect(resolved('a', [layer], false)).toBe('a')
  expect(resolved('a', [layer], true)).toBe('b')
  expect(resolved('d/a', [layer], false)).toBe('e/a')
})

test('of two names that look alike each is found as it is shown', () => {
  const layer = 'file %1b 1\nfile %5cx1b 2'
  expect(resolved('\\x1b', [layer])).toBe('\\x1b')
  expect(resolved('\\\\x1b', [layer])).toBe('\\\\x1b')
})

test('a path may be written as it is shown', () => {
  const layer = 'file %ff%fe/a%1b 1\nfile plain%5cx41 1\nfile plainA 2\nfile bidi%e2%80%ae 1'
  expect(resolved('\\xff\\xfe/a\\x1b', [layer])).toBe('\\xff\\xfe/a\\x1b')
  expect(resolved('plain\\x41', [layer])).toBe('plain\\\\x41')
  expect(resolved('bidi\\u{202e}', [layer])).toBe('bidi\\u{202e}')
  expect(resolved('bidi\\u{ffffff}', [layer])).toMatch(/^There is no/)
})

test('a path that a layer took away says which step', () => {
  expect(resolved('a', ['file a 1', 'file b 1', 'gone a'])).toBe('There is no a in the image: step 3 deletes it.')
})

test('a link of four hundred thousand parts ends', () => {
  const link = 'a/../'.repeat(200_000)
  expect(resolved('l', [[entry({ path: 'a', type: 'dir' }), entry({ path: 'l', type: 'symlink', link })]])).toBe('/')
})

test('a walk goes through directories first to last, names in byte order, also 4 000 deep', () => {
  const paths = (from: string, layer: string) => {
    const { tree } = stackOf(tar(layer))
    const visits = walk(tree, tree.find(Buffer.from(from)), () => true)
    return [...visits].map(({ node, depth }) => `${depth} ${safeBytes(tree.path(node))}`)
  }
  expect(paths('', 'file b/x 1\nfile a 1\nfile b/a/z 1\nfile b.c 1\nfile B 1\nfile %ff 1\nfile ab 1')).toEqual([
    '0 B',
    '0 a',
    '0 ab',
    '0 b',
    '1 b/a',
    '2 b/a/z',
    '1 b/x',
    '0 b.c',
    '0 \\xff',
  ])
  expect(paths('b', 'file b/x 1\nfile a 1')).toEqual(['0 b/x'])
  const deep = stackOf(tar(entry({ path: `${'d/'.repeat(4000)}f` })))
  expect([...walk(deep.tree, 0, () => true)].at(-1)?.depth).toBe(4000)
})

test('what leads to some nodes is found without visiting the rest', () => {
  const { tree } = stackOf(tar('file a/b/c 1\nfile a/d 1\nfile e/f 1'))
  const wanted = ancestry(tree, [tree.find(Buffer.from('a/b/c'))])
  const visited = [...walk(tree, 0, node => wanted[node] === 1)].map(({ node }) => safeBytes(tree.path(node)))
  expect(visited).toEqual(['a', 'a/b', 'a/b/c'])
})

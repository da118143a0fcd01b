/** Stacking rules 5 to 9: paths, merging, other types, hard links, one path twice. */
import { describe, expect, test } from 'vitest'
import { anomaliesText, ledgerText, stackOf, treeText } from '../../harness/stacks.ts'
import { entry, tar } from '../../harness/tar.ts'

function tree(...layers: string[]): string {
  return treeText(stackOf(...layers.map(layer => tar(layer))))
}

function ledger(...layers: string[]): string {
  return ledgerText(stackOf(...layers.map(layer => tar(layer))))
}

describe('rule 5: paths are lexical within a layer', () => {
  test('lib/b over a lower symlink lib makes lib a directory that holds only b', () => {
    expect(tree('dir usr\ndir usr/lib\nfile usr/lib/a 10\nlink lib -> usr/lib', 'file lib/b 2')).toBe(
      'lib/ (implied)\nlib/b 2\nusr/\nusr/lib/\nusr/lib/a 10',
    )
  })

  test('a whiteout through a lower symlink touches nothing behind it', () => {
    expect(tree('dir usr\nfile usr/a 1\nlink lib -> usr', 'gone lib/a')).toBe('lib -> usr\nusr/\nusr/a 1')
  })

  test('an entry below a symlink of the same tar', () => {
    expect(tree('dir t\nlink l -> t\nfile l/f 1')).toBe('l/ (implied)\nl/f 1\nt/')
  })

  test('an entry below a lower file makes it a directory', () => {
    expect(tree('file a 100', 'file a/b 1')).toBe('a/ (implied)\na/b 1')
    expect(ledger('file a 100', 'file a/b 1')).toBe('100 a, stored 0, lost 1, replaced')
  })
})

describe('rule 6: directories merge', () => {
  test('the upper metadata wins', () => {
    expect(tree('dir d 0700 1:2\nfile d/a 1', 'dir d 0711 3:4\nfile d/b 1')).toBe('d/ 0711 3:4\nd/a 1\nd/b 1')
  })

  test('an upper directory that is only implied keeps the lower metadata', () => {
    expect(tree('dir d 0700 1:2\nfile d/a 1', 'file d/b 1')).toBe('d/ 0700 1:2\nd/a 1\nd/b 1')
  })

  test('an implied directory gets its metadata from a later layer', () => {
    const stack = stackOf(tar('file d/a 1'), tar('dir d 0700'))
    expect([treeText(stack, 0), treeText(stack)]).toEqual(['d/ (implied)\nd/a 1', 'd/ 0700\nd/a 1'])
  })

  test('a directory entry after its content in one tar', () => {
    expect(tree('file d/a 1\ndir d 0700')).toBe('d/ 0700\nd/a 1')
  })

  test('merging wastes nothing', () => {
    expect(ledger('dir d\nfile d/a 10', 'dir d 0700\nfile d/b 10')).toBe('')
  })
})

describe('rule 7: any other change of type drops the lower subtree', () => {
  const below = 'dir p\ndir p/q\nfile p/q/f 1000\nfile p/g 10'
  const lost = '10 p/g, stored 0, lost 1, replaced\n1000 p/q/f, stored 0, lost 1, replaced'

  test.each([
    ['a file', 'file p 5', 'p 5'],
    ['a symlink', 'link p -> x', 'p -> x'],
    ['a fifo', 'fifo p', 'p fifo'],
    ['a device', 'char p 1,3', 'p c1,3'],
  ])('%s over a directory', (_, line, after) => {
    expect(tree(below, line)).toBe(after)
    expect(ledger(below, line)).toBe(lost)
  })

  test('a directory over a file', () => {
    expect(tree('file p 1000', 'dir p\nfile p/f 1')).toBe('p/\np/f 1')
    expect(ledger('file p 1000', 'dir p\nfile p/f 1')).toBe('1000 p, stored 0, lost 1, replaced')
  })

  test('a symlink over a file, a file over a symlink', () => {
    expect(tree('file a 5\nlink b -> x', 'link a -> x\nfile b 6')).toBe('a -> x\nb 6')
    expect(ledger('file a 5\nlink b -> x', 'link a -> x\nfile b 6')).toBe('5 a, stored 0, lost 1, replaced')
  })

  test('what came back as a directory does not show the old content again', () => {
    const stack = stackOf(tar('dir p\nfile p/f 1000'), tar('file p 10'), tar('dir p\nfile p/g 1'))
    expect(treeText(stack)).toBe('p/\np/g 1')
  })

  test('within one tar the last entry of a path decides, and what was below goes', () => {
    const stack = stackOf(tar('dir p\nfile p/f 100\nfile p 5'))
    expect(treeText(stack)).toBe('p 5')
    expect(ledgerText(stack)).toBe('100 p/f, stored 0, lost 0, shadowed')
  })
})

describe('rule 8: a hard link binds to an inode when it is read', () => {
  test('it shows the bytes of its target and stores none', () => {
    const stack = stackOf(tar('file a 1000\nhard b -> a'))
    expect(treeText(stack)).toBe('a 1000\nb 1000 = a')
    expect([stack.stored, stack.visible]).toEqual([1000, 1000])
  })

  test('the target named with ./ or / is the same path', () => {
    expect(tree('file d/a 10\nhard b -> ./d/a\nhard c -> /d/a')).toBe('b 10 = ./d/a\nc 10 = /d/a\nd/ (implied)\nd/a 10')
  })

  test('a link to a link has the inode of the first', () => {
    expect(tree('file a 10\nhard b -> a\nhard c -> b')).toBe('a 10\nb 10 = a\nc 10 = b')
  })

  test('to the lower file where its own layer has none', () => {
    const stack = stackOf(tar('file a 1000'), tar('hard b -> a'))
    expect(treeText(stack)).toBe('a 1000\nb 1000 = a')
    expect([stack.stored, stack.visible]).toEqual([1000, 1000])
  })

  test('bytes stay visible while any name of the inode is visible', () => {
    expect(ledger('file a 1000', 'hard b -> a', 'gone a')).toBe('')
    expect(tree('file a 1000', 'hard b -> a', 'gone a')).toBe('b 1000 = a')
  })

  test('and are lost with the last name, in the layer that takes it', () => {
    expect(ledger('file a 1000\nhard b -> a\nhard c -> a', 'gone a', 'file b 5', 'gone c')).toBe(
      '1000 a, stored 0, lost 3, deleted',
    )
  })

  test('a target that is written again later in the same tar is the old inode still', () => {
    const stack = stackOf(tar('file a 10\nhard b -> a\nfile a 30'))
    expect(treeText(stack)).toBe('a 30\nb 10 = a')
    expect([stack.stored, stack.visible]).toEqual([40, 40])
  })

  test('a link that takes the place of a file: its bytes are lost', () => {
    expect(ledger('file a 10\nfile b 500', 'file a 10\nhard b -> a')).toBe(
      '10 a, stored 0, lost 1, overwritten\n500 b, stored 0, lost 1, overwritten',
    )
  })

  test('a link to nothing is an anomaly, not the end', () => {
    const stack = stackOf(tar('hard b -> nothing\nfile c 1'))
    expect(treeText(stack)).toBe('b (nothing) = nothing\nc 1')
    expect(anomaliesText(stack)).toMatch(/^0 \S*link\S* b$/)
  })

  test('a link to itself and links in a ring end', () => {
    expect(tree('hard a -> a\nhard b -> c\nhard c -> b')).toBe('a (nothing) = a\nb (nothing) = c\nc (nothing) = b')
  })

  test('a hard link to a symlink shows the symlink', () => {
    expect(tree('link l -> x\nhard k -> l')).toMatch(/^k .*\nl -> x$/)
  })
})

describe('rule 9: the last of several entries with one path in one tar wins', () => {
  test('the earlier one is shadowed: waste', () => {
    const stack = stackOf(tar('file x 10\nfile x 30'))
    expect([treeText(stack), ledgerText(stack)]).toEqual(['x 30', '10 x, stored 0, lost 0, shadowed'])
    expect(anomaliesText(stack)).toBe('0 duplicate-path x')
  })

  test('also when it is spelled otherwise', () => {
    expect(tree('file ./x 10\nfile /x 20\nfile x 30')).toBe('x 30')
  })

  test('a thousand times', () => {
    const many = Array.from({ length: 1000 }, (_, at) => entry({ path: 'same', body: new Uint8Array(at) }))
    const stack = stackOf(tar(...many))
    expect(treeText(stack)).toBe('same 999')
    expect(stack.stored - stack.visible).toBe((998 * 999) / 2)
  })

  test('a directory entry twice is one directory', () => {
    const stack = stackOf(tar('dir d 0700\nfile d/a 1\ndir d 0711'))
    expect([treeText(stack), ledgerText(stack)]).toEqual(['d/ 0711\nd/a 1', ''])
  })
})

/** The small numeric cases of the rules of layers: what is stored, wasted and left, to the byte. Layer 0 holds one file of 10 bytes. */
import { describe, expect, test } from 'vitest'
import { ledgerText, stackOf, treeText } from '../../harness/stacks.ts'
import { tar } from '../../harness/tar.ts'

const base = 'file base 10'

interface Case {
  name: string
  /** The layers above `base`. */
  layers: string[]
  stored: number
  wasted: number
  efficiency: number
  ledger: string
  tree?: string
}

const cases: Case[] = [
  {
    name: 'a file of 1000 bytes, then chmod: the same path stored again',
    layers: ['file a 1000', 'file a 1000 0755'],
    stored: 2010,
    wasted: 1000,
    efficiency: 0.5025,
    ledger: '1000 a, stored 1, lost 2, overwritten',
  },
  {
    name: 'a directory removed in a later layer, its entries in the tar',
    layers: ['dir d\nfile d/a 1500\nfile d/b 500', 'gone d'],
    stored: 2010,
    wasted: 2000,
    efficiency: 0.005,
    ledger: '1500 d/a, stored 1, lost 2, deleted\n500 d/b, stored 1, lost 2, deleted',
    tree: 'base 10',
  },
  {
    name: 'a directory removed in a later layer, no directory entries in the tar',
    layers: ['file d/a 1500\nfile d/b 500', 'gone d'],
    stored: 2010,
    wasted: 2000,
    efficiency: 0.005,
    ledger: '1500 d/a, stored 1, lost 2, deleted\n500 d/b, stored 1, lost 2, deleted',
    tree: 'base 10',
  },
  {
    name: 'a directory moved: stored again elsewhere, the old one whited out',
    layers: ['dir d\nfile d/a 1000', 'gone d\ndir e\nfile e/a 1000'],
    stored: 2010,
    wasted: 1000,
    efficiency: 0.5025,
    ledger: '1000 d/a, stored 1, lost 2, deleted',
    tree: 'base 10\ne/\ne/a 1000',
  },
  {
    name: '300 bytes, then 100, then 200 under one path',
    layers: ['file a 300', 'file a 100', 'file a 200'],
    stored: 610,
    wasted: 400,
    efficiency: 0.3443,
    ledger: '300 a, stored 1, lost 2, overwritten\n100 a, stored 2, lost 3, overwritten',
  },
  {
    name: 'a whiteout and a new file of one name in the same layer',
    layers: ['file x 100', 'gone x\nfile x 50'],
    stored: 160,
    wasted: 100,
    efficiency: 0.375,
    ledger: expect.stringMatching(/^100 x, stored 1, lost 2, (overwritten|deleted)$/) as unknown as string,
    tree: 'base 10\nx 50',
  },
  {
    name: 'a file removed, then added again two layers later',
    layers: ['file x 100', 'gone x', 'file y 0', 'file x 100'],
    stored: 210,
    wasted: 100,
    efficiency: 0.5238,
    ledger: '100 x, stored 1, lost 2, deleted',
    tree: 'base 10\nx 100\ny 0',
  },
  {
    name: 'a and its hard link b, a rewritten later: the old bytes are still seen as b',
    layers: ['file a 1000\nhard b -> a', 'file a 1000'],
    stored: 2010,
    wasted: 0,
    efficiency: 1,
    ledger: '',
    tree: 'a 1000\nb 1000 = a\nbase 10',
  },
  {
    name: 'a and its hard link b, b overwritten, then a too: lost with the last name',
    layers: ['file a 1000\nhard b -> a', 'file b 600', 'file a 1000'],
    stored: 2610,
    wasted: 1000,
    efficiency: 0.6169,
    ledger: '1000 a, stored 1, lost 3, overwritten',
    tree: 'a 1000\nb 600\nbase 10',
  },
  {
    name: 'a whiteout for a path that does not exist, and a file of 1000 bytes rewritten',
    layers: ['file a 1000', 'gone nothing\nfile a 1000'],
    stored: 2010,
    wasted: 1000,
    efficiency: 0.5025,
    ledger: '1000 a, stored 1, lost 2, overwritten',
    tree: 'a 1000\nbase 10',
  },
  {
    name: 'a bare .wh. removes nothing',
    layers: ['dir etc\nfile etc/passwd 100', 'file etc/.wh. 0'],
    stored: 110,
    wasted: 0,
    efficiency: 1,
    ledger: '',
    tree: 'base 10\netc/\netc/.wh. 0\netc/passwd 100',
  },
  {
    name: '.wh..wh..opqX is not opaque',
    layers: ['dir d\nfile d/a 100', 'file d/.wh..wh..opqX 0\nfile d/b 50'],
    stored: 160,
    wasted: 0,
    efficiency: 1,
    ledger: '',
    tree: 'base 10\nd/\nd/a 100\nd/b 50',
  },
  {
    name: 'an opaque directory over a symlink leaves the target',
    layers: ['dir target\nfile target/keep 1000\nlink d -> target', 'dir d\nopaque d\nfile d/new 10'],
    stored: 1020,
    wasted: 0,
    efficiency: 1,
    ledger: '',
    tree: 'base 10\nd/\nd/new 10\ntarget/\ntarget/keep 1000',
  },
  {
    name: 'an entry through a lower symlink makes a directory of its own',
    layers: ['dir usr\ndir usr/lib\nfile usr/lib/a 1000\nlink lib -> usr/lib', 'file lib/b 10'],
    stored: 1020,
    wasted: 0,
    efficiency: 1,
    ledger: '',
    tree: 'base 10\nlib/ (implied)\nlib/b 10\nusr/\nusr/lib/\nusr/lib/a 1000',
  },
  {
    name: 'an implied parent keeps the metadata of the directory below',
    layers: ['dir d 0700 1:2\nfile d/a 100', 'file d/b 50'],
    stored: 160,
    wasted: 0,
    efficiency: 1,
    ledger: '',
    tree: 'base 10\nd/ 0700 1:2\nd/a 100\nd/b 50',
  },
]

describe('stored, wasted and efficiency', () => {
  test.each(cases)('$name', ({ layers, stored, wasted, efficiency, ledger, tree }) => {
    const stack = stackOf(tar(base), ...layers.map(layer => tar(layer)))
    expect(stack.stored).toBe(stored)
    expect(stack.stored - stack.visible).toBe(wasted)
    expect(stack.visible / stack.stored).toBeCloseTo(efficiency, 4)
    expect(ledgerText(stack)).toEqual(ledger)
    if (tree !== undefined) expect(treeText(stack)).toBe(tree)
  })

  test('nothing stored wastes nothing', () => {
    const stack = stackOf(tar('dir d'), tar('link l -> d'))
    expect([stack.stored, stack.visible, ledgerText(stack)]).toEqual([0, 0, ''])
  })
})

/**
 * Cases that dive gets wrong, with both numbers: what is really wasted, and what dive says of it, word for word with its
 * rule (smallest copy of each path over all copies, leaves only, every copy of a path seen twice counts as waste).
 */
import { describe, expect, test } from 'vitest'
import { diveScore } from '../../../src/layer/dive.ts'
import { stackOf, treeText } from '../../harness/stacks.ts'
import { tar } from '../../harness/tar.ts'

interface Case {
  name: string
  /** All layers, layer 0 as well. */
  layers: string[]
  stored: number
  wasted: number
  efficiency: number
  /** Efficiency, wasted bytes, wasted over the bytes above layer 0. */
  dive: [number, number, number?]
  tree?: string
}

const base = 'file base 10'

const cases: Case[] = [
  {
    name: 'chmod stores a file twice: the live copy is no waste',
    layers: [base, 'file a 1000', 'file a 1000 0600'],
    stored: 2010,
    wasted: 1000,
    efficiency: 0.5025,
    dive: [0.5025, 2000, 1],
  },
  {
    name: 'a removed directory costs its bytes',
    layers: [base, 'dir d\nfile d/a 1000\nfile d/b 1000', 'gone d'],
    stored: 2010,
    wasted: 2000,
    efficiency: 0.005,
    dive: [1, 0, 0],
  },
  {
    name: 'a removed directory without entries of its own costs its bytes',
    layers: [base, 'file d/a 1000\nfile d/b 1000', 'gone d'],
    stored: 2010,
    wasted: 2000,
    efficiency: 0.005,
    dive: [1, 0, 0],
  },
  {
    name: 'moving a directory is not free',
    layers: [base, 'dir d\nfile d/a 1000', 'gone d\ndir e\nfile e/a 1000'],
    stored: 2010,
    wasted: 1000,
    efficiency: 0.5025,
    dive: [1, 0, 0],
  },
  {
    name: 'an opaque directory hides what lies below',
    layers: [base, 'dir d\nfile d/a 1000\nfile d/b 1000', 'dir d\nopaque d\nfile d/c 500'],
    stored: 2510,
    wasted: 2000,
    efficiency: 0.2032,
    dive: [1, 0, 0],
    tree: 'base 10\nd/\nd/c 500',
  },
  {
    name: 'the place of the opaque marker in the tar does not matter',
    layers: [base, 'dir d\nfile d/a 1000', 'dir d\nfile d/a 700\nopaque d'],
    stored: 1710,
    wasted: 1000,
    efficiency: 0.4152,
    dive: [0.4152, 1700, 1],
    tree: 'base 10\nd/\nd/a 700',
  },
  {
    name: 'a whiteout does not remove the file of its own layer',
    layers: [base, 'file x 100', 'gone x\nfile x 50'],
    stored: 160,
    wasted: 100,
    efficiency: 0.375,
    dive: [0.0625, 150, 1],
    tree: 'base 10\nx 50',
  },
  {
    name: 'nor when its name sorts before a dot',
    layers: [base, 'file -x 100', 'file -x 50\ngone -x'],
    stored: 160,
    wasted: 100,
    efficiency: 0.375,
    dive: [0.0625, 150, 1],
    tree: '-x 50\nbase 10',
  },
  {
    name: 'removed and added again later is there',
    layers: [base, 'file x 100', 'gone x', 'file x 100'],
    stored: 210,
    wasted: 100,
    efficiency: 0.5238,
    dive: [0.0476, 200, 1],
    tree: 'base 10\nx 100',
  },
  {
    name: 'a directory removed after one of its files is lost altogether',
    layers: [base, 'file d/a 300\nfile d/b 200', 'gone d/a', 'gone d'],
    stored: 510,
    wasted: 500,
    efficiency: 0.0196,
    dive: [0.4118, 300, 0.6],
    tree: 'base 10',
  },
  {
    name: 'a whiteout of an unknown path does not stop the count',
    layers: [base, 'file a 1000', 'gone -nothing\nfile a 1000'],
    stored: 2010,
    wasted: 1000,
    efficiency: 0.5025,
    dive: [0.999, 0, 0],
    tree: 'a 1000\nbase 10',
  },
  {
    name: 'nor in the first layer',
    layers: ['gone -nothing\nfile x 50', 'file x 50'],
    stored: 100,
    wasted: 50,
    efficiency: 0.5,
    dive: [0.98, 0, 0],
    tree: 'x 50',
  },
  {
    name: 'of three copies the last one is needed, not the smallest',
    layers: [base, 'file a 300', 'file a 100', 'file a 200'],
    stored: 610,
    wasted: 400,
    efficiency: 0.3443,
    dive: [0.1803, 600, 1],
  },
  {
    name: 'a file in place of a directory drops what was below it',
    layers: [base, 'dir p\nfile p/f 1000', 'file p 10'],
    stored: 1020,
    wasted: 1000,
    efficiency: 0.0196,
    dive: [1, 0, 0],
    tree: 'base 10\np 10',
  },
  {
    name: 'a directory in place of a file drops the file',
    layers: [base, 'file p 1000', 'dir p\nfile p/f 10'],
    stored: 1020,
    wasted: 1000,
    efficiency: 0.0196,
    dive: [1, 0, 0],
    tree: 'base 10\np/\np/f 10',
  },
  {
    name: 'bytes that another name still shows are no waste',
    layers: [base, 'file a 1000\nhard b -> a', 'file a 1000'],
    stored: 2010,
    wasted: 0,
    efficiency: 1,
    dive: [0.5025, 2000, 1],
  },
  {
    name: 'the first inode is lost when both names are written anew',
    layers: [base, 'file a 1000\nhard b -> a', 'file a 300', 'file b 300'],
    stored: 1610,
    wasted: 1000,
    efficiency: 0.3789,
    dive: [0.1925, 1600, 1],
  },
  {
    name: 'all names of a file removed',
    layers: [base, 'file a 1000\nhard b -> a', 'gone a\ngone b'],
    stored: 1010,
    wasted: 1000,
    efficiency: 0.0099,
    dive: [0.0099, 1000, 1],
    tree: 'base 10',
  },
  {
    name: 'other extended attributes: stored again',
    layers: [base, 'file f 100', 'file f 100 x:user.a=b'],
    stored: 210,
    wasted: 100,
    efficiency: 0.5238,
    dive: [0.5238, 200, 1],
  },
  {
    name: 'touched: stored again',
    layers: [base, 'file f 100', 'file f 100 mtime=5'],
    stored: 210,
    wasted: 100,
    efficiency: 0.5238,
    dive: [0.5238, 200, 1],
  },
  {
    name: 'one path twice in one tar: the earlier one is shadowed',
    layers: ['file x 10\nfile x 30'],
    stored: 40,
    wasted: 10,
    efficiency: 0.75,
    dive: [1, 0],
    tree: 'x 30',
  },
  {
    name: 'a file removed in a later layer',
    layers: [base, 'file a 1000', 'gone a'],
    stored: 1010,
    wasted: 1000,
    efficiency: 0.0099,
    dive: [0.0099, 1000, 1],
  },
  {
    name: 'copied in, unpacked, removed: three layers',
    layers: [base, 'file src.tgz 5000', 'dir app\nfile app/x 4000', 'gone src.tgz'],
    stored: 9010,
    wasted: 5000,
    efficiency: 0.4451,
    dive: [0.4451, 5000, 0.5556],
  },
  {
    name: 'a directory of a directory removed, its entries in the tar',
    layers: [
      'dir etc\ndir etc/nginx\nfile etc/nginx/nginx.conf 2000\nfile etc/nginx/public 3000',
      'dir etc\ndir etc/nginx\nfile etc/nginx/nginx.conf 5000\nfile etc/athing 10000',
      'dir etc\ngone etc/nginx',
    ],
    stored: 20000,
    wasted: 10000,
    efficiency: 0.5,
    dive: [0.8214, 7000, 0.4667],
    tree: 'etc/\netc/athing 10000',
  },
  {
    name: 'twelve steps of copying, changing and removing',
    layers: [
      'dir root 0700',
      'file somefile.txt 17',
      'dir root 0700\ndir root/example\ndir root/example/really\ndir root/example/really/nested',
      'dir root 0700\ndir root/example\nfile root/example/somefile1.txt 17',
      'dir root 0700\ndir root/example\nfile root/example/somefile1.txt 17 0444',
      'dir root 0700\ndir root/example\nfile root/example/somefile2.txt 17',
      'dir root 0700\ndir root/example\nfile root/example/somefile3.txt 17',
      'dir root 0700\ndir root/example\ngone root/example/somefile3.txt\nfile root/saved.txt 17',
      'dir root 0700\nfile root/.saved.txt 17',
      'dir root 0700\nfile root/saved.txt 17 0755',
      'dir root 0421',
      'dir root 0421\ngone root/example',
      'dir root 0421\nfile root/saved.txt 46',
    ],
    stored: 182,
    wasted: 102,
    efficiency: 0.4396,
    dive: [0.5509, 131, 0.7198],
    tree: 'root/ 0421\nroot/.saved.txt 17\nroot/saved.txt 46\nsomefile.txt 17',
  },
]

describe('the ledger and, beside it, what dive says', () => {
  test.each(cases)('$name', ({ layers, stored, wasted, efficiency, dive, tree }) => {
    const stack = stackOf(...layers.map(layer => tar(layer)))
    expect([stack.stored, stack.stored - stack.visible]).toEqual([stored, wasted])
    expect(stack.visible / stack.stored).toBeCloseTo(efficiency, 4)
    if (tree !== undefined) expect(treeText(stack)).toBe(tree)
    const score = diveScore(stack)
    expect(score.efficiency).toBeCloseTo(dive[0], 4)
    expect(score.wastedBytes).toBe(dive[1])
    if (dive[2] !== undefined) expect(score.userWastedPercent).toBeCloseTo(dive[2], 4)
  })
})

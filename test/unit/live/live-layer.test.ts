/** The upper layer as it changes: what it holds, how fast it grows, what it is on the stack. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Kind } from '../../../src/layer/entry.ts'
import { Stack } from '../../../src/layer/stack.ts'
import { createLiveLayer, type LiveLayer } from '../../../src/live/live-layer.ts'
import type { LiveChange } from '../../../src/runtime/upper-watch.ts'
import { indexOf, treeText } from '../../harness/stacks.ts'
import { tar } from '../../harness/tar.ts'

function change(op: LiveChange['op'], path: string, more: Partial<LiveChange> = {}): LiveChange {
  const blank = { size: 0, mode: 0o644, uid: 0, gid: 0, mtime: 0, nsec: 0, written: 0, lower: null, lowerSize: null }
  return { op, path: Buffer.from(path), kind: Kind.file, reasons: [], link: null, ...blank, ...more }
}

function apply(layer: LiveLayer, now: number, ...changes: LiveChange[]): void {
  layer.apply({ changes, notices: [], every: null }, now)
}

function onTopOf(below: string, layer: LiveLayer): string {
  const stack = new Stack()
  stack.push(indexOf(tar(below)))
  stack.pushLive(layer.index())
  return treeText(stack)
}

describe('what it is on the stack', () => {
  test('added, changed and deleted paths', () => {
    const layer = createLiveLayer()
    apply(layer, 0, change('A', 'd/new', { size: 3 }), change('C', 'd/old', { size: 9 }), change('D', 'd/gone'))
    expect(onTopOf('dir d\nfile d/old 1\nfile d/gone 5\nfile d/kept 7', layer)).toBe('d/\nd/kept 7\nd/new 3\nd/old 9')
  })

  test('a path that is no change any more is what it was below', () => {
    const layer = createLiveLayer()
    apply(layer, 0, change('C', 'a', { size: 9 }), change('D', 'b'))
    apply(layer, 1, change('-', 'a'), change('-', 'b'))
    expect(onTopOf('file a 1\nfile b 2', layer)).toBe('a 1\nb 2')
    expect([layer.count(), layer.bytes()]).toEqual([0, 0])
  })

  test('a file that is called like a marker is a file', () => {
    const layer = createLiveLayer()
    apply(layer, 0, change('A', '.wh.a', { size: 4 }), change('A', '.wh..wh..opq', { size: 1 }))
    expect(onTopOf('file a 1', layer)).toBe('.wh..wh..opq 1\n.wh.a 4\na 1')
  })

  test('names of any bytes are told apart', () => {
    const layer = createLiveLayer()
    const odd = (byte: number) => ({ ...change('A', ''), path: Uint8Array.of(0x61, byte) })
    apply(layer, 0, odd(0xff), odd(0xfe), odd(0x0a))
    expect([layer.count(), layer.path(Uint8Array.of(0x61, 0xfe))?.op]).toEqual([3, 'A'])
  })

  test('however changes come, the bytes are those of the files that are there', () => {
    const path = fc.constantFrom('a', 'b', 'c/d', 'c/e')
    const one = fc.tuple(fc.constantFrom<LiveChange['op']>('A', 'C', 'D', '-'), path, fc.nat(1000))
    fc.assert(
      fc.property(fc.array(one, { maxLength: 60 }), changes => {
        const layer = createLiveLayer()
        const there = new Map<string, number>()
        for (const [op, name, size] of changes) {
          apply(layer, 0, change(op, name, { size }))
          if (op === '-') there.delete(name)
          else there.set(name, op === 'D' ? 0 : size)
        }
        const sum = [...there.values()].reduce((a, b) => a + b, 0)
        expect([layer.count(), layer.bytes()]).toEqual([there.size, sum])
      }),
    )
  })
})

describe('rates', () => {
  test('what the first look finds was not seen being written', () => {
    const layer = createLiveLayer()
    apply(layer, 0, change('A', 'a', { size: 1000, written: 1000 }))
    expect([layer.totalRate(0), layer.warm(0)]).toEqual([0, []])
  })

  test('steady writing shows as its rate, and fades when it ends', () => {
    const layer = createLiveLayer()
    apply(layer, 0)
    for (let at = 0; at <= 20_000; at += 100) apply(layer, at, change('A', 'a', { size: at, written: 100 }))
    const path = layer.path(Buffer.from('a'))!
    expect(layer.rate(path, 20_000)).toBeGreaterThan(950)
    expect(layer.rate(path, 20_000)).toBeLessThan(1050)
    expect(layer.totalRate(20_000)).toBe(layer.rate(path, 20_000))
    expect(layer.rate(path, 23_000)).toBeCloseTo(layer.rate(path, 20_000) / Math.E, 5)
    expect([layer.rate(path, 60_000), layer.warm(60_000)]).toEqual([0, []])
  })

  test('a file that went has no rate', () => {
    const layer = createLiveLayer()
    apply(layer, 0)
    apply(layer, 1, change('A', 'a', { size: 10_000, written: 10_000 }))
    expect(layer.warm(1).map(one => one.total)).toEqual([10_000])
    apply(layer, 2, change('-', 'a'))
    expect(layer.warm(2)).toEqual([])
  })
})

test('the index is made once for a state', () => {
  const layer = createLiveLayer()
  apply(layer, 0, change('A', 'a'))
  const index = layer.index()
  expect(layer.index()).toBe(index)
  apply(layer, 1)
  expect(layer.index()).toBe(index)
  apply(layer, 2, change('A', 'b'))
  expect([layer.index() === index, layer.revision()]).toEqual([false, 2])
})

describe('another live layer in the place of one that is still shown', () => {
  const below = () => {
    const stack = new Stack()
    stack.push(indexOf(tar('dir d\nfile d/old 1\nfile d/gone 5')))
    return stack
  }
  const live = (...changes: LiveChange[]) => {
    const layer = createLiveLayer()
    apply(layer, 0, ...changes)
    return layer.index()
  }
  const at = (stack: Stack, path: string) => stack.view(1).current[stack.tree.find(Buffer.from(path))]!

  test('what was made of the one before stays what it was', () => {
    const first = below().withLive(live(change('A', 'x', { size: 3 }), change('A', 'y', { size: 4 })))
    const ref = at(first, 'y')
    const second = first.withLive(live(change('D', 'd/gone')))
    expect([Buffer.from(first.entry(ref).path).toString(), first.sizeOf(ref), first.nodeOf(ref)]).toEqual([
      'y',
      4,
      first.tree.find(Buffer.from('y')),
    ])
    expect([treeText(first), treeText(second)]).toEqual(['d/\nd/gone 5\nd/old 1\nx 3\ny 4', 'd/\nd/old 1'])
  })

  test('each has its own ledger', () => {
    const first = below().withLive(live(change('D', 'd/gone'), change('C', 'd/old', { size: 2 })))
    const second = first.withLive(live())
    const third = second.withLive(live(change('D', 'd/old')))
    const sums = [first, second, third].map(one => [one.stored, one.visible, one.waste.map(row => row.bytes)])
    expect(sums).toEqual([
      [8, 2, [5, 1]],
      [6, 6, []],
      [6, 5, [1]],
    ])
  })
})

describe('what a layer has become', () => {
  test('growth is counted from the first look, and from what lay below; directories add up', () => {
    const layer = createLiveLayer()
    const growth = (path: string) => layer.growth(Buffer.from(path))
    apply(layer, 0, change('A', 'd/log', { size: 1000 }), change('C', 'd/old', { size: 50, lowerSize: 40 }))
    expect([growth('d/log'), growth('d')]).toEqual([0, 0])
    apply(layer, 1, change('A', 'd/log', { size: 1500 }), change('C', 'd/conf', { size: 12, lowerSize: 10 }))
    apply(layer, 2, change('A', 'd/deep/new', { size: 7 }), change('D', 'd/old'))
    expect(['d/log', 'd/conf', 'd/deep/new', 'd/old', 'd', ''].map(growth)).toEqual([500, 2, 7, -50, 459, 459])
  })

  test('when a path was told of, and anything below it; the first look is no news', () => {
    const layer = createLiveLayer()
    const at = (path: string, below = false) => layer.changedAt(Buffer.from(path), below)
    apply(layer, 5, change('A', 'd', { kind: Kind.dir }), change('A', 'd/a'))
    expect([at('d/a'), at('d', true), layer.lastChange(), layer.newest()]).toEqual([null, null, null, null])
    apply(layer, 9, change('A', 'd/b'), change('A', 'e', { kind: Kind.dir }))
    expect([at('d/a'), at('d/b'), at('d'), at('d', true), layer.lastChange()]).toEqual([null, 9, null, 9, 9])
    expect(Buffer.from(layer.newest()!).toString()).toBe('d/b')
  })

  test('a link leads where it says, as bytes', () => {
    const layer = createLiveLayer()
    const link = Uint8Array.of(0x78, 0xff)
    apply(layer, 0, change('A', 'a'), change('A', 'l', { kind: Kind.symlink, link }), change('A', 'm'))
    const stack = new Stack()
    stack.pushLive(layer.index())
    expect(stack.entry(stack.view(0).current[stack.tree.find(Buffer.from('l'))]!).link).toEqual(link)
    expect(layer.path(Buffer.from('l'))?.link).toEqual(link)
  })

  test('paths that came and went leave no names behind, and nothing of the others is lost', () => {
    const layer = createLiveLayer()
    apply(layer, 0, change('A', 'kept/log', { size: 3 }))
    apply(layer, 1, change('A', 'kept/log', { size: 9, written: 6 }))
    for (let round = 0; round < 30; round++) {
      const names = Array.from({ length: 1000 }, (_, at) => `gone/${round}-${at}`)
      apply(layer, 2, ...names.map(name => change('A', name, { size: 1, written: 1 })))
      apply(layer, 2, ...names.map(name => change('-', name)))
    }
    expect(layer.index().nodes).toBeLessThan(17_000)
    const path = layer.path(Buffer.from('kept/log'))!
    expect([layer.count(), layer.bytes(), path.total, layer.growth(Buffer.from('kept'))]).toEqual([1, 9, 6, 6])
    expect(layer.rate(path, 2)).toBeGreaterThan(0)
    expect(onTopOf('file a 1', layer)).toBe('a 1\nkept/ (implied)\nkept/log 9')
  })
})

test('what copying up has cost, and for what: only mode, owner or attributes', () => {
  const layer = createLiveLayer()
  apply(
    layer,
    0,
    change('C', 'a', { size: 90, lowerSize: 100, reasons: ['content', 'time'] }),
    change('C', 'b', { size: 70, lowerSize: 70, reasons: ['mode', 'owner'] }),
    change('A', 'c', { size: 5 }),
    change('D', 'd', { lowerSize: 9 }),
  )
  expect(layer.copyUps()).toEqual({ files: 2, bytes: 170, idleFiles: 1, idleBytes: 70 })
  apply(layer, 1, change('-', 'b'))
  expect(layer.copyUps()).toEqual({ files: 1, bytes: 100, idleFiles: 0, idleBytes: 0 })
})

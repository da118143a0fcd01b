/** The small pure parts of the Explorer. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PathTree } from '../../../../src/layer/path-tree.ts'
import { globSource } from '../../../../src/ui/explorer/glob.ts'
import { resolveLink } from '../../../../src/ui/explorer/links.ts'
import { ownerName, readNames } from '../../../../src/ui/explorer/owners.ts'
import { runNow, runSliced, type Sliced } from '../../../../src/ui/explorer/slices.ts'
import { compareNames, sortByKey } from '../../../../src/ui/explorer/sort.ts'
import { diffLines } from '../../../../src/ui/explorer/text-diff.ts'
import { paths, sceneOf, stackOfText } from '../../../harness/explorer-text.ts'

describe('work in slices', () => {
  const counting = function* (to: number): Sliced<number> {
    for (let at = 0; at < to; at++) yield
    return to
  }

  it('is done within the first slice when it is small', () => {
    let result = 0
    runSliced(
      counting(3),
      value => {
        result = value
      },
      { slicer: { now: () => 0, later: () => {} } },
    )
    expect(result).toBe(3)
  })

  it('stops when its time is over and goes on later, unless it was dropped', () => {
    let clock = 0
    const waiting: (() => void)[] = []
    const slicer = { now: () => clock++, later: (go: () => void) => void waiting.push(go) }
    const results: number[] = []
    runSliced(counting(20), value => results.push(value), { budget: 5, slicer })
    const drop = runSliced(counting(20), value => results.push(value), { budget: 5, slicer })
    expect(results).toEqual([])
    drop()
    while (waiting.length > 0) waiting.shift()!()
    expect(results).toEqual([20])
  })
})

describe('sorting by a number and then by name', () => {
  it('gives what comparing gives, for any names and numbers', () => {
    const name = fc.uint8Array({ minLength: 1, maxLength: 12 })
    const named = fc.array(fc.tuple(name, fc.integer({ min: -3, max: 3 })), { maxLength: 300 })
    fc.assert(
      fc.property(named, fc.constantFrom('', 'a-long-common-beginning-'), (all, prefix) => {
        const tree = new PathTree()
        const keys = new Map<number, number>()
        for (const [bytes, key] of all) {
          const whole = Buffer.concat([Buffer.from(prefix), bytes])
          keys.set(tree.insert(0, whole, 0, whole.length), key * 1e9)
        }
        const nodes = Uint32Array.from(keys.keys())
        const expected = [...nodes].sort((a, b) => keys.get(a)! - keys.get(b)! || compareNames(tree, a, b))
        runNow(
          sortByKey(
            nodes,
            Float64Array.from(nodes, node => keys.get(node)!),
            tree,
          ),
        )
        expect([...nodes]).toEqual(expected)
      }),
      { numRuns: 60 },
    )
  })
})

describe('links lead inside of the image', () => {
  const stack = () =>
    stackOfText(`
      dir usr/bin
      file usr/bin/sh 1
      link bin -> usr/bin
      link sh -> bin/sh
      link up -> ../../../bin/sh
      link abs -> /bin/../bin/./sh
      link loop -> loop2
      link loop2 -> loop
      link gone -> nowhere
      link through -> usr/bin/sh/x
      link usr/bin/rel -> ../bin/sh
    `)

  it.each([
    ['sh', 'usr/bin/sh'],
    ['bin', 'usr/bin'],
    ['up', 'usr/bin/sh'],
    ['abs', 'usr/bin/sh'],
    ['usr/bin/rel', 'usr/bin/sh'],
    ['loop', null],
    ['gone', null],
    ['through', null],
  ])('%s leads to %s', (path, expected) => {
    const of = stack()
    const target = resolveLink(sceneOf(of), of.tree.find(Buffer.from(path)))
    expect(target === null ? null : paths(of, [target])[0]).toBe(expected)
  })
})

describe('names of owners', () => {
  it('come from lines that can be read, the first of a number counts', () => {
    const names = readNames(Buffer.from('root:x:0:0:r\nno-number:x:y\n\nagain:x:0:\n\x1b[31m:x:7:\napp:x:1000:'))
    expect([...names]).toEqual([
      [0, 'root'],
      [7, '\\x1b[31m'],
      [1000, 'app'],
    ])
    expect([ownerName(names, 1000), ownerName(names, 5)]).toEqual(['app', '5'])
  })
})

describe('globs', () => {
  it.each([
    ['*.so', 'a.so', true],
    ['*.so', 'd/a.so', false],
    ['**.so', 'd/a.so', true],
    ['a/**/b', 'a/b', true],
    ['a/**/b', 'a/x/y/b', true],
    ['[a-c]x', 'bx', true],
    ['[z-a]x', '-x', true],
    ['[!a]x', 'bx', true],
    ['a[', 'a[', true],
    ['a.b', 'axb', false],
    ['(+)', '(+)', true],
  ])('%s over %s: %s', (glob, text, expected) => {
    expect(new RegExp(`^${globSource(glob)}$`, 's').test(text)).toBe(expected)
  })

  it('any text is a pattern', () => {
    fc.assert(fc.property(fc.string(), glob => void new RegExp(globSource(glob))))
  })
})

describe('the difference of two texts', () => {
  const show = (before: string, after: string, context = 1) =>
    diffLines([...before], [...after], context)?.map(
      ({ kind, text }) => ({ same: ' ', added: '+', removed: '-', gap: '~' })[kind] + text,
    )

  it('is what to take away and to add, with equal lines around', () => {
    expect(show('abcdefgh', 'abXdefghY')).toEqual([
      '~1 equal line',
      ' b',
      '-c',
      '+X',
      ' d',
      '~3 equal lines',
      ' h',
      '+Y',
    ])
  })

  it('leads from one text to the other with the fewest edits', () => {
    const lines = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 14 })
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const all = diffLines(before, after, 100)!
        if (before.join() === after.join()) return
        expect(all.filter(line => line.kind !== 'added').map(line => line.text)).toEqual(before)
        expect(all.filter(line => line.kind !== 'removed').map(line => line.text)).toEqual(after)
        const edits = all.filter(line => line.kind !== 'same').length
        expect(edits).toBe(before.length + after.length - 2 * longestCommon(before, after))
      }),
    )
  })

  it('gives up on texts that have too little in common, in a bounded time', () => {
    const numbers = (from: number) => Array.from({ length: 5000 }, (_, at) => String(from + at))
    expect(diffLines(numbers(0), numbers(10_000))).toBe(null)
  })
})

function longestCommon(a: string[], b: string[]): number {
  const best = Array.from({ length: a.length + 1 }, () => new Array<number>(b.length + 1).fill(0))
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      best[i]![j] = a[i - 1] === b[j - 1] ? best[i - 1]![j - 1]! + 1 : Math.max(best[i - 1]![j]!, best[i]![j - 1]!)
    }
  }
  return best[a.length]![b.length]!
}

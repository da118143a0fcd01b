/** Stacking rules 1 to 4: markers. */
import { describe, expect, test } from 'vitest'
import { anomaliesText, ledgerText, stackOf, treeText } from '../../harness/stacks.ts'
import { tar } from '../../harness/tar.ts'

/** The tree and the ledger of layers written in the language of tar.ts. */
function tree(...layers: string[]): string {
  return treeText(stackOf(...layers.map(layer => tar(layer))))
}

function ledger(...layers: string[]): string {
  return ledgerText(stackOf(...layers.map(layer => tar(layer))))
}

describe('rule 1: .wh.NAME hides NAME of lower layers only, wherever it stands in the tar', () => {
  test('a file', () => {
    expect(tree('file a 1\nfile b 2', 'gone a')).toBe('b 2')
  })

  test('a directory with everything below it', () => {
    expect(tree('dir d\ndir d/e\nfile d/e/f 1\nfile k 1', 'gone d')).toBe('k 1')
  })

  test('a symlink, not what it points at', () => {
    expect(tree('dir t\nfile t/f 1\nlink l -> t', 'gone l')).toBe('t/\nt/f 1')
  })

  test('the name in the same layer survives, whiteout first', () => {
    expect(tree('file a 1', 'gone a\nfile a 2')).toBe('a 2')
  })

  test('the name in the same layer survives, whiteout last', () => {
    expect(tree('file a 1', 'file a 2\ngone a')).toBe('a 2')
  })

  test('a directory of the same layer survives with its own content only, whiteout first', () => {
    expect(tree('dir d\nfile d/low 1', 'gone d\ndir d 0700\nfile d/new 2')).toBe('d/ 0700\nd/new 2')
  })

  test('a directory of the same layer survives with its own content only, whiteout last', () => {
    expect(tree('dir d\nfile d/low 1', 'dir d 0700\nfile d/new 2\ngone d')).toBe('d/ 0700\nd/new 2')
  })

  test('a directory that only a deeper path implies starts from nothing beside its whiteout', () => {
    expect(tree('dir d 0700 1:2\nfile d/low 1', 'gone d\nfile d/new 2')).toBe('d/ (implied)\nd/new 2')
  })

  test('it hides no more than its own name', () => {
    expect(tree('file a 1\nfile aa 1\nfile b/a 1', 'gone a')).toBe('aa 1\nb/ (implied)\nb/a 1')
  })

  test('a lower layer is hidden by any later one, and the name may come back', () => {
    const stack = stackOf(tar('file a 1'), tar('file b 1'), tar('gone a'), tar('file a 3'))
    expect([0, 1, 2, 3].map(layer => treeText(stack, layer))).toEqual(['a 1', 'a 1\nb 1', 'b 1', 'a 3\nb 1'])
  })

  test('a whiteout inside a directory that a whiteout removes', () => {
    expect(ledger('file d/a 300\nfile d/b 200', 'gone d/a\ngone d')).toBe(
      '300 d/a, stored 0, lost 1, deleted\n200 d/b, stored 0, lost 1, deleted',
    )
  })
})

describe('rule 2: exactly .wh..wh..opq hides everything lower in its directory', () => {
  test('the directory itself stays, and what the layer brings', () => {
    expect(tree('dir d\nfile d/low 1\ndir d/e\nfile d/e/f 1', 'opaque d\nfile d/new 2')).toBe('d/\nd/new 2')
  })

  test('its place in the tar does not matter', () => {
    expect(tree('dir d\nfile d/low 1', 'file d/low 2\nfile d/new 2\nopaque d')).toBe('d/\nd/low 2\nd/new 2')
  })

  test('the metadata of a directory without an entry of its own stays the lower one', () => {
    expect(tree('dir d 0700 5:6\nfile d/low 1', 'opaque d\nfile d/new 2')).toBe('d/ 0700 5:6\nd/new 2')
  })

  test('an opaque root hides the lower root', () => {
    expect(tree('file a 1\ndir d\nfile d/b 1', 'file .wh..wh..opq 0\nfile c 1')).toBe('c 1')
  })

  test('an opaque directory over a symlink leaves the target alone', () => {
    expect(tree('dir target\nfile target/keep 10\nlink d -> target', 'dir d\nopaque d\nfile d/new 2')).toBe(
      'd/\nd/new 2\ntarget/\ntarget/keep 10',
    )
  })

  test('an opaque mark on a new directory replaces nothing', () => {
    const stack = stackOf(tar('file a 1'), tar('dir d\nopaque d\nfile d/b 2'))
    expect([treeText(stack), ledgerText(stack), anomaliesText(stack)]).toEqual(['a 1\nd/\nd/b 2', '', ''])
  })

  test('the cause of a loss under it is the opaque directory', () => {
    expect(ledger('file d/a 300', 'dir d\nopaque d')).toBe('300 d/a, stored 0, lost 1, opaque')
  })
})

describe('rule 3: names that only look like markers', () => {
  test('a bare .wh. is an ordinary file', () => {
    expect(tree('dir etc\nfile etc/passwd 100', 'file etc/.wh. 0')).toBe('etc/\netc/.wh. 0\netc/passwd 100')
  })

  test('.wh..wh..opqX is not opaque and is not listed', () => {
    expect(tree('file d/a 100', 'file d/.wh..wh..opqX 0\nfile d/b 50')).toBe('d/ (implied)\nd/a 100\nd/b 50')
  })

  test.each(['.wh..wh.plnk', '.wh..wh.aufs', '.wh..wh.orph'])('the AUFS name %s is not listed', name => {
    expect(tree('file a 1', `file ${name} 0`)).toBe('a 1')
    expect(tree('file a 1', `dir ${name}`)).toBe('a 1')
  })

  test('.wh. in the middle of a name means nothing', () => {
    expect(tree('file b 1', 'file a.wh.b 1')).toBe('a.wh.b 1\nb 1')
  })

  test.each(['.wh..', '.wh...'])('%s removes neither its directory nor the one above', name => {
    expect(tree('dir etc\nfile etc/passwd 1\nfile a 1', `file etc/${name} 0`)).toBe('a 1\netc/\netc/passwd 1')
  })
})

describe('rule 4: markers are never listed, and a marker for nothing is no reason to stop', () => {
  test('layer 0 shows no markers', () => {
    expect(tree('file a 1\ngone b\ndir d\nopaque d')).toBe('a 1\nd/')
  })

  test('a whiteout for an unknown path is an anomaly, and the layer goes on', () => {
    const stack = stackOf(tar('file a 1'), tar('gone nothing\ngone x/y\nfile b 1'))
    expect(treeText(stack)).toBe('a 1\nb 1')
    expect(anomaliesText(stack)).toBe('1 whiteout-missing nothing\n1 whiteout-missing x/y')
  })

  test('a whiteout makes no directory', () => {
    expect(tree('file a 1', 'gone x/y/z')).toBe('a 1')
  })

  test('a whiteout below a file leaves the file alone', () => {
    expect(tree('file a 1', 'gone a/b')).toBe('a 1')
  })

  test('a directory entry beside its whiteout is listed as what it is', () => {
    expect(tree('file k 1', 'dir d\ngone d/x')).toBe('d/\nk 1')
  })
})

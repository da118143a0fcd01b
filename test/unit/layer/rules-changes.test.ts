/** Stacking rule 12: what a layer changed, and why. */
import { describe, expect, test } from 'vitest'
import { changesText, ledgerText, stackOf } from '../../harness/stacks.ts'
import { tar } from '../../harness/tar.ts'

function changes(...layers: string[]): string {
  return changesText(stackOf(...layers.map(layer => tar(layer))))
}

describe('rule 12: letters', () => {
  test('the first layer adds everything', () => {
    expect(changes('dir d\nfile d/a 1\nlink l -> d')).toBe('A d\nA d/a\nA l')
  })

  test('added, changed, deleted', () => {
    expect(changes('file a 1\nfile b 1', 'file a 2\ngone b\nfile c 1')).toBe('C a content\nD b\nA c')
  })

  test('a deleted directory deletes what is in it', () => {
    expect(changes('dir d\nfile d/a 1\ndir d/e\nfile k 1', 'gone d')).toBe('D d\nD d/a\nD d/e')
  })

  test('an opaque directory deletes what it hides and does not bring back', () => {
    expect(changes('dir d\nfile d/a 1\nfile d/b 1', 'dir d\nopaque d\nfile d/b 1\nfile d/c 1')).toMatch(
      /^(C d\b.*\n)?D d\/a\n(C d\/b.*\n)?A d\/c$/,
    )
  })

  test('a whiteout for nothing changes nothing', () => {
    expect(changes('file a 1', 'gone b')).toBe('')
  })

  test('an implied directory is no change, a new one is added', () => {
    expect(changes('dir d 0700\nfile d/a 1', 'file d/b 1')).toBe('A d/b')
    expect(changes('file a 1', 'file d/b 1')).toBe('A d\nA d/b')
  })

  test('removed and made anew in one layer is changed where it differs', () => {
    expect(changes('file a 1', 'gone a\nfile a 2')).toBe('C a content')
  })
})

describe('rule 12: reasons', () => {
  const below = 'file f 10 0644 1:1 mtime=100'

  test.each([
    ['size', 'file f 11 0644 1:1 mtime=100', 'content'],
    ['content of the same size', 'file f 10 0644 1:1 mtime=100 fill=b', 'content'],
    ['mode', 'file f 10 0755 1:1 mtime=100', 'mode'],
    ['uid', 'file f 10 0644 2:1 mtime=100', 'owner'],
    ['gid', 'file f 10 0644 1:2 mtime=100', 'owner'],
    ['mtime', 'file f 10 0644 1:1 mtime=101', 'time'],
    ['nanoseconds of mtime', 'file f 10 0644 1:1 mtime=100.5', 'time'],
    ['extended attributes', 'file f 10 0644 1:1 mtime=100 x:user.a=b', 'xattr'],
    ['type', 'link f -> x mtime=100', 'type'],
  ])('%s', (_, line, reason) => {
    const [letter, path, ...reasons] = changes(below, line).split(' ')
    expect([letter, path]).toEqual(['C', 'f'])
    expect(reasons).toContain(reason)
    if (reason !== 'type') expect(reasons).toEqual([reason])
  })

  test('several at once', () => {
    expect(changes(below, 'file f 12 0600 2:2 mtime=7').split(' ').slice(2).sort()).toEqual([
      'content',
      'mode',
      'owner',
      'time',
    ])
  })

  test('the mode of a link is none: the kernel shows 0777 for all of them', () => {
    expect(changes('link s -> x 0755', 'link s -> x 0777')).toBe('C s')
  })

  test('another link target', () => {
    expect(changes('link s -> x', 'link s -> y')).toBe('C s link')
  })

  test('other device numbers', () => {
    expect(changes('char c 1,3', 'char c 1,5')).toBe('C c device')
  })

  test('a directory with another mode', () => {
    expect(changes('dir d\nfile d/a 1', 'dir d 0700')).toBe('C d mode')
  })

  test('a file that became a hard link to the same content has no other content', () => {
    expect(changes('file a 10\nfile b 10', 'file a 10\nhard b -> a')).not.toMatch(/content/)
  })

  test('a hard link that became a file with other content', () => {
    expect(changes('file a 10\nhard b -> a', 'file b 10 fill=z')).toMatch(/^C b .*content/)
  })
})

describe('rule 12: written again with the same content', () => {
  test('it is changed for no content reason and costs its bytes all the same', () => {
    const stack = stackOf(tar('file f 100 mtime=1'), tar('file f 100 0755 mtime=2'))
    expect(changesText(stack)).toBe('C f mode time')
    expect(ledgerText(stack)).toBe('100 f, stored 0, lost 1, overwritten')
  })
})

describe('a range of layers is one change', () => {
  const stack = () =>
    stackOf(tar('file a 1\nfile b 1'), tar('file a 2\nfile t 1'), tar('file a 3\ngone t\ngone b'), tar('file b 1 0600'))

  test('what came and went inside the range is not seen', () => {
    expect(changesText(stack(), 1, 2)).toBe('C a content\nD b')
  })

  test('over all layers everything that is left is added', () => {
    expect(changesText(stack(), 0, 3)).toBe('A a\nA b')
  })

  test('what went and came back is compared with what was there', () => {
    expect(changesText(stack(), 2, 3)).toBe('C a content\nC b mode\nD t')
  })
})

/** Stacking rule 10: names are normalised bytes. */
import { describe, expect, test } from 'vitest'
import { indexOf, stackOf, treeText } from '../../harness/stacks.ts'
import { entry, tar } from '../../harness/tar.ts'

function tree(...layers: string[]): string {
  return treeText(stackOf(...layers.map(layer => tar(layer))))
}

describe('rule 10: names are normalised', () => {
  test.each(['a', './a', '/a', '//a', './/a', '././a', './/./a'])('%s is a', name => {
    expect(tree(`file ${name} 5`)).toBe('a 5')
  })

  test.each(['d/', './d/', '/d/', 'd//', 'd/.'])('the directory %s is d', name => {
    expect(tree(`dir ${name} 0700`)).toBe('d/ 0700')
  })

  test.each(['.', './', '/', ''])('the root is written "%s" and is not listed', name => {
    const stack = stackOf(tar(entry({ path: name, type: 'dir', mode: 0o700 }), 'file a 1'))
    expect(treeText(stack)).toBe('a 1')
  })

  test('one path in two spellings in two layers is one path', () => {
    expect(tree('file ./d/a 10', 'file /d/a 20')).toBe('d/ (implied)\nd/a 20')
  })

  test('markers in any spelling', () => {
    expect(tree('file d/a 10\nfile d/b 10', 'file ./d//.wh.a 0')).toBe('d/ (implied)\nd/b 10')
    expect(tree('file d/a 10', 'dir d\nfile /d/.wh..wh..opq 0')).toBe('d/')
  })

  test.each([
    ['../a', 'a'],
    ['../../../../a', 'a'],
    ['/../a', 'a'],
    ['d/../../a', 'a'],
    ['d/../a', 'a'],
    ['..', ''],
  ])('%s does not climb out of the root', (name, path) => {
    expect(tree(`file ${name} 5`).split('\n').at(-1)).toBe(path === '' ? '' : `${path} 5`)
  })
})

describe('rule 10: names are bytes', () => {
  test.each([
    ['invalid UTF-8', 'n%ff%fe'],
    ['a newline', 'a%0ab'],
    ['an escape sequence', 'a%1b[31mred'],
    ['a right-to-left override', 'a%e2%80%aeb'],
    ['a lone surrogate in UTF-8', 'a%ed%a0%80'],
    ['an overlong slash', 'a%c0%afb'],
    ['a space and a tab', 'a%20%09b'],
    ['a backslash', 'a\\b'],
  ])('%s is kept', (_, name) => {
    expect(tree(`file ${name} 5`)).toBe(`${name} 5`)
  })

  test('two names that look the same when broken bytes are replaced are two names', () => {
    expect(tree('file n%fe 1\nfile n%ff 2')).toBe('n%fe 1\nn%ff 2')
    expect(tree('file n%fe 1\nfile n%ff 2', 'gone n%ff')).toBe('n%fe 1')
  })

  test('composed and decomposed letters are two names', () => {
    expect(tree('file %c3%a9 1\nfile e%cc%81 2')).toBe('e%cc%81 2\n%c3%a9 1')
  })

  test.each([
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
  ])('%s is a name like any other', name => {
    expect(tree(`dir ${name}\nfile ${name}/${name} 5`, `gone ${name}/${name}`)).toBe(`${name}/`)
  })

  test('link targets are bytes too, and are not touched', () => {
    expect(tree('link l -> ../..//x%ff/')).toBe('l -> ../..//x%ff/')
  })

  test('a name of 100 000 bytes and a path of 4000 directories', () => {
    const long = 'n'.repeat(100_000)
    const deep = `${'d/'.repeat(4000)}f`
    const stack = stackOf(tar(entry({ path: long }), entry({ path: deep })))
    expect(stack.tree.nodes).toBe(4003)
    const { current } = stack.view(0)
    for (const path of [long, deep]) expect(current[stack.tree.find(Buffer.from(path))]).toBeGreaterThanOrEqual(0)
  })

  test('a NUL in a PAX path does not come through', () => {
    const made = tar(entry({ path: 'short', pax: [['path', 'a%00b']] }))
    const read = () => indexOf(made)
    try {
      expect(Buffer.from(read().names).includes(0)).toBe(false)
    } catch (error) {
      expect((error as Error).name).toBe('Fault')
    }
  })
})

import { describe, expect, it } from 'vitest'
import { noFolds, withFold } from '../../../../src/ui/explorer/folds.ts'
import { runNow } from '../../../../src/ui/explorer/slices.ts'
import {
  closeRow,
  openRow,
  parentRow,
  putBack,
  revealRows,
  rowOf,
  treeRows,
} from '../../../../src/ui/explorer/tree-rows.ts'
import { filtered, rowsText, sceneOf, stackOfText, text, treeText, wish } from '../../../harness/explorer-text.ts'

const app = () =>
  stackOfText(
    `
    dir bin
    file bin/sh 100
    dir etc
    file etc/passwd 10
    file etc/hosts 20
    dir usr/share/doc
    file usr/share/doc/a 1
    file Makefile 5
    file zz 7
    `,
    `
    dir etc
    file etc/hosts 30
    gone etc/passwd
    file etc/motd 3
    `,
  )
const open = { ...noFolds(), rest: 'open' as const }
const closed = { ...noFolds(), rest: 'closed' as const }
const node = (stack: ReturnType<typeof app>, path: string) => stack.tree.find(Buffer.from(path))

describe('the rows of the tree', () => {
  it('are the stack as of the layer, with what it deleted, directories first, names as bytes', () => {
    expect(treeText(sceneOf(app()), wish({ folds: open }))).toBe(text`
        v bin/
            sh
      C v etc/
      C     hosts
      A     motd
      D     passwd
        v usr/
          v share/
            v doc/
                a
          Makefile
          zz
    `)
  })

  it('open by themselves where the step changed something', () => {
    expect(treeText(sceneOf(app()))).toBe(text`
        > bin/
      C v etc/
      C     hosts
      A     motd
      D     passwd
        > usr/
          Makefile
          zz
    `)
  })

  it('do not open by themselves what is more than a screenful', () => {
    const many = Array.from({ length: 100 }, (_, at) => `file big/f${at} 1`).join('\n')
    expect(treeText(sceneOf(stackOfText(many)))).toBe('A > big/')
  })

  it('keep what was said of a directory, by path, over layers', () => {
    const stack = app()
    const folds = withFold(withFold(noFolds(), node(stack, 'etc'), false), node(stack, 'bin'), true)
    expect(treeText(sceneOf(stack), wish({ folds }))).toBe(text`
        v bin/
            sh
      C > etc/
        > usr/
          Makefile
          zz
    `)
    expect(treeText(sceneOf(stack, 0, 0), wish({ folds }))).toBe(text`
      A v bin/
      A     sh
      A > etc/
      A v usr/
      A   v share/
      A     v doc/
      A         a
      A   Makefile
      A   zz
    `)
  })

  it('are only what changed and what leads there', () => {
    expect(treeText(sceneOf(app()), wish({ onlyChanges: true, folds: open }))).toBe(text`
      C v etc/
      C     hosts
      A     motd
      D     passwd
    `)
  })

  it('show what a range of layers does, not what each of them does', () => {
    const stack = stackOfText('file a 1', 'file b 2\nfile a 2', 'gone b\nfile c 3', 'gone a')
    expect(treeText(sceneOf(stack, 1, 3))).toBe(text`
      D   a
      A   c
    `)
  })

  it('have nothing marked where no step is looked at', () => {
    const stack = app()
    expect(treeText(sceneOf(stack, 2, 1)).split('\n')).toEqual([
      '  > bin/',
      '  > etc/',
      '  > usr/',
      '    Makefile',
      '    zz',
    ])
  })
})

describe('the order of siblings', () => {
  const stack = () =>
    stackOfText(
      `
      file b 10 mtime=300
      file a 30 mtime=100
      dir d mtime=50
      file d/x 20 mtime=400
      file c 20 mtime=200
      `,
      `
      file b 11 mtime=500
      gone c
      file e 1 mtime=10
      `,
    )

  it.each([
    ['name', 'd/ a b c e'],
    ['size', 'a c d/ b e'],
    ['change', 'e b c a d/'],
    ['time', 'b c a d/ e'],
  ] as const)('by %s', (sort, expected) => {
    const lines = treeText(sceneOf(stack()), wish({ sort, folds: closed })).split('\n')
    expect(lines.map(line => line.slice(4)).join(' ')).toBe(expected)
  })

  it('by name is that of the bytes, many siblings or few', () => {
    const names = Array.from({ length: 300 }, (_, at) => `file-${(at * 7919) % 1000}-${at % 3 ? 'x' : ''}`)
    const lines = treeText(sceneOf(stackOfText(names.map(name => `file ${name} 1`).join('\n')))).split('\n')
    const sorted = [...new Set(names)].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect(lines.map(line => line.slice(4))).toEqual(sorted)
  })
})

describe('under a filter', () => {
  it('what matches is shown with what leads to it', () => {
    const scene = sceneOf(app())
    expect(treeText(scene, filtered(scene, 'pass'))).toBe(text`
      C v etc/
      D     passwd
    `)
  })

  it('a directory that matches is closed, and shows all that it holds once it is opened', () => {
    const stack = app()
    const scene = sceneOf(stack)
    const wanted = filtered(scene, 'share')
    expect(treeText(scene, wanted)).toBe('  v usr/\n    > share/')
    const folds = withFold(wanted.folds, node(stack, 'usr/share'), true)
    expect(treeText(scene, { ...wanted, folds })).toBe('  v usr/\n    v share/\n      > doc/')
  })
})

describe('folding one row', () => {
  const scene = () => sceneOf(app())

  it('takes out what is below, and puts it back', () => {
    const one = scene()
    const rows = runNow(treeRows(one, wish({ folds: open })))
    const row = rowOf(rows, node(one.stack as never, 'usr'))
    const folded = closeRow(rows, row)
    expect(rowsText(one, folded.rows)).toBe(treeText(one, wish({ folds: withFold(open, rows.nodes[row]!, false) })))
    expect(rowsText(one, putBack(folded.rows, row, folded.below))).toBe(rowsText(one, rows))
  })

  it('gives the same rows as making all of them anew', () => {
    const one = scene()
    const rows = runNow(treeRows(one, wish({ folds: closed })))
    const row = rowOf(rows, node(one.stack as never, 'etc'))
    const wanted = wish({ folds: withFold(closed, rows.nodes[row]!, true) })
    expect(rowsText(one, runNow(openRow(one, wanted, rows, row)))).toBe(treeText(one, wanted))
  })

  it('opens everything above a path that is asked for', () => {
    const one = scene()
    const target = node(one.stack as never, 'usr/share/doc/a')
    let folds = closed
    for (const path of ['usr', 'usr/share', 'usr/share/doc'])
      folds = withFold(folds, node(one.stack as never, path), true) as typeof closed
    const rows = runNow(revealRows(one, wish({ folds }), runNow(treeRows(one, wish({ folds: closed }))), target))
    expect(rowsText(one, rows!)).toBe(treeText(one, wish({ folds })))
    expect(parentRow(rows!, rowOf(rows!, target))).toBe(rowOf(rows!, node(one.stack as never, 'usr/share/doc')))
  })
})

describe('bytes of a directory', () => {
  it('are those of what it shows; of a deleted one those that it had', () => {
    const stack = stackOfText('file d/a 10\nfile d/b 20\nfile e/c 5', 'gone d\nfile e/f 1')
    const scene = sceneOf(stack)
    expect(scene.bytes(node(stack, 'd'))).toBe(30)
    expect(scene.bytes(node(stack, 'e'))).toBe(6)
    expect(scene.bytes(0)).toBe(6)
    expect(scene.below![0]).toBe(4)
  })

  it('layers that come later do not disturb a scene', () => {
    const stack = stackOfText('file d/a 10')
    const scene = sceneOf(stack)
    const before = treeText(scene, wish({ folds: open }))
    const more = stackOfText('file d/b 1\nfile d/a 2')
    stack.push(more.layers[0]!)
    expect(treeText(scene, wish({ folds: open }))).toBe(before)
  })
})

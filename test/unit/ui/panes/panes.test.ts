import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { width } from '../../../../src/base/text.ts'
import { Kind } from '../../../../src/layer/entry.ts'
import { runNow } from '../../../../src/ui/explorer/slices.ts'
import { treeRows } from '../../../../src/ui/explorer/tree-rows.ts'
import { fitColumns } from '../../../../src/ui/panes/columns.ts'
import { noteOf } from '../../../../src/ui/panes/notes.ts'
import { permissions } from '../../../../src/ui/panes/permissions.ts'
import { stepLines } from '../../../../src/ui/panes/step-pane.ts'
import { treePane } from '../../../../src/ui/panes/tree-pane.ts'
import { wrap } from '../../../../src/ui/panes/wrap.ts'
import { makeTheme } from '../../../../src/ui/theme.ts'
import { paths, sceneOf, stackOfText, wish, world } from '../../../harness/explorer-text.ts'

const theme = makeTheme('none')
// biome-ignore lint/complexity/useRegexLiterals: the escape is easier to read so
const styles = new RegExp('\u001b\\[[0-9;]*m', 'g')
const bare = (line: string) => line.replace(styles, '')

describe('permissions', () => {
  it.each([
    [Kind.file, 0o644, '-rw-r--r--'],
    [Kind.file, 0o4755, '-rwsr-xr-x'],
    [Kind.file, 0o4644, '-rwSr--r--'],
    [Kind.file, 0o2755, '-rwxr-sr-x'],
    [Kind.dir, 0o1777, 'drwxrwxrwt'],
    [Kind.dir, 0o1776, 'drwxrwxrwT'],
    [Kind.symlink, 0o777, 'lrwxrwxrwx'],
    [Kind.char, 0, 'c---------'],
    [Kind.hardlink, 0o600, '-rw-------'],
  ])('%i %i', (kind, mode, expected) => expect(permissions(kind, mode)).toBe(expected))
})

describe('columns give way', () => {
  const columns = [
    { name: 'a', width: 10, worth: 1 },
    { name: 'b', width: 5, worth: 3 },
    { name: 'c', width: 7, worth: 2 },
  ]
  it.each([
    [60, 'abc', 35],
    [44, 'bc', 30],
    [30, 'b', 24],
    [25, '', 25],
    [5, '', 5],
  ])('at %i', (total, kept, rest) => {
    const fits = fitColumns(columns, total, 20)
    expect([[...fits.kept].join(''), fits.rest]).toEqual([kept, rest])
  })
})

describe('wrapping', () => {
  it('breaks at spaces, else after a sign, else where it must', () => {
    expect(wrap('one two three four', 9, '  ')).toEqual(['one two', '  three', '  four'])
    expect(wrap('PATH=/usr/local/bin:/usr/bin', 14)).toEqual(['PATH=/usr/', 'local/bin:/', 'usr/bin'])
    expect(wrap('abcdefghij', 4)).toEqual(['abcd', 'efgh', 'ij'])
    expect(wrap('', 4)).toEqual([''])
  })

  it('loses no letter and never exceeds the width', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z日/ ]{0,60}$/), fc.integer({ min: 4, max: 20 }), (text, columns) => {
        const lines = wrap(text, columns, '  ')
        expect(lines.every(line => width(line) <= columns)).toBe(true)
        expect(lines.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''))
      }),
    )
  })
})

describe('why a row is marked', () => {
  const notes = (...layers: string[]) => {
    const stack = stackOfText(...layers)
    const scene = sceneOf(stack)
    const owners = {
      users: new Map([
        [0, 'root'],
        [7, 'app'],
      ]),
      groups: new Map([
        [0, 'root'],
        [7, 'app'],
        [8, 'staff'],
      ]),
    }
    return [...scene.changes!.nodes].map(
      node => `${paths(stack, [node])}: ${noteOf(scene, node, { ...world, owners }, true)}`,
    )
  }

  it.each([
    ['file a 1', 'file a 2', 'content 1 B → 2 B'],
    ['file a 1', 'file a 1 fill=z', 'content'],
    ['file a 1', 'file a 1', 'stored again, the same'],
    ['file a 1', 'file a 1 mtime=5', 'stored again, only its time differs'],
    ['file a 1', 'file a 1 0600', 'mode 0644 → 0600'],
    ['file a 1', 'file a 1 0600 7:7', 'mode 0644 → 0600, owner root → app'],
    ['file a 1', 'file a 1 0:8', 'owner root:root → root:staff'],
    ['file a 1', 'file a 1 x:user.a=b', 'extended attributes'],
    ['link a -> b', 'link a -> c', 'was → b'],
    ['file a 1', 'link a -> c', 'was a file'],
    ['file a 1', 'gone a', '(from step 1)'],
    ['dir a\nfile a/b 1', 'dir a 0700\nfile a/b 2', 'mode 0755 → 0700, 1 changed inside'],
  ])('%s, then %s: %s', (before, after, expected) => expect(notes(before, after)[0]).toBe(`a: ${expected}`))
})

describe('rows are as wide as the pane, whatever stands in them', () => {
  const name = fc
    .string({ unit: 'binary', minLength: 1, maxLength: 30 })
    // A name in a tar has no NUL; what has one is refused before it could be shown.
    .filter(text => !/[/\s%"\0]/.test(text) && text.isWellFormed())

  it('in the tree', () => {
    const encode = (text: string) =>
      [...Buffer.from(text)].map(byte => `%${byte.toString(16).padStart(2, '0')}`).join('')
    fc.assert(
      fc.property(
        fc.array(name, { minLength: 1, maxLength: 6 }),
        fc.integer({ min: 12, max: 160 }),
        (names, columns) => {
          const lines = names
            .map((one, at) => `file ${encode(names.slice(0, at).join('/'))}%2f${encode(one)} ${at}`)
            .join('\n')
          const scene = sceneOf(stackOfText(lines, lines.replace(/ \d+$/gm, ' 9 7:7')))
          const rows = runNow(treeRows(scene, wish({ folds: { said: new Map(), rest: 'open' } })))
          const drawn = treePane(
            theme,
            { scene, rows, marks: null, sort: 'name', world },
            { columns, rows: 10, state: { cursor: 1, top: 0 }, focused: true },
          )
          expect(drawn).toHaveLength(10)
          for (const line of drawn) {
            expect(bare(line)).not.toMatch(/\p{Cc}/u)
            expect(width(bare(line))).toBe(columns)
          }
        },
      ),
      { numRuns: 150 },
    )
  })

  it('in what is said of a step', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), fc.integer({ min: 8, max: 60 }), (text, columns) => {
        const model = {
          command: text,
          story: ['Adds 1 file.'],
          oddities: [text],
          advice: [{ fix: text, bytes: 5 }],
          facts: [text],
        }
        for (const line of stepLines(theme, model, columns)) expect(width(bare(line))).toBe(columns)
      }),
      { numRuns: 150 },
    )
  })
})

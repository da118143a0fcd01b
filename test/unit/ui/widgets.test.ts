/** The pieces that screens are drawn with: every line has its exact width, whatever is in it. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { safe, width } from '../../../src/base/text.ts'
import { makeTheme, type Theme } from '../../../src/ui/theme.ts'
import { breadcrumb } from '../../../src/ui/widgets/breadcrumb.ts'
import { editField, type Field, field, fieldParts } from '../../../src/ui/widgets/field.ts'
import { frame, tabs } from '../../../src/ui/widgets/frame.ts'
import { type Hint, hintLine } from '../../../src/ui/widgets/hints.ts'
import { line, type Part, rowLine } from '../../../src/ui/widgets/line.ts'
import { drawList, keepVisible, type ListState, moveList } from '../../../src/ui/widgets/list.ts'
import { progressLine } from '../../../src/ui/widgets/progress.ts'
import { highlighted, search } from '../../../src/ui/widgets/search.ts'
import { type Column, placeColumns } from '../../../src/ui/widgets/table.ts'
import { wrap } from '../../../src/ui/widgets/wrap.ts'

const theme = makeTheme('16')

/** The text of a line without its styles. */
function bare(text: string): string {
  return text.replace(/\x1b\[\d*m/g, '')
}

describe('a line', () => {
  it.each([
    [6, ['ab'], [], 'ab    '],
    [6, ['abcdefgh'], [], 'abcde…'],
    [6, ['abcdefgh'], ['9'], 'abcd…9'],
    [6, ['ab'], ['12345678'], '12345…'],
    [5, ['団団団'], [], '団団…'],
    [4, ['団団団'], [], '団… '],
    [1, ['ab'], [], '…'],
    [0, ['ab'], [], ''],
  ] as [number, Part[], Part[], string][])('of %i columns with %j and %j is %j', (columns, parts, right, expected) => {
    expect(bare(line(columns, parts, right))).toBe(expected)
  })

  it('has its exact width whatever the parts are', () => {
    const part = fc.string({ unit: 'grapheme', maxLength: 12 }).map(text => [theme.accent, safe(text)] as const)
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 40 }),
        fc.array(part, { maxLength: 5 }),
        fc.array(part, { maxLength: 2 }),
        (columns, parts, right) => {
          expect(width(bare(line(columns, parts, right)))).toBe(columns)
        },
      ),
    )
  })

  it('leaves no style open', () => {
    const text = line(8, [
      [theme.danger, 'abc'],
      [theme.match, 'defghijk'],
    ])
    expect(text).toBe('\x1b[1m\x1b[31mabc\x1b[39m\x1b[22m\x1b[4m\x1b[36mdefg…\x1b[39m\x1b[24m')
  })

  it('that is the cursor is one bar without the styles inside; of a pane without keys it is bold', () => {
    const parts: Part[] = [[theme.added, 'A'], ' name']
    expect(rowLine(theme, 8, parts, { cursor: true, focused: true })).toBe('\x1b[7mA name  \x1b[27m')
    expect(rowLine(theme, 8, parts, { cursor: true, focused: false })).toBe('\x1b[1mA name  \x1b[22m')
    expect(bare(rowLine(theme, 8, parts))).toBe('A name  ')
  })
})

describe('a frame', () => {
  const drawn = (theme: Theme, columns: number) =>
    frame(theme, {
      columns,
      sections: [
        { title: tabs(theme, ['Tree', 'Waste'], 0), right: ['step 3'], lines: [line(columns - 2, ['one'])] },
        { title: ['Step 10'], lines: [line(columns - 2, ['two'])] },
      ],
      footer: ['1 of 9'],
    }).map(bare)

  it('has a title in the rule above each section and a count in the rule below', () => {
    expect(drawn(theme, 34)).toEqual([
      '╭ Tree  Waste ────────── step 3 ─╮',
      '│one                             │',
      '├ Step 10 ───────────────────────┤',
      '│two                             │',
      '╰─────────────────────── 1 of 9 ─╯',
    ])
  })

  it('is drawn in ASCII where nothing else can be shown', () => {
    expect(drawn(makeTheme('none', true), 20)[4]).toBe('+--------- 1 of 9 -+')
  })

  it('has its width however narrow it is', () => {
    for (let columns = 2; columns < 40; columns++) {
      expect(drawn(theme, columns).map(width)).toEqual([columns, columns, columns, columns, columns])
    }
  })
})

describe('a list', () => {
  const at = (cursor: number, top: number): ListState => ({ cursor, top })

  it.each([
    [at(0, 0), 1, at(1, 0)],
    [at(9, 0), 1, at(10, 1)],
    [at(0, 0), -1, at(0, 0)],
    [at(99, 90), 1, at(99, 90)],
    [at(0, 0), 'page', at(9, 0)],
    [at(9, 0), 'page', at(18, 9)],
    [at(50, 45), '-page', at(41, 41)],
    [at(0, 0), 'half', at(5, 0)],
    [at(50, 45), 'first', at(0, 0)],
    [at(0, 0), 'last', at(99, 90)],
  ] as const)('of 100 rows in a window of 10: %j moved by %s is %j', (state, by, expected) => {
    expect(moveList(state, by, 100, 10)).toEqual(expected)
  })

  it('keeps its cursor inside and shows no blank rows while there are others', () => {
    expect(keepVisible(at(50, 45), 12, 10)).toEqual(at(11, 2))
    expect(keepVisible(at(5, 5), 0, 10)).toEqual(at(0, 0))
    expect(keepVisible(at(5, 5), 100, 0)).toEqual(at(5, 5))
  })

  it('asks for visible rows only', () => {
    const asked: number[] = []
    const row = (index: number) => {
      asked.push(index)
      return [`row ${index}`]
    }
    const lines = drawList({
      theme,
      columns: 8,
      rows: 3,
      count: 500_000,
      state: at(400_000, 399_999),
      focused: true,
      row,
    })
    expect(asked).toEqual([399_999, 400_000, 400_001])
    expect(lines.map(bare)).toEqual(['row 399…', 'row 400…', 'row 400…'])
  })
})

describe('the hint line', () => {
  const hints: Hint[] = [
    { key: 'enter', label: 'open', worth: 90 },
    { key: 's', label: 'sort', worth: 50 },
    { key: 'o', label: 'other', worth: 50 },
    { key: '?', label: 'help', worth: 100 },
  ]

  it.each([
    [40, ' ⏎ open  s sort  o other  ? help'],
    [31, ' ⏎ open  s sort  ? help'],
    [22, ' ⏎ open  ? help'],
    [14, ' ? help'],
    [6, ''],
  ])('at %i columns drops the least useful first: %j', (columns, expected) => {
    const text = bare(hintLine(theme, columns, hints))
    expect(text.trimEnd()).toBe(expected)
    expect(width(text)).toBe(columns)
  })

  it('names keys in ASCII where nothing else can be shown', () => {
    expect(bare(hintLine(makeTheme('none', true), 40, hints))).toContain('enter open')
  })
})

describe('the breadcrumb line', () => {
  const draw = (columns: number) =>
    bare(breadcrumb(theme, columns, ['Images', 'myapp:1'], ['916 MB', '12 layers', '97.3 % efficient']))

  it.each([
    [60, ' Images ▸ myapp:1        916 MB · 12 layers · 97.3 % efficient '],
    [40, ' Images ▸ myapp:1    916 MB · 12 layers '],
    [28, ' Images ▸ myapp:1    916 MB '],
    [20, ' Images ▸ myapp:1   '],
    [12, ' myapp:1    '],
    [8, ' mya…:1 '],
  ])('at %i columns gives up the end of the summary, then the outer titles', (columns, expected) => {
    expect(width(draw(columns))).toBe(columns)
    expect(draw(columns).replace(/ {2,}/g, '  ')).toBe(expected.replace(/ {2,}/g, '  '))
  })
})

describe('the progress line', () => {
  const task = { title: 'Reading', done: 412e6, total: 1.02e9, rate: 340e6 }

  it('says how far, how fast and how long', () => {
    expect(bare(progressLine(theme, 90, task))).toBe(
      `${' Reading  ██████░░░░░░░░░░  412 MB of 1.02 GB  340 MB/s  1.8 s left'.padEnd(79)}esc cancel `,
    )
  })

  it('says less where it is narrow, and at last only what and how to stop it', () => {
    expect(bare(progressLine(theme, 60, task)).trim()).toMatch(/^Reading {2}█+░+ {2}412 MB of 1.02 GB +esc cancel$/)
    expect(bare(progressLine(theme, 40, task)).trim()).toMatch(/^Reading {2}412 MB of 1.02 GB {2}esc cancel$/)
    for (let columns = 20; columns < 100; columns++)
      expect(width(bare(progressLine(theme, columns, task)))).toBe(columns)
  })

  it('without a total shows what has been done', () => {
    expect(bare(progressLine(theme, 60, { ...task, total: null })).trim()).toMatch(
      /^Reading {2}412 MB {2}340 MB\/s +esc cancel$/,
    )
  })
})

describe('a text field', () => {
  const key = (name: string, text = ''): Parameters<typeof editField>[1] => ({ kind: 'key', key: name, text })
  const typed = (start: Field, ...names: string[]) =>
    names.reduce((one, name) => editField(one, key(name, name.length === 1 ? name : '')) ?? one, start)
  /** `|` is the cursor. */
  const shown = ({ text, at }: Field) => `${text.slice(0, at)}|${text.slice(at)}`

  it.each([
    [['a', 'b'], 'ab|'],
    [['a', 'b', 'left', 'c'], 'ac|b'],
    [['a', 'b', 'backspace'], 'a|'],
    [['a', 'b', 'home', 'delete'], '|b'],
    [['a', 'b', 'ctrl-a', 'x', 'ctrl-e', 'y'], 'xaby|'],
    [['a', 'b', 'c', 'left', 'ctrl-k'], 'ab|'],
    [['a', 'b', 'c', 'left', 'ctrl-u'], '|c'],
  ])('after %j is %s', (names, expected) => {
    expect(shown(typed(field(), ...names))).toBe(expected)
  })

  it('moves and deletes by words of a path', () => {
    expect(shown(typed(field('/var/lib/docker'), 'ctrl-w'))).toBe('/var/lib/|')
    expect(shown(typed(field('/var/lib/docker'), 'ctrl-left', 'ctrl-left'))).toBe('/var/|lib/docker')
    expect(shown(typed(field('/var/lib'), 'home', 'ctrl-right'))).toBe('/var|/lib')
  })

  it('takes whole characters', () => {
    expect(shown(typed(field('e\u0301👨‍👩‍👧'), 'backspace'))).toBe('e\u0301|')
    expect(shown(typed(field('e\u0301👨‍👩‍👧'), 'left', 'left'))).toBe('|e\u0301👨‍👩‍👧')
  })

  it('takes a paste on one line and without controls', () => {
    expect(shown(editField(field('x'), { kind: 'paste', text: 'a\tb\nc\x1b[2J\n' })!)).toBe('xa b c [2J|')
  })

  it('leaves keys alone that edit nothing', () => {
    expect(editField(field('x'), key('up'))).toBeNull()
    expect(editField(field('x'), key('f5'))).toBeNull()
  })

  it('is drawn around its cursor in the room there is', () => {
    const text = (one: Field, columns: number) =>
      fieldParts(theme, one, columns)
        .map(part => (typeof part === 'string' ? part : `[${part[1]}]`))
        .join('')
    expect(text(field('abc'), 10)).toBe('abc[ ]')
    expect(text(field('abcdefghij'), 5)).toBe('ghij[ ]')
    expect(text({ text: 'abcdefghij', at: 2 }, 5)).toBe('ab[c]de')
    expect(text({ text: 'a\x1bb', at: 3 }, 10)).toBe('a\\x1bb[ ]')
  })
})

describe('the search', () => {
  const items = ['Sort by name', 'Show the shell', 'Quit']

  it('finds letters in their order and says which', () => {
    const [first] = search('shl', items, item => item)
    expect(first!.item).toBe('Show the shell')
    const marked = highlighted(theme, first!.item, first!).map(part =>
      typeof part === 'string' ? part : `[${part[1]}]`,
    )
    expect(marked.join('').replaceAll(/[[\]]/g, '')).toBe('Show the shell')
    expect(marked.join('')).toContain('[')
  })

  it('without a query gives everything in its own order', () => {
    expect(search(' ', items, item => item).map(found => found.item)).toEqual(items)
  })
})

describe('a table', () => {
  interface Row {
    name: string
    size: string
  }
  const columns: Column<Row>[] = [
    { title: 'NAME', text: row => row.name, worth: 100, most: 20, least: 6 },
    { title: 'SIZE', text: row => row.size, worth: 90, most: 8, align: 'right' },
    { title: 'EXTRA', text: () => 'xxxxxx', worth: 10, most: 8 },
  ]
  const rows = [{ name: 'a-long-name-of-a-file', size: '1 MB' }]

  it.each([
    [
      60,
      [
        ['NAME', 20],
        ['SIZE', 4],
        ['EXTRA', 6],
      ],
    ],
    [
      26,
      [
        ['NAME', 12],
        ['SIZE', 4],
        ['EXTRA', 6],
      ],
    ],
    [
      18,
      [
        ['NAME', 12],
        ['SIZE', 4],
      ],
    ],
    [8, [['NAME', 8]]],
  ])('in %i columns has %j', (room, expected) => {
    expect(placeColumns(room, columns, rows).map(({ column, columns }) => [column.title, columns])).toEqual(expected)
  })
})

describe('wrapped text', () => {
  it('breaks at spaces, and inside of a word where it has to', () => {
    expect(wrap('nothing listens on /var/run/docker.sock here', 12)).toEqual([
      'nothing',
      'listens on',
      '/var/run/doc',
      'ker.sock',
      'here',
    ])
    expect(wrap('', 10)).toEqual([''])
    expect(wrap('団団団', 4)).toEqual(['団団', '団'])
  })
})

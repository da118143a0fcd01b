/** How a form looks: a label and a value a line, a sentence about where the keys are, the command line that does the same. */
import { cutEnd, safe, width } from '../../base/text.ts'
import type { Size } from '../layout.ts'
import type { Theme } from '../theme.ts'
import type { OverlayBox } from '../ui.ts'
import { fieldParts } from './field.ts'
import { choiceOf, type FormField, type FormState, firstProblem, flagOf, shownProblem, textsOf } from './form-state.ts'
import { frame } from './frame.ts'
import { line, type Part, partsWidth } from './line.ts'
import { keepVisible } from './list.ts'
import { wrap } from './wrap.ts'

export interface FormPicture {
  title: string
  fields: readonly FormField[]
  buttons: readonly string[]
  state: FormState
  /** What the names that go on from a text are, while they are shown. */
  matches: readonly string[]
  /** The command line that does the same; null for none. Harmless text. */
  command: string | null
}

/** A box of the form with as much of it as there is room for; where the keys go is always in it. */
export function drawForm(size: Size, theme: Theme, picture: FormPicture): OverlayBox {
  const { title, fields, buttons, state, command } = picture
  const columns = Math.max(20, Math.min(100, size.columns - (size.columns > 90 ? 4 : 0)))
  const inner = columns - 4
  const padded = (text: string) => ` ${text} `
  const said = noteLines(theme, inner, picture)
  const typed = command === null ? [] : wrap(command, inner).map(text => line(inner, [[theme.dim, text]]))
  const { rows, at } = fieldRows(theme, inner, fields, state)
  // Frame, note, buttons and the rule above the command are always there.
  const fixed = 2 + NOTES + 1 + (command === null ? 0 : 1)
  const least = Math.min(rows.length, 3)
  const shownCommand = cut(
    typed,
    Math.max(command === null ? 0 : 1, Math.min(6, size.rows - fixed - least)),
    theme,
    inner,
  )
  const height = Math.max(1, Math.min(rows.length, size.rows - fixed - shownCommand.length))
  const { top } = keepVisible({ cursor: at, top: 0 }, rows.length, height)
  const first = [...rows.slice(top, top + height), ...said.slice(0, NOTES)].map(padded)
  const last = padded(buttonLine(theme, inner, buttons, state))
  const more = rows.length > height ? [[theme.dim, `${top + 1}–${top + height} of ${rows.length}`] as Part] : []
  const head = { title: [[theme.title, title]] as Part[], right: more }
  const sections =
    command === null
      ? [{ ...head, lines: [...first, last] }]
      : [
          { ...head, lines: first },
          { title: [[theme.dim, 'the same by hand']] as Part[], lines: [...shownCommand.map(padded), last] },
        ]
  return { columns, lines: frame(theme, { columns, sections, focused: true }) }
}

/** Lines for the sentence below the fields. */
const NOTES = 2

/** One line a text, choice and flag, several for lines; `at`: the one that has the keys. */
function fieldRows(theme: Theme, columns: number, fields: readonly FormField[], state: FormState) {
  const labels = Math.min(18, Math.max(...fields.map(one => width(one.label)))) + 2
  const rows: string[] = []
  let at = 0
  for (const one of fields) {
    const values = one.why ? [null] : one.kind === 'lines' ? textsOf(one, state).map((_, index) => index) : [0]
    for (const value of values) {
      const focused = state.focus.key === one.key && state.focus.line === value
      if (focused) at = rows.length
      const label = (value ?? 0) > 0 ? '' : one.label
      const style = focused ? theme.accent : one.why ? theme.dim : (text: string) => text
      const parts: Part[] = [
        [theme.accent, focused ? `${theme.glyph.cursor} ` : '  '],
        [style, label.padEnd(labels)],
        ...valueParts(theme, columns - labels - 4, one, state, value, focused),
      ]
      const wrong = value === null ? null : shownProblem(one, state, value)
      rows.push(line(columns, parts, wrong === null ? [] : [[theme.danger, ' !']]))
    }
  }
  if (state.focus.key === null) at = rows.length - 1
  return { rows, at }
}

function valueParts(
  theme: Theme,
  room: number,
  one: FormField,
  state: FormState,
  index: number | null,
  focused: boolean,
): readonly Part[] {
  if (index === null) return [[theme.dim, one.why ?? '']]
  if (one.kind === 'flag') return [[focused ? theme.cursor : plainly, flagOf(one, state) ? '[x]' : '[ ]']]
  if (one.kind === 'choice') {
    const { choices = [] } = one
    const chosen = choiceOf(one, state)
    const style = focused ? theme.cursor : theme.strong
    // Where they do not all fit, which one it is.
    if (choices.reduce((sum, choice) => sum + width(choice) + 4, 0) > room + 2)
      return [
        [style, `${theme.glyph.marked} ${chosen}`],
        [theme.dim, `  ${choices.indexOf(chosen) + 1} of ${choices.length}`],
      ]
    return choices.flatMap((choice): Part[] => [
      choice === chosen ? [style, `${theme.glyph.marked} ${choice}`] : [theme.dim, `${theme.glyph.unmarked} ${choice}`],
      '  ',
    ])
  }
  const text = textsOf(one, state)[index]!
  const empty = text.text === ''
  const hint: Part[] = empty && index === 0 && one.placeholder ? [[theme.dim, one.placeholder]] : []
  if (!focused) return empty ? hint : [cutEnd(safe(text.text), room)]
  if (hint.length === 0) return fieldParts(theme, text, room)
  // The cursor lies on the first letter of what would be typed.
  const [first = ' ', ...rest] = one.placeholder ?? ''
  return [
    [theme.cursor, first],
    [theme.dim, rest.join('')],
  ]
}

const plainly = (text: string) => text

/** What is wrong here, what could go on here, or what it is for. */
function noteLines(theme: Theme, columns: number, { fields, state, matches }: FormPicture): string[] {
  const said = (style: (text: string) => string, text: string) =>
    wrap(text, columns).map(one => line(columns, [[style, one]]))
  const lines = () => {
    if (state.leaving) return said(theme.warning, 'Once more esc throws away what was typed; any other key stays.')
    if (matches.length > 0) return said(theme.dim, matches.join('  '))
    const one = fields.find(one => one.key === state.focus.key)
    const problem = one ? shownProblem(one, state, state.focus.line) : (firstProblem(fields, state)?.problem ?? null)
    if (problem !== null) return said(theme.danger, problem)
    return said(theme.dim, one?.help ?? '')
  }
  const all = lines()
  return Array.from({ length: NOTES }, (_, at) => all[at] ?? ' '.repeat(columns))
}

function buttonLine(theme: Theme, columns: number, buttons: readonly string[], { focus }: FormState): string {
  const parts = buttons.flatMap((label, at): Part[] => [
    at === 0 ? '' : '  ',
    [focus.key === null && focus.line === at ? theme.cursor : theme.strong, `[ ${label} ]`],
  ])
  return line(columns, [' '.repeat(Math.max(0, columns - partsWidth(parts))), ...parts])
}

function cut(lines: string[], most: number, theme: Theme, columns: number): string[] {
  if (lines.length <= most) return lines
  return [...lines.slice(0, most - 1), line(columns, [[theme.dim, theme.glyph.ellipsis]])]
}

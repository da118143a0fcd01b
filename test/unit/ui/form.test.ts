/** Forms: where keys go, what is typed, what is wrong, and when they are over. */
import { describe, expect, it } from 'vitest'
import type { InputEvent } from '../../../src/ui/terminal/events.ts'
import {
  type FormField,
  type FormOutcome,
  firstProblem,
  formInput,
  formValues,
  isTouched,
  shownProblem,
  startForm,
} from '../../../src/ui/widgets/form-state.ts'

const fields: FormField[] = [
  { key: 'name', label: 'name', kind: 'text', check: text => (/^\w*$/.test(text) ? null : 'Letters only.') },
  { key: 'gone', label: 'gone', kind: 'text', value: 'kept', why: 'not here', check: () => 'never asked' },
  { key: 'env', label: 'env', kind: 'lines', check: text => (text.includes('=') ? null : 'It needs an =.') },
  { key: 'way', label: 'way', kind: 'choice', choices: ['a', 'b', 'c'], value: 'b' },
  { key: 'yes', label: 'yes', kind: 'flag' },
]

const paste = (text: string): InputEvent => ({ kind: 'paste', text })
const event = (key: string): InputEvent => ({
  kind: 'key',
  key,
  text: key.length === 1 ? key : key === 'space' ? ' ' : '',
})

/** Keys by name, `'text` typed, in order. */
function played(...keys: (string | InputEvent)[]) {
  let state = startForm(fields)
  let outcome: FormOutcome = null
  const events = keys.flatMap(key =>
    typeof key !== 'string' ? [key] : key.startsWith("'") ? [...key.slice(1)].map(event) : [event(key)],
  )
  for (const one of events) ({ state, outcome } = formInput(fields, 2, state, one))
  return { state, outcome, values: formValues(fields, state) }
}

describe('a form', () => {
  it('starts with what its fields say', () => {
    expect(played().values).toEqual({ name: '', gone: 'kept', env: [], way: 'b', yes: false })
  })

  it('goes from field to field, past those that can not be filled in, to the buttons and round', () => {
    const at = (...keys: string[]) => played(...keys).state.focus.key
    expect(at()).toBe('name')
    expect(at('tab')).toBe('env')
    expect(at('down', 'enter', 'enter')).toBe('yes')
    expect(at('tab', 'tab', 'tab', 'tab')).toBe(null)
    expect(at('shift-tab')).toBe(null)
    expect(at('shift-tab', 'tab')).toBe('name')
  })

  it('takes text where the cursor is', () => {
    expect(played("'abc", 'left', 'left', "'x", 'home', 'delete').values.name).toBe('xbc')
  })

  it('adds a line with enter, takes an empty one away with backspace, and leaves with enter on an empty one', () => {
    expect(played('tab', "'A=1", 'enter', "'B=2").values.env).toEqual(['A=1', 'B=2'])
    const back = played('tab', "'A=1", 'enter', 'backspace')
    expect([back.values.env, back.state.focus]).toEqual([['A=1'], { key: 'env', line: 0 }])
    expect(played('tab', "'A=1", 'enter', 'enter').state.focus.key).toBe('way')
  })

  it('takes several pasted lines as several', () => {
    expect(played('tab', paste('A=1\r\nB=2\n\nC=3\n')).values.env).toEqual(['A=1', 'B=2', 'C=3'])
    expect(played(paste('a\nb')).values.name).toBe('a b')
  })

  it('turns choices and flags', () => {
    expect(played('tab', 'tab', 'right').values.way).toBe('c')
    expect(played('tab', 'tab', 'space', 'space').values.way).toBe('a')
    expect(played('tab', 'tab', 'left', 'enter', 'space').values).toMatchObject({ way: 'a', yes: true })
  })

  it('knows what is wrong and where, and shows it once somebody has been there', () => {
    const { state } = played("'a b", 'tab', "'A=1", 'enter', "'nonsense")
    expect(firstProblem(fields, state)).toEqual({ focus: { key: 'name', line: 0 }, problem: 'Letters only.' })
    expect(shownProblem(fields[2]!, state, 1)).toBe('It needs an =.')
    expect(shownProblem(fields[2]!, played().state, 0)).toBe(null)
    expect(shownProblem(fields[1]!, state, 0)).toBe(null)
  })

  it('is over with a button, from anywhere too, but goes to what is wrong', () => {
    expect(played("'ok", 'ctrl-s').outcome).toEqual({ button: 0 })
    expect(played('shift-tab', 'right', 'enter').outcome).toEqual({ button: 1 })
    const wrong = played("'a b", 'tab', 'ctrl-s')
    expect([wrong.outcome, wrong.state.focus.key]).toEqual([null, 'name'])
  })

  it('is left at once when nothing was typed, else when that is asked for twice', () => {
    expect(played('tab', 'esc').outcome).toBe('cancel')
    const once = played("'a", 'esc')
    expect([once.outcome, once.state.leaving]).toEqual([null, true])
    expect(played("'a", 'esc', 'esc').outcome).toBe('cancel')
    expect(played("'a", 'esc', "'b", 'esc').outcome).toBe(null)
    expect(played("'a", 'backspace', 'esc').outcome).toBe('cancel')
    expect(isTouched(fields, played('tab', 'tab', 'right', 'left').state)).toBe(false)
  })
})

/** A form being filled in: its fields as data, what was typed so far, and what a key does to it. Pure. */
import type { InputEvent } from '../terminal/events.ts'
import { editField, type Field, field } from './field.ts'

/** Text, lines of text, one of several words, or yes and no. */
export type FormValue = string | readonly string[] | boolean
export type FormValues = Readonly<Record<string, FormValue>>

export interface FormField {
  key: string
  label: string
  kind: 'text' | 'lines' | 'choice' | 'flag'
  /** What it starts with; nothing, the first choice, or no. */
  value?: FormValue
  /** What counts when nothing is typed; harmless text. */
  placeholder?: string
  /** Of a choice; harmless words. */
  choices?: readonly string[]
  /** A sentence for whoever is at it. */
  help?: string
  /** Why it can not be filled in here: shown in place of its value, and passed by. */
  why?: string | null
  /** What is wrong with what was typed (of lines: with one of them), a sentence; null for nothing. */
  check?(text: string): string | null
  /** Names that go on from the text. */
  complete?(text: string): readonly string[] | Promise<readonly string[]>
}

/** Where the keys go: a line of a field, or one of the buttons. */
export interface FormFocus {
  /** null: the buttons. */
  key: string | null
  line: number
}

export interface FormState {
  focus: FormFocus
  /** Of fields that were touched: texts with their cursors, one for a text, the word of a choice, a flag. */
  edits: Readonly<Record<string, readonly Field[] | string | boolean>>
  /** A button was pressed: what is missing shows from then on, not only what is wrong. */
  tried: boolean
  /** Leaving was asked for once, and would throw away what was typed. */
  leaving: boolean
}

export type FormOutcome = 'cancel' | { button: number } | null

/** A form that nobody has touched, at its first field. */
export function startForm(fields: readonly FormField[], at?: string): FormState {
  const first = fields.find(one => one.key === at) ?? fields.find(one => !one.why)
  return { focus: { key: first?.key ?? null, line: 0 }, edits: {}, tried: false, leaving: false }
}

/** What the fields say now. Empty lines are none. Of those that can not be filled in: what they start with. */
export function formValues(fields: readonly FormField[], state: FormState): FormValues {
  return Object.fromEntries(
    fields.map(one => {
      if (one.kind === 'flag') return [one.key, flagOf(one, state)]
      if (one.kind === 'choice') return [one.key, choiceOf(one, state)]
      const texts = textsOf(one, state).map(({ text }) => text)
      return [one.key, one.kind === 'text' ? texts[0]! : texts.filter(text => text.trim() !== '')]
    }),
  )
}

/** What is wrong with a line of a field; null for nothing. What can not be filled in is not wrong. */
export function problemOf(one: FormField, state: FormState, line: number): string | null {
  if (one.why || !one.check || one.kind === 'flag' || one.kind === 'choice') return null
  const text = textsOf(one, state)[line]?.text ?? ''
  return one.kind === 'lines' && text.trim() === '' ? null : one.check(text)
}

/** The problem of a line, unless nobody has been there yet. */
export function shownProblem(one: FormField, state: FormState, line: number): string | null {
  const untouched = state.edits[one.key] === undefined && !state.tried && textsOf(one, state)[line]?.text === ''
  return untouched ? null : problemOf(one, state, line)
}

/** The first thing that is wrong, and where. */
export function firstProblem(
  fields: readonly FormField[],
  state: FormState,
): { focus: FormFocus; problem: string } | null {
  for (const { key, line } of stops(fields, state)) {
    const one = fields.find(one => one.key === key)
    const problem = one ? problemOf(one, state, line) : null
    if (problem !== null) return { focus: { key, line }, problem }
  }
  return null
}

/** The lines of a text or of lines: at least one. */
export function textsOf({ key, value, kind }: FormField, { edits }: FormState): readonly Field[] {
  const edited = edits[key]
  if (Array.isArray(edited)) return edited
  if (kind === 'lines' && Array.isArray(value) && value.length > 0) return value.map((text: string) => field(text))
  return [field(typeof value === 'string' ? value : '')]
}

export function flagOf({ key, value }: FormField, { edits }: FormState): boolean {
  const edited = edits[key]
  return typeof edited === 'boolean' ? edited : value === true
}

/** One of its choices, whatever they are by now. */
export function choiceOf({ key, value, choices = [] }: FormField, { edits }: FormState): string {
  const wanted = [edits[key], value].find(one => typeof one === 'string' && choices.includes(one))
  return (wanted as string | undefined) ?? choices[0] ?? ''
}

/** Whether something was typed or chosen. */
export function isTouched(fields: readonly FormField[], state: FormState): boolean {
  const untouched = formValues(fields, { ...state, edits: {} })
  return JSON.stringify(formValues(fields, state)) !== JSON.stringify(untouched)
}

/** What an event does; `outcome` when the form is over with it. A button does nothing while something is wrong. */
export function formInput(
  fields: readonly FormField[],
  buttons: number,
  state: FormState,
  event: InputEvent,
): { state: FormState; outcome: FormOutcome } {
  const now = { ...settled(fields, state), leaving: false }
  const to = (next: FormState, outcome: FormOutcome = null) => ({ state: next, outcome })
  const key = event.kind === 'key' ? event.key : null
  if (key === 'esc') {
    if (!state.leaving && isTouched(fields, state)) return to({ ...state, leaving: true })
    return to(state, 'cancel')
  }
  if (key !== null && submits.has(key)) return pressed(fields, now, 0)
  const by = key === null ? undefined : steps[key]
  if (by !== undefined) return to({ ...now, focus: stepped(fields, now, by) })
  const one = fields.find(one => one.key === now.focus.key)
  if (!one) {
    const { line } = now.focus
    if (key === 'enter' || key === 'space') return pressed(fields, now, Math.min(line, buttons - 1))
    const turn = key === 'left' ? -1 : key === 'right' ? 1 : 0
    return to({ ...now, focus: { key: null, line: (line + turn + buttons) % buttons } })
  }
  if (one.kind === 'flag' || one.kind === 'choice') return to(turned(fields, now, one, key))
  return to(typed(fields, now, one, event))
}

const submits = new Set(['ctrl-enter', 'alt-enter', 'ctrl-s', 'f2'])
const steps: Record<string, 1 | -1> = { tab: 1, down: 1, 'shift-tab': -1, up: -1 }

function pressed(fields: readonly FormField[], state: FormState, button: number) {
  const wrong = firstProblem(fields, state)
  if (wrong) return { state: { ...state, focus: wrong.focus, tried: true }, outcome: null }
  return { state, outcome: { button } }
}

/** Every place that the keys can go to, in order; the buttons are one. */
function stops(fields: readonly FormField[], state: FormState): FormFocus[] {
  const lines = fields.flatMap(one =>
    one.why
      ? []
      : one.kind === 'lines'
        ? textsOf(one, state).map((_, line) => ({ key: one.key, line }))
        : [{ key: one.key, line: 0 }],
  )
  return [...lines, { key: null, line: 0 }]
}

function stepped(fields: readonly FormField[], state: FormState, by: 1 | -1): FormFocus {
  const all = stops(fields, state)
  const { key, line } = state.focus
  const at = all.findIndex(one => one.key === key && (key === null || one.line === line))
  return all[(at + by + all.length) % all.length]!
}

/** The focus somewhere that is there: fields come and go with what others say. */
function settled(fields: readonly FormField[], state: FormState): FormState {
  const all = stops(fields, state)
  const { key, line } = state.focus
  if (key === null || all.some(one => one.key === key && one.line === line)) return state
  return { ...state, focus: all.findLast(one => one.key === key) ?? all[0]! }
}

function turned(fields: readonly FormField[], state: FormState, one: FormField, key: string | null): FormState {
  if (key === 'enter') return { ...state, focus: stepped(fields, state, 1) }
  const by = key === 'left' ? -1 : key === 'right' || key === 'space' ? 1 : 0
  if (by === 0) return state
  if (one.kind === 'flag') return { ...state, edits: { ...state.edits, [one.key]: !flagOf(one, state) } }
  const { choices = [] } = one
  const next = (choices.indexOf(choiceOf(one, state)) + by + choices.length) % choices.length
  return { ...state, edits: { ...state.edits, [one.key]: choices[next] ?? '' } }
}

function typed(fields: readonly FormField[], state: FormState, one: FormField, event: InputEvent): FormState {
  const texts = textsOf(one, state)
  const { line } = state.focus
  const here = texts[line]!
  const put = (lines: readonly Field[], at: number): FormState => ({
    ...state,
    focus: { key: one.key, line: at },
    edits: { ...state.edits, [one.key]: lines },
  })
  const key = event.kind === 'key' ? event.key : null
  if (key === 'enter') {
    if (one.kind === 'text' || here.text.trim() === '') return { ...state, focus: afterField(fields, state, one) }
    return put(texts.toSpliced(line + 1, 0, field()), line + 1)
  }
  if (one.kind === 'lines' && key === 'backspace' && here.text === '' && texts.length > 1)
    return put(texts.toSpliced(line, 1), Math.max(0, line - 1))
  if (one.kind === 'lines' && event.kind === 'paste' && /[\r\n]/.test(event.text.trim())) {
    const pasted = event.text.split(/[\r\n]+/).filter(text => text.trim() !== '')
    const [first = '', ...rest] = pasted.slice(0, Math.max(1, MOST_LINES - texts.length))
    const joined = editField(here, { ...event, text: first }) ?? here
    return put(texts.toSpliced(line, 1, joined, ...rest.map(text => field(text))), line + rest.length)
  }
  const edited = editField(here, event)
  return edited ? put(texts.with(line, edited), line) : state
}

/** More lines than that come from no person. */
const MOST_LINES = 500

function afterField(fields: readonly FormField[], state: FormState, one: FormField): FormFocus {
  const all = stops(fields, state)
  return all[all.findLastIndex(stop => stop.key === one.key) + 1] ?? all[0]!
}

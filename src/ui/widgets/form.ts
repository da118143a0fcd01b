/** A form over the screen: fields that are checked while they are typed, and the command line that would do the same. */

import { safe } from '../../base/text.ts'
import type { InputEvent } from '../terminal/events.ts'
import type { Overlay } from '../ui.ts'
import type { Dialogs } from './confirm.ts'
import { field } from './field.ts'
import { drawForm } from './form-draw.ts'
import { type FormField, type FormValues, formInput, formValues, startForm, textsOf } from './form-state.ts'

export interface Form {
  title: string
  /** The fields as they are with these values: what one says may make another one impossible. Asked for each frame. */
  fields(values: FormValues): readonly FormField[]
  /** Words for what the form is for; the first is what a key does from anywhere. */
  buttons: readonly string[]
  /** The command line that does the same with these values, harmless text. */
  command?(values: FormValues): string | null
  /** The field that has the keys at first. */
  at?: string
}

export interface FormAnswer {
  values: FormValues
  /** Index of the button. */
  button: number
}

/** Shows it; resolves with what was filled in, null when it was left. `changed` is called when it has to be drawn. */
export function createForm(dialogs: Dialogs & { changed(): void }, form: Form): Promise<FormAnswer | null> {
  const { promise, resolve } = Promise.withResolvers<FormAnswer | null>()
  let fields = form.fields({})
  let state = startForm(fields, form.at)
  let matches: readonly string[] = []
  /** Whether something was typed since the keys came to this line: only then tab goes on with it. */
  let typed = false
  /** What was typed while the names were looked for; null: nothing is looked for. */
  let waiting: InputEvent[] | null = null
  /** The fields follow from the values, and those from the fields. */
  const follow = () => {
    fields = form.fields(formValues(fields, state))
  }
  const values = () => {
    follow()
    return formValues(fields, state)
  }
  const end = (answer: FormAnswer | null) => {
    dialogs.dismiss(overlay)
    resolve(answer)
  }
  /** Takes what all names have in common, goes on where there is nothing to take; then comes what was typed meanwhile. */
  const complete = async (one: FormField) => {
    const { line } = state.focus
    const { text } = textsOf(one, state)[line]!
    waiting = []
    const found = await Promise.resolve(one.complete!(text)).catch(() => [])
    const common = found.length === 0 ? text : found.reduce(sharedStart)
    if (found.length === 0 || (found.length === 1 && common === text)) step(tab)
    else if (common.length > text.length && common.startsWith(text))
      state = { ...state, edits: { ...state.edits, [one.key]: textsOf(one, state).with(line, field(common)) } }
    matches = found.length > 1 ? found.slice(0, MOST_MATCHES).map(name => name.replace(/.*\/(?=.)/, '')) : []
    const events = waiting
    waiting = null
    for (const event of events) overlay.input(event)
    dialogs.changed()
  }
  const step = (event: InputEvent) => {
    const before = state
    const { state: next, outcome } = formInput(fields, form.buttons.length, state, event)
    state = next
    const { key, line } = state.focus
    typed = key === before.focus.key && line === before.focus.line && (typed || state.edits !== before.edits)
    if (outcome === 'cancel') end(null)
    else if (outcome) end({ values: values(), button: outcome.button })
  }
  follow()
  const overlay: Overlay = {
    id: 'form',
    draw(size, theme) {
      const all = values()
      return drawForm(size, theme, {
        title: form.title,
        fields,
        buttons: form.buttons,
        state,
        matches: matches.map(safe),
        command: form.command?.(all) ?? null,
      })
    },
    hints: () => [
      { key: 'ctrl-s', label: form.buttons[0]!, worth: 80 },
      { key: 'tab', label: 'next', worth: 60 },
      { key: 'enter', label: 'next, one more line', worth: 40 },
      { key: 'esc', label: 'cancel', worth: 90 },
    ],
    input(event) {
      const isKey = (key: string) => event.kind === 'key' && event.key === key
      if (waiting && !isKey('esc')) return void waiting.push(event)
      follow()
      const one = fields.find(one => one.key === state.focus.key)
      if (isKey('tab') && typed && one?.complete) return void complete(one)
      matches = []
      step(event)
    },
    dismissed: () => resolve(null),
  }
  dialogs.open(overlay)
  return promise
}

/** As many as two lines hold. */
const MOST_MATCHES = 40
const tab = { kind: 'key', key: 'tab', text: '' } as const

function sharedStart(a: string, b: string): string {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return a.slice(0, length)
}

/** The line of text at the bottom: opening it, and what keys do to it. */
import type { StoreApi } from 'zustand/vanilla'
import type { InputEvent } from './terminal/events.ts'
import type { Prompt, UiState } from './ui.ts'
import { editField, field } from './widgets/field.ts'

/** Opens prompts in a store. */
export function createPromptInput(store: StoreApi<UiState>): (prompt: Prompt) => () => void {
  return prompt => {
    const opened = { ...prompt, field: field(prompt.text), matches: [] }
    store.setState({ prompt: opened })
    return () => {
      if (store.getState().prompt?.submit === prompt.submit) store.setState({ prompt: null })
    }
  }
}

/** What an event does to the open prompt; false when it is none of its business. */
export function promptInput(store: StoreApi<UiState>, event: InputEvent): boolean {
  const { prompt } = store.getState()
  if (!prompt) return false
  if (event.kind === 'key' && event.key === 'esc') {
    store.setState({ prompt: null })
    prompt.cancel?.()
    return true
  }
  if (event.kind === 'key' && event.key === 'enter') {
    store.setState({ prompt: null })
    prompt.submit(prompt.field.text)
    return true
  }
  if (event.kind === 'key' && event.key === 'tab' && prompt.complete) {
    void complete(store)
    return true
  }
  if (prompt.pass && event.kind === 'key' && passed.has(event.key)) return false
  const edited = editField(prompt.field, event)
  if (!edited) return event.kind === 'key' ? !prompt.pass : false
  store.setState({ prompt: { ...prompt, field: edited, matches: [] } })
  if (edited.text !== prompt.field.text) prompt.change?.(edited.text)
  return true
}

/** Keys that move in the list below rather than in the text. */
const passed = new Set(['ctrl-d', 'ctrl-u', 'ctrl-f', 'ctrl-b'])

/** Takes what all continuations have in common; shows them when that is nothing new. */
async function complete(store: StoreApi<UiState>): Promise<void> {
  const before = store.getState().prompt
  if (!before?.complete) return
  const { text } = before.field
  let matches: readonly string[]
  try {
    matches = await before.complete(text)
  } catch {
    matches = []
  }
  const now = store.getState().prompt
  if (now?.field.text !== text || now.submit !== before.submit) return
  const common = matches.length === 0 ? text : matches.reduce(sharedStart)
  const longer = common.length > text.length && common.startsWith(text)
  store.setState({
    prompt: { ...now, field: longer ? field(common) : now.field, matches: matches.length > 1 ? matches : [] },
  })
  if (longer) now.change?.(common)
}

function sharedStart(a: string, b: string): string {
  let length = 0
  while (length < a.length && a[length] === b[length]) length++
  return a.slice(0, length)
}

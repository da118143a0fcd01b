/** What a screen may ask of the program. Screens know this and nothing of React, Ink or the terminal. */
import type { Services } from '../actions/services.ts'
import type { Work } from '../base/progress.ts'
import type { Size } from './layout.ts'
import type { Screen } from './screen.ts'
import type { InputEvent } from './terminal/events.ts'
import type { Theme } from './theme.ts'
import type { Field } from './widgets/field.ts'
import type { Form, FormAnswer } from './widgets/form.ts'
import type { Hint } from './widgets/hints.ts'
import type { TaskView } from './widgets/progress.ts'

export interface Ui {
  readonly services: Services
  /** Puts a screen on top. */
  push(screen: Screen): void
  /** Leaves the screen on top for the one below; leaves the program when there is none. */
  pop(): void
  /** Opens the Explorer on an image. */
  explore(reference: string): void
  /** Leaves every screen but the outermost one of that id, which puts its cursor on a thing, now or when it comes. */
  reveal(home: string, key: string): void
  quit(): void
  theme(): Theme
  /** Of the whole terminal. */
  size(): Size
  /** Of what a screen draws. */
  bodySize(): Size
  /** Says something on the bottom line, until the next key or for some seconds. */
  toast(text: string, kind?: ToastKind, next?: Next): void
  /** Shows an error: its sentence, what to do, and with one key the raw error. A cancellation is only noted. */
  fail(error: unknown, doing: string): void
  confirm(question: Question): Promise<boolean>
  /** A small menu; the index of what was chosen, null for none. */
  choose(menu: Menu): Promise<number | null>
  /** Several fields at once, checked while they are typed; null when it was left. */
  form(form: Form): Promise<FormAnswer | null>
  /** A line of text at the bottom. The returned function closes it. */
  prompt(prompt: Prompt): () => void
  /** Runs long work with its progress on the bottom line; `esc` cancels it. undefined: cancelled, or failed and shown. */
  work<T>(title: string, run: (work: Required<Work>) => Promise<T>): Promise<T | undefined>
  /** Copies through the terminal and says so: `copied path (41 B)`. */
  copy(text: string, what: string): void
  /** Gives the terminal to something else; the screen is drawn anew afterwards. */
  handOver(run: () => Promise<void>): Promise<void>
  /** Shows lines in the person's own `$PAGER`. */
  page(lines: readonly string[]): Promise<void>
  /** Says that the screen has to be drawn, where no subscription says it. */
  changed(): void
}

export type ToastKind = 'info' | 'warning' | 'error'

/** What one key does while a toast is there. */
export interface Next {
  key: string
  label: string
  run(): void | Promise<void>
}

export interface Question {
  title: string
  /** What exactly will happen to what; harmless text. */
  lines: readonly string[]
  /** The word for doing it: `delete 3 images`. */
  yes: string
  /** Can not be undone: asked so that a stray `enter` does nothing. */
  danger?: boolean
  /** Command lines that do the same; harmless text. */
  commands?: readonly string[]
  /** What may be done along with it, off until its key is pressed; what the question is then. */
  also?: {
    key: string
    label: string
    change(on: boolean): Partial<Pick<Question, 'lines' | 'yes' | 'commands'>>
  }
}

export interface Menu {
  title: string
  /** What it is about, above the items; harmless text. */
  lines?: readonly string[]
  items: readonly { label: string; detail?: string; key?: string }[]
  /** Where the cursor starts. */
  at?: number
  /** Takes the menu away when nobody wants the answer any more. */
  signal?: AbortSignal | undefined
}

export interface Prompt {
  label: string
  text?: string
  /** After every edit. */
  change?(text: string): void
  submit(text: string): void
  cancel?(): void
  /** Names that go on from the text; `tab` takes what they have in common. */
  complete?(text: string): readonly string[] | Promise<readonly string[]>
  /** What stands at the right end: `12 of 41 207`. */
  status?(): string
  /** Keys that edit nothing go on to the actions: moving in a list while its filter stands. */
  pass?: boolean
}

/** Something over the screen that takes every key while it is there. */
export interface Overlay {
  readonly id: string
  /** Lines of `columns` each; `y` is the row of the first, centred without it. */
  draw(size: Size, theme: Theme): OverlayBox
  input(event: InputEvent): void
  hints(): readonly Hint[]
  /** Taken away by something else than its own doing. */
  dismissed?(): void
}

export interface OverlayBox {
  columns: number
  lines: readonly string[]
  y?: number
}

/** What the app draws beside the screens. Kept in the store. */
export interface UiState {
  size: Size
  screens: readonly Screen[]
  overlays: readonly Overlay[]
  prompt: (Prompt & { field: Field; matches: readonly string[] }) | null
  toast: { text: string; kind: ToastKind; next?: Next | undefined } | null
  tasks: readonly (TaskView & { id: number })[]
  mouse: boolean
  /** Counts what changed outside of this state. */
  revision: number
}

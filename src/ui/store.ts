/** The state of the program on the screen, outside of React, and the functions that change it. */

import { createStore, type StoreApi } from 'zustand/vanilla'
import { type BoundAction, bind, valid } from '../actions/action.ts'
import { globalActions, type Program } from '../actions/global.ts'
import type { Services } from '../actions/services.ts'
import { asFault, isAbort } from '../base/errors.ts'
import { safe } from '../base/text.ts'
import { createJournalScreen } from './journal/journal.ts'
import { bodySize, type Size } from './layout.ts'
import { createPromptInput } from './prompt.ts'
import type { Screen } from './screen.ts'
import { createTasks } from './tasks.ts'
import type { Theme } from './theme.ts'
import type { Next, Overlay, ToastKind, Ui, UiState } from './ui.ts'
import { createChoice, createConfirm } from './widgets/confirm.ts'
import { createErrorBox } from './widgets/error-box.ts'
import { createForm } from './widgets/form.ts'
import { createHelp } from './widgets/help.ts'
import { createPalette } from './widgets/palette.ts'

/** What the program needs of the terminal that it runs in. */
export interface Terminal {
  /** Gives the terminal away while `run` runs. */
  handOver(run: () => Promise<void>): Promise<void>
  /** Stops the process group until it is continued. */
  suspend(): Promise<void>
  /** False when the text is too long for the terminal. */
  copy(text: string): boolean
  page(lines: readonly string[]): Promise<void>
  setMouse(on: boolean): void
  exit(): void
}

export interface UiOptions {
  services: Services
  theme: Theme
  size: Size
  /** Makes the Explorer. */
  explorer(ui: Ui, reference: string): Screen
  /** The outermost screens, of which one is shown at a time; made when they are first shown. */
  homes?: readonly Home[]
}

/** An outermost screen, reached by its number. */
export interface Home {
  title: string
  make(ui: Ui): Screen
}

export interface Host extends Ui {
  readonly store: StoreApi<UiState>
  readonly state: () => UiState
  /** The screen on top. */
  top(): Screen | undefined
  /** Everything that can be done now, innermost scope first. */
  validActions(): BoundAction[]
  allActions(): readonly BoundAction[]
  scopes(): readonly string[]
  resize(size: Size): void
  attach(terminal: Terminal): void
  /** Closes every screen; resolves when all that they held is let go. */
  close(): Promise<void>
  open(overlay: Overlay): void
  dismiss(overlay: Overlay): void
  /** A promise of an action that nobody waits for: its failure is shown. */
  watch(result: void | Promise<void>, doing: string): void
  back(): void
  /** The titles of the outermost screens, and which of them is shown; null where there is only one. */
  homes(): { titles: readonly string[]; at: number } | null
  /** Shows an outermost screen in place of the one that is shown; nothing while another screen covers it. */
  goHome(at: number): void
  /** Draws everything anew, whatever is on the terminal. */
  redraw(): void
}

/** How long a toast stays, milliseconds. */
const TOAST_TIME = 4000

/** The program's state and everything that changes it, without a terminal yet. */
export function createHost(options: UiOptions): Host {
  const store = createStore<UiState>()(() => ({
    size: options.size,
    screens: [],
    overlays: [],
    prompt: null,
    toast: null,
    tasks: [],
    mouse: false,
    revision: 0,
  }))
  const set = store.setState
  const get = store.getState
  const { homes = [] } = options
  const made: (Screen | undefined)[] = []
  let home = 0
  let terminal: Terminal | null = null
  let unsubscribe = () => {}
  let toastTimer: NodeJS.Timeout | undefined

  const top = () => get().screens.at(-1)
  const changed = () => set(state => ({ revision: state.revision + 1 }))
  const show = (screens: readonly Screen[]) => {
    unsubscribe()
    set({ screens, prompt: null })
    const screen = screens.at(-1)
    unsubscribe = screen?.subscribe(changed) ?? (() => {})
    screen?.shown?.()
  }
  const open = (overlay: Overlay) => set(state => ({ overlays: [...state.overlays, overlay] }))
  const dismiss = (overlay: Overlay) => {
    set(state => ({ overlays: state.overlays.filter(one => one !== overlay) }))
  }
  const scopes = () => [...(top()?.scopes() ?? []), 'global']
  const allActions = () => [...(top()?.actions ?? []), ...own]
  const validActions = () => valid(allActions(), scopes())

  const toast = (text: string, kind: ToastKind = 'info', next?: Next) => {
    clearTimeout(toastTimer)
    toastTimer = setTimeout(() => set({ toast: null }), next ? 2 * TOAST_TIME : TOAST_TIME).unref()
    set({ toast: { text: safe(text), kind, next } })
  }
  const fail = (error: unknown, doing: string) => {
    if (isAbort(error) || isAbort((error as { cause?: unknown } | null)?.cause)) return toast('Cancelled.')
    open(createErrorBox(host, asFault(error, doing)))
  }
  const watch = (result: void | undefined | Promise<void>, doing: string) => {
    if (result instanceof Promise) result.catch(error => fail(error, doing))
  }
  const tasks = createTasks(store, fail)

  const host: Host = {
    services: options.services,
    store,
    state: get,
    top,
    changed,
    open,
    dismiss,
    scopes,
    allActions,
    validActions,
    toast,
    fail,
    watch,
    work: tasks.work,
    prompt: createPromptInput(store),
    theme: () => options.theme,
    size: () => get().size,
    bodySize: () => bodySize(get().size),
    resize: size => set({ size }),
    attach: one => {
      terminal = one
    },
    push(screen) {
      top()?.hidden?.()
      show([...get().screens, screen])
    },
    pop() {
      const screen = top()
      if (get().screens.length <= 1) return host.quit()
      show(get().screens.slice(0, -1))
      watch(screen?.close?.(), 'Leaving the screen')
    },
    homes: () => (homes.length > 1 ? { titles: homes.map(one => one.title), at: home } : null),
    goHome(at) {
      if (get().screens.length > 1 || !homes[at] || (at === home && made[at])) return
      top()?.hidden?.()
      home = at
      made[at] ??= homes[at].make(host)
      show([made[at]])
    },
    reveal(id, key) {
      const at = homes.findIndex((one, index) => (made[index]?.id ?? one.title.toLowerCase()) === id)
      if (at < 0) return top()?.reveal?.(key)
      while (get().screens.length > 1) host.pop()
      host.goHome(at)
      made[at]?.reveal?.(key)
    },
    explore: reference => host.push(options.explorer(host, reference)),
    quit: () => terminal?.exit(),
    confirm: question => createConfirm(host, question),
    choose: menu => createChoice(host, menu),
    form: form => createForm(host, form),
    copy(text, what) {
      const bytes = Buffer.byteLength(text)
      if (terminal?.copy(text)) toast(`copied ${what} (${bytes} B)`)
      else toast(`${what} is too long for the terminal's clipboard (${bytes} B)`, 'warning')
    },
    handOver: async run => terminal?.handOver(run),
    redraw: () =>
      watch(
        terminal?.handOver(async () => {}),
        'The screen can not be drawn',
      ),
    page: async lines => terminal?.page(lines),
    back() {
      if (!closeSomething()) host.pop()
    },
    async close() {
      unsubscribe()
      clearTimeout(toastTimer)
      tasks.cancelAll()
      const { screens, overlays } = get()
      set({ screens: [], overlays: [], prompt: null })
      for (const overlay of overlays) overlay.dismissed?.()
      const others = made.filter(one => one !== undefined && !screens.includes(one)) as Screen[]
      await Promise.allSettled([...others, ...screens].reverse().map(async screen => screen.close?.()))
    },
  }

  const closeSomething = () => tasks.cancel() || (top()?.back?.() ?? false)
  const program: Program = {
    back: host.back,
    close: () => void closeSomething(),
    atTop: () => get().screens.length <= 1,
    help: () => open(createHelp(host)),
    palette: () => open(createPalette(host)),
    journal: () => host.push(createJournalScreen(host)),
    canJournal: () => get().screens.every(one => one.id !== 'journal'),
    redraw: () =>
      watch(
        host.handOver(async () => {}),
        'The screen can not be drawn',
      ),
    suspend: () => watch(terminal?.suspend(), 'The program can not be stopped'),
    mouse() {
      const mouse = !get().mouse
      terminal?.setMouse(mouse)
      set({ mouse })
      toast(mouse ? 'mouse on: hold shift to select text' : 'mouse off')
    },
    quit: host.quit,
    goHome: host.goHome,
    canGoHome: at => get().screens.length === 1 && homes.length > 1 && at < homes.length && at !== home,
  }
  const own = bind(globalActions, program)
  return host
}

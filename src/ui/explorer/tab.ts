/** What a tab on the right of the Explorer is, and what all tabs look at. */
import type { Pane } from '../../actions/explorer.ts'
import type { Move } from '../../actions/moving.ts'
import type { Stack } from '../../layer/stack.ts'
import type { Image } from '../../source/types.ts'
import type { NoteWorld } from '../panes/notes.ts'
import type { Theme } from '../theme.ts'
import type { Filter } from './filter-language.ts'
import type { FilterWorld } from './filter-match.ts'
import type { Scene } from './scene.ts'
import { runSliced, type Sliced, type Slicer } from './slices.ts'
import type { SortOrder } from './tree-order.ts'

/** What the tabs look at. The screen owns it; it is different whenever `update` of a tab is called. */
export interface Look {
  readonly image: Image
  readonly stack: Stack
  readonly world: NoteWorld & FilterWorld
  /** The step under the cursor, 1-based. */
  step: number
  /** null until the first layer lies in the stack. */
  scene: Scene | null
  sort: SortOrder
  onlyChanges: boolean
  /** The last good filter; null when none stands. */
  filter: Filter | null
  /** Something that is drawn is different. */
  changed(): void
  /** Work in the background went wrong: it is shown, and everything else stays usable. */
  failed(error: unknown): void
  readonly slicer: Slicer
}

export interface TabView {
  columns: number
  rows: number
  focused: boolean
}

export interface Tab {
  readonly name: string
  readonly pane: Pane
  /** Makes its rows anew where what it looks at is different. */
  update(): void
  /** Exactly `rows` lines of `columns`. */
  draw(theme: Theme, view: TabView): string[]
  move(by: Move): void
  /** Moves the cursor to a visible line, counted from the first one of `draw`; true when it stood there before. */
  point(line: number): boolean
  /** Where the cursor is, in words: `3 of 41 207`. */
  footer(): string
  /** The node under the cursor, null where there is none. */
  node(): number | null
  /** What `enter` does with the row; false: nothing. */
  enter(): boolean
  /** What `y` copies, with what it is. */
  copies(): { text: string; what: string }[]
  /** Whether rows are being made. */
  busy(): boolean
  /** Paths have other nodes now: of what it keeps by node, the new one of each, -1 for a path that is forgotten. */
  renumber?(now: (node: number) => number): void
  /** It is on the screen now, or is not any more: what costs something goes on only while it is. */
  attend?(shown: boolean): void
  close(): void
}

/** Runs the newest of several computations to its end and drops the older ones. */
export interface Latest {
  run<T>(work: Sliced<T>, done: (result: T) => void): void
  busy(): boolean
  drop(): void
}

export function latest({ slicer, changed, failed }: Pick<Look, 'slicer' | 'changed' | 'failed'>): Latest {
  let drop = () => {}
  let busy = false
  return {
    run(work, done) {
      drop()
      busy = true
      drop = runSliced(
        work,
        result => {
          busy = false
          done(result)
          changed()
        },
        {
          slicer,
          failed(error) {
            busy = false
            failed(error)
          },
        },
      )
    },
    busy: () => busy,
    drop() {
      drop()
      busy = false
    },
  }
}

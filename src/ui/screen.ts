/** What a screen is: its own state outside of React, and a function that draws it. */
import type { BoundAction } from '../actions/action.ts'
import type { Size } from './layout.ts'
import type { MouseEvent } from './terminal/events.ts'
import type { Theme } from './theme.ts'
import type { Part } from './widgets/line.ts'

export interface Place {
  label: string
  /** What it is, in a word or two. */
  detail: string
  go(): void
}

export interface Screen {
  readonly id: string
  /** Its name in the breadcrumb, harmless text. */
  title(): string
  /** The right end of the breadcrumb line, most important first; the last ones are dropped where it is narrow. */
  summary?(theme: Theme): readonly (string | readonly Part[])[]
  /** The scopes whose actions are valid now, innermost first. The app adds `global`. */
  scopes(): readonly string[]
  readonly actions: readonly BoundAction[]
  /** The body: exactly `size.rows` lines of exactly `size.columns` columns. Reads its own state and nothing else. */
  draw(size: Size, theme: Theme): string[]
  /** Calls back whenever what `draw` shows may have changed; the returned function ends that. */
  subscribe(changed: () => void): () => void
  /** Things that the palette finds beside the actions: harmless labels, and how to get there. */
  places?(): readonly Place[]
  /** Puts its cursor on a thing of its own, now or when it comes. */
  reveal?(key: string): void
  /** `esc`: true when it closed something of its own; otherwise the app leaves the screen. */
  back?(): boolean
  /** Columns and rows of the body, 0-based. */
  mouse?(event: MouseEvent): void
  /** It is on top: new, or uncovered again. */
  shown?(): void
  /** Another screen covers it. */
  hidden?(): void
  /** It has been left for good: stops what it started. */
  close?(): void | Promise<void>
}

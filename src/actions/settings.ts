/** What the program remembers of the person's answers, from one run to the next. */

export interface Settings {
  /** Whether an engine's helper container may take the place of an export (`--fast-remote`); missing: it is asked. */
  fastRemote?: 'always' | 'never' | undefined
}

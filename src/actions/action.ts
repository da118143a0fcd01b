/**
 * What a person can do, as data. Keys, hints, help, palette and the README's key table are all read from these records;
 * nothing else decides what a key does.
 */

export interface Action<C> {
  /** `scope.verb`, unique. */
  id: string
  /** What it does, as help and palette show it. */
  title: string
  /** Names of keys (`a`, `A`, `enter`, `ctrl-d`, `f1`); the first is the one that hints show. */
  keys: readonly string[]
  /** Where it is valid: a screen (`explorer`), a pane of it (`explorer.tree`) or everywhere (`global`). */
  scope: string
  /** The word on the hint line; without it the action is never hinted at. */
  hint?: string
  /** How useful the hint is, 0 to 100, 50 when it is not said: the least useful is dropped first on a narrow screen. */
  worth?: number
  /** Changes or removes something that can not be brought back: shown as such. */
  danger?: boolean
  /** Whether it can be done now; without it always. */
  needs?(context: C): boolean
  run(context: C): void | Promise<void>
}

/** An action with the thing that it acts on. */
export interface BoundAction extends Omit<Action<never>, 'needs' | 'run'> {
  possible(): boolean
  run(): void | Promise<void>
}

/** The actions of a screen bound to what they act on. */
export function bind<C>(actions: readonly Action<C>[], context: C): BoundAction[] {
  return actions.map(({ needs, run, ...rest }) => ({
    ...rest,
    possible: () => needs?.(context) ?? true,
    run: () => run(context),
  }))
}

/** The actions that are valid in these scopes now, those of the innermost scope first, each scope in its own order. */
export function valid(actions: readonly BoundAction[], scopes: readonly string[]): BoundAction[] {
  return scopes.flatMap(scope => actions.filter(action => action.scope === scope && action.possible()))
}

/** The action that a key means: the innermost scope's first one that is possible; null when the key means nothing. */
export function resolve(key: string, actions: readonly BoundAction[], scopes: readonly string[]): BoundAction | null {
  for (const scope of scopes) {
    for (const action of actions) {
      if (action.scope === scope && action.keys.includes(key) && action.possible()) return action
    }
  }
  return null
}

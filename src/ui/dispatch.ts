/** Where a key goes: to what lies on top, then to the line of text, then to the actions that are valid here. */
import { resolve } from '../actions/action.ts'
import { promptInput } from './prompt.ts'
import type { Host } from './store.ts'
import type { InputEvent, KeyEvent, MouseEvent } from './terminal/events.ts'

/** These work whatever is on the screen. */
const always = new Set(['ctrl-c', 'ctrl-z', 'ctrl-l'])

/** Handles the events of one read, in order. What an action throws is shown; it never ends the program. */
export function dispatch(host: Host, events: readonly InputEvent[]): void {
  for (const event of events) {
    try {
      handle(host, event)
    } catch (error) {
      host.fail(error, 'That did not work')
    }
  }
}

function handle(host: Host, event: InputEvent): void {
  const { overlays, toast } = host.state()
  if (toast && event.kind === 'key') host.store.setState({ toast: null })
  const shown = overlays.length === 0 && host.state().prompt === null ? toast?.next : undefined
  if (shown && event.kind === 'key' && event.key === shown.key) return host.watch(shown.run(), shown.label)
  if (event.kind === 'key' && always.has(event.key)) return act(host, event)
  const overlay = overlays.at(-1)
  if (overlay) {
    overlay.input(event)
    return host.changed()
  }
  if (promptInput(host.store, event)) return
  if (event.kind === 'key') act(host, event)
  else if (event.kind !== 'paste') point(host, event)
}

function act(host: Host, event: KeyEvent): void {
  const action = resolve(event.key, host.allActions(), host.scopes())
  if (action) host.watch(action.run(), `${action.title} did not work`)
}

/** The mouse in the coordinates of the screen's body. */
function point(host: Host, event: MouseEvent): void {
  const y = event.y - 1
  if (y < 0 || y >= host.bodySize().rows) return
  host.top()?.mouse?.({ ...event, y })
}

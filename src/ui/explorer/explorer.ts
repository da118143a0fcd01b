/**
 * The Explorer: an image, its steps on the left, what they hold and do on the right. The first frame is drawn from the
 * config and the history; layers fill in as they land.
 */
import { type BoundAction, bind } from '../../actions/action.ts'
import { explorerActions } from '../../actions/explorer.ts'
import { liveActions } from '../../actions/live.ts'
import { containerOf } from '../../actions/services.ts'
import { asFault, type Fault, isAbort } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { Image } from '../../source/types.ts'
import { askHelper } from '../ask-helper.ts'
import { type Size, twoPanes } from '../layout.ts'
import { wrap } from '../panes/wrap.ts'
import type { Place, Screen } from '../screen.ts'
import type { MouseEvent } from '../terminal/events.ts'
import type { Theme } from '../theme.ts'
import type { Ui } from '../ui.ts'
import { exactly, type Part } from '../widgets/line.ts'
import { createContext, type Opened, paneOf } from './context.ts'
import { drawExplorer, messageLines, type Places, summaryOf } from './draw.ts'
import { createLiveContext, showNewest } from './live-context.ts'
import { measureReading } from './reading.ts'
import { createSession } from './session.ts'
import { createTabs } from './tabs.ts'

/** The screen for an image by reference; it opens the image when it is shown for the first time. */
export function createExplorer(ui: Ui, reference: string): Screen {
  const listeners = new Set<() => void>()
  const abort = new AbortController()
  let opened: Opened | null = null
  let fault: Fault | null = null
  let started = false
  let places: Places = { layers: null, view: null }

  const changed = () => {
    for (const listener of listeners) listener()
  }
  const actions: BoundAction[] = []

  const open = async () => {
    started = true
    fault = null
    try {
      const image = await ui.services.open(reference, { signal: abort.signal, mayHelp: offer => askHelper(ui, offer) })
      if (abort.signal.aborted) return void image.close().catch(() => {})
      // A bare name may have meant a container: then the image says which.
      const container = image.live ? (containerOf(reference) ?? containerOf(image.reference)) : null
      opened = makeOpened(ui, image, {
        container,
        now: ui.services.now,
        changed,
        failed: error => ui.fail(error, 'Something went wrong in the background'),
        places: () => places,
      })
      if (container) actions.push(...bind(liveActions, createLiveContext(ui, container, opened)))
      actions.push(...bind(explorerActions, createContext(ui, opened)))
    } catch (error) {
      if (abort.signal.aborted || isAbort(error)) return
      fault = asFault(error, `${safe(reference)} can not be opened`)
    }
    changed()
  }

  return {
    id: 'explorer',
    title: () => safe(opened?.image.names[0] ?? reference),
    summary: theme => (opened ? summaryOf(theme, opened.session) : []),
    scopes: () => (opened ? [paneOf(opened) === 'logs' ? 'logs' : `explorer.${paneOf(opened)}`, 'explorer'] : []),
    get actions() {
      // What the Logs tab shows has keys of its own.
      return opened && paneOf(opened) === 'logs' ? [...actions, ...opened.logs!.actions()] : actions
    },
    draw(size, theme) {
      if (fault) return messageLines(theme, size, 'This did not work', faultLines(theme, fault, size))
      if (!opened) return messageLines(theme, size, `Opening ${safe(reference)} …`, [])
      opened.narrow = twoPanes(size.columns) === null
      const drawn = drawExplorer(theme, size, opened)
      places = drawn.places
      attend(opened, places.view !== null)
      return exactly(drawn.lines, size.columns, size.rows)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    places: () => (opened ? stepPlaces(opened) : []),
    back: () => (opened ? goBack(opened) : false),
    mouse(event) {
      if (opened) point(opened, places, event)
    },
    shown() {
      if (!started) void open()
    },
    hidden() {
      if (opened) attend(opened, false)
    },
    close() {
      abort.abort()
      listeners.clear()
      opened?.session.close()
      for (const tab of opened?.tabs ?? []) tab.close()
      opened?.held?.close()
      void opened?.image.close().catch(() => {})
    },
  }
}

interface OpenedOptions {
  container: ReturnType<typeof containerOf>
  now(): number
  changed(): void
  failed(error: unknown): void
  places(): Places
}

function makeOpened(ui: Ui, image: Image, { container, now, changed, failed, places }: OpenedOptions): Opened {
  let ready: Opened | null = null
  const session = createSession(image, {
    changed() {
      ready?.reading.tick()
      changed()
    },
    renumbered(node) {
      for (const tab of ready?.tabs ?? []) tab.renumber?.(node)
    },
    looked() {
      ready?.update()
      if (ready?.following) showNewest(ready)
    },
    failed,
    now,
  })
  const { all: tabs, ...named } = createTabs(ui, session, container)
  const stale = new Set<number>()
  const opened: Opened = {
    image,
    session,
    ...named,
    tabs,
    tab: 0,
    attended: null,
    focus: 'layers',
    narrow: false,
    reading: measureReading(session.loading, now),
    filterError: null,
    following: false,
    changed,
    update() {
      tabs.forEach((_, at) => {
        stale.add(at)
      })
      opened.show(opened.tab)
    },
    show(at) {
      opened.tab = at
      if (stale.delete(at)) tabs[at]!.update()
    },
    layerRows: () => places().layers?.rows ?? 10,
  }
  ready = opened
  opened.update()
  return opened
}

/** Tells the tabs which of them is on the screen. */
function attend(opened: Opened, shown: boolean): void {
  const now = shown ? opened.tabs[opened.tab]! : null
  const { attended } = opened
  if (now === attended) return
  opened.attended = now
  attended?.attend?.(false)
  now?.attend?.(true)
}

/** So many steps the palette knows. */
const MOST_PLACES = 1000

function stepPlaces(opened: Opened): Place[] {
  const { session } = opened
  return session
    .rows()
    .slice(0, MOST_PLACES)
    .map(row => ({
      label: `${row.step} ${row.command}`,
      detail: 'step',
      go() {
        session.selectStep(row.step, opened.layerRows())
        opened.changed()
      },
    }))
}

/** `esc` goes back one thing at a time: reading, filter, range, what is shown only. */
function goBack(opened: Opened): boolean {
  const { session } = opened
  const { look } = session
  if (paneOf(opened) === 'logs' && opened.logs?.back()) return true
  if (!session.loading().over()) session.loading().cancel()
  else if (look.filter || opened.filterError) {
    opened.filterError = null
    look.filter = null
    opened.update()
  } else if (session.range()) session.setRange(null)
  else if (look.onlyChanges) {
    look.onlyChanges = false
    opened.update()
  } else if (opened.narrow && opened.focus === 'view') opened.focus = 'layers'
  else return false
  opened.changed()
  return true
}

function point(opened: Opened, places: Places, event: MouseEvent): void {
  const inside = (place: Places['view']) =>
    place !== null &&
    event.x >= place.x &&
    event.x < place.x + place.columns &&
    event.y >= place.y &&
    event.y < place.y + place.rows
  const where = inside(places.layers) ? 'layers' : inside(places.view) ? 'view' : null
  if (!where) return
  const place = places[where]!
  if (event.kind === 'wheel') {
    if (where === 'view') opened.tabs[opened.tab]!.move(event.by * 3)
    else opened.session.select(opened.session.list().cursor + event.by, place.rows)
  } else if (event.kind === 'press') {
    opened.focus = where
    const line = event.y - place.y
    if (where === 'layers') {
      const { top } = opened.session.list()
      if (line > 0) opened.session.select(top + line - 1, place.rows - 1)
    } else if (opened.tabs[opened.tab]!.point(line)) opened.tabs[opened.tab]!.enter()
  } else return
  opened.changed()
}

function faultLines(theme: Theme, fault: Fault, size: Size): Part[] {
  const columns = Math.max(8, size.columns - 4)
  return [
    ...wrap(safe(fault.message), columns).map((text): Part => [theme.danger, text]),
    '',
    ...(fault.hint ? wrap(safe(fault.hint), columns) : []),
  ]
}

/** The Containers screen: the containers of every engine, what they do, and what can be done with them. */
import { createStore } from 'zustand/vanilla'
import { bind } from '../../actions/action.ts'
import { verbLine } from '../../actions/by-hand.ts'
import { type ContainersContext, containersActions, type Deed } from '../../actions/containers.ts'
import { containerReference } from '../../actions/services.ts'
import { safe } from '../../base/text.ts'
import type { WatchedEngine, Watching } from '../../engine/watching.ts'
import type { Screen } from '../screen.ts'
import type { Ui } from '../ui.ts'
import { keepVisible, type ListState, moveList } from '../widgets/list.ts'
import { act, some, targetsOf } from './acting.ts'
import { createArrivals } from './arrivals.ts'
import { deedsOf } from './deeds.ts'
import { type ContainersModel, drawContainers, enginesSummary, layoutOf, listHeight, logRoom } from './draw.ts'
import { createFacts } from './facts.ts'
import { inspectScreen } from './inspect.ts'
import { chooseSignal } from './killing.ts'
import type { LogTarget } from './log-source.ts'
import { createLogs } from './logs.ts'
import { createPace } from './pace.ts'
import { createPreview } from './preview.ts'
import { rememberRows } from './remember.ts'
import { type ContainerRow, isMeasured, type Measured, type Order, orders } from './rows.ts'
import { shellIn } from './shell.ts'
import { usageCost } from './table.ts'
import { type Usage, type UsageTarget, watchUsage } from './usage.ts'
import { type MoreFacts, sinceWords } from './words.ts'

interface ContainersState {
  engines: readonly WatchedEngine[]
  filter: string
  order: Order
  runningOnly: boolean
  /** CPU and memory are neither asked for nor shown. */
  noUsage: boolean
  /** When rows that are measured were sorted last. */
  sorted: number
  list: ListState
  /** The row under the cursor: the cursor stays on it whatever happens to the rows around it. */
  key: string | null
  marks: ReadonlySet<string>
  /** What is being done, by row. */
  doing: ReadonlyMap<string, string>
  /** Counts what changed elsewhere: samples, facts, lines of the log. */
  revision: number
}

/** Logs that are read as one. */
const MOST_LOGS = 32
/** Containers whose usage is watched at once. */
const MOST_MEASURED = 128
/** Milliseconds between two times that rows change places by themselves. */
const CALM = 5_000
/** Milliseconds after which what was `just now` may not be any more. */
const TICK = 15_000

/** The list of containers. It watches the engines from when it is first shown until it is closed. */
export function createContainers(ui: Ui): Screen {
  const store = createStore<ContainersState>()(() => ({
    engines: [],
    filter: '',
    order: { by: 'state', turned: false },
    runningOnly: false,
    noUsage: false,
    sorted: 0,
    list: { cursor: 0, top: 0 },
    key: null,
    marks: new Set(),
    doing: new Map(),
    revision: 0,
  }))
  const { getState: get } = store
  const { containers: service } = ui.services
  const changed = () => store.setState(state => ({ revision: state.revision + 1 }))
  const pace = createPace()
  const usage = watchUsage({
    pace,
    cost: (before, now) => (get().noUsage ? 0 : usageCost(ui.theme(), before, now)),
    changed: () => {
      sortAgain()
      changed()
    },
  })
  const facts = createFacts(changed)
  const arrivals = createArrivals()
  const rowsOf = rememberRows((row, what) => measureOf(what, facts.get(row), usage.get(row.key)))
  const preview = createPreview({
    room: () => logRoom(ui.bodySize()),
    pace,
    rested: row => facts.wantSize(row),
    changed,
  })
  let watching: Watching | null = null
  /** The row that the cursor goes to as soon as it is there. */
  let wanted: string | null = null
  let visible = false
  let ticking: NodeJS.Timeout | null = null

  const rows = () => rowsOf(get()).shown
  const row = (): ContainerRow | undefined => rows()[get().list.cursor]
  const height = () => listHeight(ui.bodySize(), get().engines)
  /** Changes the state; the cursor goes where its row has gone. */
  const set = (change: Partial<ContainersState>) => {
    const state = { ...get(), ...change }
    const { shown, all } = rowsOf(state)
    const revealed = wanted === null ? -1 : shown.findIndex(one => one.key === wanted)
    if (revealed >= 0) wanted = null
    const found = revealed >= 0 ? revealed : shown.findIndex(one => one.key === state.key)
    const list = keepVisible(found < 0 ? state.list : { ...state.list, cursor: found }, shown.length, height())
    const there = new Set(all.map(one => one.key))
    const marks = new Set([...state.marks].filter(key => there.has(key)))
    // Engines answer one after the other: until all have, who has not moved yet stays at the top.
    const settled = state.key !== null || state.engines.every(one => one.health.state !== 'connecting')
    store.setState({ ...change, list, marks, key: settled ? (shown[list.cursor]?.key ?? state.key) : null })
    look()
  }
  /** Asks for what is on the screen and not known yet, and ends what is not on it any more. */
  const look = () => {
    const { list } = get()
    const inView = visible ? rows().slice(list.top, list.top + height()) : []
    facts.want(inView)
    usage.want(visible ? measuredRows(inView) : [])
    preview.look(visible ? row() : undefined)
  }
  /** Those whose usage is asked for: those in view; to sort by it all of them, within reason. */
  const measuredRows = (inView: readonly ContainerRow[]): UsageTarget[] => {
    const { noUsage, order } = get()
    if (noUsage) return []
    const all = order.by === 'cpu' || order.by === 'memory' ? [...new Set([...inView, ...rows()])] : inView
    return all
      .flatMap(({ key, engine, stale, container }) =>
        engine && !stale && container.state === 'running' && engine.containers.capabilities.stats
          ? [{ key, engine, id: container.id }]
          : [],
      )
      .slice(0, MOST_MEASURED)
  }
  /** What is sorted by what is measured changes places by itself, but not all the time. */
  const sortAgain = () => {
    const { order, sorted } = get()
    if (isMeasured(order.by) && performance.now() - sorted > CALM) set({ sorted: performance.now() })
  }
  /** It may be lost and come back, end and start again, while its log is read. */
  const logTarget = ({ key, container }: ContainerRow): LogTarget => {
    const now = () => rowsOf(get()).all.find(one => one.key === key)
    return {
      id: container.id,
      name: container.name,
      engine: () => now()?.engine ?? null,
      runs: () => now()?.container.state === 'running',
      onChange: told => store.subscribe(told),
    }
  }
  /** The marked rows, those too that the filter hides; without marks the one under the cursor. */
  const chosen = (): ContainerRow[] => {
    const marked = rowsOf(get()).all.filter(one => get().marks.has(one.key))
    return marked.length > 0 ? marked : rows().slice(get().list.cursor, get().list.cursor + 1)
  }
  const unseen = () => get().marks.size > 0 && chosen().some(one => !rows().includes(one))
  const idle = (deed: Deed) => targetsOf(deed, chosen()).filter(one => !busy(one))
  const mark = ({ key }: ContainerRow, what: string | null) => {
    const doing = new Map(get().doing)
    if (what === null) doing.delete(key)
    else doing.set(key, what)
    store.setState({ doing })
  }
  const busy = (one: ContainerRow) => get().doing.has(one.key)

  const watch = () => {
    watching ??= begin()
    set({ engines: watching.snapshot() })
  }
  const begin = (): Watching => {
    const begun = service.watch()
    begun.subscribe(() => {
      const engines = begun.snapshot()
      const said = arrivals(engines)
      set({ engines })
      if (said !== null && visible) ui.toast(said)
    })
    begun.onEvent((engine, { kind, action, id }) => {
      if (kind !== 'container' || !tellsMore.has(action)) return
      facts.forget(engine, id)
      if (action === 'start') usage.forget(`${engine} ${id}`)
      look()
    })
    return begun
  }

  const context: ContainersContext = {
    hasRow: () => row() !== undefined,
    hasRows: () => rowsOf(get()).all.length > 0,
    can: deed => !service.readOnly && targetsOf(deed, chosen()).some(one => !busy(one)),
    act: deed => act(ui, deed, idle(deed), { mark, unseen: unseen() }),
    async kill() {
      const targets = idle('kill')
      const about = targets.map(one => `${safe(one.container.name)}  ${safe(one.engineId)}`)
      const signal = await chooseSignal(ui, `A signal to ${some(targets.length)}`, about)
      if (signal !== null) await act(ui, 'kill', targets, { mark, how: { signal } })
    },
    ...deedsOf(ui, row),
    runs: () => {
      const here = row()
      return !service.readOnly && here?.engine != null && !here.stale && here.container.state === 'running'
    },
    async shell() {
      const here = row()
      if (here) await shellIn(ui, here.engineId, here.container)
    },
    canRename: () => !service.readOnly && row()?.engine != null,
    rename() {
      const here = row()
      if (!here?.engine) return
      const { engine, container } = here
      ui.prompt({
        label: `rename ${safe(container.name)} to`,
        text: container.name,
        submit(name) {
          if (name.trim() === '' || name.trim() === container.name) return
          const fresh = name.trim()
          const command = verbLine(engine, ['rename'], [container.name, fresh])
          const deed = { what: `renamed ${container.name} to ${fresh}`, engine: here.engineId, command }
          ui.services.journal
            .record(deed, () => engine.containers.rename(container.id, fresh))
            .then(
              () => ui.toast(`${container.name} is ${fresh} now`),
              error => ui.fail(error, `${safe(container.name)} could not be renamed`),
            )
        },
      })
    },
    explore() {
      const here = row()
      if (here) ui.explore(containerReference(here.engineId, here.container.name))
    },
    async inspect() {
      const here = row()
      if (!here?.engine) return ui.toast('Its engine is lost.', 'warning')
      const { engine, container } = here
      const found = await ui.work('Asking', ({ signal }) => engine.containers.inspect(container.id, { signal }))
      if (found) ui.push(inspectScreen(ui, container.name, found.raw))
    },
    logs() {
      const all = chosen().filter(one => one.engine !== null)
      if (all.length === 0) return ui.toast('Its engine is lost.', 'warning')
      if (all.length > MOST_LOGS) ui.toast(`Of ${all.length} marked ones the first ${MOST_LOGS} are read.`, 'warning')
      ui.push(createLogs(ui, all.slice(0, MOST_LOGS).map(logTarget)))
    },
    copy() {
      const all = chosen()
      const names = all.map(one => one.container.name)
      ui.copy(names.join('\n'), names.length === 1 ? safe(names[0]!) : `${names.length} names`)
    },
    filter() {
      ui.prompt({
        label: 'filter',
        text: get().filter,
        pass: true,
        change: filter => set({ filter }),
        submit: filter => set({ filter }),
        cancel: () => set({ filter: '' }),
        status: () => `${rows().length} of ${rowsOf(get()).all.length}`,
      })
    },
    async sort() {
      const { order } = get()
      const at = orders.findIndex(one => one.by === order.by)
      const items = orders.map(one => ({ ...one, detail: one.by === order.by ? 'again turns it round' : '' }))
      const choice = await ui.choose({ title: 'Sort by', items, at })
      if (choice === null) return
      const { by } = orders[choice]!
      set({ order: { by, turned: by === order.by ? !order.turned : false }, sorted: performance.now() })
      if (by === 'size') for (const one of rowsOf(get()).all.slice(0, MOST_MEASURED)) facts.wantSize(one)
    },
    mark() {
      const here = row()
      if (!here) return
      const marks = new Set(get().marks)
      if (!marks.delete(here.key)) marks.add(here.key)
      store.setState({ marks })
      context.move(1)
    },
    toggleAll: () => set({ runningOnly: !get().runningOnly }),
    toggleUsage() {
      set({ noUsage: !get().noUsage })
      ui.toast(get().noUsage ? 'CPU and memory are not asked for.' : 'CPU and memory are shown again.')
    },
    refresh: () => watching?.refresh(),
    move(by) {
      const all = rows()
      const list = moveList(get().list, by, all.length, height())
      store.setState({ list, key: all[list.cursor]?.key ?? null })
      look()
    },
  }

  const model = (): ContainersModel => {
    const state = get()
    const { all, shown } = rowsOf(state)
    return {
      ...state,
      all,
      rows: shown,
      rested: shown.find(one => one.key === preview.key()) ?? row(),
      tail: preview.log(),
      known: {
        facts: facts.get,
        usage: one => usage.get(one.key),
        doing: one => state.doing.get(one.key),
        noUsage: state.noUsage,
        now: ui.services.now(),
      },
    }
  }
  /** Nothing tells that time goes by. */
  const tick = () => {
    const now = ui.services.now()
    const { list } = get()
    const words = rows()
      .slice(list.top, list.top + height())
      .map(one => sinceWords(one.container, facts.get(one), now))
      .join()
    if (words !== since) changed()
    since = words
  }
  let since = ''
  const cover = () => {
    visible = false
    if (ticking) clearInterval(ticking)
    ticking = null
    look()
  }

  return {
    id: 'containers',
    title: () => 'Containers',
    summary: theme => enginesSummary(theme, get().engines),
    scopes: () => ['containers'],
    actions: bind(containersActions, context),
    places: () =>
      rowsOf(get()).all.map(({ engineId, container }) => ({
        label: safe(container.name),
        detail: 'container',
        go: () => ui.explore(containerReference(engineId, container.name)),
      })),
    reveal(key) {
      wanted = key
      const { filter, runningOnly } = get()
      const hidden = rowsOf(get()).all.some(one => one.key === key) && !rows().some(one => one.key === key)
      set(hidden ? { filter: '', runningOnly: false } : { filter, runningOnly })
      watching?.refresh(key.split(' ')[0])
    },
    draw: (size, theme) => drawContainers(size, theme, model()),
    subscribe: store.subscribe,
    back() {
      if (get().filter !== '') set({ filter: '' })
      else if (get().marks.size > 0) store.setState({ marks: new Set() })
      else return false
      return true
    },
    mouse(event) {
      if (event.kind === 'wheel') context.move(event.by * 3)
      if (event.kind !== 'press' || event.button !== 0) return
      const { list } = layoutOf(ui.bodySize())
      const line = event.y - (list.rows - 1 - height())
      const index = get().list.top + line
      if (event.x < list.columns && line >= 0 && line < height() && index < rows().length)
        context.move(index - get().list.cursor)
    },
    shown() {
      visible = true
      ticking ??= setInterval(tick, TICK)
      watch()
    },
    hidden: cover,
    close() {
      cover()
      facts.close()
      watching?.close()
    },
  }
}

/** Events after which an engine has more to say of a container than its list does. */
const tellsMore = new Set(['start', 'die', 'oom', 'restart', 'stop', 'kill', 'pause', 'unpause', 'rename', 'update'])

/** null: not known. */
function measureOf(what: Measured, facts: MoreFacts | undefined, usage: Usage | undefined): number | null {
  if (what === 'cpu') return usage?.cpu.at(-1) ?? null
  if (what === 'memory') return usage?.last.memory ?? null
  if (what === 'size') return facts?.upperBytes ?? null
  if (what === 'restarts') return facts?.restarts ?? null
  const moments = [facts?.startedAt, facts?.finishedAt].map(time => Date.parse(time ?? '')).filter(ms => ms > 0)
  return moments.length === 0 ? null : Math.max(...moments)
}

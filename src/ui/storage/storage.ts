/** The Storage screen: every layer once, what images and containers really cost, volumes, build cache, and freeing them. */

import { createStore } from 'zustand/vanilla'
import { bind } from '../../actions/action.ts'
import { isLoose, isStopped, planRemoval, watchDisks } from '../../actions/disks.ts'
import { containerReference } from '../../actions/services.ts'
import { type StorageContext, storageActions } from '../../actions/storage.ts'
import { safe } from '../../base/text.ts'
import type { DiskWatch, EngineDisk } from '../../engine/usage-watch.ts'
import type { Watching } from '../../engine/watching.ts'
import type { Screen } from '../screen.ts'
import type { Ui } from '../ui.ts'
import { keepVisible, type ListState, moveList } from '../widgets/list.ts'
import { carryOutAll, type EnginePlan, questionOf, tellOutcome } from './deed.ts'
import { drawStorage, layoutOf, storageSummary } from './draw.ts'
import { pieceOf } from './pieces.ts'
import { createPrune } from './prune.ts'
import { allRows, type Order, orders, type StorageRow, shownRows, type View, views } from './rows.ts'

interface StorageState {
  disks: readonly EngineDisk[]
  view: View
  filter: string
  order: Order
  /** Where the cursor is in each view, and on what. */
  lists: Record<View, { list: ListState; key: string | null }>
  marks: ReadonlySet<string>
}

const start = { list: { cursor: 0, top: 0 }, key: null }

/** It watches the engines from when it is first shown until it is closed; disks are measured only while it is shown. */
export function createStorage(ui: Ui): Screen {
  const store = createStore<StorageState>()(() => ({
    disks: [],
    view: 'images',
    filter: '',
    order: { by: 'size', turned: false },
    lists: { layers: start, images: start, containers: start, volumes: start, cache: start },
    marks: new Set(),
  }))
  const { getState: get } = store
  const { containers: service } = ui.services
  const rowsOf = rememberRows()
  let watching: Watching | null = null
  let disks: DiskWatch | null = null

  const rows = () => rowsOf(get()).shown
  const list = () => get().lists[get().view].list
  const row = (): StorageRow | undefined => rows()[list().cursor]
  const height = () => layoutOf(ui.bodySize(), get().disks).list
  /** Changes the state; the cursor goes where its row has gone. */
  const set = (change: Partial<StorageState>) => {
    const state = { ...get(), ...change }
    const { shown, all } = rowsOf(state)
    const { list, key } = state.lists[state.view]
    const found = key === null ? -1 : shown.findIndex(one => one.key === key)
    const placed = keepVisible(found < 0 ? list : { ...list, cursor: found }, shown.length, height())
    // Engines answer one after the other: until all have, who has not moved yet stays at the top.
    const settled =
      key !== null || state.disks.every(one => one.usage !== null || one.fault !== null || one.lost !== null)
    const there = new Set(views.flatMap(view => all[view].map(one => one.key)))
    store.setState({
      ...change,
      marks: new Set([...state.marks].filter(key => there.has(key))),
      lists: {
        ...state.lists,
        [state.view]: { list: placed, key: settled ? (shown[placed.cursor]?.key ?? key) : null },
      },
    })
  }
  /** What is marked in any view, else what is under the cursor. */
  const chosen = (): StorageRow[] => {
    const { all } = rowsOf(get())
    const marked = views.flatMap(view => all[view].filter(one => get().marks.has(one.key)))
    const here = row()
    return marked.length > 0 ? marked : here ? [here] : []
  }
  /** Plans of the engines that are there. */
  const plansOf = (picked: readonly StorageRow[]): EnginePlan[] =>
    get().disks.flatMap(({ id, engine, usage }) => {
      const pieces = picked.filter(one => one.engineId === id).map(pieceOf)
      if (pieces.length === 0 || usage === null || !engine?.storage) return []
      return [{ id, engine: { ...engine, storage: engine.storage }, usage, plan: planRemoval(usage, pieces) }]
    })

  const context: StorageContext = {
    hasRow: () => row() !== undefined,
    hasRows: () => rowsOf(get()).all[get().view].length > 0,
    turn(by) {
      const at = (views.indexOf(get().view) + by + views.length) % views.length
      set({ view: views[at]! })
    },
    canExplore: () => referenceOf(row(), get().disks) !== null,
    explore() {
      const reference = referenceOf(row(), get().disks)
      if (reference !== null) ui.explore(reference)
    },
    canRemove: () => !service.readOnly && chosen().some(isRemovable),
    async remove() {
      const plans = plansOf(chosen())
      const going = plans.filter(one => one.plan.victims.length > 0)
      if (going.length === 0) {
        const stay = plans.flatMap(one => one.plan.stays)[0]
        return ui.toast(stay ? `it stays: ${safe(stay.why)}` : 'Its engine is lost.', 'warning')
      }
      const kept = plans.filter(one => one.plan.victims.length === 0)
      if (!(await ui.confirm(questionOf([...going, ...kept])))) return
      const outcomes = await carryOutAll(ui, going)
      store.setState({ marks: new Set() })
      if (outcomes) tellOutcome(ui, outcomes)
      for (const { id } of going) disks?.refresh(id)
    },
    canPrune: () => get().disks.some(one => one.usage !== null && one.engine?.storage),
    prune: () =>
      ui.push(
        createPrune(ui, {
          disks: () => get().disks,
          refresh: id => disks?.refresh(id),
          look: visible => disks?.look(visible),
          subscribe: store.subscribe,
        }),
      ),
    mark() {
      const here = row()
      if (!here) return
      const marks = new Set(get().marks)
      if (!marks.delete(here.key)) marks.add(here.key)
      store.setState({ marks })
      context.move(1)
    },
    copy() {
      const all = chosen()
      const names = all.map(one => (one.view === 'layers' ? one.it.digest : one.name))
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
        status: () => `${rows().length} of ${rowsOf(get()).all[get().view].length}`,
      })
    },
    async sort() {
      const { order } = get()
      const at = orders.findIndex(one => one.by === order.by)
      const items = orders.map(one => ({ ...one, detail: one.by === order.by ? 'again turns it round' : '' }))
      const choice = await ui.choose({ title: 'Sort by', items, at })
      if (choice === null) return
      const { by } = orders[choice]!
      set({ order: { by, turned: by === order.by ? !order.turned : false } })
    },
    refresh() {
      watching?.refresh()
      disks?.refresh()
    },
    move(by) {
      const all = rows()
      const moved = moveList(list(), by, all.length, height())
      const { lists, view } = get()
      store.setState({ lists: { ...lists, [view]: { list: moved, key: all[moved.cursor]?.key ?? null } } })
    },
  }

  const watch = () => {
    if (disks === null) {
      watching = service.watch()
      disks = watchDisks(watching, { now: ui.services.now })
      disks.subscribe(() => set({ disks: disks?.snapshot() ?? [] }))
    }
    disks.look(true)
    set({ disks: disks.snapshot() })
  }

  return {
    id: 'storage',
    title: () => 'Storage',
    summary: theme => storageSummary(theme, get().disks),
    scopes: () => ['storage'],
    actions: bind(storageActions, context),
    draw(size, theme) {
      const state = get()
      const { all, shown } = rowsOf(state)
      const counts = Object.fromEntries(views.map(view => [view, all[view].length])) as Record<View, number>
      return drawStorage(size, theme, { ...state, counts, rows: shown, list: list(), now: ui.services.now() })
    },
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
      const { overview, beside } = layoutOf(ui.bodySize(), get().disks)
      const at = event.y - (overview > 0 ? overview + 1 : 0) - 2
      const index = list().top + at
      const inside = event.x < ui.bodySize().columns - beside
      if (inside && at >= 0 && at < height() && index < rows().length) context.move(index - list().cursor)
    },
    shown: watch,
    hidden: () => disks?.look(false),
    close() {
      disks?.close()
      watching?.close()
    },
  }
}

/** What the Explorer opens for a row; null: nothing. */
function referenceOf(row: StorageRow | undefined, disks: readonly EngineDisk[]): string | null {
  if (row?.view === 'containers') return containerReference(row.engineId, row.it.name)
  if (row?.view !== 'images') return null
  const name = row.it.names[0] ?? row.it.id
  const kind = disks.find(one => one.id === row.engineId)?.engine?.kind
  if (kind === undefined) return null
  return `${{ native: 'strata', podman: 'podman', docker: 'docker-daemon' }[kind]}:${name}`
}

/** Whether a person may try: what is in use says why it stays. */
function isRemovable(row: StorageRow): boolean {
  if (row.view === 'layers') return isLoose(row.it)
  return row.view === 'containers' ? isStopped(row.it) : true
}

/** The rows of all views and those that are shown; worked out again only when what they follow from has changed. */
function rememberRows() {
  let usages: readonly unknown[] = []
  let all: Record<View, StorageRow[]> = { layers: [], images: [], containers: [], volumes: [], cache: [] }
  let last: { view: View; filter: string; order: Order } | null = null
  let shown: StorageRow[] = []
  return ({ disks, view, filter, order }: Pick<StorageState, 'disks' | 'view' | 'filter' | 'order'>) => {
    const now = disks.map(one => one.usage)
    const fresh = now.length !== usages.length || now.some((one, at) => one !== usages[at])
    if (fresh) {
      usages = now
      all = allRows(disks)
    }
    if (fresh || last?.view !== view || last.filter !== filter || last.order !== order) {
      last = { view, filter, order }
      shown = shownRows(all[view], filter, order)
    }
    return { all, shown }
  }
}

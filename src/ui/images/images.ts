/** The Images screen: the images of this machine, and ways to open others. */
import { createStore } from 'zustand/vanilla'
import { bind } from '../../actions/action.ts'
import type { ImageDetail, ImageListing, ImageRow } from '../../actions/image-list.ts'
import { type ImagesContext, imagesActions } from '../../actions/images.ts'
import { isAbort, reasonOf } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import { newContainer } from '../containers/new.ts'
import type { Screen } from '../screen.ts'
import type { Ui } from '../ui.ts'
import { keepVisible, type ListState, moveList } from '../widgets/list.ts'
import { drawImages, enginesSummary } from './draw.ts'
import { askPull } from './pull.ts'
import { nameOf, type Order, orders, shownRows } from './rows.ts'

export interface ImagesState {
  listing: ImageListing
  filter: string
  order: Order
  list: ListState
  /** The row under the cursor: the cursor stays on it whatever happens to the rows around it. */
  key: string | null
  marks: ReadonlySet<string>
  /** What looking at an image told, or why it could not be looked at, by the image's id. */
  details: ReadonlyMap<string, ImageDetail | string>
}

/** The list of images; asks the engines whenever it is shown. */
export function createImages(ui: Ui): Screen {
  const store = createStore<ImagesState>()(() => ({
    listing: { engines: [], rows: [], complete: false },
    filter: '',
    order: { by: 'created', down: true },
    list: { cursor: 0, top: 0 },
    key: null,
    marks: new Set(),
    details: new Map(),
  }))
  const { getState: get } = store
  const visibleRows = rememberRows()
  let looking: AbortController | null = null
  let detailing: AbortController | null = null
  /** The row that the cursor is to go to when it comes. */
  let wanted: string | null = null

  const rows = () => visibleRows(get())
  const row = (): ImageRow | undefined => rows()[get().list.cursor]
  /** Changes the state; the cursor goes where its row has gone. */
  const set = (change: Partial<ImagesState>) => {
    const state = { ...get(), ...change }
    const all = visibleRows(state)
    const come = wanted === null ? -1 : all.findIndex(one => one.key === wanted)
    if (come >= 0) wanted = null
    const found = come >= 0 ? come : all.findIndex(one => one.key === state.key)
    const list = keepVisible(found < 0 ? state.list : { ...state.list, cursor: found }, all.length, height(ui))
    store.setState({ ...change, list, key: all[list.cursor]?.key ?? state.key })
    void detail()
  }

  const refresh = async () => {
    looking?.abort()
    const mine = new AbortController()
    looking = mine
    try {
      for await (const listing of ui.services.images.list(mine.signal)) {
        if (mine.signal.aborted) return
        set({ listing })
      }
      if (looking === mine) set({ listing: { ...get().listing, complete: true } })
    } catch (error) {
      if (!mine.signal.aborted && !isAbort(error)) ui.fail(error, 'The images could not be listed')
    }
  }

  const detail = async () => {
    const wanted = row()
    if (!wanted || wanted.detail || get().details.has(wanted.id)) return
    detailing?.abort()
    const mine = new AbortController()
    detailing = mine
    const told = await ui.services.images
      .detail(wanted, mine.signal)
      .catch(error => (isAbort(error) ? null : safe(reasonOf(error))))
    if (told === null || mine.signal.aborted) return
    store.setState(state => ({ details: new Map(state.details).set(wanted.id, told) }))
  }

  const context: ImagesContext = {
    hasRow: () => row() !== undefined,
    hasRows: () => get().listing.rows.length > 0,
    move(by) {
      const all = rows()
      const list = moveList(get().list, by, all.length, height(ui))
      store.setState({ list, key: all[list.cursor]?.key ?? null })
      void detail()
    },
    explore() {
      const one = row()
      if (one) ui.explore(one.reference)
    },
    mayRun: () => !ui.services.containers.readOnly,
    async runImage() {
      const one = row()
      if (one) await newContainer(ui, { name: runName(one), reference: one.reference, engine: one.engine })
    },
    filter() {
      const before = get().filter
      ui.prompt({
        label: 'filter',
        text: before,
        pass: true,
        change: filter => set({ filter }),
        submit: filter => set({ filter }),
        cancel: () => set({ filter: '' }),
        status: () => `${rows().length} of ${get().listing.rows.length}`,
      })
    },
    async sort() {
      const { order } = get()
      const at = orders.findIndex(one => one.by === order.by)
      const items = orders.map(one => ({ ...one, detail: one.by === order.by ? 'again turns it round' : '' }))
      const chosen = await ui.choose({ title: 'Sort by', items, at })
      if (chosen === null) return
      const { by, down } = orders[chosen]!
      set({ order: { by, down: by === order.by ? !order.down : down } })
    },
    mark() {
      const one = row()
      if (!one) return
      const marks = new Set(get().marks)
      if (!marks.delete(one.key)) marks.add(one.key)
      store.setState({ marks })
      context.move(1)
    },
    copy() {
      const marked = get().listing.rows.filter(one => get().marks.has(one.key))
      const chosen = marked.length > 0 ? marked : rows().slice(get().list.cursor, get().list.cursor + 1)
      const what = chosen.length === 1 ? nameOf(chosen[0]!) : `${chosen.length} names`
      ui.copy(chosen.map(one => one.reference).join('\n'), what)
    },
    openArchive() {
      ui.prompt({
        label: 'open',
        complete: text => ui.services.completePath(text),
        submit: path => path.trim() && ui.explore(asPath(path.trim())),
      })
    },
    openSample: () => ui.explore('sample'),
    pull: () => askPull(ui),
    refresh: () => void refresh(),
  }

  return {
    id: 'images',
    title: () => 'Images',
    summary: theme => enginesSummary(theme, get().listing.engines),
    scopes: () => ['images'],
    actions: bind(imagesActions, context),
    places: () =>
      get().listing.rows.map(one => ({
        label: safe(nameOf(one)),
        detail: one.engine,
        go: () => ui.explore(one.reference),
      })),
    draw: (size, theme) => drawImages(size, theme, get(), rows(), ui.services.now()),
    subscribe: store.subscribe,
    reveal(key) {
      wanted = key
      set({ filter: '' })
    },
    back() {
      if (get().filter !== '') set({ filter: '' })
      else if (get().marks.size > 0) store.setState({ marks: new Set() })
      else return false
      return true
    },
    mouse(event) {
      if (event.kind === 'wheel') context.move(event.by * 3)
      if (event.kind !== 'press' || event.button !== 0) return
      const index = get().list.top + event.y - 2
      if (event.y >= 2 && index < rows().length) context.move(index - get().list.cursor)
    },
    shown: () => void refresh(),
    hidden() {
      looking?.abort()
      detailing?.abort()
    },
    close() {
      looking?.abort()
      detailing?.abort()
    },
  }
}

/** The rows that are shown; worked out again only when what they follow from has changed. */
function rememberRows(): (state: ImagesState) => ImageRow[] {
  let last: { rows: readonly ImageRow[]; filter: string; order: Order; shown: ImageRow[] } | null = null
  return ({ listing: { rows }, filter, order }) => {
    if (last?.rows !== rows || last.filter !== filter || last.order !== order) {
      last = { rows, filter, order, shown: shownRows(rows, filter, order) }
    }
    return last.shown
  }
}

/** Rows of the list: the body without its frame and head. */
function height(ui: Ui): number {
  return Math.max(1, ui.bodySize().rows - 3)
}

/** A path as a reference: one that could be a name gets `./` in front. */
function asPath(path: string): string {
  return /^(\.{0,2}\/|~|[a-z-]+:)/.test(path) || path === '-' ? path : `./${path}`
}

/** What its engine calls it: the name that is on the row, or its id. */
function runName({ repository, tag, id }: ImageRow): string {
  if (repository === null) return id
  return tag === null ? repository : `${repository}:${tag}`
}

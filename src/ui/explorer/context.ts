/** What the actions of the Explorer do. */
import type { ExplorerContext, Pane } from '../../actions/explorer.ts'
import { safe, safeBytes } from '../../base/text.ts'
import { blame } from '../../layer/blame.ts'
import { Kind } from '../../layer/entry.ts'
import type { Stack } from '../../layer/stack.ts'
import type { Image } from '../../source/types.ts'
import type { Ui } from '../ui.ts'
import { createBlame } from './blame.ts'
import type { ChangesTab } from './changes-tab.ts'
import { createCompare } from './compare/compare.ts'
import type { Held } from './container/held.ts'
import type { LogsTab } from './container/logs-tab.ts'
import { createDetails } from './details.ts'
import { type DrawModel, isOfPaths } from './draw.ts'
import { extractTo } from './extracting.ts'
import { whenMayCome } from './far.ts'
import { parseFilter } from './filter-language.ts'
import { createFind } from './find.ts'
import { resolveLink } from './links.ts'
import { pinnedTo } from './pinned.ts'
import { runOpened } from './running.ts'
import type { Session } from './session.ts'
import { shellIn } from './shell.ts'
import type { Tab } from './tab.ts'
import { liveSortOrders, sortOrders } from './tree-order.ts'
import type { TreeTab } from './tree-tab.ts'
import { fileAt } from './versions.ts'
import { createViewer } from './viewer.ts'
import type { WasteTab } from './waste-tab.ts'

/** An opened image with everything that its screen keeps. */
export interface Opened extends DrawModel {
  image: Image
  session: Session
  tree: TreeTab
  changes: ChangesTab
  waste: WasteTab
  tabs: readonly Tab[]
  /** The engine behind a container. */
  held: Held | null
  logs: LogsTab | null
  /** The tab that knows that it is on the screen. */
  attended: Tab | null
  narrow: boolean
  changed(): void
  /** What the tabs look at is different: the one in front is made anew now, the others when they are shown. */
  update(): void
  /** Puts a tab in front. */
  show(tab: number): void
  /** Rows of the list of layers on the screen, its header included. */
  layerRows(): number
}

/** The pane that has the keys. */
export function paneOf(opened: Opened): Pane {
  return opened.focus === 'layers' ? 'layers' : opened.tabs[opened.tab]!.pane
}

export function createContext(ui: Ui, opened: Opened): ExplorerContext {
  const { session, tree, image } = opened
  const { look } = session
  const tab = () => opened.tabs[opened.tab]!
  const pane = () => tab().pane
  /** Whether the tab shows paths. */
  const ofPaths = () => isOfPaths(tab())
  const inLayers = () => opened.focus === 'layers'
  const height = () => Math.max(1, opened.layerRows() - 1)
  const redraw = <A extends unknown[]>(act: (...args: A) => void) => {
    return (...args: A) => {
      act(...args)
      opened.changed()
    }
  }
  /** The path under the cursor with what stands there: in the Waste tab what was wasted, else as of the scene. */
  const here = () => {
    const node = inLayers() ? null : tab().node()
    if (node === null || !look.scene) return null
    return { node, scene: look.scene }
  }
  const refHere = () => {
    const at = here()
    if (!at) return -1
    const wasted = pane() === 'waste' ? opened.waste.wastedRef() : -1
    if (wasted >= 0) return wasted
    return at.scene.shown(at.node) ? at.scene.ref(at.node) : -1
  }

  /** Shows a path in the tree as of a step. */
  const goTo = (node: number, layer: number | null) => {
    if (layer !== null) session.selectStep(look.world.stepOf(layer), height())
    if (look.filter) {
      look.filter = null
      opened.update()
    }
    opened.show(0)
    opened.focus = 'view'
    tree.reveal(node)
    opened.changed()
  }

  const view = (node: number, ref: number, stack: Stack) => {
    let shown = ref
    if (ref >= 0 && stack.kindOf(ref) === Kind.symlink && look.scene) {
      const target = resolveLink(look.scene, node)
      if (target === null) return ui.toast('The link leads to nothing in this image.', 'warning')
      stack = look.scene.stack
      shown = look.scene.ref(target)
      node = target
    }
    if (shown < 0 || stack.kindOf(shown) === Kind.dir) return ui.toast('A directory has no content to view.')
    const inode = stack.inodeOf(shown)
    if (inode < 0) return ui.toast('The hard link names something that no layer has.', 'warning')
    if (stack.kindOf(inode) !== Kind.file) return ui.toast('Only regular files have content.')
    const pair = pairAt(stack, node, shown)
    whenMayCome(ui, image, { stack, inode }, () =>
      ui.push(
        createViewer(ui, {
          image: pinnedTo(image, stack),
          stack,
          inode,
          path: stack.tree.path(node),
          step: look.world.stepOf(stack.layerOf(inode)),
          compare: pair && (() => compare(node, stack, ...pair)),
        }),
      ),
    )
  }

  /** What a reference shows and what stood there before, where one of both is a file and there was one. */
  const pairAt = (stack: Stack, node: number, ref: number): [before: number, after: number] | null => {
    const row = blame(stack, node).find(one => one.ref === ref || (one.letter === 'D' && one.before === ref))
    if (!row || row.letter === 'A' || fileAt(stack, row.before) < 0) return null
    return [row.before, row.letter === 'D' ? -1 : row.ref]
  }

  const compare = (node: number, stack: Stack, before: number, after: number) => {
    const version = (ref: number) => {
      if (ref < 0) return { ref, label: 'nothing' }
      const layer = stack.layerOf(ref)
      return { ref, label: layer === image.live?.number ? 'live layer' : `step ${look.world.stepOf(layer)}` }
    }
    ui.push(
      createCompare(ui, {
        image: pinnedTo(image, stack),
        stack,
        path: stack.tree.path(node),
        before: version(before),
        after: version(after),
        view: ref => view(node, ref, stack),
      }),
    )
  }

  const followLink = (node: number) => {
    const target = look.scene ? resolveLink(look.scene, node) : null
    if (target === null) return ui.toast('The link leads to nothing in this image.', 'warning')
    goTo(target, null)
    ui.toast(`followed the link to /${safeBytes(look.stack.tree.path(target))}`)
  }

  const sort = (by: 1 | -1) => {
    if (pane() === 'waste' && !inLayers()) return opened.waste.toggleByPath()
    const orders = look.scene?.live ? liveSortOrders : sortOrders
    const at = Math.max(0, orders.indexOf(look.sort))
    look.sort = orders[(at + by + orders.length) % orders.length]!
    opened.update()
  }

  const setFilter = (text: string) => {
    const parsed = parseFilter(text)
    opened.filterError = parsed.ok ? null : parsed.error
    if (!parsed.ok) return opened.changed()
    look.filter = parsed.filter.terms.length > 0 ? parsed.filter : null
    opened.update()
    opened.changed()
  }

  const filter = () => {
    if (inLayers() || !ofPaths()) {
      opened.focus = 'view'
      if (!ofPaths()) opened.show(0)
    }
    const before = look.filter
    ui.prompt({
      label: '/',
      text: before?.text ?? '',
      pass: true,
      change: setFilter,
      submit: () => {
        opened.filterError = null
        opened.changed()
      },
      cancel: () => setFilter(''),
      status: () => opened.filterError ?? `${tab().footer()}`,
    })
    opened.changed()
  }

  const copies = (): { text: string; what: string }[] => {
    if (!inLayers()) return tab().copies()
    const step = session.step()
    const layer = step.layer === null ? null : image.layers[step.layer]!
    return [
      ...(step.createdBy ? [{ text: safe(step.createdBy), what: 'command' }] : []),
      ...(layer ? [{ text: layer.diffId, what: 'diffID' }] : []),
      ...(layer ? [{ text: layer.chainId, what: 'chainID' }] : []),
      ...(layer?.digest ? [{ text: layer.digest, what: 'digest of the blob' }] : []),
      ...(step.imageId ? [{ text: step.imageId, what: 'image id' }] : []),
      { text: `${image.reference}@${step.index}`, what: 'reference of this step' },
    ]
  }

  return {
    pane: () => paneOf(opened),
    ready: () => look.scene !== null || !ofPaths() || inLayers() || session.unreadHere(),
    thing() {
      const ref = refHere()
      if (!here() || ref === -1) return null
      const kind = here()!.scene.stack.kindOf(ref)
      if (kind === Kind.dir) return 'dir'
      if (kind === Kind.symlink) return 'link'
      return kind === Kind.file || kind === Kind.hardlink ? 'file' : 'other'
    },
    move: redraw(by => {
      if (!inLayers()) {
        opened.following = false
        return tab().move(by)
      }
      const { cursor } = session.list()
      const count = session.rows().length
      const page = height()
      const to = { page, '-page': -page, half: page >> 1, '-half': -(page >> 1), first: -count, last: count }
      session.select(cursor + (typeof by === 'number' ? by : to[by]), page)
    }),
    switchPane: redraw(() => {
      opened.focus = inLayers() ? 'view' : 'layers'
    }),
    showTab: redraw(at => {
      const to = opened.tabs.findIndex(one => one.pane === at)
      if (to < 0) return
      opened.show(to)
      opened.focus = 'view'
    }),
    turnTab: redraw(by => {
      opened.show((opened.tab + by + opened.tabs.length) % opened.tabs.length)
    }),
    turnStep: redraw(by => session.select(session.list().cursor + by, height())),
    jump(by) {
      if (opened.tab !== 0 || inLayers()) opened.focus = 'view'
      if (opened.tab !== 0) return void opened.changed()
      if (!tree.jump(by))
        ui.toast(look.filter ? 'No more matches.' : by === 1 ? 'No more changes below.' : 'No more changes above.')
      opened.changed()
    },
    open() {
      if (session.unreadHere() && (inLayers() || (ofPaths() && look.scene === null)))
        session.readOn(session.layerHere())
      if (inLayers()) {
        opened.focus = 'view'
        return opened.changed()
      }
      if (tab().enter()) return opened.changed()
      const at = here()
      if (!at) return
      const ref = refHere()
      const { stack } = at.scene
      if (opened.tab === 0 && ref >= 0 && stack.kindOf(ref) === Kind.symlink) return followLink(at.node)
      if (ref >= 0 && stack.kindOf(ref) === Kind.dir) return goTo(at.node, null)
      view(at.node, ref, at.scene.stack)
    },
    into: redraw(() => tree.into()),
    out: redraw(() => {
      if (!tree.out() && !opened.narrow) opened.focus = 'layers'
    }),
    fold: redraw(() => void tree.fold()),
    foldAll: redraw(rest => tree.foldAll(rest)),
    view() {
      const at = here()
      if (at) view(at.node, refHere(), at.scene.stack)
    },
    blame() {
      const at = here()
      if (at) ui.push(createBlame(ui, { session, node: at.node, view, compare, goTo }))
    },
    hasBefore() {
      const at = here()
      if (at?.scene.letter(at.node) !== 'C') return false
      return fileAt(at.scene.stack, at.scene.changes!.before(at.node)) >= 0
    },
    compare() {
      const at = here()
      if (at) compare(at.node, at.scene.stack, at.scene.changes!.before(at.node), refHere())
    },
    extract() {
      const at = here()
      if (!at) return
      const deleted = !at.scene.shown(at.node) || at.scene.letter(at.node) === 'D'
      const ref = refHere()
      const { stack, from, to } = at.scene
      const layer = pane() === 'waste' && ref >= 0 ? stack.layerOf(ref) : deleted ? from - 1 : to
      extractTo(ui, { image: pinnedTo(image, stack), stack, layer, node: at.node })
    },
    copy() {
      const [first] = copies()
      if (first) ui.copy(first.text, first.what)
    },
    async copyOther() {
      const all = copies()
      if (all.length === 0) return
      const items = all.map(({ what, text }) => ({ label: what, detail: safe(text.split('\n', 1)[0]!) }))
      const at = await ui.choose({ title: 'Copy', items })
      if (at !== null) ui.copy(all[at]!.text, all[at]!.what)
    },
    filter,
    find: () => ui.push(createFind(ui, { session, goTo })),
    sort: redraw(sort),
    onlyChanges: redraw(() => {
      look.onlyChanges = !look.onlyChanges
      if (pane() !== 'tree' && pane() !== 'changes') opened.show(0)
      opened.update()
    }),
    markFrom: redraw(() => {
      const layer = session.layerHere()
      const range = session.range()
      session.setRange(range?.from === layer && range.to === null ? null : { from: layer, to: null })
    }),
    markTo: redraw(() => {
      const layer = session.layerHere()
      const range = session.range()
      const from = range?.from ?? Math.min(1, Math.max(0, look.image.layers.length - 1))
      session.setRange(range?.to === layer ? null : { from, to: layer })
    }),
    stepsWithoutLayer: redraw(() => session.setHideEmpty(!session.hideEmpty())),
    details: () => ui.push(createDetails(ui, session)),
    alive: () => image.live !== undefined,
    onLive: () => image.live !== undefined && session.step().layer === image.live.number,
    shell: () => shellIn(ui, image, session.step().index),
    uncompared: () => session.uncompared(),
    compareAll: redraw(() => session.compareAll()),
    stopped: () => session.loading().over() && session.loading().laid() < image.layers.length,
    readOn: redraw(() => session.readOn()),
    mayRun: () => image.live === undefined && !ui.services.containers.readOnly,
    runImage: () => runOpened(ui, image),
  }
}

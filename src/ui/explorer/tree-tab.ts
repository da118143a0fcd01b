/** The Tree tab: its rows, folds and cursor. The cursor stays on its path whatever happens to the rows. */
import { formatCount } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import { treePane } from '../panes/tree-pane.ts'
import { blank, exactly, line } from '../widgets/line.ts'
import { keepVisible, type ListState, moveList, moveTo } from '../widgets/list.ts'
import { copiesOfNode } from './copies.ts'
import { matchScene } from './filter-match.ts'
import { type Folds, noFolds, renumberedFolds, withFold } from './folds.ts'
import type { Scene } from './scene.ts'
import { runNow, type Sliced } from './slices.ts'
import { type Look, latest, type Tab } from './tab.ts'
import { sortedChildren } from './tree-order.ts'
import {
  closeRow,
  MATCH,
  type Marks,
  OPEN,
  openRow,
  PARENT,
  parentRow,
  putBack,
  revealRows,
  rowOf,
  type TreeRows,
  type TreeWish,
  treeRows,
} from './tree-rows.ts'

export interface TreeTab extends Tab {
  /** Opens or closes the directory under the cursor; false when it is none. */
  fold(open?: boolean): boolean
  /** Opens or closes all directories, or lets them open by themselves again. */
  foldAll(rest: Folds['rest']): void
  /** To the directory that the row stands in, or closes the row when it stands open. False: there is no way out. */
  out(): boolean
  /** Into the directory under the cursor. */
  into(): void
  /** To the next (1) or previous (-1) match, or change where no filter stands. False: there is none. */
  jump(by: 1 | -1): boolean
  /** Puts the cursor on a path, opening what hides it. */
  reveal(node: number): void
  matches(): number | null
}

export function createTreeTab(look: Look): TreeTab {
  const work = latest(look)
  /** What is on the screen: rows and the scene that they were made of belong together. */
  let shown: { scene: Scene; rows: TreeRows; wish: TreeWish; matches: number | null } | null = null
  let folds = noFolds()
  /** Folds said while a filter stands hold for that filter only. */
  let filterFolds: Folds = noFolds()
  let list: ListState = { cursor: 0, top: 0 }
  let height = 10
  let asked: { scene: Scene; filter: Look['filter'] } | null = null
  let found: { scene: Scene; filter: Look['filter']; marks: Marks; matches: number } | null = null
  let wanted: number | null = null
  /** The rows are those of a tree whose nodes had other numbers. */
  let between = false
  /** Where the cursor was before the filter: it comes back there when nothing is found. */
  let home: number | null = null
  /** What was folded last, to be put back at once: by its row's node, for the rows of one scene and wish. */
  let folded: { node: number; below: TreeRows } | null = null

  const at = () => (shown && shown.rows.count > 0 ? shown.rows.nodes[list.cursor]! : null)
  const currentFolds = () => (look.filter ? filterFolds : folds)

  const derive = function* (scene: Scene): Sliced<NonNullable<typeof shown>> {
    const { filter } = look
    if (filter && (found?.scene !== scene || found.filter !== filter)) {
      found = { scene, filter, ...(yield* matchScene(scene, filter, look.world)) }
    }
    const marks = filter ? found!.marks : null
    const wish: TreeWish = { folds: currentFolds(), sort: look.sort, onlyChanges: look.onlyChanges, marks }
    return { scene, rows: yield* treeRows(scene, wish), wish, matches: filter ? found!.matches : null }
  }

  /** Swaps the rows and keeps the cursor where it was: on its path, else on what is left of it. */
  const show = (next: NonNullable<typeof shown>) => {
    const node = wanted ?? at() ?? home
    const line = list.cursor - list.top
    shown = next
    wanted = null
    between = false
    folded = null
    const row = placeOf(next, node)
    const cursor = row < 0 ? Math.min(list.cursor, next.rows.count - 1) : row
    // Whoever looks at the beginning sees what comes there.
    const top = list.top === 0 && cursor < height ? 0 : cursor - line
    list = keepVisible({ cursor, top }, next.rows.count, height)
  }

  /** The row for a path: its own, under a filter the first one found, else that of the nearest directory above. */
  const placeOf = ({ rows, wish }: NonNullable<typeof shown>, node: number | null): number => {
    if (wish.marks) {
      for (const one of [node, home]) {
        const row = one !== null && (wish.marks[one]! & MATCH) !== 0 ? rowOf(rows, one) : -1
        if (row >= 0) return row
      }
      for (let row = 0; row < rows.count; row++) if (wish.marks[rows.nodes[row]!]! & MATCH) return row
    }
    let row = node === null ? 0 : -1
    for (let up = node ?? 0; up !== 0 && row < 0; up = look.stack.tree.parent[up]!) row = rowOf(rows, up)
    return row
  }

  const refresh = () => {
    if (look.scene) work.run(derive(look.scene), show)
  }

  const say = (next: Folds) => {
    if (look.filter) filterFolds = next
    else folds = next
  }

  const setFold = (row: number, open: boolean) => {
    if (!shown) return
    const node = shown.rows.nodes[row]!
    say(withFold(currentFolds(), node, open))
    if (work.busy()) return refresh()
    const wish = { ...shown.wish, folds: currentFolds() }
    const { scene, rows, matches } = shown
    if (!open) {
      const closed = closeRow(rows, row)
      shown = { scene, rows: closed.rows, wish, matches }
      folded = { node, below: closed.below }
      list = keepVisible(list, shown.rows.count, height)
      return
    }
    if (folded?.node === node) {
      shown = { scene, rows: putBack(rows, row, folded.below), wish, matches }
      folded = null
      return
    }
    work.run(openRow(scene, wish, rows, row), more => show({ scene, rows: more, wish, matches }))
  }

  /** Makes the folds such that a path has a row. */
  const openAbove = (node: number) => {
    for (let up = look.stack.tree.parent[node]!; up !== 0; up = look.stack.tree.parent[up]!) {
      say(withFold(currentFolds(), up, true))
    }
  }

  const tab: TreeTab = {
    name: 'Tree',
    pane: 'tree',
    update() {
      if (asked && asked.filter !== look.filter) {
        if (asked.filter === null) home = at()
        const node = at() ?? home
        filterFolds = noFolds()
        if (look.filter === null && node !== null) openAbove(node)
      }
      asked = look.scene ? { scene: look.scene, filter: look.filter } : null
      refresh()
    },
    renumber(now) {
      const node = at()
      // Their rows are of the tree before: until others are there, they are drawn, and nothing is done with them.
      if (node !== null && now(node) >= 0) wanted = now(node)
      folds = renumberedFolds(folds, now)
      filterFolds = renumberedFolds(filterFolds, now)
      home = home === null || now(home) < 0 ? null : now(home)
      found = folded = null
      between = true
    },
    draw(theme, { columns, rows, focused }) {
      height = rows - 1
      list = keepVisible(list, shown?.rows.count ?? 0, height)
      if (!shown) return blank(columns, rows)
      const { scene, rows: all, wish } = shown
      const model = { scene, rows: all, marks: wish.marks, sort: wish.sort, world: look.world }
      const lines = treePane(theme, model, { columns, rows, state: list, focused })
      if (all.count > 0) return lines
      return exactly([lines[0]!, line(columns, [[theme.dim, ` ${emptyText(look)}`]])], columns, rows)
    },
    move(by) {
      if (shown) list = moveList(list, by, shown.rows.count, height)
    },
    point(line) {
      if (!shown || line < 1 || list.top + line - 1 >= shown.rows.count) return false
      const before = list.cursor
      list = moveTo(list, list.top + line - 1, shown.rows.count, height)
      return before === list.cursor
    },
    footer() {
      if (!shown) return ''
      const { count } = shown.rows
      const place = count === 0 ? 'nothing' : `${formatCount(list.cursor + 1)} of ${formatCount(count)}`
      return shown.matches === null ? place : `${formatCount(shown.matches)} found · ${place}`
    },
    node: () => (between ? null : at()),
    enter: () => tab.fold(),
    fold(open) {
      if (!shown || shown.rows.count === 0) return false
      const flags = shown.rows.flags[list.cursor]!
      if (!(flags & PARENT)) return look.scene !== null && shown.scene.isDir(at()!)
      const isOpen = (flags & OPEN) !== 0
      if (open === undefined || open !== isOpen) setFold(list.cursor, open ?? !isOpen)
      return true
    },
    foldAll(rest) {
      say({ said: new Map(), rest })
      refresh()
    },
    out() {
      if (!shown || shown.rows.count === 0) return false
      if (shown.rows.flags[list.cursor]! & OPEN) {
        setFold(list.cursor, false)
        return true
      }
      const row = parentRow(shown.rows, list.cursor)
      if (row < 0) return false
      list = moveTo(list, row, shown.rows.count, height)
      return true
    },
    into() {
      if (!shown || shown.rows.count === 0) return
      const flags = shown.rows.flags[list.cursor]!
      if (!(flags & PARENT)) return
      if (flags & OPEN) list = moveList(list, 1, shown.rows.count, height)
      else setFold(list.cursor, true)
    },
    jump(by) {
      if (!shown) return false
      const target = nextMarked(shown.scene, shown.rows, shown.wish, list.cursor, by)
      if (target === null) return false
      tab.reveal(target)
      return true
    },
    reveal(node) {
      if (!shown) {
        wanted = node
        return
      }
      const row = rowOf(shown.rows, node)
      if (row >= 0) {
        list = moveTo(list, row, shown.rows.count, height)
        return
      }
      wanted = node
      openAbove(node)
      if (work.busy()) return refresh()
      const { scene, rows, matches } = shown
      const wish = { ...shown.wish, folds: currentFolds() }
      work.run(revealRows(scene, wish, rows, node), more => {
        if (more) show({ scene, rows: more, wish, matches })
        else refresh()
      })
    },
    copies: () => (shown && at() !== null ? copiesOfNode(look, shown.scene, at()!) : []),
    matches: () => shown?.matches ?? null,
    busy: work.busy,
    close: work.drop,
  }
  return tab
}

function emptyText(look: Look): string {
  if (look.filter) return `Nothing here matches ${safe(look.filter.text)}`
  if (look.onlyChanges) return 'Nothing changed here. a shows everything.'
  return 'The file system is empty.'
}

/**
 * The next node that matches the filter, or that the step changed, after (or before) a row; what a closed directory
 * hides counts. Directories that are closed are looked into in the order of their rows.
 */
function nextMarked(scene: Scene, rows: TreeRows, wish: TreeWish, row: number, by: 1 | -1): number | null {
  const { marks } = wish
  const { below } = scene
  const hit = (node: number) => (marks ? (marks[node]! & MATCH) !== 0 : scene.letter(node) !== null)
  const hides = (node: number) => (marks ? (marks[node]! & 2) !== 0 : (below?.[node] ?? 0) > 0)
  const closed = (at: number) => (rows.flags[at]! & (PARENT | OPEN)) === PARENT
  if (by === 1 && rows.count > 0 && closed(row) && hides(rows.nodes[row]!))
    return edge(scene, wish, rows.nodes[row]!, hit, hides, by)
  for (let at = row + by; at >= 0 && at < rows.count; at += by) {
    const node = rows.nodes[at]!
    if (by === -1 && closed(at) && hides(node)) return edge(scene, wish, node, hit, hides, by)
    if (hit(node)) return node
    if (by === 1 && closed(at) && hides(node)) return edge(scene, wish, node, hit, hides, by)
  }
  return null
}

/** The first (or last) marked node below a directory, in the order of rows. */
function edge(
  scene: Scene,
  wish: TreeWish,
  directory: number,
  hit: (node: number) => boolean,
  hides: (node: number) => boolean,
  by: 1 | -1,
): number | null {
  const children = runNow(sortedChildren(scene, directory, wish.sort, node => hit(node) || hides(node)))
  const child = by === 1 ? children[0] : children.at(-1)
  if (child === undefined) return null
  if (by === 1) return hit(child) ? child : edge(scene, wish, child, hit, hides, by)
  return hides(child) ? edge(scene, wish, child, hit, hides, by) : child
}

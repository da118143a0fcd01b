/** The Changes tab: the flat list of what the step, or the marked range of steps, does. */
import { formatCount } from '../../base/sizes.ts'
import { changesPane, countParts } from '../panes/changes-pane.ts'
import { blank, exactly, line } from '../widgets/line.ts'
import { keepVisible, type ListState, moveList, moveTo } from '../widgets/list.ts'
import { changeRows } from './change-rows.ts'
import { copiesOfNode } from './copies.ts'
import { matchScene } from './filter-match.ts'
import type { Scene } from './scene.ts'
import type { Sliced } from './slices.ts'
import { type Look, latest, type Tab } from './tab.ts'

export interface ChangesTab extends Tab {
  /** Puts the cursor on a path where it is listed. */
  reveal(node: number): void
}

export function createChangesTab(look: Look): ChangesTab {
  const work = latest(look)
  let shown: { scene: Scene; nodes: Uint32Array } | null = null
  let list: ListState = { cursor: 0, top: 0 }
  let height = 10
  /** What the cursor's path has for a node now, where that is another one. */
  let renumbered: number | null = null
  const at = () => shown?.nodes[list.cursor] ?? null

  const derive = function* (scene: Scene): Sliced<NonNullable<typeof shown>> {
    const marks = look.filter ? (yield* matchScene(scene, look.filter, look.world)).marks : null
    return { scene, nodes: yield* changeRows(scene, look.sort, marks) }
  }

  return {
    name: 'Changes',
    pane: 'changes',
    update() {
      if (!look.scene) return
      work.run(derive(look.scene), next => {
        const node = renumbered ?? at()
        renumbered = null
        const same = node === null ? -1 : next.nodes.indexOf(node)
        shown = next
        list = keepVisible({ cursor: same >= 0 ? same : 0, top: list.top }, next.nodes.length, height)
      })
    },
    renumber(now) {
      const node = renumbered ?? at()
      renumbered = node === null ? null : now(node)
    },
    draw(theme, { columns, rows, focused }) {
      height = rows - 1
      if (!shown) return blank(columns, rows)
      list = keepVisible(list, shown.nodes.length, height)
      if (shown.nodes.length > 0) {
        return changesPane(theme, { ...shown, world: look.world }, { columns, rows, state: list, focused })
      }
      const text = look.filter ? 'No change matches the filter.' : 'This step changes nothing in the file system.'
      return exactly([line(columns, countParts(theme, shown.scene)), line(columns, [[theme.dim, text]])], columns, rows)
    },
    move(by) {
      list = moveList(list, by, shown?.nodes.length ?? 0, height)
    },
    point(row) {
      const count = shown?.nodes.length ?? 0
      if (row < 1 || list.top + row - 1 >= count) return false
      const before = list.cursor
      list = moveTo(list, list.top + row - 1, count, height)
      return before === list.cursor
    },
    footer() {
      const count = shown?.nodes.length ?? 0
      return count === 0 ? 'no changes' : `${formatCount(list.cursor + 1)} of ${formatCount(count)}`
    },
    node: at,
    enter: () => false,
    reveal(node) {
      const row = shown?.nodes.indexOf(node) ?? -1
      if (row >= 0) list = moveTo(list, row, shown!.nodes.length, height)
    },
    copies: () => (shown && at() !== null ? copiesOfNode(look, shown.scene, at()!) : []),
    busy: work.busy,
    close: work.drop,
  }
}

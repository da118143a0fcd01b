/** The Waste tab: what to do about it first, then the ledger with its causes, biggest first. */
import { formatBytes, formatCount } from '../../base/sizes.ts'
import { safeBytes } from '../../base/text.ts'
import { type AdviceRow, adviceItems, type WasteItem, wastePane } from '../panes/waste-pane.ts'
import type { Theme } from '../theme.ts'
import { keepVisible, type ListState, moveList, moveTo } from '../widgets/list.ts'
import { testsOf } from './filter-match.ts'
import type { Sliced } from './slices.ts'
import { type Look, latest, type Tab } from './tab.ts'
import { type WastedPath, type WasteGroup, wastedPaths, wasteGroups } from './waste-rows.ts'

/** What the tab needs beside the look. */
export interface WasteWorld {
  advice(): readonly AdviceRow[]
  commandOf(layer: number): string
}

export interface WasteTab extends Tab {
  /** By what happened, or by path. */
  byPath(): boolean
  toggleByPath(): void
  /** The entry whose bytes the row under the cursor is about; -1: it is about more than one, or none. */
  wastedRef(): number
}

/** So many pieces of advice stand above the ledger until all are asked for. */
const FIRST_ADVICE = 4

export function createWasteTab(look: Look, world: WasteWorld): WasteTab {
  const work = latest(look)
  const open = new Set<string>()
  let byPath = false
  let allAdvice = false
  /** Whose ledger the rows are numbers in. */
  let of = look.stack
  let groups: WasteGroup[] = []
  let paths: WastedPath[] = []
  let list: ListState = { cursor: 0, top: 0 }
  let height = 10

  const derive = function* (): Sliced<void> {
    const scene = look.scene
    const tests = look.filter && scene ? yield* testsOf(scene, look.filter, look.world) : []
    const wanted = (node: number) => tests.every(test => test(node))
    const { stack } = look
    if (byPath) paths = yield* wastedPaths(stack, wanted)
    else groups = yield* wasteGroups(stack, wanted)
    of = stack
  }

  /** What stands above the ledger; remembered by the draw, whose width it depends on. */
  let above: WasteItem[] = []
  const head = (theme: Theme, columns: number): WasteItem[] => {
    const advice = look.filter ? [] : world.advice()
    if (advice.length === 0) return []
    const shown = allAdvice ? advice.length : FIRST_ADVICE
    return [
      { kind: 'heading', text: 'Advice' },
      ...adviceItems(theme, advice.slice(0, shown), columns),
      ...(advice.length > shown
        ? [{ kind: 'more' as const, text: `${theme.glyph.closed} ${advice.length - shown} more` }]
        : []),
      { kind: 'text', text: '' },
      { kind: 'heading', text: byPath ? 'Ledger, by path' : 'Ledger, by what happened' },
    ]
  }
  const groupRows = (group: WasteGroup) => 2 + (open.has(group.key) ? group.rows.length : 0)
  const bodyCount = () => {
    const rows = byPath ? paths.length : groups.reduce((sum, group) => sum + groupRows(group), 0)
    return Math.max(1, rows)
  }
  const bodyItem = (index: number): WasteItem => {
    if (byPath && index < paths.length) return { kind: 'path', path: paths[index]! }
    for (const group of byPath ? [] : groups) {
      if (index === 0) return { kind: 'group', group, open: open.has(group.key) }
      if (index === 1) return { kind: 'story', group }
      if (index < groupRows(group)) return { kind: 'file', group, row: group.rows[index - 2]! }
      index -= groupRows(group)
    }
    return { kind: 'text', text: look.filter ? 'Nothing wasted matches the filter.' : 'Nothing is wasted.' }
  }
  const count = () => above.length + bodyCount()
  const item = (index: number): WasteItem => above[index] ?? bodyItem(index - above.length)
  const here = () => item(list.cursor)

  const tab: WasteTab = {
    name: 'Waste',
    pane: 'waste',
    byPath: () => byPath,
    wastedRef() {
      const one = here()
      if (one.kind === 'file') return of.waste[one.row]!.ref
      if ((one.kind === 'group' || one.kind === 'story') && one.group.rows.length === 1)
        return of.waste[one.group.rows[0]!]!.ref
      if (one.kind !== 'path') return -1
      return of.waste.find(row => row.node === one.path.node)?.ref ?? -1
    },
    toggleByPath() {
      byPath = !byPath
      list = { cursor: 0, top: 0 }
      tab.update()
    },
    update() {
      work.run(derive(), () => {})
    },
    draw(theme, { columns, rows, focused }) {
      height = rows - 1
      above = head(theme, columns)
      const total = count()
      list = keepVisible(list, total, height)
      const model = {
        stack: of,
        count: total,
        item,
        stepOf: look.world.stepOf,
        commandOf: world.commandOf,
      }
      return wastePane(theme, model, { columns, rows, state: list, focused })
    },
    move(by) {
      list = moveList(list, by, count(), height)
    },
    point(row) {
      if (row < 1 || list.top + row - 1 >= count()) return false
      const before = list.cursor
      list = moveTo(list, list.top + row - 1, count(), height)
      return before === list.cursor
    },
    footer: () => `${formatCount(list.cursor + 1)} of ${formatCount(count())}`,
    node() {
      const one = here()
      if (one.kind === 'file') return of.waste[one.row]!.node
      if (one.kind === 'group' || one.kind === 'story') return one.group.node
      return one.kind === 'path' ? one.path.node : null
    },
    enter() {
      const one = here()
      if (one.kind === 'more') {
        allAdvice = true
        return true
      }
      if ((one.kind !== 'group' && one.kind !== 'story') || one.group.rows.length < 2) return false
      if (one.kind === 'story') list = { ...list, cursor: list.cursor - 1 }
      if (!open.delete(one.group.key)) open.add(one.group.key)
      return true
    },
    copies() {
      const one = here()
      if (one.kind === 'advice') return [{ text: one.advice.fix, what: 'line' }]
      const node = tab.node()
      if (node === null) return []
      const bytes =
        one.kind === 'group' || one.kind === 'story' ? one.group.bytes : one.kind === 'path' ? one.path.bytes : 0
      const path = `/${safeBytes(look.stack.tree.path(node))}`
      return [
        { text: path, what: 'path' },
        ...(bytes > 0 ? [{ text: `${path} ${formatBytes(bytes)}`, what: 'path and bytes' }] : []),
      ]
    },
    busy: work.busy,
    close: work.drop,
  }
  return tab
}

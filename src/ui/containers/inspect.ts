/** All that an engine says of something, as a tree; what looks like a secret is masked until somebody asks for it. */
import { bind } from '../../actions/action.ts'
import { type InspectContext, inspectActions } from '../../actions/inspect.ts'
import { formatCount } from '../../base/sizes.ts'
import { cutEnd, cutMiddle, safe } from '../../base/text.ts'
import type { Screen } from '../screen.ts'
import type { Theme } from '../theme.ts'
import type { Ui } from '../ui.ts'
import { frame } from '../widgets/frame.ts'
import type { Part } from '../widgets/line.ts'
import { drawList, type ListState, moveList, moveTo } from '../widgets/list.ts'
import { createFinder, highlighted } from './finder.ts'
import { flatten, folds, jqPath, type Node, unfolded } from './json-tree.ts'
import { saveText } from './saving.ts'
import { maskSecrets, maskText } from './secrets.ts'

/** Rows that are open at the start: the first level, and what is within it where all of that is not too much. */
const OPEN_AT_FIRST = 400

export function inspectScreen(ui: Ui, name: string, raw: unknown): Screen {
  const nodes = flatten(raw, (text, key) => maskText(text, key)?.text ?? null)
  const secrets = nodes.filter(node => node.masked !== null).length
  const seen = new Set<Node>()
  let all = false
  let closed = new Set(nodes.length <= OPEN_AT_FIRST ? [] : inner(nodes, 2))
  let shown = unfolded(nodes, closed)
  let list: ListState = { cursor: 0, top: 0 }
  let height = 20

  const isOpen = (node: Node) => node.masked === null || all || seen.has(node)
  const textOf = (node: Node) => (isOpen(node) ? node.text : node.masked!)
  const finder = createFinder({
    first: () => 0,
    end: () => nodes.length,
    line: at => ({ text: `${nodes[at]!.key}: ${textOf(nodes[at]!)}` }),
  })
  const at = () => shown[list.cursor] ?? 0
  const node = () => nodes[at()]!
  const changed = () => ui.changed()
  /** What is open or closed has changed: the cursor stays on its row, or goes to the one that has swallowed it. */
  const refold = (next: Set<number>, on = at()) => {
    closed = next
    shown = unfolded(nodes, closed)
    let to = on
    while (to > 0 && !shown.includes(to)) to = nodes[to]!.parent
    list = moveTo(list, Math.max(0, shown.indexOf(to)), shown.length, height)
    changed()
  }
  const setOpen = (index: number, open: boolean) => {
    const next = new Set(closed)
    if (open) next.delete(index)
    else next.add(index)
    refold(next)
  }
  /** Opens all that a row is in, and goes there. */
  const reveal = (index: number) => {
    const next = new Set(closed)
    for (let up = nodes[index]!.parent; up >= 0; up = nodes[up]!.parent) next.delete(up)
    refold(next, index)
  }
  const seek = (text: string) => {
    finder.search(text)
    const found = text === '' ? null : (finder.next(at(), 1) ?? finder.next(0, 1))
    if (text !== '' && found === null) ui.toast(`“${text}” is not there.`, 'warning')
    if (found !== null) reveal(found)
    changed()
  }
  const refound = () => finder.search(finder.needle())
  const lines = () =>
    (JSON.stringify(maskSecrets(raw, { reveal: all }).masked, null, 2) ?? 'null').split('\n').map(safe)

  const context: InspectContext = {
    folds: () => folds(node(), at()),
    fold: () => setOpen(at(), closed.has(at())),
    open() {
      if (folds(node(), at())) setOpen(at(), true)
    },
    shut() {
      if (folds(node(), at()) && !closed.has(at())) setOpen(at(), false)
      else if (node().parent > 0) refold(closed, node().parent)
    },
    openAll: () => refold(new Set()),
    shutAll: () => refold(new Set(inner(nodes, 1))),
    search: () => void ui.prompt({ label: 'search', text: finder.needle(), submit: seek, cancel: () => seek('') }),
    searched: () => finder.needle() !== '',
    again(by) {
      const found = finder.next(at() + by, by)
      if (found === null) ui.toast(by === 1 ? 'No more below.' : 'No more above.')
      else reveal(found)
    },
    isSecret: () => node().masked !== null && !all,
    unmask() {
      if (!seen.delete(node())) seen.add(node())
      refound()
      changed()
    },
    hasSecrets: () => secrets > 0,
    unmaskAll() {
      all = !all
      seen.clear()
      refound()
      changed()
    },
    copy() {
      const { value, masked } = node()
      if (masked !== null && !isOpen(node())) return ui.toast('It is masked: m shows it.', 'warning')
      const shown = maskSecrets(value, { reveal: all }).masked
      const text = typeof value === 'string' ? value : (JSON.stringify(shown, null, 2) ?? '')
      ui.copy(text, node().key || 'all of it')
    },
    copyPath: () => ui.copy(jqPath(node().path), safe(jqPath(node().path))),
    save: () => saveText(ui, `${name}.json`, [{ label: 'all of it', lines }]),
    page: () => ui.page(lines()),
    move(by) {
      list = moveList(list, by, shown.length, height)
      changed()
    },
  }

  const row = (theme: Theme, index: number, columns: number): readonly Part[] => {
    const at = shown[index]!
    const one = nodes[at]!
    const glyph = !folds(one, at) ? ' ' : closed.has(at) ? theme.glyph.closed : theme.glyph.open
    const key = one.key === '' ? '' : one.key.startsWith('[') ? `${one.key} ` : `${one.key}: `
    const text = cutEnd(textOf(one), columns)
    const style = one.masked !== null ? theme.warning : one.kind === 'string' ? theme.added : theme.changed
    const look = folds(one, at) || one.text === '{}' || one.text === '[]' ? theme.dim : style
    const parts: Part[] = [' ', '  '.repeat(Math.max(0, one.depth - 1)), glyph, ' ', [theme.link, key], [look, text]]
    return highlighted(theme, parts, finder.needle())
  }
  return {
    id: 'inspect',
    title: () => `${safe(name)} inspect`,
    summary: () => [secrets === 0 ? '' : secretWords(secrets, all)].filter(one => one !== ''),
    scopes: () => ['inspect'],
    actions: bind(inspectActions, context),
    draw(size, theme) {
      const inner = size.columns - 2
      height = Math.max(1, size.rows - 2)
      list = moveTo(list, list.cursor, shown.length, height)
      const lines = drawList({
        theme,
        columns: inner,
        rows: Math.max(0, size.rows - 2),
        count: shown.length,
        state: list,
        focused: true,
        row: index => row(theme, index, inner),
      })
      const { count, at: found } = finder.matches(at())
      const which = found > 0 ? `${formatCount(found)} of ` : ''
      const places = finder.needle() === '' ? '' : `${which}${formatCount(count)} with ${safe(finder.needle())}  `
      return frame(theme, {
        columns: size.columns,
        sections: [
          {
            title: [[theme.title, 'Inspect']],
            right: [[theme.dim, cutMiddle(safe(jqPath(node().path)), inner >> 1)]],
            lines,
          },
        ],
        footer: [[theme.dim, places], `${formatCount(list.cursor + 1)} of ${formatCount(shown.length)}`],
        focused: true,
      })
    },
    subscribe: () => () => {},
    back() {
      if (finder.needle() === '') return false
      finder.search('')
      changed()
      return true
    },
    mouse(event) {
      if (event.kind === 'wheel') context.move(event.by * 3)
      if (event.kind !== 'press' || event.button !== 0 || event.y < 1 || event.y > height) return
      const index = list.top + event.y - 1
      if (index >= shown.length) return
      if (index === list.cursor && context.folds()) return context.fold()
      list = moveTo(list, index, shown.length, height)
      changed()
    },
  }
}

/** The rows from a depth on that can be closed. */
function inner(nodes: readonly Node[], depth: number): number[] {
  const found: number[] = []
  for (const [at, node] of nodes.entries()) if (node.depth >= depth && folds(node, at)) found.push(at)
  return found
}

function secretWords(count: number, all: boolean): string {
  return `${formatCount(count)} secret${count === 1 ? '' : 's'} ${all ? 'shown' : 'masked'}`
}

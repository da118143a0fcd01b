/** Blame: every step that touched a path, newest first, and what the one under the cursor changed. */
import { bind } from '../../actions/action.ts'
import { blameActions } from '../../actions/blame.ts'
import type { Move } from '../../actions/moving.ts'
import { isAbort } from '../../base/errors.ts'
import { formatBytes, formatCount } from '../../base/sizes.ts'
import { cutMiddle, fit as fitted, safeBytes } from '../../base/text.ts'
import { type Blame, blame } from '../../layer/blame.ts'
import { Kind } from '../../layer/entry.ts'
import { IMPLIED, type Stack } from '../../layer/stack.ts'
import { permissions } from '../panes/permissions.ts'
import type { Screen } from '../screen.ts'
import type { Theme } from '../theme.ts'
import type { Ui } from '../ui.ts'
import { frame } from '../widgets/frame.ts'
import { exactly, line, type Part } from '../widgets/line.ts'
import { drawList, keepVisible, type ListState, moveList, moveTo } from '../widgets/list.ts'
import { ownerName } from './owners.ts'
import { pinnedTo } from './pinned.ts'
import type { Session } from './session.ts'
import { type Difference, differenceOf, fileAt } from './versions.ts'

export interface Blamed {
  session: Session
  node: number
  view(node: number, ref: number, stack: Stack): void
  compare(node: number, stack: Stack, before: number, after: number): void
  goTo(node: number, layer: number | null): void
}

export function createBlame(ui: Ui, { session, node, view, compare: sideBySide, goTo }: Blamed): Screen {
  const { look } = session
  // As it is now: what is alive goes on meanwhile, and its entries get other numbers.
  const { stack } = look
  const image = pinnedTo(session.image, stack)
  const path = `/${safeBytes(stack.tree.path(node))}`
  const rows = blame(stack, node)
  const closed = new AbortController()
  const known = new Map<number, Difference | null>()
  let list: ListState = { cursor: 0, top: 0 }
  let scroll = 0
  /** The row of the version that is marked. */
  let marked: number | null = null
  let height = 5
  let diffHeight = 10
  const here = (): Blame | undefined => rows[list.cursor]
  /** What a row is about: what the layer left, of a deletion what it took away. */
  const refOf = (row: Blame) => (row.letter === 'D' ? row.before : row.ref)

  const compare = (at: number) => {
    const row = rows[at]
    if (!row || known.has(at)) return
    known.set(at, null)
    differenceOf(image, stack, row.before, row.letter === 'D' ? -1 : row.ref, closed.signal).then(
      difference => {
        known.set(at, difference)
        ui.changed()
      },
      error => {
        if (isAbort(error) || closed.signal.aborted) return
        known.set(at, { says: error instanceof Error ? error.message : String(error) })
        ui.changed()
      },
    )
  }

  const diffLines = (theme: Theme, columns: number): string[] => {
    const difference = known.get(list.cursor)
    if (!difference) return [line(columns, [[theme.dim, ` Comparing ${theme.glyph.ellipsis}`]])]
    if ('says' in difference) return [line(columns, [[theme.dim, ` ${difference.says}`]])]
    return difference.lines.map(({ kind, text }) => {
      if (kind === 'gap') return line(columns, [[theme.dim, ` ${theme.glyph.ellipsis} ${text}`]])
      const mark = { same: ' ', added: '+', removed: '-' }[kind]
      const style = { same: theme.dim, added: theme.added, removed: theme.deleted }[kind]
      return line(columns, [[style, ` ${mark} ${text}`]])
    })
  }

  /** What is laid side by side: the marked version and this one, else what was before this step and what is after it. */
  const pairHere = (): [number, number] => {
    const row = here()
    if (!row) return [-1, -1]
    if (marked === null || marked === list.cursor) return [row.before, row.letter === 'D' ? -1 : row.ref]
    // Rows stand newest first.
    const [newer, older] = marked < list.cursor ? [marked, list.cursor] : [list.cursor, marked]
    return [refOf(rows[older]!), refOf(rows[newer]!)]
  }
  const context = {
    canCompare: () => pairHere().some(ref => fileAt(stack, ref) >= 0),
    compare: () => sideBySide(node, stack, ...pairHere()),
    mark() {
      marked = marked === list.cursor ? null : list.cursor
      ui.changed()
    },
    move(by: Move) {
      list = moveList(list, by, rows.length, height)
      scroll = 0
      ui.changed()
    },
    hasContent: () => here() !== undefined && fileAt(stack, refOf(here()!)) >= 0,
    view: () => view(node, refOf(here()!), stack),
    show() {
      const row = here()
      ui.pop()
      if (row) goTo(node, row.layer)
    },
    scroll(by: number) {
      scroll = Math.max(0, scroll + by * Math.max(1, diffHeight >> 1))
      ui.changed()
    },
    copy: () => ui.copy(path, 'path'),
  }

  return {
    id: 'blame',
    title: () => `blame ${path}`,
    scopes: () => ['blame'],
    actions: bind(blameActions, context),
    draw(size, theme) {
      const inner = size.columns - 2
      const listRows = Math.min(rows.length, Math.max(2, Math.floor((size.rows - 3) / 2)))
      height = listRows
      diffHeight = Math.max(0, size.rows - 3 - listRows)
      list = keepVisible(list, rows.length, height)
      compare(list.cursor)
      const versions = drawList({
        theme,
        columns: inner,
        rows: listRows,
        count: rows.length,
        state: list,
        focused: true,
        row: at => [
          at === marked ? [theme.accent, theme.glyph.marked] : ' ',
          ...rowParts(theme, session, stack, rows[at]!, inner),
        ],
      })
      const all = diffLines(theme, inner)
      scroll = Math.max(0, Math.min(scroll, all.length - diffHeight))
      const shown = exactly(all.slice(scroll, scroll + diffHeight), inner, diffHeight)
      const row = here()
      const title = row ? `What step ${look.world.stepOf(row.layer)} changed` : 'Nothing'
      const steps = `${formatCount(rows.length)} ${rows.length === 1 ? 'step' : 'steps'}`
      return frame(theme, {
        columns: size.columns,
        sections: [
          {
            title: [cutMiddle(path, Math.max(8, inner - 30))],
            right: [[theme.dim, `touched by ${steps}`]],
            lines: versions,
          },
          { title: [title], lines: shown },
        ],
        footer: all.length > diffHeight ? [[theme.dim, `${scroll + 1}–${scroll + shown.length} of ${all.length}`]] : [],
        focused: true,
      })
    },
    subscribe: () => () => {},
    mouse(event) {
      if (event.kind === 'wheel') context.scroll(event.by)
      else if (event.kind === 'press' && event.y >= 1 && event.y <= height) {
        list = moveTo(list, list.top + event.y - 1, rows.length, height)
        scroll = 0
      } else return
      ui.changed()
    },
    close: () => closed.abort(),
  }
}

function rowParts(theme: Theme, session: Session, stack: Stack, row: Blame, columns: number): Part[] {
  const { look } = session
  const ref = row.letter === 'D' ? row.before : row.ref
  const entry = ref < 0 ? null : stack.entry(ref)
  const step = look.world.stepOf(row.layer)
  const parts: Part[] = [[theme.letter(row.letter), `${row.letter} `], `step ${fitted(String(step), 3, 'right')}  `]
  if (columns >= 70) {
    parts.push([theme.dim, entry ? `${permissions(entry.kind, entry.mode)} ` : 'drwxr-xr-x '])
    parts.push([theme.dim, `${fitted(entry ? ownerName(look.world.owners.users, entry.uid) : 'root', 8)} `])
  }
  const sized = entry && (entry.kind === Kind.file || entry.kind === Kind.hardlink)
  parts.push(`${fitted(sized ? formatBytes(stack.sizeOf(ref)) : '', 7, 'right')}  `)
  const why = whyOf(row, ref)
  if (why) parts.push([theme.accent, `${why}  `])
  return [...parts, [theme.dim, session.commandOf(row.layer)]]
}

function whyOf(row: Blame, ref: number): string {
  if (row.letter === 'A') return ref === IMPLIED ? 'implied' : 'added'
  if (row.letter === 'D') return 'deleted'
  return row.reasons.length === 0 ? 'stored again, the same' : row.reasons.join(' ')
}

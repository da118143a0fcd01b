/** Find: every path in any layer, with the steps that touch it, and the way there. */
import { bind } from '../../actions/action.ts'
import { findActions } from '../../actions/find.ts'
import type { Move } from '../../actions/moving.ts'
import { formatBytes, formatCount } from '../../base/sizes.ts'
import { cutMiddle, fit as fitted, safe, safeBytes, width } from '../../base/text.ts'
import { type Blame, blame } from '../../layer/blame.ts'
import type { Screen } from '../screen.ts'
import type { Theme } from '../theme.ts'
import type { Ui } from '../ui.ts'
import { frame } from '../widgets/frame.ts'
import { exactly, line, type Part } from '../widgets/line.ts'
import { drawList, keepVisible, type ListState, moveList, moveTo } from '../widgets/list.ts'
import { everything, findEverywhere } from './everything.ts'
import { type Filter, parseFilter } from './filter-language.ts'
import type { Scene } from './scene.ts'
import type { Session } from './session.ts'
import type { Sliced } from './slices.ts'
import { latest } from './tab.ts'

export interface Finding {
  session: Session
  goTo(node: number, layer: number | null): void
}

export function createFind(ui: Ui, { session, goTo }: Finding): Screen {
  const { look } = session
  const { stack } = look
  const work = latest({ slicer: look.slicer, failed: look.failed, changed: () => ui.changed() })
  const touched = new Map<number, Blame[]>()
  let scene: Scene | null = null
  let text = ''
  let error: string | null = null
  let nodes: Uint32Array | null = null
  let list: ListState = { cursor: 0, top: 0 }
  let height = 10

  const search = function* (filter: Filter): Sliced<Uint32Array> {
    scene ??= yield* everything(stack)
    return yield* findEverywhere(scene, filter, look.world)
  }
  const find = (typed: string) => {
    text = typed
    const parsed = parseFilter(typed)
    error = parsed.ok ? null : parsed.error
    if (!parsed.ok) return ui.changed()
    if (parsed.filter.terms.length === 0) {
      work.drop()
      nodes = null
      return ui.changed()
    }
    work.run(search(parsed.filter), found => {
      nodes = found
      list = { cursor: 0, top: 0 }
    })
  }
  const blameOf = (node: number) => {
    const known = touched.get(node) ?? blame(stack, node)
    if (touched.size > 2000) touched.clear()
    touched.set(node, known)
    return known
  }
  const at = () => nodes?.[list.cursor] ?? null

  const context = {
    move(by: Move) {
      list = moveList(list, by, nodes?.length ?? 0, height)
      ui.changed()
    },
    found: () => at() !== null,
    go() {
      const node = at()
      if (node === null) return
      ui.pop()
      goTo(node, whereToShow(session, blameOf(node), node))
    },
    ask: () =>
      void ui.prompt({
        label: 'find in all layers',
        text,
        pass: true,
        change: find,
        submit: typed => {
          find(typed)
        },
        cancel() {
          if (nodes === null) ui.pop()
        },
        status: () => error ?? (nodes ? `${formatCount(nodes.length)} found` : ''),
      }),
    copy() {
      const node = at()
      if (node !== null) ui.copy(`/${safeBytes(stack.tree.path(node))}`, 'path')
    },
  }

  return {
    id: 'find',
    title: () => 'find in all layers',
    scopes: () => ['find'],
    actions: bind(findActions, context),
    draw(size, theme) {
      const inner = size.columns - 2
      height = Math.max(1, size.rows - 2)
      const count = nodes?.length ?? 0
      list = keepVisible(list, count, height)
      const says =
        error ?? (nodes ? 'No path in any layer matches.' : 'Type a name, a glob, /a regex/, size>1M, type:link …')
      const rows =
        count === 0
          ? exactly([line(inner, [[error ? theme.danger : theme.dim, ` ${says}`]])], inner, height)
          : drawList({
              theme,
              columns: inner,
              rows: height,
              count,
              state: list,
              focused: true,
              row: index => rowParts(theme, session, scene!, nodes![index]!, blameOf(nodes![index]!), inner),
            })
      const place = count === 0 ? '' : `${formatCount(list.cursor + 1)} of ${formatCount(count)}`
      return frame(theme, {
        columns: size.columns,
        sections: [
          {
            title: [text === '' ? 'Find in all layers' : `Find ${cutMiddle(safe(text), 40)}`],
            right: [[theme.dim, work.busy() ? `looking ${theme.glyph.ellipsis}` : 'every version in every layer']],
            lines: rows,
          },
        ],
        footer: place ? [[theme.dim, place]] : [],
        focused: true,
      })
    },
    subscribe: () => () => {},
    mouse(event) {
      if (event.kind === 'wheel') list = moveList(list, event.by * 3, nodes?.length ?? 0, height)
      else if (event.kind === 'press' && event.y >= 1 && event.y <= height) {
        list = moveTo(list, list.top + event.y - 1, nodes?.length ?? 0, height)
      } else return
      ui.changed()
    },
    shown() {
      if (nodes === null && text === '') context.ask()
    },
    close: work.drop,
  }
}

/** The step that is looked at where the path is there, else the newest layer that has it. */
function whereToShow({ look }: Session, rows: readonly Blame[], node: number): number | null {
  if (look.scene?.shown(node)) return null
  return rows.find(row => row.letter !== 'D')?.layer ?? null
}

function rowParts(
  theme: Theme,
  session: Session,
  scene: Scene,
  node: number,
  rows: readonly Blame[],
  columns: number,
): Part[] {
  const { look } = session
  const steps = [...rows]
    .reverse()
    .map((row): Part => [theme.letter(row.letter), ` ${row.letter}${look.world.stepOf(row.layer)}`])
  const shown = steps.slice(-Math.max(3, Math.floor(columns / 16)))
  const more: Part[] = shown.length < steps.length ? [[theme.dim, ` ${theme.glyph.ellipsis}`]] : []
  const used = [...more, ...shown].reduce((sum, part) => sum + width(part[1] as string), 0)
  const dir = scene.isDir(node)
  const path = `/${safeBytes(scene.stack.tree.path(node))}${dir ? '/' : ''}`
  const room = Math.max(8, columns - used - 12)
  const gone = rows[0]?.letter === 'D'
  return [
    `${fitted(dir ? '' : formatBytes(scene.bytes(node)), 8, 'right')}  `,
    [gone ? theme.deleted : dir ? theme.directory : plain, fitted(cutMiddle(path, room), room)],
    ...more,
    ...shown,
  ]
}

function plain(text: string): string {
  return text
}

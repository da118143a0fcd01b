/** Questions over the screen: yes or no with the exact victims, and small menus. */
import type { Size } from '../layout.ts'
import type { InputEvent } from '../terminal/events.ts'
import type { Theme } from '../theme.ts'
import type { Menu, Overlay, OverlayBox, Question } from '../ui.ts'
import { frame } from './frame.ts'
import { line, type Part, partsWidth } from './line.ts'
import { drawList, type ListState, moveList } from './list.ts'
import { wrap } from './wrap.ts'

/** What a dialog needs to come and go. */
export interface Dialogs {
  open(overlay: Overlay): void
  dismiss(overlay: Overlay): void
}

/** Asks; resolves with the answer, false when the question was taken away. */
export function createConfirm(dialogs: Dialogs, asked: Question): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  let question = asked
  let yes = !asked.danger
  let along = false
  const answer = (value: boolean) => {
    dialogs.dismiss(overlay)
    resolve(value)
  }
  const overlay: Overlay = {
    id: 'confirm',
    draw: (size, theme) => drawConfirm(size, theme, question, yes, along),
    hints: () => [
      { key: 'y', label: question.yes, worth: 60 },
      ...(question.also ? [{ key: question.also.key, label: question.also.label, worth: 50 }] : []),
      { key: 'n', label: 'cancel', worth: 90 },
    ],
    input(event) {
      if (event.kind !== 'key') return
      if (event.key === 'y') answer(true)
      else if (['n', 'esc', 'q'].includes(event.key)) answer(false)
      else if (event.key === 'enter') answer(yes)
      else if (event.key === question.also?.key) {
        along = !along
        question = { ...question, ...question.also.change(along) }
      } else if (['tab', 'shift-tab', 'left', 'right', 'h', 'l'].includes(event.key)) yes = !yes
    },
    dismissed: () => resolve(false),
  }
  dialogs.open(overlay)
  return promise
}

/** The question as a box; exported for its frames. */
export function drawConfirm(size: Size, theme: Theme, question: Question, yes: boolean, along = false): OverlayBox {
  const columns = Math.max(20, Math.min(72, size.columns - 4))
  const inner = columns - 4
  const button = (label: string, on: boolean): Part => [on ? theme.cursor : theme.dim, ` ${label} `]
  const { also, commands = [] } = question
  const by = cut(
    theme,
    commands.flatMap(text => wrap(text, inner)),
    Math.min(6, Math.max(0, size.rows - 8)),
  )
  const text = cut(
    theme,
    question.lines.flatMap(text => wrap(text, inner)),
    Math.max(1, size.rows - 6 - (also ? 2 : 0) - (by.length > 0 ? by.length + 1 : 0)),
  )
  const lines = [
    ...text.map(one => ` ${line(inner, [one])} `),
    ...(also
      ? [
          ' '.repeat(columns - 2),
          ` ${line(inner, [[theme.key, also.key], ` [${along ? 'x' : ' '}] ${also.label} too`])} `,
        ]
      : []),
  ]
  const last = [
    ' '.repeat(columns - 2),
    ` ${line(inner, [], [button('cancel', !yes), '  ', button(question.yes, yes)])} `,
  ]
  const style = question.danger ? theme.danger : theme.title
  const title: Part[] = [[style, question.title]]
  const sections =
    by.length === 0
      ? [{ title, lines: [...lines, ...last] }]
      : [
          { title, lines },
          { title: BY_HAND(theme), lines: [...by.map(one => ` ${line(inner, [[theme.dim, one]])} `), ...last] },
        ]
  return { columns, lines: frame(theme, { columns, sections, focused: true }) }
}

const BY_HAND = (theme: Theme): Part[] => [[theme.dim, 'the same by hand']]

/** A menu; resolves with the index of what was chosen, null for nothing. */
export function createChoice(dialogs: Dialogs, menu: Menu): Promise<number | null> {
  const { promise, resolve } = Promise.withResolvers<number | null>()
  let list: ListState = { cursor: menu.at ?? 0, top: 0 }
  const nothing = () => answer(null)
  const answer = (value: number | null) => {
    menu.signal?.removeEventListener('abort', nothing)
    dialogs.dismiss(overlay)
    resolve(value)
  }
  const overlay: Overlay = {
    id: 'choice',
    draw: (size, theme) => drawChoice(size, theme, menu, list),
    hints: () => [
      { key: 'enter', label: 'choose', worth: 60 },
      { key: 'esc', label: 'cancel', worth: 90 },
    ],
    input(event: InputEvent) {
      const by = event.kind === 'wheel' ? event.by : event.kind === 'key' ? steps[event.key] : undefined
      if (by !== undefined) list = moveList(list, by, menu.items.length, menu.items.length)
      if (event.kind !== 'key' || by !== undefined) return
      const named = menu.items.findIndex(item => item.key === event.key)
      if (named >= 0) answer(named)
      else if (event.key === 'enter') answer(list.cursor)
      else if (event.key === 'esc' || event.key === 'q') answer(null)
    },
    dismissed: () => resolve(null),
  }
  if (menu.signal?.aborted) return Promise.resolve(null)
  menu.signal?.addEventListener('abort', nothing)
  dialogs.open(overlay)
  return promise
}

const steps: Record<string, number> = { j: 1, down: 1, k: -1, up: -1 }

/** The menu as a box; exported for its frames. */
export function drawChoice(size: Size, theme: Theme, menu: Menu, list: ListState): OverlayBox {
  const most = Math.min(72, size.columns - 4)
  const told = (menu.lines ?? []).flatMap(text => wrap(text, most - 4))
  // What it is about is never left out for items, which scroll.
  const least = size.rows >= 14 ? Math.min(told.length, 3) : 0
  const about = cut(theme, told, Math.max(least, size.rows - 7 - menu.items.length))
  const above = about.length > 0 ? [...about, ''] : []
  const rows = Math.max(1, Math.min(menu.items.length, size.rows - 6 - above.length))
  const keyed = menu.items.some(item => item.key !== undefined)
  const parts = (index: number): Part[] => {
    const { label, key = ' ' } = menu.items[index]!
    return [index === list.cursor ? ` ${theme.glyph.cursor} ` : '   ', [theme.key, keyed ? `${key}  ` : ''], label]
  }
  const right = (index: number): Part[] => [[theme.dim, menu.items[index]!.detail ?? ''], ' ']
  const widest = menu.items.map((_, index) => partsWidth(parts(index)) + partsWidth(right(index)) + 2)
  const columns = Math.min(
    size.columns - 4,
    Math.max(24, partsWidth([menu.title]) + 6, ...widest, about.length > 0 ? most : 0),
  )
  const lines = drawList({
    theme,
    columns: columns - 2,
    rows,
    count: menu.items.length,
    state: list,
    focused: true,
    row: parts,
    right,
  })
  return {
    columns,
    lines: frame(theme, {
      columns,
      sections: [
        {
          title: [[theme.title, menu.title]],
          lines: [...above.map(text => ` ${line(columns - 4, [text])} `), ...lines],
        },
      ],
      focused: true,
    }),
  }
}

/** As many lines as there is room for; where some are missing, that shows. */
function cut(theme: Theme, lines: string[], most: number): string[] {
  if (lines.length <= most) return lines
  return most > 0 ? [...lines.slice(0, most - 1), theme.glyph.ellipsis] : []
}

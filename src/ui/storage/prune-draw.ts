/** How the preview of a prune looks: choices above, victims below, and beside or under them why the rest stays. */
import { addSums } from '../../actions/disks.ts'
import { formatBytes, formatCount } from '../../base/sizes.ts'
import { cutMiddle, fit as fitted, safe, width } from '../../base/text.ts'
import type { Size } from '../layout.ts'
import type { Theme } from '../theme.ts'
import { frame } from '../widgets/frame.ts'
import { exactly, line, type Part, rowLine, sideBySide } from '../widgets/line.ts'
import { keepVisible } from '../widgets/list.ts'
import { wrap } from '../widgets/wrap.ts'
import { kindNames, victimName } from './deed.ts'
import type { Choice, PruneVictim, PruneView } from './prune-model.ts'
import { formatSum, some } from './table.ts'

export interface PruneModel extends PruneView {
  /** Over the choices and then the victims. */
  cursor: number
  readOnly: boolean
}

/** Where what is: columns beside, lines of the choices, of the victims and of what stays below. */
function layoutOf(
  { columns, rows }: Size,
  choices: number,
): { beside: number; above: number; list: number; under: number } {
  const beside = columns >= 100 ? Math.round(columns * 0.4) : 0
  const above = Math.min(choices, Math.max(1, rows - 6))
  const under = beside === 0 && rows - above >= 11 ? Math.max(2, Math.floor((rows - above) / 4)) : 0
  return { beside, above, list: Math.max(1, rows - above - 3 - (under > 0 ? under + 1 : 0)), under }
}

/** Victims that are visible at once. */
export function pruneHeight(size: Size, { choices }: PruneView): number {
  return layoutOf(size, choices.length).list
}

/** The body. */
export function drawPrune(size: Size, theme: Theme, model: PruneModel): string[] {
  const { choices, victims, cursor, plans } = model
  const { beside, above, list, under } = layoutOf(size, choices.length)
  const columns = size.columns - beside
  const inner = columns - 2
  const onChoice = cursor < choices.length
  const atChoice = keepVisible({ cursor: onChoice ? cursor : 0, top: 0 }, choices.length, above)
  const labels = Math.max(0, ...choices.map(one => width(safe(one.label))))
  const choiceLines = Array.from({ length: above }, (_, at) => {
    const index = atChoice.top + at
    const choice = choices[index]
    return choice ? choiceLine(theme, inner, choice, labels, index === cursor) : ' '.repeat(inner)
  })
  const state = keepVisible({ cursor: onChoice ? 0 : cursor - choices.length, top: 0 }, victims.length, list)
  const lines = Array.from({ length: list }, (_, at) => {
    const index = state.top + at
    const one = victims[index]
    return one ? victimLine(theme, inner, one, plans.length > 1, index + choices.length === cursor) : ' '.repeat(inner)
  })
  if (victims.length === 0) lines[0] = line(inner, [[theme.dim, '   nothing of what is chosen is unused']])
  const going = plans.reduce((sum, one) => sum + one.plan.victims.length, 0)
  const frees = addSums(plans.map(one => one.plan.frees))
  const left = frame(theme, {
    columns,
    focused: true,
    sections: [
      { title: [[theme.title, 'What to remove']], lines: choiceLines },
      {
        title: [[theme.title, `${some(going, 'thing')} ${going === 1 ? 'goes' : 'go'}`]],
        right: [[frees.bytes > 0 ? theme.ok : theme.dim, `frees ${formatSum(frees)}`]],
        lines,
      },
      ...(under > 0
        ? [
            {
              title: [[theme.title, staysTitle(model)]] as Part[],
              lines: exactly(stayLines(theme, inner, model, under), inner, under),
            },
          ]
        : []),
    ],
    footer: [
      [theme.dim, model.readOnly ? 'read-only: nothing is removed  ' : ''],
      `${formatCount(Math.min(victims.length, Math.max(0, cursor - choices.length + 1)))} of ${formatCount(victims.length)}`,
    ],
  })
  if (beside === 0) return left.slice(0, size.rows)
  const height = Math.max(0, size.rows - 2)
  const right = frame(theme, {
    columns: beside,
    sections: [
      {
        title: [[theme.title, staysTitle(model)]],
        lines: exactly(stayLines(theme, beside - 2, model, height), beside - 2, height),
      },
    ],
  })
  return sideBySide(left.slice(0, size.rows), right)
}

function choiceLine(theme: Theme, columns: number, choice: Choice, labels: number, cursor: boolean): string {
  const { on, label, way, count, bytes, engineId } = choice
  const box: Part = [on ? theme.accent : theme.dim, on ? theme.glyph.marked : theme.glyph.unmarked]
  const name: Part = [on ? (text: string) => text : theme.dim, fitted(safe(label), labels)]
  return rowLine(
    theme,
    columns,
    [cursor ? theme.glyph.cursor : ' ', box, ' ', name, '  ', [theme.accent, on || way === 'none' ? (way ?? '') : '']],
    {
      cursor,
      focused: true,
      right:
        on && count > 0
          ? ['  ', [theme.dim, engineId === null ? `${count}  ` : ''], formatBytes(bytes).padStart(8), ' ']
          : [],
    },
  )
}

function victimLine(theme: Theme, columns: number, one: PruneVictim, several: boolean, cursor: boolean): string {
  const { victim, goes, engineId } = one
  const look = goes ? (text: string) => text : theme.dim
  const kind = fitted(kindNames[victim.kind], 9)
  return rowLine(
    theme,
    columns,
    [
      cursor ? theme.glyph.cursor : ' ',
      [goes ? theme.deleted : theme.dim, goes ? theme.glyph.marked : theme.glyph.unmarked],
      ' ',
      [theme.dim, kind],
      '  ',
      [look, victimName(victim)],
    ],
    {
      cursor,
      focused: true,
      right: [
        '  ',
        [theme.dim, several ? `${safe(engineId)}  ` : ''],
        (victim.bytes === null ? '?' : formatBytes(victim.bytes)).padStart(8),
        ' ',
      ],
    },
  )
}

function staysTitle({ stays, victims }: PruneModel): string {
  const count = stays.length + victims.filter(one => one.spared).length
  return count === 0 ? 'Nothing stays' : `${formatCount(count)} stay${count === 1 ? 's' : ''}`
}

/** First the sums that explain themselves, then each thing with its reason. */
function stayLines(theme: Theme, columns: number, model: PruneModel, most: number): string[] {
  const { plans, stays, victims } = model
  const room = columns - 2
  const kept = plans.reduce((sum, one) => sum + one.plan.kept, 0)
  const together = plans.reduce((sum, one) => sum + one.plan.together, 0)
  const told = [
    ...(together > 0 ? [`${formatBytes(together)} of what is freed several of the images share.`] : []),
    ...(kept > 0 ? [`${formatBytes(kept)} of the layers of what goes stay: others need them.`] : []),
  ].flatMap(text => wrap(text, room))
  const reasons = [
    ...victims.filter(one => one.spared).map(one => ({ what: one.victim, why: 'you keep it' })),
    ...stays.map(one => ({ what: one, why: one.why })),
  ]
  const whys = Math.min(room >> 1, Math.max(0, ...reasons.map(one => width(safe(one.why)))))
  const names = Math.min(room - whys - 12, Math.max(0, ...reasons.map(one => width(victimName(one.what)))))
  const head = (most > 4 ? told : []).map(text => line(columns, [' ', [theme.dim, text]]))
  const lines = reasons.map(({ what, why }) =>
    line(columns, [
      ' ',
      [theme.dim, fitted(kindNames[what.kind], 10)],
      fitted(cutMiddle(victimName(what), names), names),
      '  ',
      [theme.dim, safe(why)],
    ]),
  )
  const all = [...head, ...(head.length > 0 && lines.length > 0 && most > 6 ? [' '.repeat(columns)] : []), ...lines]
  if (all.length <= most) return all
  const more = all.length - most + 1
  return [...all.slice(0, most - 1), line(columns, [' ', [theme.dim, `and ${formatCount(more)} more`]])]
}

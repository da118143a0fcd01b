/** The Config tab as lines: label, value, and the step that set it. Long values go on in the next line. */
import { fit as fitted, width } from '../../base/text.ts'
import type { ConfigRow } from '../explorer/config-rows.ts'
import type { Theme } from '../theme.ts'
import type { Part } from '../widgets/line.ts'
import { drawList, type ListState } from '../widgets/list.ts'
import { wrap } from './wrap.ts'

export interface ConfigLine {
  /** Which row it belongs to. */
  row: number
  label: string
  text: string
  note: string
  /** Set by the step that is looked at. */
  fresh: boolean
}

/** The rows broken into lines for a width. */
export function configLines(rows: readonly ConfigRow[], columns: number, step: number): ConfigLine[] {
  const label = Math.min(12, Math.max(1, ...rows.map(row => width(row.label))) + 2)
  const noteColumns = columns >= 60 ? 9 : 0
  const room = Math.max(8, columns - label - noteColumns)
  return rows.flatMap((row, at) =>
    wrap(row.value, room, '  ').map((text, part) => ({
      row: at,
      label: fitted(part === 0 ? row.label : '', label),
      text,
      note: part > 0 || row.step === null || noteColumns === 0 ? '' : row.step === 0 ? 'base' : `step ${row.step}`,
      fresh: row.step === step,
    })),
  )
}

/** Exactly `rows` lines. */
export function configPane(
  theme: Theme,
  lines: readonly ConfigLine[],
  options: { columns: number; rows: number; state: ListState; focused: boolean },
): string[] {
  const { columns, rows, state, focused } = options
  const row = (index: number): Part[] => {
    const { label, text, fresh } = lines[index]!
    return [
      [theme.dim, label],
      [fresh ? theme.accent : plain, text],
    ]
  }
  const right = (index: number): Part[] => {
    const { note, fresh } = lines[index]!
    return note ? [[fresh ? theme.accent : theme.dim, ` ${note}`]] : []
  }
  return drawList({ theme, columns, rows, count: lines.length, state, focused, row, right })
}

function plain(text: string): string {
  return text
}

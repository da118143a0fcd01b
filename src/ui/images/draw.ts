/** How the Images screen looks. */
import type { EngineStatus, ImageRow } from '../../actions/image-list.ts'
import { formatCount } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { Size } from '../layout.ts'
import type { Theme } from '../theme.ts'
import { frame } from '../widgets/frame.ts'
import { exactly, line, type Part, sideBySide } from '../widgets/line.ts'
import { drawList } from '../widgets/list.ts'
import { emptyLines } from './empty.ts'
import type { ImagesState } from './images.ts'
import { panelLines } from './panel.ts'
import { nameOf } from './rows.ts'
import { imageTable } from './table.ts'

/** The body: the list, and beside it the image under the cursor where there is room. */
export function drawImages(
  size: Size,
  theme: Theme,
  state: ImagesState,
  rows: readonly ImageRow[],
  now: number,
): string[] {
  const { listing } = state
  if (listing.rows.length === 0) return emptyLines(theme, size, listing.engines, listing.complete)
  const panel = size.columns >= 112 ? Math.min(48, Math.round(size.columns * 0.3)) : 0
  const list = drawTable({ ...size, columns: size.columns - panel }, theme, state, rows, now)
  return panel === 0 ? list : sideBySide(list, drawPanel({ ...size, columns: panel }, theme, state, rows, now))
}

/** The engines and whether they answer, for the end of the breadcrumb line. */
export function enginesSummary(theme: Theme, engines: readonly EngineStatus[]): Part[][] {
  return engines.map((engine): Part[] => {
    const name = safe([engine.name, engine.version?.split('.').slice(0, 2).join('.')].filter(Boolean).join(' '))
    if (engine.state === 'up')
      return [
        [theme.dim, `${name} `],
        [theme.ok, theme.glyph.marked],
      ]
    return [[theme.dim, `${name} ${engine.state === 'asking' ? theme.glyph.ellipsis : theme.glyph.unmarked}`]]
  })
}

function drawTable(size: Size, theme: Theme, state: ImagesState, rows: readonly ImageRow[], now: number): string[] {
  const inner = size.columns - 2
  const table = imageTable(theme, inner, rows, now)
  const { cursor } = state.list
  const list = drawList({
    theme,
    columns: inner,
    rows: Math.max(0, size.rows - 3),
    count: rows.length,
    state: state.list,
    focused: true,
    row: index => table.row(rows[index]!, { cursor: index === cursor, marked: state.marks.has(rows[index]!.key) }),
  })
  if (rows.length === 0 && list.length > 0) list[0] = line(inner, [[theme.dim, '   nothing matches the filter']])
  const filter: Part[] =
    state.filter === ''
      ? []
      : [
          [theme.dim, '  filter '],
          [theme.match, safe(state.filter)],
        ]
  const footer: Part[] = [
    ...(state.marks.size > 0 ? [[theme.accent, `${state.marks.size} marked  `] as Part] : []),
    `${formatCount(rows.length === 0 ? 0 : cursor + 1)} of ${formatCount(rows.length)}`,
  ]
  const lines = [line(inner, table.head), ...list].slice(0, Math.max(0, size.rows - 2))
  return frame(theme, {
    columns: size.columns,
    sections: [{ title: [[theme.title, 'Images'], ...filter], lines }],
    footer,
    focused: true,
  })
}

function drawPanel(size: Size, theme: Theme, state: ImagesState, rows: readonly ImageRow[], now: number): string[] {
  const row = rows[state.list.cursor]
  const inner = size.columns - 2
  const height = Math.max(0, size.rows - 2)
  if (!row) return frame(theme, { columns: size.columns, sections: [{ title: [], lines: exactly([], inner, height) }] })
  const known = row.detail ?? state.details.get(row.id)
  const trouble = typeof known === 'string' ? known : undefined
  const detailed = { ...row, detail: typeof known === 'object' ? known : null }
  const names = state.listing.rows.filter(one => one.id === row.id && one.engine === row.engine).map(nameOf)
  const lines = exactly(panelLines(theme, inner, detailed, { names, now, trouble }), inner, height)
  return frame(theme, { columns: size.columns, sections: [{ title: [[theme.title, safe(nameOf(row))]], lines }] })
}

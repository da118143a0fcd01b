/** The Hot tab: where a container writes, how fast, what that looks like, and the option that takes it elsewhere. */
import { formatBytes, formatCount } from '../../base/sizes.ts'
import { fit as fitted, safe, safeBytes } from '../../base/text.ts'
import { type HotDirectory, hotDirectories } from '../../live/hot.ts'
import type { Mount } from '../../live/live-view.ts'
import type { Measured } from '../../live/measure-mounts.ts'
import type { Theme } from '../theme.ts'
import { blank, exactly, line, type Part } from '../widgets/line.ts'
import { drawList } from '../widgets/list.ts'
import { createLinesTab, type LinesTab } from './lines-tab.ts'
import type { LiveWorld } from './live.ts'

/** More directories than that are not listed. */
const MOST = 500

type Row = { hot: HotDirectory } | { beside: Mount } | { title: string }

/** Sizes of what lies beside the layer are looked for each time that it is shown. */
export function createHotTab(live: LiveWorld, changed: () => void): LinesTab {
  let made: { revision: number; at: number; rows: Row[] } | null = null
  const sizes = new Map<Mount, Measured | null>()
  let measuring: AbortController | null = null
  const measure = async ({ signal }: AbortController) => {
    for (const mount of live.view.mounts) {
      const size = await live.view.measure(mount, signal).catch(() => null)
      if (signal.aborted) return
      sizes.set(mount, size)
      changed()
    }
  }
  const rows = () => {
    const revision = live.view.layer.revision()
    const now = live.now()
    if (made && made.revision === revision && now - made.at < 250) return made.rows
    made = { revision, at: now, rows: rowsOf(live, now) }
    return made.rows
  }
  return createLinesTab<Row>({
    name: 'Hot',
    pane: 'hot',
    lines: rows,
    draw(theme, all, { columns, rows: height, state, focused }) {
      if (all.length === 0) {
        return exactly([line(columns, [[theme.dim, ' Nothing is written to the upper layer.']])], columns, height)
      }
      const list = drawList({
        theme,
        columns,
        rows: height,
        count: all.length,
        state,
        focused,
        row: index => rowParts(theme, all[index]!, columns, sizes),
      })
      return list.length > 0 ? list : blank(columns, height)
    },
    attend(shown) {
      measuring?.abort()
      measuring = shown ? new AbortController() : null
      if (measuring) void measure(measuring)
    },
    copies(row) {
      if ('hot' in row)
        return [
          { text: safeBytes(Buffer.from(row.hot.option, 'latin1')), what: 'option' },
          { text: safeBytes(Buffer.from(`/${row.hot.path}`, 'latin1')), what: 'path' },
        ]
      return 'beside' in row ? [{ text: safe(row.beside.destination), what: 'path' }] : []
    },
  })
}

function rowsOf({ view }: LiveWorld, now: number): Row[] {
  const hot = hotDirectories(view.layer, view.container, now).slice(0, MOST)
  const beside =
    view.mounts.length > 0 ? [{ title: 'Not in this layer' }, ...view.mounts.map(one => ({ beside: one }))] : []
  return [...hot.map(one => ({ hot: one })), ...beside]
}

function rowParts(theme: Theme, row: Row, columns: number, sizes: ReadonlyMap<Mount, Measured | null>): Part[] {
  if ('title' in row) return [[theme.strong, row.title]]
  if ('beside' in row) {
    const { kind, destination, source } = row.beside
    const size = sizes.get(row.beside)
    const text = size ? `${size.atLeast ? '> ' : ''}${formatBytes(size.bytes)}` : ''
    return [
      [theme.dim, fitted(kind, 10, 'right')],
      ` ${fitted(text, 8, 'right')}  `,
      `${safeBytes(Buffer.from(destination))}  `,
      [theme.dim, safeBytes(Buffer.from(source))],
    ]
  }
  const { rate, bytes, files, looks, path, option } = row.hot
  const wide = columns >= 60
  return [
    [theme.accent, fitted(rate > 0 ? `${formatBytes(rate)}/s` : '', 10, 'right')],
    ` ${fitted(formatBytes(bytes), 8, 'right')} `,
    ...(wide
      ? ([[theme.dim, fitted(`${formatCount(files)} ${files === 1 ? 'file' : 'files'}`, 11, 'right')]] as Part[])
      : []),
    [looks === 'data' ? theme.dim : theme.warning, ` ${fitted(looks, 8)} `],
    `${safeBytes(Buffer.from(`/${path}`, 'latin1'))}  `,
    [theme.ok, safeBytes(Buffer.from(option, 'latin1'))],
  ]
}

/**
 * Two versions of a file side by side, scrolled together: lines that belong together beside each other, words that differ
 * standing out; one below the other where it is narrow; bytes beside bytes where it is no text. Bounded, read in the background.
 */
import { bind } from '../../../actions/action.ts'
import { type CompareContext, compareActions } from '../../../actions/compare.ts'
import type { Move } from '../../../actions/moving.ts'
import { isAbort, reasonOf } from '../../../base/errors.ts'
import { formatBytes, formatCount } from '../../../base/sizes.ts'
import { cutMiddle, safe, safeBytes } from '../../../base/text.ts'
import type { Stack } from '../../../layer/stack.ts'
import type { Image } from '../../../source/types.ts'
import type { Screen } from '../../screen.ts'
import type { Theme } from '../../theme.ts'
import type { Ui } from '../../ui.ts'
import { frame } from '../../widgets/frame.ts'
import { exactly, line, type Part } from '../../widgets/line.ts'
import { moveList } from '../../widgets/list.ts'
import { kindOfFile } from '../file/kind.ts'
import { diffLines } from '../text-diff.ts'
import { contentOf, fileAt, linesOf, MOST_BYTES } from '../versions.ts'
import { hexPairLine, hexRows, hexStarts, sidesLine, unifiedLines } from './draw.ts'
import { type Pairs, pairLines } from './pairs.ts'

export interface Version {
  /** The reference that shows it; -1: nothing. */
  ref: number
  /** `step 3`, `live layer`, `nothing`. */
  label: string
}

export interface Compared {
  image: Image
  stack: Stack
  /** As bytes. */
  path: Uint8Array
  before: Version
  after: Version
  view(ref: number): void
}

/** Narrower terminals show one below the other. */
const SIDES_FROM = 96
/** Equal lines around a difference. */
const CONTEXT = 3

export function createCompare(ui: Ui, { image, stack, path: bytes, before, after, view }: Compared): Screen {
  const path = `/${safeBytes(bytes)}`
  const closed = new AbortController()
  const inodes = [before, after].map(version => fileAt(stack, version.ref))
  const sizes = inodes.map(inode => (inode < 0 ? 0 : stack.sizeOf(inode)))
  const cut = Math.max(...sizes) > MOST_BYTES
  let contents: [Buffer, Buffer] | null = null
  let lines: [string[], string[]] | null = null
  let says: string | null = null
  let pairs: Pairs | null = null
  let whole = false
  let hex = false
  let sides: boolean | null = null
  let left = 0
  let top = 0
  let height = 10
  let columns = 80
  /** Rows of the screen for a row of pairs, where they are drawn one below the other. */
  let flat: { row: number; part: number }[] | null = null

  const load = async () => {
    try {
      const [a, b] = await Promise.all(inodes.map(inode => contentOf(image, stack, inode, closed.signal)))
      contents = [a!, b!]
      const text = contents.every(one => kindOfFile(one.subarray(0, 4096), one.length).text)
      if (a!.equals(b!)) says = cut ? `The first ${formatBytes(MOST_BYTES)} are the same.` : 'The content is the same.'
      if (text) lines = [linesOf(a!), linesOf(b!)]
      hex = !text
      pair()
    } catch (error) {
      if (isAbort(error) || closed.signal.aborted) return
      says = safe(reasonOf(error))
    }
    ui.changed()
  }
  const pair = () => {
    pairs = lines && pairLines(...lines, whole ? null : CONTEXT)
    flat = null
  }
  const beside = () => sides ?? columns >= SIDES_FROM
  const unified = () => {
    flat ??= pairs!.rows.flatMap((row, at) => {
      const parts = row.kind === 'changed' ? 2 : 1
      return Array.from({ length: parts }, (_, part) => ({ row: at, part }))
    })
    return flat
  }
  const layout = () => hexRows(contents![0], contents![1], columns)
  const count = () => {
    if (!contents) return 0
    if (hex || !pairs) return layout().count
    return beside() ? pairs.rows.length : unified().length
  }
  const starts = (): readonly number[] => {
    if (!contents) return []
    if (hex || !pairs) return hexStarts(contents[0], contents[1], layout())
    if (beside()) return pairs.starts
    return pairs.starts.map(start => unified().findIndex(({ row }) => row === start))
  }
  const clamp = () => {
    top = Math.max(0, Math.min(top, count() - height))
  }
  const context: CompareContext = {
    move(by: Move) {
      top = moveList({ cursor: top, top }, by, Math.max(0, count() - height) + 1, height).cursor
      ui.changed()
    },
    differs: () => contents !== null && !contents[0].equals(contents[1]),
    isText: () => lines !== null && !hex,
    jump(by) {
      const all = starts()
      const here = top + LEAD
      const next =
        by === 1 ? all.find(start => start > here) : all.findLast(start => start < here && start - LEAD < top)
      if (next === undefined || (by === 1 && top >= count() - height))
        ui.toast(by === 1 ? 'No more below.' : 'No more above.')
      else top = Math.max(0, next - LEAD)
      clamp()
      ui.changed()
    },
    toggleWhole() {
      whole = !whole
      const line = pairs?.rows[beside() ? top : (unified()[top]?.row ?? 0)]
      pair()
      const number = line?.after?.number ?? line?.before?.number ?? 0
      const row = pairs?.rows.findIndex(one => (one.after?.number ?? one.before?.number ?? -1) >= number) ?? 0
      top = Math.max(0, beside() ? row : unified().findIndex(one => one.row === row))
      clamp()
      ui.changed()
    },
    toggleSides() {
      sides = !beside()
      top = 0
      ui.changed()
    },
    toggleHex() {
      hex = !hex || lines === null
      top = 0
      ui.changed()
    },
    shift(by) {
      left = Math.max(0, left + by)
      ui.changed()
    },
    view: which => view((which === 'before' ? before : after).ref),
    copy: () => ui.copy(`${patch().join('\n')}\n`, 'patch'),
    page: () => ui.page(patch()),
  }
  const patch = () => {
    const found = (lines && diffLines(...lines, 3)) ?? []
    const signs = { same: ' ', added: '+', removed: '-', gap: '@@' } as const
    return [
      `--- ${path} (${before.label})`,
      `+++ ${path} (${after.label})`,
      ...found.map(one => signs[one.kind] + one.text),
    ]
  }

  const body = (theme: Theme): string[] => {
    if (!contents)
      return [line(columns, [[says ? theme.danger : theme.dim, ` ${says ?? `Reading ${theme.glyph.ellipsis}`}`]])]
    if (hex || !pairs) {
      const rows = layout()
      const shown = Math.max(0, Math.min(height, rows.count - top))
      return Array.from({ length: shown }, (_, at) => hexPairLine(theme, ...contents!, top + at, rows, columns))
    }
    if (says && !whole) return [line(columns, [[theme.dim, ` ${says}`]])]
    const digits = Math.max(3, String(Math.max(lines![0].length, lines![1].length)).length)
    const how = { columns, digits, left }
    if (beside()) return pairs.rows.slice(top, top + height).map(row => sidesLine(theme, row, how))
    const rows = unified().slice(top, top + height)
    return rows.map(({ row, part }) => unifiedLines(theme, pairs!.rows[row]!, how)[part]!)
  }
  const heading = (theme: Theme): string => {
    const [wide, rest] = [Math.floor((columns - 1) / 2), columns - 1 - Math.floor((columns - 1) / 2)]
    const part = (version: Version, at: number): Part[] => [
      [theme.strong, ` ${version.label}`],
      [theme.dim, `  ${inodes[at]! < 0 ? 'not there' : formatBytes(sizes[at]!)}`],
    ]
    const [a, b] = [part(before, 0), part(after, 1)]
    if (!beside() && !hex) return line(columns, [...a, [theme.dim, ` ${theme.glyph.arrow}`], ...b])
    return line(wide, a) + theme.dim(theme.glyph.vertical) + line(rest, b)
  }
  const summary = (theme: Theme): Part[] => {
    if (!contents || !pairs || hex) return []
    const parts: Part[] = [
      [theme.added, `+${formatCount(pairs.added)}`],
      ' ',
      [theme.deleted, `-${formatCount(pairs.removed)}`],
    ]
    if (pairs.apart) parts.push([theme.dim, '  too little in common to be lined up'])
    return parts
  }

  return {
    id: 'compare',
    title: () => path,
    summary: theme =>
      [summary(theme), `${before.label} ${theme.glyph.arrow} ${after.label}`].filter(one => one.length > 0),
    scopes: () => ['compare'],
    actions: bind(compareActions, context),
    draw(size, theme) {
      columns = size.columns - 2
      height = Math.max(1, size.rows - 3)
      clamp()
      const right: Part[] = cut ? [[theme.warning, `the first ${formatBytes(MOST_BYTES)} of each`]] : summary(theme)
      const last = Math.min(count(), top + height)
      const place = count() > height ? `${formatCount(top + 1)}–${formatCount(last)} of ${formatCount(count())}` : ''
      const where = [place, left > 0 ? `from column ${left + 1}` : ''].filter(text => text !== '').join(' · ')
      return frame(theme, {
        columns: size.columns,
        sections: [
          {
            title: [cutMiddle(path, Math.max(8, columns - 40))],
            right: size.columns >= 60 ? right : [],
            lines: [heading(theme), ...exactly(body(theme), columns, height)],
          },
        ],
        footer: where === '' ? [] : [[theme.dim, where]],
        focused: true,
      })
    },
    subscribe: () => () => {},
    mouse(event) {
      if (event.kind === 'wheel') context.move(event.by * 3)
    },
    shown() {
      if (!contents && !says) void load()
    },
    close: () => closed.abort(),
  }
}

/** A difference that is gone to has so many rows above it. */
const LEAD = 3

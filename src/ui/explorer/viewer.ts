/**
 * The viewer: the content of one version of a file, deleted ones too. Opened at once whatever the size; only what is
 * looked at is read.
 */
import { bind } from '../../actions/action.ts'
import type { Move } from '../../actions/moving.ts'
import { viewerActions } from '../../actions/viewer.ts'
import { isAbort } from '../../base/errors.ts'
import { formatBytes, formatCount, formatPercent } from '../../base/sizes.ts'
import { cutMiddle, safeBytes } from '../../base/text.ts'
import type { Stack } from '../../layer/stack.ts'
import type { Image } from '../../source/types.ts'
import { hexLine, textLine } from '../panes/file-pane.ts'
import type { Screen } from '../screen.ts'
import type { Theme } from '../theme.ts'
import type { Ui } from '../ui.ts'
import { frame } from '../widgets/frame.ts'
import { exactly, line, type Part } from '../widgets/line.ts'
import { extractTo } from './extracting.ts'
import { bytesPerRow } from './file/hex-rows.ts'
import { type FileKind, KIND_BYTES, kindOfFile } from './file/kind.ts'
import { createFileSearch } from './file/searching.ts'
import { lineNumber, movePlace, type Place, placeAt, rowsFrom, type Stretch, showLine } from './file/text-rows.ts'
import { fileWindow } from './file/window.ts'

export interface ViewedFile {
  image: Image
  stack: Stack
  /** The reference of the entry that holds the body. */
  inode: number
  /** Where it is shown to be, as bytes. */
  path: Uint8Array
  /** The step that stored this version. */
  step: number
  /** Lays it beside the version before; null: there is none. */
  compare: (() => void) | null
}

/** More than this is not handed to a pager. */
const PAGER_BYTES = 32 << 20

export function createViewer(ui: Ui, file: ViewedFile): Screen {
  const { image, stack, inode } = file
  const path = `/${safeBytes(file.path)}`
  const closed = new AbortController()
  const window = fileWindow(image, stack, inode, closed.signal)
  let kind: FileKind | null = window.size === 0 ? kindOfFile(new Uint8Array(0), 0) : null
  let failed: string | null = null
  let hex = false
  let wrap = true
  let left = 0
  let place: Place = { offset: 0, row: 0 }
  let columns = 80
  let height = 10
  let queue: Promise<void> | null = null

  const stretch = (): Stretch => ({ start: window.start(), bytes: window.bytes(), size: window.size })
  const layout = () => ({ columns: Math.max(1, columns - 1), wrap })
  const perRow = () => bytesPerRow(columns - 1, window.size)

  /** Does something that needs the bytes around an offset: at once where they are in memory, else once they are. */
  const near = (offset: () => number, act: () => void) => {
    const ready = () => window.near(offset())
    if (!queue && ready()) {
      act()
      return ui.changed()
    }
    const before = queue ?? Promise.resolve()
    const mine: Promise<void> = before
      .then(async () => {
        if (!ready()) await window.load(offset())
        kind ??= firstLook()
        failed = null
        act()
      })
      .catch(error => {
        if (isAbort(error) || closed.signal.aborted) return
        failed = error instanceof Error ? error.message : String(error)
      })
      .finally(() => {
        if (queue === mine) queue = null
        if (!closed.signal.aborted) ui.changed()
      })
    queue = mine
  }

  const firstLook = () => {
    const look = kindOfFile(window.bytes().subarray(0, KIND_BYTES), window.size)
    hex = !look.text
    return look
  }

  const goTo = (offset: number) => {
    near(
      () => offset,
      () => {
        const row = perRow()
        place = hex ? { offset: offset - (offset % row), row: 0 } : placeAt(stretch(), offset)
        if (!hex) place = movePlace(stretch(), place, -Math.floor(height / 4), layout())
      },
    )
  }

  const lastPlace = (): Place => {
    const row = perRow()
    if (hex) return { offset: Math.max(0, Math.ceil(window.size / row) - height) * row, row: 0 }
    const end = placeAt(stretch(), Math.max(0, window.size - 1))
    const rows = rowsFrom(stretch(), end, Number.POSITIVE_INFINITY, layout())
    return movePlace(stretch(), rows.at(-1)?.place ?? end, 1 - height, layout())
  }

  /** The place so many rows off, never so far that rows below the last line are wasted. */
  const moveBy = (rows: number) => {
    if (hex) {
      const to = Math.max(0, Math.min(lastPlace().offset, place.offset + rows * perRow()))
      place = { offset: to, row: 0 }
      return
    }
    place = movePlace(stretch(), place, rows, layout())
    if (rows > 0 && rowsFrom(stretch(), place, height, layout()).length < height && window.near(window.size)) {
      const last = lastPlace()
      if (last.offset < place.offset || (last.offset === place.offset && last.row < place.row)) place = last
    }
  }

  const searching = createFileSearch(ui, {
    window,
    from: () => place.offset,
    below: () =>
      hex
        ? place.offset + 1
        : (rowsFrom(stretch(), place, Math.floor(height / 4) + 2, layout()).at(-1)?.place.offset ?? place.offset) + 1,
    goTo,
  })

  const context = {
    hex: () => hex,
    toggleHex() {
      hex = !hex
      goTo(place.offset)
    },
    toggleWrap() {
      wrap = !wrap
      left = 0
      place = { ...place, row: 0 }
      ui.changed()
    },
    canShift: () => !hex && !wrap,
    shift(by: number) {
      left = Math.max(0, left + by)
      ui.changed()
    },
    search: searching.ask,
    searched: searching.asked,
    again: searching.again,
    hasBefore: () => file.compare !== null,
    compare: () => file.compare?.(),
    extract() {
      extractTo(ui, { image, stack, layer: stack.layerOf(inode), node: stack.nodeOf(inode) })
    },
    copy: () => ui.copy(path, 'path'),
    async page() {
      if (window.size > PAGER_BYTES) return ui.toast('The file is too big for a pager; e extracts it.', 'warning')
      const text = await ui.work(`reading ${path}`, work => allLines(window.read(0, window.size, work.signal)))
      if (text) await ui.page(text)
    },
    move(by: Move) {
      const rows = { page: height - 1, '-page': 1 - height, half: height >> 1, '-half': -(height >> 1) }
      if (by === 'first') {
        near(
          () => 0,
          () => {
            place = { offset: 0, row: 0 }
          },
        )
      } else if (by === 'last') {
        near(
          () => Math.max(0, window.size - 1),
          () => {
            place = lastPlace()
          },
        )
      } else {
        near(
          () => place.offset,
          () => moveBy(typeof by === 'number' ? by : rows[by]),
        )
      }
    },
  }

  const bodyLines = (theme: Theme): string[] => {
    if (failed) return [line(columns, [' ', [theme.danger, failed]])]
    if (window.size === 0) return [line(columns, [[theme.dim, ' The file is empty.']])]
    if (!kind) return [line(columns, [[theme.dim, ` Reading ${theme.glyph.ellipsis}`]])]
    if (!hex) {
      const rows = rowsFrom(stretch(), place, height, layout())
      return rows.map(row => textLine(theme, row, columns, wrap ? 0 : left, searching.found()))
    }
    const row = perRow()
    const lines: string[] = []
    for (let at = place.offset; at < window.size && lines.length < height; at += row) {
      const from = at - window.start()
      lines.push(hexLine(theme, window.bytes().subarray(from, from + row), at, row, window.size, columns))
    }
    return lines
  }

  return {
    id: 'viewer',
    title: () => path,
    summary: () => [formatBytes(window.size), ...(kind ? [kind.words] : []), `step ${file.step}`],
    scopes: () => ['viewer'],
    actions: bind(viewerActions, context),
    draw(size, theme) {
      columns = size.columns - 2
      height = Math.max(1, size.rows - 2)
      const right: Part[] = [[theme.dim, `${kind ? `${kind.words}, ` : ''}as step ${file.step} stored it`]]
      const lines = exactly(bodyLines(theme), columns, height)
      const room = Math.max(8, columns - right.reduce((sum, part) => sum + part[1]!.length, 0) - 6)
      return frame(theme, {
        columns: size.columns,
        sections: [{ title: [cutMiddle(path, room)], right: size.columns >= 60 ? right : [], lines }],
        footer: [[theme.dim, footer()]],
        focused: true,
      })
    },
    subscribe: () => () => {},
    mouse(event) {
      if (event.kind === 'wheel') context.move(event.by * 3)
    },
    shown() {
      if (!kind)
        near(
          () => 0,
          () => {},
        )
    },
    close: () => closed.abort(),
  }

  function footer(): string {
    if (!kind || window.size === 0) return formatBytes(window.size)
    const share = window.size <= 1 ? 1 : Math.min(1, place.offset / window.size)
    const number = hex ? null : lineNumber(stretch(), place.offset)
    const where = number === null ? `byte ${formatCount(place.offset)}` : `line ${formatCount(number)}`
    const mode = hex ? 'hex' : wrap ? 'wrapped' : left > 0 ? `from column ${left + 1}` : 'cut'
    const reading = queue || !window.near(place.offset) ? 'reading …' : mode
    return `${reading} · ${where} · ${formatPercent(share)} of ${formatBytes(window.size)}`
  }
}

async function allLines(content: AsyncIterable<Uint8Array>): Promise<string[]> {
  const chunks: Uint8Array[] = []
  for await (const chunk of content) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  const lines: string[] = []
  for (let at = 0; at < bytes.length; ) {
    const newline = bytes.indexOf(0x0a, at)
    const end = newline < 0 ? bytes.length : newline
    lines.push(showLine(bytes.subarray(at, end)))
    at = end + 1
  }
  return lines
}

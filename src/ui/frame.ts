/** The whole screen as lines: breadcrumb, the screen on top, the bottom line; and what lies over it. */
import { keyLabel } from '../actions/keys.ts'
import { formatCount } from '../base/sizes.ts'
import { safe } from '../base/text.ts'
import { bodySize, type Size, SMALLEST } from './layout.ts'
import type { Host } from './store.ts'
import type { Theme } from './theme.ts'
import type { OverlayBox, UiState } from './ui.ts'
import { breadcrumb } from './widgets/breadcrumb.ts'
import { fieldParts } from './widgets/field.ts'
import { hintLine, hintsOf } from './widgets/hints.ts'
import { exactly, line, type Part, partsWidth } from './widgets/line.ts'
import { progressLine } from './widgets/progress.ts'

/** All lines of the terminal. Below the smallest size one line says what is needed. */
export function drawScreen(host: Host, size: Size): string[] {
  const theme = host.theme()
  const state = host.state()
  if (tooSmall(size))
    return exactly([line(size.columns, [`strata needs ${SMALLEST.columns}x${SMALLEST.rows}`])], size.columns, size.rows)
  const screen = host.top()
  const body = bodySize(size)
  const named = state.screens.map(one => one.title())
  const homes = named.length === 1 ? host.homes() : null
  const titles = named.length === 1 ? ['strata', ...named] : named
  return [
    breadcrumb(theme, size.columns, homes ? { ...homes, name: 'strata' } : titles, screen?.summary?.(theme)),
    ...exactly(screen?.draw(body, theme) ?? [], size.columns, body.rows),
    bottomLine(host, theme, size.columns),
  ]
}

export function tooSmall({ columns, rows }: Size): boolean {
  return columns < SMALLEST.columns || rows < SMALLEST.rows
}

/** Where the overlay on top is, null when there is none. */
export function drawOverlay(host: Host, size: Size): (OverlayBox & { x: number; y: number }) | null {
  const overlay = host.state().overlays.at(-1)
  if (!overlay || tooSmall(size)) return null
  const body = bodySize(size)
  const box = overlay.draw(body, host.theme())
  const lines = box.lines.slice(0, body.rows)
  const y = 1 + Math.min(Math.max(0, body.rows - lines.length), box.y ?? Math.max(0, (body.rows - lines.length) >> 1))
  return { ...box, lines, y, x: Math.max(0, (size.columns - box.columns) >> 1) }
}

/** What is most urgent of: the hints of an overlay, a line being typed, work under way, something said, hints. */
function bottomLine(host: Host, theme: Theme, columns: number): string {
  const { overlays, prompt, toast, tasks } = host.state()
  const overlay = overlays.at(-1)
  if (overlay) return hintLine(theme, columns, overlay.hints())
  if (prompt) return promptLine(theme, columns, prompt)
  if (toast) {
    const style = { info: theme.strong, warning: theme.warning, error: theme.danger }[toast.kind]
    const next: Part[] = toast.next
      ? [
          '  ',
          [theme.key, keyLabel(toast.next.key, theme.glyph.vertical === '|')],
          ' ',
          [theme.dim, toast.next.label],
          ' ',
        ]
      : []
    return line(columns, [toast.kind === 'info' ? ' ' : ' ! ', [style, toast.text]], next)
  }
  const task = tasks.at(-1)
  if (task) return progressLine(theme, columns, task)
  return hintLine(theme, columns, hintsOf(host.validActions()))
}

function promptLine(theme: Theme, columns: number, prompt: NonNullable<UiState['prompt']>): string {
  const label: Part[] = [' ', [theme.accent, prompt.label], ' ']
  const status = promptStatus(theme, columns, prompt)
  const room = columns - partsWidth(label) - partsWidth(status)
  return line(columns, [...label, ...fieldParts(theme, prompt.field, Math.max(1, room))], status)
}

function promptStatus(theme: Theme, columns: number, prompt: NonNullable<UiState['prompt']>): Part[] {
  const { matches } = prompt
  const said = matches.length > 0 ? choices(matches) : (prompt.status?.() ?? '')
  return said === '' || said.length > columns / 2 ? [] : ['  ', [theme.dim, said], ' ']
}

function choices(matches: readonly string[]): string {
  const shown = matches.slice(0, 3).map(match => safe(match.replace(/.*\/(?=.)/, '')))
  return matches.length > 3 ? `${shown.join('  ')}  of ${formatCount(matches.length)}` : shown.join('  ')
}

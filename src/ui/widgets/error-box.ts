/** An error over the screen: a sentence, what to do about it, and with one key the raw error. */
import type { Fault } from '../../base/errors.ts'
import { safe, safeLines } from '../../base/text.ts'
import type { Size } from '../layout.ts'
import type { Theme } from '../theme.ts'
import type { Overlay, OverlayBox } from '../ui.ts'
import type { Dialogs } from './confirm.ts'
import { frame } from './frame.ts'
import { line, type Part } from './line.ts'
import { wrap } from './wrap.ts'

/** A box for a fault that goes with `esc` or `enter`; `d` shows what lies behind it. */
export function createErrorBox(dialogs: Dialogs, fault: Fault): Overlay {
  let raw = false
  let top = 0
  const overlay: Overlay = {
    id: 'error',
    draw: (size, theme) => drawError(size, theme, fault, raw, top),
    hints: () => [
      { key: 'esc', label: 'close', worth: 90 },
      { key: 'd', label: raw ? 'hide the raw error' : 'show the raw error', worth: 60 },
    ],
    input(event) {
      if (event.kind === 'wheel') top = Math.max(0, top + event.by)
      if (event.kind !== 'key') return
      if (['esc', 'enter', 'q', 'space'].includes(event.key)) dialogs.dismiss(overlay)
      else if (event.key === 'd') raw = !raw
      else if (event.key === 'j' || event.key === 'down') top++
      else if (event.key === 'k' || event.key === 'up') top = Math.max(0, top - 1)
    },
  }
  return overlay
}

/** The error as a box; exported for its frames. */
export function drawError(size: Size, theme: Theme, fault: Fault, raw: boolean, top: number): OverlayBox {
  const columns = Math.max(20, Math.min(76, size.columns - 4))
  const inner = columns - 4
  const parts: Part[] = [
    ...safeLines(fault.message).flatMap(text => wrap(text, inner)),
    ...(fault.hint ? ['', ...wrap(safe(fault.hint), inner).map((one): Part => [theme.dim, one])] : []),
  ]
  const behind = raw ? rawLines(fault).flatMap(one => wrap(one, inner)) : []
  const room = Math.max(1, size.rows - 4 - parts.length - (raw ? 1 : 0))
  const from = Math.min(top, Math.max(0, behind.length - room))
  const lines = (all: readonly Part[]) => all.map(part => ` ${line(inner, [part])} `)
  const sections = [
    { title: [[theme.danger, 'Error']] as Part[], lines: lines(parts.slice(0, Math.max(1, size.rows - 4))) },
    ...(raw ? [{ title: [[theme.dim, 'raw error']] as Part[], lines: lines(behind.slice(from, from + room)) }] : []),
  ]
  return { columns, lines: frame(theme, { columns, sections, focused: true }) }
}

/** The stack of an error and of what caused it, as harmless lines. */
function rawLines(error: unknown, depth = 0): string[] {
  if (!(error instanceof Error)) return safeLines(String(error))
  const own = safeLines(error.stack ?? `${error.name}: ${error.message}`)
  if (depth > 8) return own
  const several = error instanceof AggregateError ? error.errors.slice(0, 100) : []
  const causes = error.cause === undefined ? several : [error.cause, ...several]
  return [...own, ...causes.flatMap(cause => ['caused by', ...rawLines(cause, depth + 1)])]
}

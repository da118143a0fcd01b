/** A pull under way, layer by layer. `esc` cancels it; when it is done, the list of images shows what came. */
import { bind } from '../../actions/action.ts'
import { pullingActions } from '../../actions/pulling.ts'
import type { PullProgress } from '../../actions/registry-service.ts'
import { isAbort } from '../../base/errors.ts'
import { formatBytes, formatDuration } from '../../base/sizes.ts'
import { cutMiddle, fit as fitted, safe } from '../../base/text.ts'
import { shortDigest } from '../../image/digest.ts'
import type { Size } from '../layout.ts'
import type { Screen } from '../screen.ts'
import type { Theme } from '../theme.ts'
import type { Ui } from '../ui.ts'
import { frame } from '../widgets/frame.ts'
import { exactly, line, type Part } from '../widgets/line.ts'
import { bar } from '../widgets/progress.ts'

/** Milliseconds between two frames, and before a rate means anything. */
const PACE = 80
const SURE = 1000

/** Begins when it is shown. */
export function createPulling(ui: Ui, name: string): Screen {
  const layers = new Map<string, PullProgress>()
  const listeners = new Set<() => void>()
  const abort = new AbortController()
  const { now } = ui.services
  let started: number | null = null
  let drawnAt = Number.NEGATIVE_INFINITY
  let over = false
  let visible = true

  const changed = () => {
    drawnAt = now()
    for (const listener of listeners) listener()
  }
  const progress = (of: PullProgress) => {
    const before = layers.get(of.layer)
    layers.set(of.layer, of)
    if (before?.doing !== of.doing || now() - drawnAt >= PACE) changed()
  }

  const pull = async () => {
    try {
      const { key } = await ui.services.registry.pull(name, { signal: abort.signal, progress })
      over = true
      if (abort.signal.aborted) return
      if (visible) {
        ui.pop()
        ui.reveal('images', key)
      }
      ui.toast(`pulled ${safe(name)}`)
    } catch (error) {
      over = true
      if (abort.signal.aborted) return
      if (visible) ui.pop()
      if (!isAbort(error)) ui.fail(error, `${safe(name)} could not be pulled`)
    }
  }

  return {
    id: 'pulling',
    title: () => `pull ${safe(name)}`,
    summary: () => [],
    scopes: () => (over ? [] : ['pulling']),
    actions: bind(pullingActions, { cancel: () => ui.pop() }),
    draw: (size, theme) => drawPulling(size, theme, [...layers.values()], started === null ? 0 : now() - started),
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    hidden() {
      visible = false
    },
    shown() {
      visible = true
      if (started !== null) return
      started = now()
      void pull()
    },
    close() {
      if (!over) ui.toast('cancelled; the next pull goes on from here')
      abort.abort()
      listeners.clear()
    },
  }
}

/** `elapsed` in milliseconds. */
export function drawPulling(size: Size, theme: Theme, layers: readonly PullProgress[], elapsed: number): string[] {
  const inner = size.columns - 2
  const height = Math.max(0, size.rows - 2)
  const rows = layers.map(layer => layerParts(theme, inner, layer))
  const room = Math.max(0, height - 2)
  // What has not come yet is of more interest than what has.
  const first = layers.findIndex(layer => !layer.over)
  const top = Math.max(
    0,
    Math.min(first < 0 ? rows.length : first, rows.length) - (rows.length > room ? 1 : rows.length),
  )
  const shown = rows.slice(
    Math.min(top, Math.max(0, rows.length - room)),
    Math.min(top, Math.max(0, rows.length - room)) + room,
  )
  const lines = [line(inner, [' ', ...totals(layers, elapsed)]), line(inner, []), ...shown.map(row => line(inner, row))]
  const done = layers.filter(layer => layer.over).length
  const footer: Part[] = layers.length === 0 ? [] : [[theme.dim, `${done} of ${layers.length} layers`]]
  const section = { title: ['Pull'], lines: exactly(lines.slice(0, height), inner, height) }
  return frame(theme, { columns: size.columns, sections: [section], footer, focused: true })
}

function totals(layers: readonly PullProgress[], elapsed: number): Part[] {
  if (layers.length === 0) return ['Asking the registry …']
  const moving = layers.filter(layer => layer.doing !== 'Already exists')
  const done = moving.reduce((sum, layer) => sum + layer.done, 0)
  const total = moving.reduce((sum, layer) => sum + (layer.total ?? layer.done), 0)
  const rate = elapsed > SURE ? (done / elapsed) * 1000 : 0
  const left = rate > 0 && total > done ? `, ${formatDuration(((total - done) / rate) * 1000)} left` : ''
  return [`${formatBytes(done)} of ${formatBytes(total)}${rate > 0 ? `, ${formatBytes(rate)}/s` : ''}${left}`]
}

/** `8f66748647dc  ████████░░░░  16.8 MB of 34.7 MB  Downloading` */
function layerParts(theme: Theme, columns: number, { layer, done, total, doing, over }: PullProgress): Part[] {
  const cells = Math.min(32, columns - 52)
  const share = total ? done / total : over ? 1 : 0
  const bytes = total === null ? formatBytes(done) : `${formatBytes(Math.min(done, total))} of ${formatBytes(total)}`
  const moves = !over && done > 0
  return [
    ' ',
    [over ? theme.dim : theme.strong, shortDigest(layer)],
    '  ',
    ...(cells >= 6 ? [...bar(theme, cells, over ? 1 : share), '  '] : []),
    fitted(moves ? bytes : total === null ? '' : formatBytes(total), 20, 'right'),
    '  ',
    [over ? theme.ok : theme.dim, cutMiddle(doing, 16)],
  ]
}

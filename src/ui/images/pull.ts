/** `p` on the Images screen: asks for the name of an image in a registry, says what looking and pulling would bring. */
import type { Offer } from '../../actions/registry-service.ts'
import { formatBytes, formatCount } from '../../base/sizes.ts'
import { safe } from '../../base/text.ts'
import type { Menu, Ui } from '../ui.ts'
import { createPulling } from './pulling.ts'

/** Asks, then opens the Explorer on the image where it is, or pulls it. */
export function askPull(ui: Ui, text = ''): void {
  ui.prompt({
    label: 'image in a registry',
    text,
    complete: typed => ui.services.registry.complete(typed),
    submit: name => void (name.trim() && offer(ui, name.trim())),
  })
}

async function offer(ui: Ui, name: string): Promise<void> {
  const shown = safe(name)
  const found = await ui.work(`Asking for ${shown}`, ({ signal }) => ui.services.registry.offer(name, signal))
  if (!found) return
  const mayPull = !ui.services.containers.readOnly
  const chosen = await ui.choose(menuOf(found, mayPull))
  if (chosen === 0) ui.explore(found.reference)
  if (chosen === 1) ui.push(createPulling(ui, name))
}

/** What is asked, and what each answer brings. */
export function menuOf(found: Offer, mayPull: boolean): Menu {
  const { layers, bytes, pull, look, elsewhere } = found
  return {
    title: safe(found.name),
    lines: [
      `${formatBytes(bytes)} in ${count(layers)}, as the registry keeps it.`,
      ...(mayPull ? ['A pull takes it into the native store.'] : []),
      ...(elsewhere ? [`${safe(elsewhere.engine)} has ${count(elsewhere.layers)} of it already.`] : []),
    ],
    items: [
      { label: 'Look', key: 'l', detail: lookDetail(look) },
      ...(mayPull ? [{ label: 'Pull', key: 'p', detail: pullDetail(pull, layers) }] : []),
    ],
  }
}

function lookDetail({ bytes, whole }: Offer['look']): string {
  if (bytes === 0) return 'nothing more to read: its layers are known'
  if (whole === 0) return `${formatBytes(bytes)} for all of its files`
  return `layers when you ask for them: ${formatBytes(bytes)} for all`
}

function pullDetail({ layers, bytes }: Offer['pull'], all: number): string {
  if (layers === 0) return 'all of it is here'
  return `${formatCount(layers)} of ${count(all)}, ${formatBytes(bytes)}`
}

function count(layers: number): string {
  return layers === 1 ? '1 layer' : `${formatCount(layers)} layers`
}

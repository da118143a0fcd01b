/** `K`: which signal, to the containers that are named in the same menu. */
import { signalItems, signalName } from '../../actions/signals.ts'
import { safe } from '../../base/text.ts'
import type { Ui } from '../ui.ts'

/** The signal's name without SIG; null when none was chosen. `about` names who gets it, harmless text. */
export async function chooseSignal(ui: Ui, title: string, about: readonly string[]): Promise<string | null> {
  const items = [...signalItems, { label: 'other …', detail: 'by name or number', key: 'o' }]
  const chosen = await ui.choose({ title, lines: about, items })
  if (chosen === null) return null
  const signal = signalItems[chosen]?.label
  if (signal !== undefined) return signal
  const { promise, resolve } = Promise.withResolvers<string | null>()
  ui.prompt({
    label: 'signal',
    submit(text) {
      const name = signalName(text)
      if (name === null) ui.toast(`“${safe(text)}” is no signal: a name like TERM, or a number like 15.`, 'warning')
      resolve(name)
    },
    cancel: () => resolve(null),
  })
  return promise
}

/** Signals by the names that people write. */
import { constants } from 'node:os'
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'

/** `TERM`, `SIGTERM`, `15` as the helper takes them: a name without SIG, or a number. Throws a Fault for what is none. */
export function signalName(text: string): string {
  const name = text.trim().toUpperCase().replace(/^SIG/, '')
  if (/^\d{1,2}$/.test(name) && Number(name) >= 1 && Number(name) <= 64) return name
  if (`SIG${name}` in constants.signals || /^RTM(?:IN|AX)(?:[+-]\d{1,2})?$/.test(name)) return name
  throw new Fault(`“${safe(text)}” is no signal.`, { hint: 'A signal is a name (TERM, SIGHUP) or a number (15).' })
}

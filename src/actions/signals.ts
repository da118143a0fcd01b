/** The signals that a person sends, with what they usually mean to a program. */
import { constants } from 'node:os'

export const signalItems: readonly { label: string; detail: string; key: string }[] = [
  { label: 'TERM', detail: 'end in good order', key: 't' },
  { label: 'INT', detail: 'as ctrl-c', key: '2' },
  { label: 'HUP', detail: 'read the settings again', key: '1' },
  { label: 'QUIT', detail: 'end, with a core or a stack', key: '3' },
  { label: 'USR1', detail: 'what the program makes of it', key: 'u' },
  { label: 'USR2', detail: 'what the program makes of it', key: 'v' },
  { label: 'STOP', detail: 'stand still', key: 's' },
  { label: 'CONT', detail: 'go on', key: 'c' },
  { label: 'KILL', detail: 'end at once, nothing is brought to an end', key: '9' },
]

/** `TERM`, `sigterm`, `15` as the name without SIG (a number where it has none); null for what is no signal. */
export function signalName(text: string): string | null {
  const name = text.trim().toUpperCase().replace(/^SIG/, '')
  if (`SIG${name}` in constants.signals) return name
  if (!/^\d{1,2}$/.test(name) || Number(name) < 1 || Number(name) > 64) return null
  const named = Object.entries(constants.signals).find(([, number]) => number === Number(name))
  return named ? named[0].slice(3) : name
}

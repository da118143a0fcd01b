/** Keys that let go of a container, as docker writes them. Pure. */
import { Fault } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'

/** `ctrl-p,ctrl-q` as bytes; null: nothing lets go. Throws a Fault (exit code 125) for what is no key. */
export function parseDetachKeys(text = 'ctrl-p,ctrl-q'): Uint8Array | null {
  if (text === '') return null
  const codes = text.split(',').map(key => {
    const control = /^ctrl-([a-zA-Z@[\\\]^_])$/.exec(key)?.[1]
    if (control) return control.toUpperCase().charCodeAt(0) & 0x1f
    if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0)
    throw new Fault(`“${safe(key)}” is no key.`, {
      hint: 'Keys are single characters and ctrl-a to ctrl-z, separated by commas: ctrl-p,ctrl-q',
      exitCode: 125,
    })
  })
  return Uint8Array.from(codes)
}

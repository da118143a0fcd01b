/** Where the helper is, and what its errors say. As light as can be: a container starts behind it. */
import { accessSync, constants, readFileSync } from 'node:fs'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { Fault } from '../base/errors.ts'

/** The helper's path; a Fault that says how to get one where it was not built. `STRATA_NATIVE_HELPER` names another. */
export function findHelper(): string {
  const own = process.env.STRATA_NATIVE_HELPER
  const places = own
    ? [own]
    : ['./strata-native', '../../native/build/strata-native'].map(place =>
        fileURLToPath(new URL(place, import.meta.url)),
      )
  for (const place of places) {
    try {
      accessSync(place, constants.X_OK)
      return place
    } catch {} // look on
  }
  const reason = whyNotBuilt()
  const why = reason === '' ? '' : `: ${(reason.trim().split('\n').at(-1) ?? '').slice(0, 300)}`
  throw new Fault(`The native runtime is not built on this machine${why}.`, {
    cause: reason || undefined,
    hint: 'Run `npm run build` in the folder of Strata; the helper needs make and a C compiler.',
  })
}

/** What the build left in its place; '' for nothing. */
function whyNotBuilt(): string {
  try {
    return readFileSync(new URL('./strata-native.missing', import.meta.url), 'utf8')
  } catch {
    return ''
  }
}

/** The Fault behind the helper's last line on standard error. */
export function faultOf(verb: string, code: number, said: string): Fault {
  const line = said.trim().split('\n').at(-1) ?? ''
  try {
    const { error } = JSON.parse(line) as { error: { text: string } }
    return new Fault(`${capital(String(error.text))}.`, { exitCode: code })
  } catch {
    return new Fault(`The native runtime ended with ${code} while it did ${verb}.`, { cause: said, exitCode: code })
  }
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

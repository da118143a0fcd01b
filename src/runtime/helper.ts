/**
 * The one client of native/: finds the helper and runs its verbs. What goes in: directories, a layer's bytes, a bundle.
 * What comes out: its JSON lines, a Fault with its sentence. Containers themselves are `run.ts`.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { access, readFile } from 'node:fs/promises'
import process from 'node:process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { Fault } from '../base/errors.ts'
import { safe } from '../base/text.ts'

/** The helper's path; a Fault that says how to get one where it was not built. `STRATA_NATIVE_HELPER` names another. */
export async function findHelper(): Promise<string> {
  const own = process.env.STRATA_NATIVE_HELPER
  const places = own
    ? [own]
    : ['./strata-native', '../../native/build/strata-native'].map(place =>
        fileURLToPath(new URL(place, import.meta.url)),
      )
  for (const place of places) {
    const found = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (found) return place
  }
  const reason = await readFile(new URL('./strata-native.missing', import.meta.url), 'utf8').catch(() => '')
  const why = reason === '' ? '' : `: ${safe(reason.trim().split('\n').at(-1) ?? '').slice(0, 300)}`
  throw new Fault(`The native runtime is not built on this machine${why}.`, {
    cause: reason || undefined,
    hint: 'Run `npm run build` in the folder of Strata; the helper needs make and a C compiler.',
  })
}

export interface HelperOptions {
  /** Becomes the helper's standard input. */
  input?: Readable | undefined
  signal?: AbortSignal | undefined
}

/**
 * Runs a verb and gives its JSON lines as they come. Throws a Fault with the helper's sentence when it fails; leaving the
 * loop early, or the signal, ends the helper, which takes back what it had begun.
 */
export async function* helperLines(args: string[], { input, signal }: HelperOptions = {}): AsyncGenerator<unknown> {
  const child = spawn(await findHelper(), args, { stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'] })
  const stop = () => {
    child.kill('SIGTERM')
    child.stdin?.destroy()
  }
  const ended = endOf(child)
  const fed = input ? pipeline(input, child.stdin!).catch(error => error as Error) : null
  signal?.addEventListener('abort', stop, { once: true })
  try {
    signal?.throwIfAborted()
    for await (const line of createInterface({ input: child.stdout! })) yield JSON.parse(line)
    const { code, said } = await ended
    signal?.throwIfAborted()
    if (code === 0) return
    // What broke the input explains more than what the helper saw of it, unless it was the helper who left.
    const broken = await fed
    if (broken instanceof Fault) throw broken
    throw faultOf(args[0], code, said)
  } finally {
    signal?.removeEventListener('abort', stop)
    if (child.exitCode === null && child.signalCode === null) stop()
    await ended
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

/** Bytes of standard error that are kept. */
const most = 8192

function endOf(child: ChildProcess): Promise<{ code: number; said: string }> {
  let said = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-most)
  })
  return new Promise(resolve => {
    child.once('error', error => resolve({ code: 1, said: `${said}\n${error.message}` }))
    child.once('close', (code, signal) => resolve({ code: code ?? (signal ? 128 : 1), said }))
  })
}

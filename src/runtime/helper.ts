/**
 * The one client of native/: runs the helper's verbs. What goes in: directories, a layer's bytes, a bundle.
 * What comes out: its JSON lines, a Fault with its sentence. Containers themselves are `run.ts` and `containers/`.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Fault } from '../base/errors.ts'
import { faultOf, findHelper } from './find-helper.ts'

export { faultOf, findHelper }

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
  const child = spawn(findHelper(), args, { stdio: [input ? 'pipe' : 'ignore', 'pipe', 'pipe'] })
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

/** One verb of the helper over containers, from its start to its answer. As light as can be: `run` waits for it. */
import { Fault } from '../../base/errors.ts'
import { faultOf, findHelper } from '../find-helper.ts'
import type { Places } from '../places.ts'

export interface CallOptions {
  signal?: AbortSignal | undefined
}

/** Gives what the verb prints. Throws a Fault with the helper's sentence and its exit status. */
export async function callHelper(places: Places, args: readonly string[], options: CallOptions = {}): Promise<string> {
  // Not at the top: whoever becomes the helper never starts one, and loading this takes as long as a container.
  const { spawn } = await import('node:child_process')
  const child = spawn(findHelper(), ['--root', places.state, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  const stop = () => child.kill('SIGTERM')
  options.signal?.addEventListener('abort', stop, { once: true })
  let out = ''
  let err = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err = (err + text).slice(-most)
  })
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve(code ?? (signal ? 128 : 1)))
    })
    if (options.signal?.aborted) throw new Fault('Cancelled.', { exitCode: 130 })
    if (code !== 0) throw faultOf(args[0], code, err)
    return out
  } finally {
    options.signal?.removeEventListener('abort', stop)
  }
}

/** Characters of standard error that are kept. */
const most = 8192

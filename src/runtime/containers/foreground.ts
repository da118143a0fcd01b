/**
 * The helper on our own standard streams. It holds the terminal meanwhile (raw, resized, whole again afterwards) and passes
 * signals on, so that nothing here stands between the person and the container.
 */
import { spawn } from 'node:child_process'
import process from 'node:process'
import type { Readable } from 'node:stream'
import { faultOf, findHelper } from '../find-helper.ts'
import type { Places } from '../places.ts'

export interface Ended {
  /** The command's own, 128+n for a signal; 125, 126, 127 with `fault`. */
  status: number
  /** Why the command did not run; null when it did. */
  fault: Error | null
}

/** Runs a verb to its end, for who goes on afterwards: the screens. */
export async function callHere(places: Places, verb: string, args: readonly string[]): Promise<Ended> {
  const all = ['--root', places.state, '--error-fd', '3', verb, ...args]
  const child = spawn(findHelper(), all, { stdio: ['inherit', 'inherit', 'inherit', 'pipe'] })
  const release = passOn(signal => child.kill(signal))
  let said = ''
  ;(child.stdio[3] as Readable).setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-most)
  })
  try {
    const status = await new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', (code, signal) => resolve(code ?? (signal ? 128 : 125)))
    })
    return { status, fault: said.includes('"error":') ? faultOf(verb, status, said) : null }
  } finally {
    release()
  }
}

/** Characters of what the helper says that are kept. */
const most = 8192

/** The terminal sends SIGINT and SIGQUIT to the helper too: only the others need us to pass them on. */
const passed: NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2']

/** From now on signals are the container's, not ours; gives a function that takes them back. */
function passOn(send: (signal: NodeJS.Signals) => void): () => void {
  const names: NodeJS.Signals[] = [...passed, 'SIGINT', 'SIGQUIT']
  const before = names.map(name => [name, process.listeners(name)] as const)
  for (const [name] of before) {
    process.removeAllListeners(name)
    process.on(name, () => {
      if (passed.includes(name)) send(name)
    })
  }
  return () => {
    for (const [name, listeners] of before) {
      process.removeAllListeners(name)
      for (const listener of listeners) process.on(name, listener)
    }
  }
}

/**
 * A container at the terminal for the screens. Leaving it never ends it: where its terminal is ours by keys that let go, where
 * it has none by ctrl-c, which is ours then and not its.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { Fault } from '../base/errors.ts'
import { safe, safeLines } from '../base/text.ts'
import { reach } from './container-deeds.ts'
import type { Options } from './program.ts'

/** What lets go: as docker has it. */
const KEYS = 'ctrl-p,ctrl-q'

/** What a shell says of a program that ctrl-c has ended. */
const INTERRUPTED = 130

/** Its exit status; null where it was let go. Rejects with a Fault when it can not be reached. */
export async function attachAt(
  engine: string,
  { id, name }: { id: string; name: string },
  { start = false }: { start?: boolean } = {},
  options: Options,
): Promise<number | null> {
  const { tty, openStdin } = await reach(engine, id, on => on.containers.inspect(id), options)
  const typed = tty && openStdin
  process.stdout.write(
    typed
      ? `${safe(name)}: ctrl-p ctrl-q comes back to strata, and it goes on.\r\n`
      : `${safe(name)} ${tty ? 'reads nothing that is typed' : 'has no terminal'}: this is what it says. ctrl-c comes back to strata, and it goes on.\r\n`,
  )
  const verb = start ? ['start', '--attach', ...(typed ? ['--interactive'] : [])] : ['attach']
  const quiet = start ? [] : [...(typed ? [] : ['--no-stdin']), '--sig-proxy', 'false']
  const which = typeof options.context === 'string' ? ['--context', options.context] : ['--engine', engine]
  const args = [...process.execArgv, process.argv[1]!, ...verb, ...quiet, '--detach-keys', KEYS, ...which, id]
  const child = spawn(process.execPath, args, { stdio: [typed ? 'inherit' : 'ignore', 'inherit', 'pipe'] })
  let said = ''
  child.stderr!.on('data', (bytes: Buffer) => {
    if (said.length < 4096) said += bytes.toString('utf8')
    // What a program without a terminal says on its standard error.
    if (!tty) process.stderr.write(bytes)
  })
  const [status, signal] = await deafTo('SIGINT', () => once(child, 'close') as Promise<[number | null, string | null]>)
  // What it wrote last stays a line of its own on the terminal that is left.
  process.stdout.write('\r\n')
  if (status === null || status === INTERRUPTED) return null
  const reason = safeLines(said)
    .map(line => /^strata: (.+)/.exec(line)?.[1])
    .find(line => line !== undefined)
  if (reason !== undefined && status !== 0) throw new Fault(reason)
  if (signal !== null) throw new Fault(`${safe(name)} was let go by ${signal}.`)
  return status
}

/** ctrl-c at a terminal that is not raw reaches us as well: it is not meant for us. */
async function deafTo<T>(signal: NodeJS.Signals, run: () => Promise<T>): Promise<T> {
  const listeners = process.listeners(signal)
  process.removeAllListeners(signal)
  const ignore = () => {}
  process.on(signal, ignore)
  try {
    return await run()
  } finally {
    process.off(signal, ignore)
    for (const listener of listeners) process.on(signal, listener)
  }
}

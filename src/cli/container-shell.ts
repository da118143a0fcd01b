/**
 * A shell in a running container for the screens. It is a process of its own that has the terminal, so that nothing of
 * the screens reads a key that is not theirs: the helper for a native container, our own `exec` for the others.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import process from 'node:process'
import { Fault } from '../base/errors.ts'
import { safe, safeLines } from '../base/text.ts'
import { lookUpContainer } from '../runtime/containers/shelf.ts'
import { findHelper } from '../runtime/find-helper.ts'
import { ownPlaces } from './containers/places.ts'
import type { Options } from './program.ts'

/** The shell that the container's people would take. */
const bestShell = 'exec "$(command -v bash || command -v zsh || command -v ash || echo sh)"'

/** Milliseconds in which nobody has typed a command that is not there, and left. */
const QUICK = 3000

/** Its exit status. Rejects with a Fault when no shell could be started. */
export async function shellAt(
  engine: string | null,
  { id, name }: { id: string; name: string },
  options: Options,
): Promise<number> {
  process.stdout.write(`A shell in ${safe(name)}; exit brings strata back.\r\n`)
  const term = `TERM=${process.env.TERM ?? 'xterm'}`
  const places = ownPlaces()
  const isOurs = engine === 'native' || (engine === null && options.context === undefined)
  const own = isOurs ? lookUpContainer(places.containers, id) : null
  const wish = ['--env', term, own?.id ?? id, 'sh', '-c', bestShell]
  const [program, args] =
    own !== null
      ? [findHelper(), ['--root', places.state, '--speak-as', 'strata', 'exec', '--tty', ...wish]]
      : [
          process.execPath,
          [...process.execArgv, process.argv[1]!, 'exec', '-it', ...whichEngine(engine, options), ...wish],
        ]
  const begun = performance.now()
  const child = spawn(program, args, { stdio: ['inherit', 'inherit', 'pipe'] })
  let said = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    if (said.length < 4096) said += text
  })
  const [status, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  const reason = safeLines(said)
    .map(line => line.replace(/^strata: /, '').trim())
    .find(line => line !== '')
  if (reason !== undefined && status !== 0) throw new Fault(reason)
  // An engine says into the terminal why it could not begin, and that is covered by the screen again.
  if ((status === 126 || status === 127) && performance.now() - begun < QUICK)
    throw new Fault(`No shell could be started in ${safe(name)}: it has none, or none that can be executed.`)
  if (status === null) throw new Fault(`The shell in ${safe(name)} was ended by ${signal}.`)
  return status
}

function whichEngine(engine: string | null, { context }: Options): string[] {
  if (engine === null && context === undefined) return []
  return typeof context === 'string' ? ['--context', context] : ['--engine', engine!]
}

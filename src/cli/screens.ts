/** `strata [REF]`: the screens where there is a terminal for them, else what they show as text. */

/** `strata [REF]`: the screens where there is a terminal for them, else what they show as text. */
import process, { kill, pid } from 'node:process'
import { Fault } from '../base/errors.ts'
import { whyNoScreen } from '../ui/terminal/colours.ts'
import type { Io } from './output.ts'
import type { Options } from './program.ts'
import { nearestVerb } from './usage.ts'

export async function screens(io: Io, [reference]: string[], options: Options, verbs: string[]): Promise<number> {
  if (whyNoScreen(process.env, process.stdin, process.stdout) === null) return show(io, reference, options)
  if (reference === undefined) return (await import('./images.ts')).images(io, [], options)
  try {
    return await (await import('./analyze.ts')).analyze(io, [reference], options)
  } catch (error) {
    throw orVerb(error, reference, verbs)
  }
}

async function show({ signal }: Io, reference: string | undefined, options: Options): Promise<number> {
  const [{ startUi }, { createExplorer }, { createServices }] = await Promise.all([
    import('../ui/start.tsx'),
    import('../ui/explorer/explorer.ts'),
    import('./services.ts'),
  ])
  const services = createServices(options)
  const asked = reference === undefined ? {} : { reference }
  const ended = await startUi({ services, explorer: createExplorer, signal, ...asked })
  if (ended.signal) kill(pid, ended.signal)
  return 0
}

/** A word that is no image may have been meant as a verb. */
function orVerb(error: unknown, word: string, verbs: string[]): unknown {
  const near = error instanceof Fault ? nearestVerb(verbs, word) : null
  if (near === null) return error
  return new Fault((error as Fault).message, { hint: `Did you mean strata ${near}?`, cause: error })
}

/** `strata [REF]`: the screens where there is a terminal for them, else what they show as text. */

/** `strata [REF]`: the screens where there is a terminal for them, else what they show as text. */
import process, { kill, pid } from 'node:process'
import { whyNoScreen } from '../ui/terminal/colours.ts'
import type { Io } from './output.ts'
import type { Options } from './program.ts'

export async function screens(io: Io, [reference]: string[], options: Options): Promise<number> {
  if (whyNoScreen(process.env, process.stdin, process.stdout) === null) return show(io, reference, options)
  if (reference === undefined) return (await import('./images.ts')).images(io, [], options)
  return (await import('./analyze.ts')).analyze(io, [reference], options)
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

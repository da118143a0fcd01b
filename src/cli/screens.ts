/** `strata [REF|CONTAINER]`: the screens where there is a terminal for them, else what they show as text. */
import process, { kill, pid } from 'node:process'
import type { Services } from '../actions/services.ts'
import { Fault } from '../base/errors.ts'
import { whyNoScreen } from '../ui/terminal/colours.ts'
import type { Ui } from '../ui/ui.ts'
import type { Io } from './output.ts'
import type { Options } from './program.ts'
import { nearestVerb } from './usage.ts'

export async function screens(io: Io, [reference]: string[], options: Options, verbs: string[]): Promise<number> {
  if (whyNoScreen(process.env, process.stdin, process.stdout) === null) return show(io, reference, options)
  if (reference === undefined) return (await import('./images.ts')).images(io, [], options)
  try {
    return await (await import('./analyze.ts')).analyze(io, [reference], options)
  } catch (error) {
    throw (await orContainer(error, reference, options)) ?? orVerb(error, reference, verbs)
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
  let ui: Ui | null = null
  const explorer = (its: Ui, wanted: string) => {
    ui = its
    return createExplorer(its, wanted)
  }
  const open: Services['open'] = async (wanted, work) => {
    const image = await services.open(wanted, work)
    if (wanted === reference && !image.live && ui) void tellOther(ui, wanted, options)
    return image
  }
  const ended = await startUi({ services: { ...services, open }, explorer, signal, ...asked })
  if (ended.signal) kill(pid, ended.signal)
  return 0
}

/** Says of an image's name that a container has it too, and how it is written to mean that. */
async function tellOther(ui: Ui, name: string, options: Options): Promise<void> {
  const { containerNamed } = await import('./meant.ts')
  const other = await containerNamed(name, options).catch(() => null)
  if (other !== null) ui.toast(`A container has that name too: strata ${other}`)
}

/** What is no image, but a container, is looked at on the screen or with verbs of its own. */
async function orContainer(error: unknown, name: string, options: Options): Promise<Fault | null> {
  const { containerNamed } = await import('./meant.ts')
  if (!(error instanceof Fault) || !error.message.startsWith('There is no image')) return null
  const found = await containerNamed(name, options).catch(() => null)
  if (found === null) return null
  const hint = `It is a container: strata diff ${name} and strata inspect ${name} tell of it, strata ${name} on a terminal shows it.`
  return new Fault(error.message, { hint, cause: error })
}

/** A word that is no image may have been meant as a verb. */
function orVerb(error: unknown, word: string, verbs: string[]): unknown {
  const near = error instanceof Fault ? nearestVerb(verbs, word) : null
  if (near === null) return error
  return new Fault((error as Fault).message, { hint: `Did you mean strata ${near}?`, cause: error })
}

/**
 * The screens on this process's own terminal, from the first frame to a terminal that is whole again. Loaded by the
 * program only when a screen is wanted: nothing of the plain command line imports it.
 */
import process from 'node:process'
import type { Services } from '../actions/services.ts'
import { Fault } from '../base/errors.ts'
import { createImages } from './images/images.ts'
import { runScreens, sizeOf } from './run.tsx'
import type { Screen } from './screen.ts'
import { createHost } from './store.ts'
import { asciiOnly, colourLevel, whyNoScreen } from './terminal/colours.ts'
import { makeTheme } from './theme.ts'
import type { Ui } from './ui.ts'

export interface StartOptions {
  services: Services
  /** The image to open at once; the list of images without it. */
  reference?: string
  /** Makes the Explorer. */
  explorer(ui: Ui, reference: string): Screen
  /** Ends the screens when it is aborted. */
  signal?: AbortSignal
}

/** The signal that ended the screens, for the program to die of; null when the person left them. */
export type Ended = { signal: 'SIGTERM' | 'SIGHUP' | null }

/**
 * Shows the screens until they are left. Rejects with what broke them, once the terminal is whole again; with a Fault
 * (exit code 2) when there is no terminal to show them on.
 */
export async function startUi(options: StartOptions): Promise<Ended> {
  const why = whyNoScreen(process.env, process.stdin, process.stdout)
  if (why) {
    const hint = 'The commands print the same: strata --help names them.'
    throw new Fault(`The screens can not be shown. ${why}`, { hint, exitCode: 2 })
  }
  const host = createHost({
    services: options.services,
    theme: makeTheme(colourLevel(process.env), asciiOnly(process.env)),
    size: sizeOf(process.stdout),
    explorer: options.explorer,
  })
  host.push(createImages(host))
  if (options.reference !== undefined) host.explore(options.reference)

  const ended: Ended = { signal: null }
  const screens = runScreens(host, { stdin: process.stdin, stdout: process.stdout, environment: process.env })
  const deaf = listen(options.signal, screens.exit, signal => {
    ended.signal = signal
  })
  process.on('SIGCONT', host.redraw)
  try {
    await screens.ended
  } finally {
    process.off('SIGCONT', host.redraw)
    deaf()
  }
  return ended
}

/** Everything of the process that ends the screens. The returned function stops listening. */
function listen(
  aborted: AbortSignal | undefined,
  exit: (error?: Error) => void,
  died: (signal: 'SIGTERM' | 'SIGHUP') => void,
): () => void {
  const quit = () => exit()
  const broken = (error: unknown) => exit(error instanceof Error ? error : new Error(String(error)))
  const die = (signal: NodeJS.Signals) => {
    died(signal as 'SIGTERM' | 'SIGHUP')
    exit()
  }
  process.on('SIGTERM', die)
  process.on('SIGHUP', die)
  process.on('uncaughtException', broken)
  process.on('unhandledRejection', broken)
  aborted?.addEventListener('abort', quit)
  return () => {
    process.off('SIGTERM', die)
    process.off('SIGHUP', die)
    process.off('uncaughtException', broken)
    process.off('unhandledRejection', broken)
    aborted?.removeEventListener('abort', quit)
  }
}

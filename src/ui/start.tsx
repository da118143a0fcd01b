/**
 * The screens on this process's own terminal, from the first frame to a terminal that is whole again. Loaded by the
 * program only when a screen is wanted: nothing of the plain command line imports it.
 */
import process from 'node:process'
import { setFlagsFromString } from 'node:v8'
import type { Services } from '../actions/services.ts'
import { Fault } from '../base/errors.ts'
import { createContainers } from './containers/containers.ts'
import { createImages } from './images/images.ts'
import { type Running, runScreens, sizeOf } from './run.tsx'
import type { Screen } from './screen.ts'
import { createStorage } from './storage/storage.ts'
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

/**
 * Percent by which memory grows before what nobody needs any more is collected. Screens are open for hours while lines of
 * logs stream through: V8's own measure would have three times as much of them lie about as is in use.
 */
const GROWTH = 20

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
  setFlagsFromString(`--heap-growing-percent=${GROWTH}`)
  const host = createHost({
    services: options.services,
    theme: makeTheme(colourLevel(process.env), asciiOnly(process.env)),
    size: sizeOf(process.stdout),
    explorer: options.explorer,
    homes: [
      { title: 'Images', make: createImages },
      { title: 'Containers', make: createContainers },
      { title: 'Storage', make: createStorage },
    ],
  })
  host.goHome(0)
  if (options.reference !== undefined) host.explore(options.reference)

  const ended: Ended = { signal: null }
  const running = Promise.withResolvers<Running>()
  const deaf = listen(options.signal, {
    exit: error => void running.promise.then(screens => screens.exit(error)),
    redraw: host.redraw,
    died: signal => {
      ended.signal = signal
    },
  })
  try {
    const screens = runScreens(host, { stdin: process.stdin, stdout: process.stdout, environment: process.env })
    running.resolve(screens)
    await screens.ended
  } finally {
    deaf()
  }
  return ended
}

interface Listener {
  exit(error?: Error): void
  redraw(): void
  died(signal: 'SIGTERM' | 'SIGHUP'): void
}

/**
 * Everything of the process that concerns the screens, from before the first frame on. The returned function stops
 * listening. SIGCONT: whoever stopped the program has used the terminal since.
 */
function listen(aborted: AbortSignal | undefined, on: Listener): () => void {
  const quit = () => on.exit()
  const broken = (error: unknown) => on.exit(error instanceof Error ? error : new Error(String(error)))
  const die = (signal: NodeJS.Signals) => {
    on.died(signal as 'SIGTERM' | 'SIGHUP')
    on.exit()
  }
  const listeners = {
    SIGTERM: die,
    SIGHUP: die,
    SIGCONT: on.redraw,
    uncaughtException: broken,
    unhandledRejection: broken,
  }
  for (const [event, listener] of Object.entries(listeners)) process.on(event, listener)
  aborted?.addEventListener('abort', quit)
  return () => {
    for (const [event, listener] of Object.entries(listeners)) process.off(event, listener)
    aborted?.removeEventListener('abort', quit)
  }
}

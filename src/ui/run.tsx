/** The screens on a terminal: who reads it, who draws on it, who gives it away, and what is left of it at the end. */
import { render } from 'ink'
import { App } from './app.tsx'
import { dispatch } from './dispatch.ts'
import type { Size } from './layout.ts'
import { runPager } from './pager.ts'
import type { Host } from './store.ts'
import { copySequence } from './terminal/clipboard.ts'
import { openInput, type TerminalStream } from './terminal/input.ts'
import { refreshSize, stopUntilContinued } from './terminal/job-control.ts'
import { enterModes, leaveModes, WHOLE_AGAIN } from './terminal/modes.ts'
import { sparing } from './terminal/thrift.ts'

export interface Io {
  stdin: TerminalStream
  stdout: NodeJS.WriteStream
  environment: NodeJS.ProcessEnv
}

export interface Running {
  /** Ends the screens; with an error, `ended` rejects with it. */
  exit(error?: Error): void
  /** Resolves once the terminal is whole again. */
  ended: Promise<void>
  /** Resolves when everything that was asked for so far is on the screen. */
  flushed(): Promise<void>
}

/** Draws the host's state on the terminal and feeds it what is typed, until somebody calls `exit`. */
export function runScreens(host: Host, { stdin, stdout, environment }: Io): Running {
  const ink = Promise.withResolvers<Ink>()
  const failure: { error?: Error } = {}
  const exit = (error?: Error) => {
    failure.error ??= error
    void ink.promise.then(({ exit }) => exit())
  }
  const crashed = (error: unknown) => exit(error instanceof Error ? error : new Error(String(error)))

  const input = openInput(
    stdin,
    events => dispatch(host, events),
    () => exit(),
  )
  const modes = (on: boolean) => stdout.write((on ? enterModes : leaveModes)(host.state().mouse))
  let away = false
  const handOver = async (run: () => Promise<void>) => {
    const { suspend } = await ink.promise
    if (away) return
    away = true
    try {
      await suspend(async () => {
        modes(false)
        try {
          await run()
        } finally {
          refreshSize()
          // Whoever had it may have left the cursor anywhere in a line.
          stdout.write('\r')
          modes(true)
        }
      })
    } finally {
      away = false
    }
  }
  host.attach({
    exit,
    handOver,
    suspend: () => handOver(stopUntilContinued),
    page: lines => handOver(() => runPager(lines, environment)),
    setMouse: on => void stdout.write(leaveModes(true) + enterModes(on)),
    copy(text) {
      const sequence = copySequence(text, environment)
      if (sequence) stdout.write(sequence)
      return sequence !== null
    },
  })

  const drawing = () => <App host={host} ready={ink.resolve} crashed={crashed} />
  /** Drawn at once: Ink, which listens too, would first paint what was laid out for the old size. */
  const resize = () => {
    host.resize(sizeOf(stdout))
    app.rerender(drawing())
  }
  const lost = () => exit()
  stdout.prependListener('resize', resize)
  stdout.on('error', lost)
  input.raw(true)
  stdout.write(`\r${enterModes(false)}`)
  const app = render(drawing(), {
    stdout: sparing(stdout),
    stdin: input.stdin,
    exitOnCtrlC: false,
    patchConsole: false,
    alternateScreen: true,
    incrementalRendering: true,
    interactive: true,
    maxFps: 60,
  })

  const end = async () => {
    try {
      await app.waitUntilExit()
      if (failure.error) throw failure.error
    } finally {
      stdout.off('resize', resize)
      input.close()
      stdout.write(WHOLE_AGAIN)
      await host.close()
    }
  }
  return { exit, ended: end(), flushed: () => app.waitUntilRenderFlush() }
}

/** What only a component can reach of Ink. */
interface Ink {
  suspend(run: () => Promise<void>): Promise<void>
  exit(): void
}

/** The size of a terminal; 80x24 where it does not say. */
export function sizeOf(stdout: { columns?: number; rows?: number }): Size {
  return { columns: stdout.columns || 80, rows: stdout.rows || 24 }
}

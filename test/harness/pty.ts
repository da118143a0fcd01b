/**
 * A real program on a real terminal device, read through a terminal emulator: cells, not bytes. Waits for what is
 * shown. The program and everything that it started on its terminal are gone when the test is over.
 */
import { EventEmitter } from 'node:events'
import { spawn } from '@lydell/node-pty'
import { onTestFinished } from 'vitest'
import { matches } from './mount.tsx'
import { cellStyle, type Emulator, emulator, keyBytes, lineText, screenText, styleText } from './terminal.ts'

export interface PtyOptions {
  columns?: number
  rows?: number
  /** Over an environment that says nothing but PATH, HOME and `TERM=xterm-256color`. */
  environment?: Record<string, string | undefined>
  cwd?: string
}

export interface Ended {
  code: number
  /** Number of the signal that ended it, 0 for none. */
  signal: number
}

export interface Pty {
  pid: number
  terminal: Emulator
  text(): string
  line(y: number): string
  style(x: number, y: number): string
  styles(): string
  /** Keys by name, each written on its own. */
  press(...keys: string[]): void
  /** Bytes in one write. */
  send(bytes: string): void
  until(what: string | RegExp | ((screen: string) => boolean)): Promise<void>
  /** Waits for the end of a frame (of a synchronized update, DEC mode 2026). */
  frameEnded(): Promise<void>
  resize(columns: number, rows: number): void
  kill(signal: string): void
  ended: Promise<Ended>
  /** Everything written to the terminal since the last call. */
  written(): string
  /** Whether the terminal is as a shell wants it: first screen, no mouse, no bracketed paste, a cursor. */
  whole(): boolean
}

/** Starts a program on a terminal of its own, 120x36 unless said. */
export function startPty(program: string, args: readonly string[], options: PtyOptions = {}): Pty {
  const { columns = 120, rows = 36, environment = {}, cwd } = options
  const terminal = emulator(columns, rows)
  const env = clean({
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
    ...environment,
  })
  const child = spawn(program, [...args], {
    cols: columns,
    rows,
    env,
    name: env.TERM ?? 'xterm',
    cwd: cwd ?? process.cwd(),
  })
  const parsed = new EventEmitter().setMaxListeners(0)
  const cursor = { visible: true }
  let log = ''
  let last: Ended | null = null
  child.onData(data => {
    log += data
    terminal.write(data, () => parsed.emit('parsed'))
  })
  for (const [final, visible] of [
    ['h', true],
    ['l', false],
  ] as const) {
    terminal.parser.registerCsiHandler({ prefix: '?', final }, parameters => {
      if (parameters.includes(25)) cursor.visible = visible
      return false
    })
  }
  const ended = new Promise<Ended>(resolve => {
    child.onExit(({ exitCode, signal }) => {
      last = { code: exitCode, signal: signal ?? 0 }
      terminal.write('', () => {
        parsed.emit('parsed')
        resolve(last!)
      })
    })
  })
  onTestFinished(async () => {
    if (!last) child.kill('SIGKILL')
    await ended
    terminal.dispose()
  })

  const wait = async (condition: () => boolean, what: string) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const check = () => condition() && resolve()
    const late = () => {
      const end = last ? 'It has ended. ' : ''
      reject(new Error(`Waited in vain for ${what}. ${end}The screen:\n${screenText(terminal)}`))
    }
    const timer = setTimeout(late, 20_000)
    parsed.on('parsed', check)
    check()
    try {
      await promise
    } finally {
      clearTimeout(timer)
      parsed.off('parsed', check)
    }
  }

  return {
    pid: child.pid,
    terminal,
    ended,
    text: () => screenText(terminal),
    line: y => lineText(terminal, y),
    style: (x, y) => cellStyle(terminal, x, y),
    styles: () => styleText(terminal),
    press(...keys) {
      for (const key of keys) child.write(keyBytes(key))
    },
    send: bytes => child.write(bytes),
    resize(columns, rows) {
      terminal.resize(columns, rows)
      child.resize(columns, rows)
    },
    kill: signal => child.kill(signal),
    written() {
      const all = log
      log = ''
      return all
    },
    whole: () =>
      cursor.visible &&
      terminal.buffer.active.type === 'normal' &&
      terminal.modes.mouseTrackingMode === 'none' &&
      !terminal.modes.bracketedPasteMode,
    until: what => wait(() => matches(what, screenText(terminal)), String(what)),
    frameEnded: () => wait(() => log.endsWith('\x1b[?2026l'), 'the end of a frame'),
  }
}

function clean(environment: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((pair): pair is [string, string] => pair[1] !== undefined),
  )
}

/**
 * A screen in an emulated terminal inside of the test's own process: the real app, input and output, only the terminal
 * is not there. Reads cells; waits for what is shown, never for time.
 */
import { EventEmitter } from 'node:events'
import { PassThrough } from 'node:stream'
import { onTestFinished } from 'vitest'
import { createJournal } from '../../src/actions/journal.ts'
import type { Services } from '../../src/actions/services.ts'
import { runScreens } from '../../src/ui/run.tsx'
import type { Screen } from '../../src/ui/screen.ts'
import { createHost, type Home, type Host } from '../../src/ui/store.ts'
import { type ColourLevel, makeTheme } from '../../src/ui/theme.ts'
import type { Ui } from '../../src/ui/ui.ts'
import { cellStyle, type Emulator, emulator, keyBytes, lineText, screenText, styleText } from './terminal.ts'

export interface MountOptions {
  columns?: number
  rows?: number
  level?: ColourLevel
  ascii?: boolean
  services?: Partial<Services>
  explorer?(ui: Ui, reference: string): Screen
  environment?: NodeJS.ProcessEnv
  /** The outermost screens, the first one mounted. */
  homes?: readonly Home[]
}

export interface Mounted {
  host: Host
  terminal: Emulator
  /** The screen as text. */
  text(): string
  line(y: number): string
  /** The style of a cell in words. */
  style(x: number, y: number): string
  /** The styles of all cells as a picture with a legend. */
  styles(): string
  /** Where a text stands: column and row of its first character. Throws when it is not there. */
  find(text: string): { x: number; y: number }
  /** Presses keys one by one; resolves when all that they did is on the screen. */
  press(...keys: string[]): Promise<void>
  /** Bytes as a terminal would send them, in one read. */
  send(bytes: string): Promise<void>
  type(text: string): Promise<void>
  /** Waits until the screen shows it. */
  until(what: string | RegExp | ((screen: string) => boolean)): Promise<void>
  resize(columns: number, rows: number): Promise<void>
  /** Everything written to the terminal since the last call. */
  written(): string
  settled(): Promise<void>
  ended: Promise<void>
}

/** Mounts a screen; it is gone when the test is over. Sizes in cells, 120x36 unless said. */
export async function mountScreen(make: (ui: Ui) => Screen, options: MountOptions = {}): Promise<Mounted> {
  const { columns = 120, rows = 36, level = '16', ascii = false } = options
  const terminal = emulator(columns, rows)
  const stdin = Object.assign(new EventEmitter(), { setRawMode() {}, resume() {}, pause() {} })
  const output = createOutput(terminal, columns, rows)
  const host = createHost({
    services: { ...noServices, journal: createJournal(noServices.now), ...options.services },
    theme: makeTheme(level, ascii),
    size: { columns, rows },
    explorer: options.explorer ?? noExplorer,
    ...(options.homes && { homes: options.homes }),
  })
  if (options.homes) host.goHome(0)
  else host.push(make(host))
  const running = runScreens(host, {
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: output.stream,
    environment: options.environment ?? {},
  })
  const ended = running.ended
  ended.catch(() => {})
  onTestFinished(async () => {
    running.exit()
    await ended.catch(() => {})
    terminal.dispose()
  })

  const settled = async () => {
    await new Promise(resolve => setImmediate(resolve))
    await running.flushed()
    await output.drained()
  }
  const send = async (bytes: string) => {
    stdin.emit('data', bytes)
    await settled()
  }
  await settled()
  return {
    host,
    terminal,
    ended,
    settled,
    send,
    text: () => screenText(terminal),
    line: y => lineText(terminal, y),
    style: (x, y) => cellStyle(terminal, x, y),
    styles: () => styleText(terminal),
    find(text) {
      for (let y = 0; y < terminal.rows; y++) {
        const x = lineText(terminal, y).indexOf(text)
        if (x >= 0) return { x, y }
      }
      throw new Error(`"${text}" is not on the screen:\n${screenText(terminal)}`)
    },
    async press(...keys) {
      for (const key of keys) await send(keyBytes(key))
    },
    async type(text) {
      for (const character of text) await send(character)
    },
    until: what => output.until(() => matches(what, screenText(terminal)), `${what} is on the screen`),
    async resize(columns, rows) {
      terminal.resize(columns, rows)
      output.resize(columns, rows)
      await settled()
    },
    written: output.written,
  }
}

/** Whether a screen shows what is waited for. */
export function matches(what: string | RegExp | ((screen: string) => boolean), screen: string): boolean {
  if (typeof what === 'string') return screen.includes(what)
  return what instanceof RegExp ? what.test(screen) : what(screen)
}

/** A stream like the one of a terminal, written into the emulator as a kernel would: a line feed also returns. */
function createOutput(terminal: Emulator, columns: number, rows: number) {
  const stream = Object.assign(new PassThrough(), { isTTY: true, columns, rows })
  const parsed = new EventEmitter().setMaxListeners(0)
  let log = ''
  stream.on('data', chunk => {
    log += chunk
    terminal.write(String(chunk).replaceAll(/\r?\n/g, '\r\n'), () => parsed.emit('parsed'))
  })
  return {
    stream: stream as unknown as NodeJS.WriteStream,
    drained: () => new Promise<void>(resolve => terminal.write('', resolve)),
    written() {
      const all = log
      log = ''
      return all
    },
    resize(columns: number, rows: number) {
      Object.assign(stream, { columns, rows })
      stream.emit('resize')
    },
    async until(condition: () => boolean, what: string) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const check = () => condition() && resolve()
      const late = () => reject(new Error(`Waited in vain until ${what}. The screen:\n${screenText(terminal)}`))
      const timer = setTimeout(late, 10_000)
      parsed.on('parsed', check)
      check()
      try {
        await promise
      } finally {
        clearTimeout(timer)
        parsed.off('parsed', check)
      }
    },
  }
}

const noServices: Omit<Services, 'journal'> = {
  containers: {
    watch: () => ({ snapshot: () => [], subscribe: () => () => {}, onEvent: () => () => {}, refresh() {}, close() {} }),
    shell: () => Promise.reject(new Error('This test has no shell.')),
    engines: async () => ({ engines: [], close() {} }),
    attach: () => Promise.reject(new Error('This test has no containers.')),
    copy: () => Promise.reject(new Error('This test has no containers.')),
    namesInside: async () => [],
    reach: () => Promise.reject(new Error('This test has no containers.')),
    save: () => Promise.reject(new Error('This test saves nothing.')),
    exportLayer: () => Promise.reject(new Error('This test exports nothing.')),
    asDockerfile: () => Promise.reject(new Error('This test exports nothing.')),
    readOnly: false,
  },
  registry: {
    complete: async () => [],
    offer: () => Promise.reject(new Error('This test has no registry.')),
    pull: () => Promise.reject(new Error('This test has no registry.')),
  },
  images: {
    async *list() {},
    detail: () => Promise.reject(new Error('This test has no images.')),
  },
  open: () => Promise.reject(new Error('This test opens no image.')),
  completePath: async () => [],
  shell: () => Promise.reject(new Error('This test has no shell.')),
  remember: () => Promise.reject(new Error('This test remembers nothing.')),
  now: () => Date.UTC(2026, 0, 2, 3, 4, 5),
}

function noExplorer(): Screen {
  throw new Error('This test has no explorer.')
}

/** The program on a terminal device, for the bench: when something is shown, what it writes, what it costs. */
import { readFileSync } from 'node:fs'
import { spawn } from '@lydell/node-pty'
import { emulator, screenText } from '../harness/terminal.ts'

export interface Screen {
  text(): string
  /** Milliseconds from now until the screen is as wanted. */
  until(what: string | RegExp | ((text: string) => boolean), seconds?: number): Promise<number>
  /** Milliseconds from a key to the next time that something was drawn; null when nothing was within a second. */
  press(keys: string): Promise<number | null>
  /** Bytes written to the terminal since the last call. */
  bytes(): number
  /** Largest resident set so far, bytes. */
  memory(): number
  /** Resident set now, bytes. */
  resident(): number
  /** CPU seconds so far, all threads. */
  cpu(): number
  close(): Promise<void>
}

/** Kernel clock ticks a second; the same on every Linux that Node runs on. */
const TICKS = 100

/** Starts a program on a terminal of 120x36. */
export function openScreen(program: string, args: readonly string[], environment: Record<string, string>): Screen {
  const [columns, rows] = [120, 36]
  const terminal = emulator(columns, rows)
  const env = {
    PATH: process.env.PATH ?? '',
    HOME: process.env.HOME ?? '/',
    TERM: 'xterm-256color',
    LANG: 'C.UTF-8',
    ...environment,
  }
  const child = spawn(program, [...args], { cols: columns, rows, env })
  const drawn = new Set<() => void>()
  let bytes = 0
  child.onData(data => {
    bytes += Buffer.byteLength(data)
    terminal.write(data, () => {
      for (const listener of [...drawn]) listener()
    })
  })
  const ended = new Promise<void>(resolve => {
    child.onExit(() => resolve())
  })
  const nextDrawing = (milliseconds: number) =>
    new Promise<boolean>(resolve => {
      const done = (was: boolean) => {
        clearTimeout(timer)
        drawn.delete(listener)
        resolve(was)
      }
      const listener = () => done(true)
      const timer = setTimeout(() => done(false), milliseconds)
      drawn.add(listener)
    })
  return {
    text: () => screenText(terminal),
    async until(what, seconds = 60) {
      const start = performance.now()
      const shown = () => matches(what, screenText(terminal))
      while (!shown()) {
        const left = seconds * 1000 - (performance.now() - start)
        if (left <= 0) throw new Error(`waited in vain for ${what}; the screen:\n${screenText(terminal)}`)
        await nextDrawing(left)
      }
      return performance.now() - start
    },
    async press(keys) {
      const start = performance.now()
      const drawing = nextDrawing(1000)
      child.write(keys)
      return (await drawing) ? performance.now() - start : null
    },
    bytes() {
      const counted = bytes
      bytes = 0
      return counted
    },
    memory: () => Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))?.[1] ?? 0) * 1024,
    resident: () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))?.[1] ?? 0) * 1024,
    cpu() {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ')
      return (Number(fields[11]) + Number(fields[12])) / TICKS
    },
    async close() {
      child.kill('SIGKILL')
      await ended
      terminal.dispose()
    },
  }
}

function matches(what: string | RegExp | ((text: string) => boolean), text: string): boolean {
  if (typeof what === 'string') return text.includes(what)
  return typeof what === 'function' ? what(text) : what.test(text)
}

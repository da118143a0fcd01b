/**
 * The one reader of the terminal. Ink is given a stream that never says anything: it would go on reading while a child
 * has the terminal, and take several keys that arrive in one read for one text. Here raw mode and reading go together,
 * so that whoever is handed the terminal gets every byte.
 */
import { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { decode } from './decode.ts'
import type { InputEvent } from './events.ts'

/** What is needed of `process.stdin`. */
export type TerminalStream = Pick<NodeJS.ReadStream, 'on' | 'off' | 'resume' | 'pause'> &
  Partial<Pick<NodeJS.ReadStream, 'setRawMode' | 'ref' | 'unref'>>

export interface TerminalInput {
  /** What Ink takes for its stdin. */
  stdin: NodeJS.ReadStream
  /** Takes the terminal before Ink does, so that a key typed while the first frame is made is not echoed. */
  raw(on: boolean): void
  /** Stops reading and leaves the terminal as a shell expects it. */
  close(): void
}

/** A lone escape is a key when nothing follows it for so long; milliseconds. */
const ESCAPE_WAIT = 30
/** A paste whose end does not come is taken as it is after so long without a byte; milliseconds. */
const PASTE_WAIT = 1000

/** Reads the terminal while it is raw. `receive` gets all events of one read at once; `lost` is called when it is gone. */
export function openInput(
  source: TerminalStream,
  receive: (events: InputEvent[]) => void,
  lost: (error: Error | null) => void,
): TerminalInput {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  let timer: NodeJS.Timeout | undefined
  let raw = false

  const take = (text: string, flush = false) => {
    clearTimeout(timer)
    const decoded = decode(rest + text, flush)
    rest = decoded.rest
    if (rest) timer = setTimeout(() => take('', true), rest.startsWith('\x1b[200') ? PASTE_WAIT : ESCAPE_WAIT)
    if (decoded.events.length > 0) receive(decoded.events)
  }
  const data = (chunk: Buffer | string) => take(typeof chunk === 'string' ? chunk : decoder.write(chunk))
  const gone = (error?: Error) => lost(error ?? null)
  source.on('error', gone)
  source.on('end', gone)

  const setRaw = (on: boolean) => {
    if (on === raw) return
    raw = on
    if (on) {
      source.setRawMode?.(true)
      source.on('data', data)
      source.resume()
      return
    }
    source.off('data', data)
    source.pause()
    clearTimeout(timer)
    rest = ''
    source.setRawMode?.(false)
  }

  const silent = new Readable({ read() {} })
  const stdin = Object.assign(silent, {
    isTTY: true,
    setRawMode: (on: boolean) => {
      setRaw(on)
      return silent
    },
    ref: () => source.ref?.(),
    unref: () => source.unref?.(),
  })

  return {
    stdin: stdin as unknown as NodeJS.ReadStream,
    raw: setRaw,
    close() {
      setRaw(false)
      source.off('end', gone)
      source.unref?.()
    },
  }
}

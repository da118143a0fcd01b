/**
 * Where a verb writes. Text is gathered and handed to the stream in large pieces, each one waited for, so that half a
 * million lines into a slow pipe cost a buffer and not memory, and a reader that went away ends the work.
 */
import type { WriteStream } from 'node:tty'
import { styleText } from 'node:util'
import { asFault } from '../base/errors.ts'

export interface Output {
  /** Whether a person reads it: tables then, tab-separated text otherwise. */
  readonly terminal: boolean
  /** Columns of the terminal; Infinity where there is none. */
  readonly columns: number
  /** Takes text; a promise when the caller has to wait for the reader before it writes more. */
  write(text: string): Promise<void> | undefined
  /** Hands out bytes as they are: file content into a pipe. */
  writeBytes(bytes: Uint8Array): Promise<void>
  /** Waits until everything is handed out. */
  flush(): Promise<void>
  /** The text in this style where colours are wanted, else as it is. */
  style(style: Style, text: string): string
}

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow'

/** What every verb gets. */
export interface Io {
  out: Output
  err: Output
  /** Aborted by ctrl-c. */
  signal: AbortSignal
}

/** The reader of the output went away, as `head` does: the work ends, and nothing is wrong. */
export class ClosedPipe extends Error {}

type Stream = NodeJS.WritableStream & Partial<Pick<WriteStream, 'isTTY' | 'columns'>>

/** An output on a stream. NO_COLOR, TERM=dumb and what is no terminal get no colours. */
export function createOutput(stream: Stream, env: NodeJS.ProcessEnv = process.env): Output {
  const terminal = stream.isTTY === true
  const colour = terminal && !env.NO_COLOR && env.TERM !== 'dumb'
  let gathered: string[] = []
  let length = 0

  function flush(): Promise<void> {
    const text = gathered.join('')
    gathered = []
    length = 0
    return text === '' ? Promise.resolve() : handOut(stream, text)
  }

  return {
    terminal,
    get columns() {
      return terminal ? stream.columns || 80 : Number.POSITIVE_INFINITY
    },
    write(text) {
      gathered.push(text)
      length += text.length
      return length >= 65_536 ? flush() : undefined
    },
    async writeBytes(bytes) {
      await flush()
      await handOut(stream, bytes)
    },
    flush,
    style: (style, text) => (colour ? styleText(style, text, { validateStream: false }) : text),
  }
}

function handOut(stream: Stream, data: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(data, error => {
      if (!error) resolve()
      else if (isGone(error)) reject(new ClosedPipe())
      else reject(asFault(error, 'The output can not be written'))
    })
  })
}

function isGone(error: NodeJS.ErrnoException): boolean {
  return error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED' || error.code === 'ECONNRESET'
}

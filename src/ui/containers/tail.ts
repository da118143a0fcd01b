/** The last lines of a container's log, following: a bounded ring that tells of news a few times a second. */
import { setImmediate } from 'node:timers/promises'
import { reasonOf } from '../../base/errors.ts'
import { safe } from '../../base/text.ts'
import type { ContainerEngine, LogLine } from '../../engine/containers.ts'
import { logText } from './log-text.ts'

export interface TailLine {
  /** Harmless. */
  text: string
  error: boolean
  /** Milliseconds since 1970; null where the engine gives none. */
  time: number | null
}

export interface Tail {
  /** Line `number`, counted from the first that ever came; undefined when it is gone or not there yet. */
  line(number: number): TailLine | undefined
  /** The number of the oldest line that is kept. */
  first(): number
  /** One more than the number of the newest. */
  end(): number
  /** `reading`: the first lines are on their way. `following`: more may come. `ended`: no more will. Else why not, a sentence. */
  state(): 'reading' | 'following' | 'ended' | { trouble: string }
  stop(): void
}

export interface TailOptions {
  engine: ContainerEngine
  id: string
  /** Lines of the past to begin with. */
  tail: number
  /** Lines that are kept. */
  most: number
  changed(): void
}

/** Milliseconds between two times that news are told. */
const GAP = 100
/** Lines after which others have their turn. */
const TURN = 500
/** Characters that are kept, whatever the count of lines. */
const MOST_CHARACTERS = 32_000_000

/** Reads until `stop`. */
export function followLog({ engine, id, tail, most, changed }: TailOptions): Tail {
  const stop = new AbortController()
  let lines: TailLine[] = []
  let dropped = 0
  let characters = 0
  let state: ReturnType<Tail['state']> = 'reading'
  let timer: NodeJS.Timeout | null = null
  const open: Record<LogLine['stream'], TailLine | null> = { stdout: null, stderr: null }

  const tell = () => {
    if (stop.signal.aborted) return
    timer ??= setTimeout(() => {
      timer = null
      changed()
    }, GAP)
  }
  const add = ({ stream, bytes, time, partial = false }: LogLine) => {
    const text = logText(bytes)
    const begun = open[stream]
    if (begun) {
      // Enough of a line without an end is enough.
      if (begun.text.length < 4096) begun.text += text
    } else {
      const line = { text, error: stream === 'stderr', time: time === null ? null : Number(time / 1_000_000n) }
      lines.push(line)
      if (partial) open[stream] = line
    }
    if (!partial) open[stream] = null
    characters += text.length
    if (lines.length > most + Math.max(64, most >> 3)) drop(lines.length - most)
    else if (characters > MOST_CHARACTERS) drop(Math.ceil(lines.length / 8))
  }
  const drop = (count: number) => {
    for (const line of lines.slice(0, count)) characters -= line.text.length
    lines = lines.slice(count)
    dropped += count
  }
  const read = async () => {
    let turn = 0
    try {
      for await (const line of engine.containers.logs(id, { follow: true, tail, signal: stop.signal })) {
        if (stop.signal.aborted) return
        state = 'following'
        add(line)
        tell()
        if (++turn % TURN === 0) await setImmediate()
      }
      state = 'ended'
    } catch (error) {
      state = { trouble: safe(reasonOf(error)) }
    }
    if (stop.signal.aborted) return
    changed()
  }
  void read()
  // Nothing said at all is an answer too.
  const quiet = setTimeout(() => {
    if (state !== 'reading') return
    state = 'following'
    tell()
  }, 400)

  return {
    line: number => lines[number - dropped],
    first: () => dropped,
    end: () => dropped + lines.length,
    state: () => state,
    stop() {
      stop.abort()
      clearTimeout(quiet)
      if (timer) clearTimeout(timer)
    },
  }
}

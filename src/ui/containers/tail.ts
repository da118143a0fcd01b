/** Containers' logs as they grow: the last lines in a bounded ring, told of a few times a second. */
import { setImmediate } from 'node:timers/promises'
import type { ContainerEngine, LogLine } from '../../engine/containers.ts'
import { createMerge } from './log-merge.ts'
import { createRing, type KeptLine, type NewLine } from './log-ring.ts'
import { type LogBegin, type LogState, type LogTarget, readLog } from './log-source.ts'
import { logText } from './log-text.ts'

export type TailLine = KeptLine

export interface Tail {
  /** Line `number`, counted from the first that ever came; undefined when it is gone or not there yet. */
  line(number: number): TailLine | undefined
  /** The number of the oldest line that is kept. */
  first(): number
  /** One more than the number of the newest. */
  end(): number
  /** Of all of them together: `following` while one is followed. */
  state(): LogState
  /** Of one of several. */
  stateOf(source: number): LogState
  stop(): void
}

export interface FollowOptions {
  /** Whose; several are put in the order of their times. */
  targets: readonly LogTarget[]
  begin: LogBegin
  /** Lines that are kept. */
  most: number
  changed(): void
}

/** Milliseconds between two times that news are told. */
const GAP = 100
/** Lines after which others have their turn. */
const TURN = 500
/** Bytes that are kept, whatever the count of lines. */
const MOST_BYTES = 8_000_000

/** Reads until `stop`. */
export function followLogs({ targets, begin, most, changed }: FollowOptions): Tail {
  const stop = new AbortController()
  const ring = createRing({ lines: most, bytes: MOST_BYTES })
  const states: LogState[] = targets.map(() => 'reading')
  let timer: NodeJS.Timeout | null = null
  let turn = 0

  const tell = () => {
    if (stop.signal.aborted) return
    timer ??= setTimeout(() => {
      timer = null
      changed()
    }, GAP)
  }
  const emit = (line: OpenLine) => {
    line.number = ring.add(line)
    tell()
  }
  const merge = targets.length > 1 ? createMerge({ sources: targets.length, emit }) : null
  const read = (target: LogTarget, source: number) => {
    const open: Record<LogLine['stream'], OpenLine | null> = { stdout: null, stderr: null }
    const take = ({ stream, bytes, time, partial = false }: LogLine): void | Promise<void> => {
      states[source] = 'following'
      const said = logText(bytes)
      const before = open[stream]
      open[stream] = partial ? before : null
      if (before !== null && goOn(before, said)) return
      const moment = time === null ? null : Number(time) / 1e6
      const line: OpenLine = { ...said, error: stream === 'stderr', time: moment, source, number: null }
      if (partial) open[stream] = line
      if (merge) return merge.add(line)
      emit(line)
    }
    return readLog(target, begin, {
      signal: stop.signal,
      state(state) {
        states[source] = state
        if (state !== 'following') merge?.rest(source)
        tell()
      },
      line: line => (++turn % TURN === 0 ? setImmediate().then(() => take(line)) : take(line)),
    })
  }
  /** Whether it was a part of that line. */
  const goOn = (line: OpenLine, more: ReturnType<typeof logText>): boolean => {
    tell()
    if (line.number === null) {
      // Enough of a line without an end is enough.
      if (line.text.length < 16_384) line.text += more.text
      return true
    }
    return ring.extend(line.number, more) || line.number >= ring.first()
  }
  for (const [source, target] of targets.entries()) void read(target, source)
  // Nothing said at all is an answer too.
  const quiet = setTimeout(() => {
    for (const [source, state] of states.entries()) if (state === 'reading') states[source] = 'following'
    tell()
  }, 400)

  return {
    line: ring.line,
    first: ring.first,
    end: ring.end,
    state: () => togetherOf(states),
    stateOf: source => states[source]!,
    stop() {
      stop.abort()
      merge?.close()
      clearTimeout(quiet)
      if (timer) clearTimeout(timer)
    },
  }
}

/** A line that may be gone on with: its number once it is in the ring. */
type OpenLine = NewLine & { number: number | null }

function togetherOf(states: readonly LogState[]): LogState {
  const [first] = states
  if (states.includes('following')) return 'following'
  if (states.includes('reading')) return 'reading'
  return states.find(state => typeof state === 'object') ?? first ?? 'ended'
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

/** The same of one container, to its end. */
export function followLog({ engine, id, tail, most, changed }: TailOptions): Tail {
  return followLogs({ targets: [{ id, name: '', engine: () => engine }], begin: { tail }, most, changed })
}

/** Cuts an engine's log into lines with their times. Bounded: of a line that never ends only a part is ever held. */
import { LOG_LINE_MOST, type LogLine } from './containers.ts'
import type { FrameStream } from './daemon-frames.ts'

export interface LogCutter {
  /** An entry of the log begins here: with its time. Without a terminal the frames say where. */
  entry(stream: FrameStream): void
  /** An entry may begin here: with its time then, or it is none. */
  mayBegin(stream: FrameStream): void
  bytes(stream: FrameStream, chunk: Buffer): void
  /** The lines that are whole by now. */
  take(): LogLine[]
  /** What is left when the stream has ended. */
  rest(): LogLine[]
}

/** A cutter; `tty`: entries are told apart by their line ends alone, as they are with a terminal. */
export function logCutter(tty: boolean): LogCutter {
  let lines: LogLine[] = []
  const streams = { stdout: lineOf(), stderr: lineOf() }

  const emit = (stream: FrameStream, time: bigint | null, bytes: Buffer, partial: boolean) => {
    lines.push(partial ? { stream, time, bytes, partial } : { stream, time, bytes })
  }

  const read = (stream: FrameStream, line: Line, chunk: Buffer) => {
    let at = 0
    while (at < chunk.length)
      at = line.stamp === null ? content(stream, line, chunk, at) : stamp(stream, line, chunk, at)
  }

  /** Takes what belongs to the line; gives where the rest begins. */
  const content = (stream: FrameStream, line: Line, chunk: Buffer, from: number): number => {
    const entryRoom = tty ? entryMost - line.entryBytes : LOG_LINE_MOST
    const most = from + Math.min(LOG_LINE_MOST - line.bytes, entryRoom, chunk.length - from)
    const end = chunk.indexOf(lineEnd, from)
    if (end >= 0 && end <= most) {
      // A copy, as all that is given out: a line that is kept must not keep the chunk that it came in.
      if (line.bytes === 0) emit(stream, line.time, Buffer.from(chunk.subarray(from, end)), false)
      else emit(stream, line.time, Buffer.from(hold(line, chunk, from, end)), false)
      line.bytes = 0
      line.entryBytes = 0
      if (tty) line.stamp = ''
      return end + 1
    }
    const held = hold(line, chunk, from, most)
    if (line.bytes === LOG_LINE_MOST) {
      emit(stream, line.time, Buffer.from(held), true)
      line.bytes = 0
    }
    if (tty && line.entryBytes === entryMost) line.stamp = ''
    return most
  }

  /** Takes what belongs to the time at the beginning of an entry; what turns out to be none is content. */
  const stamp = (stream: FrameStream, line: Line, chunk: Buffer, from: number): number => {
    const room = from + stampMost - line.stamp!.length
    const space = chunk.subarray(from, room).indexOf(spaceByte)
    const to = space < 0 ? Math.min(chunk.length, room) : from + space + 1
    const text = line.stamp + chunk.toString('latin1', from, to)
    if (space < 0 && text.length < stampMost && timeBegins.test(text)) {
      line.stamp = text
      return to
    }
    line.stamp = null
    line.entryBytes = 0
    const time = timeOf(text)
    if (time !== null && line.bytes === 0) line.time = time
    if (time === null) read(stream, line, Buffer.from(text, 'latin1'))
    return to
  }

  return {
    entry(stream) {
      streams[stream].stamp = ''
    },
    mayBegin(stream) {
      streams[stream].stamp ??= ''
    },
    bytes: (stream, chunk) => read(stream, streams[stream], chunk),
    take() {
      const taken = lines
      lines = []
      return taken
    },
    rest() {
      for (const stream of ['stdout', 'stderr'] as const) {
        const line = streams[stream]
        const begun = Buffer.from(line.stamp ?? '', 'latin1')
        line.stamp = null
        hold(line, begun, 0, Math.min(begun.length, LOG_LINE_MOST - line.bytes))
        if (line.bytes > 0) emit(stream, line.time, Buffer.from(line.held!.subarray(0, line.bytes)), true)
      }
      return this.take()
    },
  }
}

/** The time at the beginning of an entry, in nanoseconds since 1970; null when it is none. Podman has no fractions. */
export function timeOf(text: string): bigint | null {
  const match = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) $/.exec(text)
  if (match === null) return null
  const [, seconds, fraction = '', zone] = match
  // Thousands of lines are of the same second.
  if (lastSecond.text !== seconds + zone) lastSecond = { text: seconds + zone, millis: Date.parse(seconds + zone) }
  if (Number.isNaN(lastSecond.millis)) return null
  return BigInt(lastSecond.millis) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
}

let lastSecond = { text: '', millis: 0 }

const lineEnd = 10
const spaceByte = 32

/** Docker writes a longer line as several entries, each with its time. */
const entryMost = 16 * 1024

/** What may become a time. */
const timeBegins = /^\d[\d:.TZ+-]*$/

/** No time is longer. */
const stampMost = 40

interface Line {
  time: bigint | null
  /** The beginning of a line whose end has not come: `bytes` of it. One piece of memory for all such lines. */
  held: Buffer | null
  bytes: number
  /** Of the entry that is being read: several make a line that is long. */
  entryBytes: number
  /** What is there of the time of an entry; null when it has been read. */
  stamp: string | null
}

function lineOf(): Line {
  return { time: null, held: null, bytes: 0, entryBytes: 0, stamp: '' }
}

/** Holds more of the line; gives all that is held, in memory that is used again. */
function hold(line: Line, chunk: Buffer, from: number, to: number): Buffer {
  line.held ??= Buffer.alloc(LOG_LINE_MOST)
  chunk.copy(line.held, line.bytes, from, to)
  line.bytes += to - from
  line.entryBytes += to - from
  return line.held.subarray(0, line.bytes)
}

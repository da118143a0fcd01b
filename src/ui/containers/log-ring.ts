/**
 * The last lines that were said, bounded in lines and bytes. Lines are kept in blocks of one string each, so that a
 * million of them pass through without leaving a million objects behind. Pure.
 */
import type { Said } from './log-text.ts'

/** A line to keep. */
export interface NewLine extends Said {
  /** Said on standard error. */
  error: boolean
  /** Milliseconds since 1970, with fractions; null where the engine gives none. */
  time: number | null
  /** Which of several containers said it. */
  source: number
}

/** A line that is kept. */
export interface KeptLine extends NewLine {
  /** Counted from the first that ever came. */
  number: number
}

export interface LogRing {
  /** Gives its number. */
  add(line: NewLine): number
  /** Goes on with a line that had no end; false: it lies too far back, or is long enough. */
  extend(number: number, more: Said): boolean
  /** undefined when it is gone or not there yet. */
  line(number: number): KeptLine | undefined
  /** The number of the oldest line that is kept. */
  first(): number
  /** One more than the number of the newest. */
  end(): number
  /** About how much memory the lines take. */
  bytes(): number
}

export interface RingBounds {
  lines: number
  bytes: number
}

/** Lines and characters of a block: it is dropped as a whole. */
const BLOCK_LINES = 1024
const BLOCK_CHARACTERS = 128 * 1024
/** Characters of a line that is gone on with. */
const LONGEST = 16_384
/** What a line takes besides its text. */
const LINE_BYTES = 24

/** Text of lines one behind the other; the line at `at` is what lies from `starts[at]` to `starts[at + 1]`. */
interface Block {
  first: number
  count: number
  text: string
  looks: string
  starts: Uint32Array
  lookStarts: Uint32Array
  times: Float64Array
  sources: Uint16Array
  errors: Uint8Array
  bytes: number
}

export function createRing(bounds: RingBounds): LogRing {
  const blocks: Block[] = []
  /** The newest lines, not in a block yet. */
  let open: NewLine[] = []
  let openCharacters = 0
  let first = 0
  let sealed = 0
  let sealedBytes = 0

  const seal = () => {
    const block = blockOf(sealed, open)
    blocks.push(block)
    sealed += block.count
    sealedBytes += block.bytes
    open = []
    openCharacters = 0
    while (blocks.length > 0 && isTooMuch(blocks[0]!)) {
      const gone = blocks.shift()!
      sealedBytes -= gone.bytes
      first = gone.first + gone.count
    }
  }
  const isTooMuch = (oldest: Block) =>
    sealed - oldest.first - oldest.count >= bounds.lines || sealedBytes > bounds.bytes
  const blockWith = (number: number): Block | undefined => {
    let low = 0
    let high = blocks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (blocks[middle]!.first <= number) low = middle
      else high = middle - 1
    }
    return blocks[low]
  }
  const end = () => sealed + open.length

  return {
    add(line) {
      open.push(line)
      openCharacters += line.text.length + line.looks.length
      const number = end() - 1
      if (open.length >= BLOCK_LINES || openCharacters >= BLOCK_CHARACTERS) seal()
      // Between two blocks the bound holds to the line.
      if (end() - first > bounds.lines) first = end() - bounds.lines
      return number
    },
    extend(number, more) {
      const line = open[number - sealed]
      if (!line || line.text.length > LONGEST) return false
      const at = line.text.length
      let looks = line.looks + (line.looks === '' ? '' : String.fromCharCode(at, 0))
      for (let one = 0; one < more.looks.length; one += 2)
        looks += String.fromCharCode(more.looks.charCodeAt(one) + at, more.looks.charCodeAt(one + 1))
      open[number - sealed] = { ...line, text: line.text + more.text, looks }
      openCharacters += more.text.length + more.looks.length
      return true
    },
    line(number) {
      if (number < first || number >= end()) return undefined
      if (number >= sealed) return { ...open[number - sealed]!, number }
      const block = blockWith(number)!
      const at = number - block.first
      const time = block.times[at]!
      return {
        number,
        text: block.text.slice(block.starts[at], block.starts[at + 1]),
        looks: block.looks === '' ? '' : block.looks.slice(block.lookStarts[at], block.lookStarts[at + 1]),
        error: block.errors[at] === 1,
        time: Number.isNaN(time) ? null : time,
        source: block.sources[at]!,
      }
    },
    first: () => first,
    end,
    bytes: () => sealedBytes + openCharacters * 2,
  }
}

function blockOf(first: number, lines: readonly NewLine[]): Block {
  const count = lines.length
  const text = lines.map(line => line.text).join('')
  const looks = lines.map(line => line.looks).join('')
  const block: Block = {
    first,
    count,
    text,
    looks,
    starts: startsOf(lines, line => line.text.length),
    lookStarts: looks === '' ? noStarts : startsOf(lines, line => line.looks.length),
    times: Float64Array.from(lines, line => line.time ?? Number.NaN),
    sources: Uint16Array.from(lines, line => line.source),
    errors: Uint8Array.from(lines, line => (line.error ? 1 : 0)),
    bytes: text.length * (wide.test(text) ? 2 : 1) + looks.length * 2 + count * LINE_BYTES,
  }
  return block
}

const noStarts = new Uint32Array(0)
/** A string with one of these takes two bytes for each of its characters. */
const wide = /[^\0-\xff]/

function startsOf(lines: readonly NewLine[], length: (line: NewLine) => number): Uint32Array {
  const starts = new Uint32Array(lines.length + 1)
  for (const [at, line] of lines.entries()) starts[at + 1] = starts[at]! + length(line)
  return starts
}

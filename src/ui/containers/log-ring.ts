/**
 * The last lines that were said, bounded in lines and bytes. They lie in blocks of plain memory that are used again when
 * their lines are dropped: a million lines pass through and leave nothing behind for anybody to collect. Pure.
 */
import { Buffer } from 'node:buffer'
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
  /** Goes on with a line that had no end; false: others have come since, or it is long enough. */
  extend(number: number, more: Said): boolean
  /** undefined when it is gone or not there yet. */
  line(number: number): KeptLine | undefined
  /** The number of the oldest line that is kept. */
  first(): number
  /** One more than the number of the newest. */
  end(): number
  /** How much memory it takes. */
  bytes(): number
}

export interface RingBounds {
  lines: number
  bytes: number
}

/** Lines, bytes of text and numbers of looks that a block has room for; a ring of few lines has smaller ones. */
const BLOCK_LINES = 1536
const BLOCK_TEXT = 144 * 1024
const BLOCK_LOOKS = 16 * 1024
/** Characters of a line that is gone on with, and the most bytes and looks that any line is given. */
const LONGEST = 16_384
const LINE_TEXT = 52 * 1024
const LINE_LOOKS = 8 * 1024

/** The line at `at` is what lies from `starts[at]` to `starts[at + 1]`. */
interface Block {
  first: number
  count: number
  text: Buffer
  starts: Uint32Array
  /** Pairs, as `Said` has them. */
  looks: Uint16Array
  lookStarts: Uint32Array
  times: Float64Array
  sources: Uint16Array
  errors: Uint8Array
}

export function createRing(bounds: RingBounds): LogRing {
  const room = Math.min(BLOCK_LINES, Math.max(64, bounds.lines))
  const share = Math.max(0.5, room / BLOCK_LINES)
  const blockBytes = BLOCK_TEXT * share + BLOCK_LOOKS * 2 * share + room * 19
  const most = Math.max(2, Math.floor(bounds.bytes / blockBytes))
  const blocks: Block[] = []
  let first = 0
  let end = 0

  const newest = (line: NewLine, bytes: number): Block => {
    const last = blocks.at(-1)
    if (last && last.count < room && fits(last, bytes, line.looks.length)) return last
    const block = spare() ?? makeBlock(room, share)
    block.first = end
    block.count = 0
    blocks.push(block)
    return block
  }
  /** The oldest block, where it has to go, or has nothing more that is kept. */
  const spare = (): Block | undefined => {
    const oldest = blocks[0]
    if (!oldest || (blocks.length < most && oldest.first + oldest.count > end - bounds.lines)) return undefined
    blocks.shift()
    first = Math.max(first, oldest.first + oldest.count)
    return oldest
  }
  const blockWith = (number: number): Block => {
    let low = 0
    let high = blocks.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (blocks[middle]!.first <= number) low = middle
      else high = middle - 1
    }
    return blocks[low]!
  }

  return {
    add(line) {
      const block = newest(line, line.text.length * 3)
      const at = block.count++
      write(block, at, line)
      block.times[at] = line.time ?? Number.NaN
      block.sources[at] = line.source
      block.errors[at] = line.error ? 1 : 0
      end++
      first = Math.max(first, end - bounds.lines)
      return end - 1
    },
    extend(number, more) {
      const before = number === end - 1 ? this.line(number) : undefined
      if (!before || before.text.length > LONGEST) return false
      const block = blocks.at(-1)!
      const at = before.text.length
      let looks = before.looks + (before.looks === '' ? '' : String.fromCharCode(at, 0))
      for (let one = 0; one < more.looks.length; one += 2)
        looks += String.fromCharCode(more.looks.charCodeAt(one) + at, more.looks.charCodeAt(one + 1))
      const line = { text: before.text + more.text, looks }
      block.count--
      const isRoom = fits(block, line.text.length * 3, looks.length)
      if (isRoom) write(block, block.count, line)
      block.count++
      return isRoom
    },
    line(number) {
      if (number < first || number >= end) return undefined
      const block = blockWith(number)
      const at = number - block.first
      const time = block.times[at]!
      const looks = block.looks.subarray(block.lookStarts[at], block.lookStarts[at + 1])
      return {
        number,
        text: block.text.toString('utf8', block.starts[at], block.starts[at + 1]),
        looks: looks.length === 0 ? '' : String.fromCharCode(...looks),
        error: block.errors[at] === 1,
        time: Number.isNaN(time) ? null : time,
        source: block.sources[at]!,
      }
    },
    first: () => first,
    end: () => end,
    bytes: () => Math.round(blocks.length * blockBytes),
  }
}

function makeBlock(lines: number, share: number): Block {
  return {
    first: 0,
    count: 0,
    text: Buffer.allocUnsafeSlow(Math.ceil(BLOCK_TEXT * share)),
    starts: new Uint32Array(lines + 1),
    looks: new Uint16Array(Math.ceil(BLOCK_LOOKS * share)),
    lookStarts: new Uint32Array(lines + 1),
    times: new Float64Array(lines),
    sources: new Uint16Array(lines),
    errors: new Uint8Array(lines),
  }
}

/** Whether there is room for one more line. */
function fits({ text, starts, looks, lookStarts, count }: Block, bytes: number, looked: number): boolean {
  const textRoom = text.length - starts[count]!
  const lookRoom = looks.length - lookStarts[count]!
  return (textRoom >= bytes || textRoom >= LINE_TEXT) && (lookRoom >= looked || lookRoom >= LINE_LOOKS)
}

/** Text and looks of the line at `at`, behind those of the line before it. */
function write({ text, starts, looks, lookStarts }: Block, at: number, line: Said): void {
  const from = starts[at]!
  starts[at + 1] = from + text.write(line.text, from, Math.min(LINE_TEXT, text.length - from), 'utf8')
  const lookFrom = lookStarts[at]!
  const count = Math.min(line.looks.length, LINE_LOOKS, (looks.length - lookFrom) & ~1)
  for (let one = 0; one < count; one++) looks[lookFrom + one] = line.looks.charCodeAt(one)
  lookStarts[at + 1] = lookFrom + count
}

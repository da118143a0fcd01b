/**
 * Reads tar-split: what Docker's graph drivers and containers/storage keep of every layer's tar, all of it but the file
 * contents (github.com/vbatts/tar-split). JSON lines: type 2 carries raw bytes of the tar, type 1 stands for one file
 * body, with its size and the CRC-64 of it. Replayed into a scanner they give the whole index of a layer, with offsets
 * in a tar that nobody has to make.
 *
 * Go's encoder writes the fields in one order without spaces. Lines of that shape are read where they lie, and of a
 * header that stands alone only the fields that matter are decoded: a third of the time. All other lines are read as JSON.
 */
import { Fault } from '../base/errors.ts'
import type { IndexBuilder } from './index-builder.ts'
import type { TarScanner } from './tar-scanner.ts'

/** A line holds at most one extended header (8 MiB) and its base64; a longer one is refused. */
const MAX_LINE = 24 << 20
const BLOCK = 512

const SEGMENT = ascii('{"type":2,"payload":"')
const POSITION = ascii(',"position":')
const PAYLOAD = ascii(',"payload":')
const SIZE = ascii('"size":')
/** CRC-64 in base64: 8 bytes are 12 digits. */
const SUM = 12

interface Line {
  type: number
  size?: number
  payload?: string | null
}

export class TarSplitReader {
  readonly #scanner: TarScanner
  readonly #builder: IndexBuilder
  readonly #name: string
  #carry = Buffer.alloc(4096)
  #carried = 0
  #raw = Buffer.alloc(4096)

  /**
   * The scanner must feed the builder and take headers as checked (the engine did when it read the layer); `name` says
   * in errors what is being read.
   */
  constructor(scanner: TarScanner, builder: IndexBuilder, name: string) {
    this.#scanner = scanner
    this.#builder = builder
    this.#name = name
  }

  /** Reads on in the decompressed JSON lines, in pieces of any size. @throws Fault when it is no tar-split. */
  push(chunk: Uint8Array, start = 0, end: number = chunk.length): void {
    const text = Buffer.from(chunk.buffer, chunk.byteOffset, end)
    let at = start
    for (let stop = text.indexOf(10, at); stop >= 0; stop = text.indexOf(10, at)) {
      if (this.#carried > 0) {
        this.#keep(text, at, stop)
        const length = this.#carried
        this.#carried = 0
        this.#line(this.#carry, 0, length)
      } else if (stop > at) this.#line(text, at, stop)
      at = stop + 1
    }
    if (at < end) this.#keep(text, at, end)
  }

  /** Says that there is no more. @throws Fault when it ends in the middle. */
  end(): void {
    if (this.#carried > 0) this.#line(this.#carry, 0, this.#carried)
    this.#carried = 0
    // Even of a layer without entries there is the end of its tar.
    if (this.#scanner.position === 0 && !this.#scanner.done) throw this.#odd('it is empty')
    this.#scanner.end()
  }

  /** Keeps the beginning of a line until its end comes. */
  #keep(text: Buffer, from: number, to: number): void {
    const length = this.#carried + to - from
    if (length > MAX_LINE) throw this.#odd('a line is longer than 24 MiB')
    if (length > this.#carry.length) {
      const bigger = Buffer.alloc(length * 2)
      this.#carry.copy(bigger, 0, 0, this.#carried)
      this.#carry = bigger
    }
    text.copy(this.#carry, this.#carried, from, to)
    this.#carried = length
  }

  #line(text: Buffer, start: number, end: number): void {
    // Read from its end, where nothing foreign stands: `…,"position":12}`.
    let payloadEnd = end - 1
    while (isDigit(text[payloadEnd - 1])) payloadEnd--
    payloadEnd -= POSITION.length
    if (payloadEnd > start && matches(text, payloadEnd, POSITION)) {
      if (matches(text, start, SEGMENT) && text[payloadEnd - 1] === 0x22) {
        return this.#segment(text, start + SEGMENT.length, payloadEnd - 1)
      }
      if (text[start + 8] === 0x31 && this.#plainBody(text, start, payloadEnd)) return
    }
    this.#oddLine(text, start, end)
  }

  /** A line of another shape: other encoders order and escape as they like. */
  #oddLine(text: Buffer, start: number, end: number): void {
    let line: Line
    try {
      line = JSON.parse(text.toString('utf8', start, end)) as Line
    } catch (error) {
      throw new Fault(`${this.#name} is no tar-split: a line is no JSON.`, { cause: error })
    }
    const payload = typeof line?.payload === 'string' ? Buffer.from(line.payload, 'latin1') : Buffer.alloc(0)
    if (line?.type === 2) this.#segment(payload, 0, payload.length)
    else if (line?.type === 1) {
      const size = line.size ?? 0
      this.#body(size, payload.length === SUM ? foldedSum(payload, 0) : null)
    } else throw this.#odd('a line is neither a segment nor a file')
  }

  #segment(text: Buffer, from: number, to: number): void {
    const padding = this.#scanner.skippable
    if (padding >= BLOCK) throw this.#odd('the line of a file is missing')
    if (bytesIn(text, from, to) === padding + BLOCK && this.#loneHeader(text, from, padding)) return
    const room = ((to - from) >>> 2) * 3 + 3
    if (room > this.#raw.length) this.#raw = Buffer.alloc(room * 2)
    const length = this.#raw.write(text.toString('latin1', from, to), 'base64')
    this.#scanner.push(this.#raw, 0, length)
  }

  /**
   * One header behind the padding of the last body: by far most segments. The engine has checked its checksum when it
   * read the layer. False where it takes the whole header to understand it.
   */
  #loneHeader(text: Buffer, from: number, at: number): boolean {
    const raw = this.#raw
    let bad = decode(text, from, raw, at + 345, at + 346)
    if (raw[at + 345] !== 0) bad |= decode(text, from, raw, at + 345, at + BLOCK)
    bad |= decode(text, from, raw, at, at + 160)
    const type = raw[at + 156]
    const isLink = type === 0x31 || type === 0x32
    if (bad !== 0 || raw[at] === 0 || (!isLink && type !== 0x30 && type !== 0x35)) return false
    if (decode(text, from, raw, isLink ? at + 157 : at + 257, at + 265) !== 0) return false
    this.#scanner.skip(at)
    this.#scanner.push(raw, at, at + BLOCK)
    return true
  }

  /** The line of a file as Go writes it: `{"type":1,"name":…,"size":5,"payload":"…","position":3}`. */
  #plainBody(text: Buffer, start: number, payloadEnd: number): boolean {
    const isNull = text[payloadEnd - 1] === 0x6c
    let at = payloadEnd - (isNull ? 4 : SUM + 2) - PAYLOAD.length
    if (at <= start || !matches(text, at, PAYLOAD)) return false
    const sumAt = at + PAYLOAD.length + 1
    const sizeEnd = at
    let size = 0
    for (let unit = 1; isDigit(text[at - 1]); unit *= 10) size += (text[--at] - 0x30) * unit
    // Without a size the name stands here, and a name ends with a quote.
    if (at === sizeEnd ? text[at - 1] !== 0x22 : !matches(text, at - SIZE.length, SIZE)) return false
    this.#body(size, isNull ? null : foldedSum(text, sumAt))
    return true
  }

  #body(size: number, sum: number | null): void {
    if (size === 0) return
    // Of a sparse file it is the size with its holes that stands here, and the sum is over them too.
    const stored = this.#scanner.sparse === null ? size : this.#scanner.bodySize
    if (!Number.isSafeInteger(stored) || stored < 0 || stored > this.#scanner.skippable)
      throw this.#odd('a size does not fit')
    if (sum !== null) this.#builder.setCrc64(sum)
    this.#scanner.skip(stored)
  }

  #odd(what: string): Fault {
    return new Fault(`${this.#name} is no tar-split: ${what}.`)
  }
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

function matches(text: Uint8Array, at: number, what: Uint8Array): boolean {
  for (let i = 0; i < what.length; i++) if (text[at + i] !== what[i]) return false
  return true
}

/** How many bytes a base64 text stands for. */
function bytesIn(text: Uint8Array, from: number, to: number): number {
  const padded = text[to - 1] !== 0x3d ? 0 : text[to - 2] !== 0x3d ? 1 : 2
  return ((to - from) >>> 2) * 3 - padded
}

/** The eight bytes of a CRC-64, folded to 32 bits. */
function foldedSum(text: Buffer, at: number): number {
  decode(text, at, eight, 0, 8)
  return (eight.readUInt32BE(0) ^ eight.readUInt32BE(4)) >>> 0
}
const eight = Buffer.alloc(9)

const digits = new Uint8Array(256).fill(0x80)
ascii('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/').forEach((digit, value) => {
  digits[digit] = value
})

/**
 * Decodes the bytes `start` to `end` of what a base64 text at `from` stands for into their places in `into`, and what
 * lies in the same groups of three. 0 when all of it is base64.
 */
function decode(text: Uint8Array, from: number, into: Uint8Array, start: number, end: number): number {
  let bad = 0
  let to = start - (start % 3)
  for (let at = from + (to / 3) * 4; to < end; at += 4, to += 3) {
    const a = digits[text[at]]
    const b = digits[text[at + 1]]
    const c = digits[text[at + 2]]
    const d = digits[text[at + 3]]
    bad |= a | b | c | d
    into[to] = (a << 2) | (b >> 4)
    into[to + 1] = (b << 4) | (c >> 2)
    into[to + 2] = (c << 6) | d
  }
  return bad & 0x80
}

/**
 * Reads tar-split: what Docker's graph drivers and containers/storage keep of every layer's tar, all of it but the file
 * contents (github.com/vbatts/tar-split). JSON lines: type 2 carries raw bytes of the tar, type 1 stands for one file
 * body, with its size and the CRC-64 of it. Replayed into a scanner they give the whole index of a layer, with offsets
 * in a tar that nobody has to make.
 */
import { Fault } from '../base/errors.ts'
import type { IndexBuilder } from './index-builder.ts'
import type { TarScanner } from './tar-scanner.ts'

/** A line holds at most one extended header (8 MiB) and its base64; a longer one is refused. */
const MAX_LINE = 24 << 20

const SEGMENT = Buffer.from('{"type":2,"payload":"')

interface Line {
  type: number
  size?: number
  payload?: string | null
}

export class TarSplitReader {
  readonly #scanner: TarScanner
  readonly #builder: IndexBuilder
  readonly #name: string
  #carry: Buffer | null = null
  #raw = Buffer.alloc(4096)

  /** The scanner must feed the builder; `name` says in errors what is being read. */
  constructor(scanner: TarScanner, builder: IndexBuilder, name: string) {
    this.#scanner = scanner
    this.#builder = builder
    this.#name = name
  }

  /** Reads on in the decompressed JSON lines, in pieces of any size. @throws Fault when it is no tar-split. */
  push(chunk: Uint8Array, start = 0, end: number = chunk.length): void {
    let text = Buffer.from(chunk.buffer, chunk.byteOffset + start, end - start)
    if (this.#carry !== null) {
      text = Buffer.concat([this.#carry, text])
      this.#carry = null
    }
    let at = 0
    for (let stop = text.indexOf(10, at); stop >= 0; stop = text.indexOf(10, at)) {
      if (stop > at) this.#line(text, at, stop)
      at = stop + 1
    }
    if (at === text.length) return
    if (text.length - at > MAX_LINE) throw this.#odd('a line is longer than 24 MiB')
    this.#carry = Buffer.from(text.subarray(at))
  }

  /** Says that there is no more. @throws Fault when it ends in the middle. */
  end(): void {
    if (this.#carry !== null) this.#line(this.#carry, 0, this.#carry.length)
    this.#carry = null
    this.#scanner.end()
  }

  #line(text: Buffer, start: number, end: number): void {
    // Nearly all bytes are of this shape, which Go's encoder writes in this order; the rest goes the long way.
    if (text.compare(SEGMENT, 0, SEGMENT.length, start, start + SEGMENT.length) === 0) {
      const from = start + SEGMENT.length
      const quote = text.indexOf(0x22, from)
      if (quote >= 0 && quote < end) return this.#segment(text, from, quote)
    }
    let line: Line
    try {
      line = JSON.parse(text.toString('utf8', start, end)) as Line
    } catch (error) {
      throw new Fault(`${this.#name} is no tar-split: a line is no JSON.`, { cause: error })
    }
    if (line?.type === 2) this.#segment(Buffer.from(line.payload ?? '', 'latin1'), 0, (line.payload ?? '').length)
    else if (line?.type === 1) this.#body(line)
    else throw this.#odd('a line is neither a segment nor a file')
  }

  #segment(text: Buffer, from: number, to: number): void {
    const bytes = ((to - from) >>> 2) * 3
    if (bytes > this.#raw.length) this.#raw = Buffer.alloc(bytes * 2)
    const length = this.#raw.write(text.toString('latin1', from, to), 'base64')
    this.#scanner.push(this.#raw, 0, length)
  }

  #body(line: Line): void {
    const size = line.size ?? 0
    if (size === 0) return
    if (!Number.isSafeInteger(size) || size < 0 || size > this.#scanner.skippable)
      throw this.#odd('a size does not fit')
    if (typeof line.payload === 'string') {
      const sum = Buffer.from(line.payload, 'base64')
      if (sum.length === 8) this.#builder.setCrc64((sum.readUInt32BE(0) ^ sum.readUInt32BE(4)) >>> 0)
    }
    this.#scanner.skip(size)
  }

  #odd(what: string): Fault {
    return new Fault(`${this.#name} is no tar-split: ${what}.`)
  }
}

/**
 * Reads the headers of a tar that is handed over in pieces of any size. It never holds a body: bodies are passed on to
 * the sink that asks for them, or may be seeked over. Dialects: V7, ustar, PAX (with its sparse formats), GNU (long
 * names, base-256, sparse), star. Source: POSIX.1-2017 pax, GNU tar manual "Basic Tar Format", Go's archive/tar, which
 * is what the engines read and write layers with.
 */
import { Fault } from '../base/errors.ts'
import { type Anomaly, type Entry, Kind } from './entry.ts'
import { type PaxRecords, parsePax } from './pax.ts'
import { gnuSparseMap, type SparseMap, sparseFromPax } from './sparse.ts'
import { headerName, kindOf, printable, textField } from './tar-header.ts'
import { checkBlock, tarNumber } from './tar-numbers.ts'

export interface EntrySink {
  /** The entry is reused for the next one: copy what must last. */
  entry(entry: Entry): void
  /** The stored body of a regular file, piece by piece; without this method bodies are skipped. */
  body?(chunk: Uint8Array, start: number, end: number): void
  /** After the last piece of a regular file's body, empty bodies included. */
  bodyEnd?(): void
  anomaly?(anomaly: Pick<Anomaly, 'kind' | 'text' | 'path'>): void
}

/** Extension headers hold names and attributes; nothing real comes near this, so a header that claims more is refused. */
const MAX_EXTENSION = 8 << 20
const MAX_NAME = 1 << 20
const BLOCK = 512

const nothing: Uint8Array = new Uint8Array(0)

type State = 'header' | 'extension' | 'sparse' | 'body' | 'done'

export class TarScanner {
  /** Offset of the current entry's stored body in the tar, bytes. */
  bodyOffset = 0
  /** Bytes that are stored for it (less than its size when it is sparse). */
  bodySize = 0
  /** Where the data of a sparse file belong; null for ordinary files. */
  sparse: SparseMap | null = null
  /** Bytes consumed so far. */
  position = 0

  readonly #sink: EntrySink
  readonly #name: string
  readonly #checked: boolean
  #state: State = 'header'
  /** Bytes left of the body or extension, and of the padding behind it. */
  #left = 0
  #padding = 0
  /** The body is handed to the sink. */
  #wanted = false
  readonly #carry = new Uint8Array(BLOCK)
  #carried = 0
  #zeroBlocks = 0
  #entryStart = -1
  #blockStart = 0

  #extensionType = 0
  #extension = nothing
  #extensionFill = 0
  /** How many bytes of the extension are kept; what lies beyond can only be padding. */
  #extensionRoom = 0
  #pax: PaxRecords | null = null
  #longName: Uint8Array | null = null
  #longLink: Uint8Array | null = null
  /** Where long names and long links lie until their entry comes. */
  readonly #nameRooms = [nothing, nothing]
  #sparseBlocks: Uint8Array[] = []
  #lastPath = ''

  readonly #entry: Entry = {
    path: new Uint8Array(0),
    kind: Kind.file,
    size: 0,
    mode: 0,
    uid: 0,
    gid: 0,
    mtime: 0,
    nsec: 0,
    link: null,
    devMajor: 0,
    devMinor: 0,
    xattrs: null,
    sparse: false,
    offset: 0,
  }

  /**
   * `name` says in errors what is being read: "layer 3 of app.tar". `checked`: whoever wrote these headers down had read
   * them before, so their checksums are not looked at again.
   */
  constructor(sink: EntrySink, options: { name?: string; position?: number; checked?: boolean } = {}) {
    this.#sink = sink
    this.#checked = options.checked ?? false
    this.#name = options.name ?? 'The tar'
    this.position = options.position ?? 0
  }

  /** The end-of-archive blocks have been seen; whatever follows is not part of the tar. */
  get done(): boolean {
    return this.#state === 'done'
  }

  /** Bytes that follow now and need not be pushed: a body that nobody asked for, and padding. */
  get skippable(): number {
    return this.#state === 'body' && !this.#wanted ? this.#left + this.#padding : 0
  }

  /** Tells that `bytes` of what is skippable were seeked over. */
  skip(bytes: number): void {
    if (bytes > this.skippable) throw new RangeError('skipping more than is skippable')
    this.position += bytes
    const body = Math.min(bytes, this.#left)
    this.#left -= body
    this.#padding -= bytes - body
    if (this.#left + this.#padding === 0) this.#endBody()
  }

  /** Reads on. @throws Fault naming the tar, the offset and the entry when it is no tar from here on. */
  push(chunk: Uint8Array, start = 0, end: number = chunk.length): void {
    const aligned = !this.#checked && (chunk.byteOffset & 3) === 0
    const words = aligned ? new Int32Array(chunk.buffer, chunk.byteOffset, chunk.byteLength >>> 2) : null
    let at = start
    while (at < end) {
      switch (this.#state) {
        case 'done':
          this.position += end - at
          return
        case 'header':
        case 'sparse':
          if (this.#carried === 0 && end - at >= BLOCK) {
            this.#block(chunk, at, (at & 3) === 0 ? words : null)
            at += BLOCK
          } else {
            const take = Math.min(BLOCK - this.#carried, end - at)
            this.#carry.set(chunk.subarray(at, at + take), this.#carried)
            this.#carried += take
            at += take
            if (this.#carried < BLOCK) return
            this.#carried = 0
            this.#block(this.#carry, 0, null)
          }
          break
        case 'extension':
          at += this.#takeExtension(chunk, at, end)
          break
        case 'body':
          at += this.#takeBody(chunk, at, end)
      }
    }
  }

  /**
   * Says that there is no more. A tar may end without its zero blocks and without the padding of its last body.
   * @throws Fault when it ends inside a header or a body.
   */
  end(): void {
    if (this.#state === 'done') return
    if (this.#state === 'body' && this.#left === 0) {
      this.#sink.anomaly?.({ kind: 'truncated', path: null, text: 'the padding of the last entry is missing' })
      this.#endBody()
      return
    }
    const blank = this.#state === 'header' && this.#carry.subarray(0, this.#carried).every(byte => byte === 0)
    if (this.#state !== 'header' || !blank) {
      throw this.#broken(this.#left > 0 ? `it is truncated, ${this.#left} bytes short` : 'it is truncated')
    }
  }

  #block(block: Uint8Array, at: number, words: Int32Array | null): void {
    const offset = this.position
    this.#blockStart = offset
    this.position += BLOCK
    if (this.#state === 'sparse') return this.#sparseBlock(block.slice(at, at + BLOCK))
    const verdict = this.#checked && block[at] !== 0 ? 1 : checkBlock(block, at, words)
    if (verdict === 0) {
      if (++this.#zeroBlocks === 2) this.#state = 'done'
      return
    }
    if (verdict < 0) {
      throw this.#broken(
        offset === 0 || this.#zeroBlocks > 0 ? 'there is no tar header here' : 'the checksum of a header is wrong',
      )
    }
    if (this.#zeroBlocks > 0) {
      this.#sink.anomaly?.({ kind: 'lone-zero-block', path: null, text: `a lone zero block before offset ${offset}` })
      this.#zeroBlocks = 0
    }
    if (this.#entryStart < 0) this.#entryStart = offset
    this.#header(block, at)
  }

  #header(block: Uint8Array, at: number): void {
    const type = block[at + 156]!
    const size = tarNumber(block, at + 124, 12)
    if (!(size >= 0 && size <= Number.MAX_SAFE_INTEGER))
      throw this.#broken('the size of an entry is not a number of bytes')
    switch (type) {
      case 0x78: // x: extended header of the next entry
      case 0x67: // g: global; the engines read and ignore it
      case 0x4c: // L: long name
      case 0x4b: // K: long link
        return this.#beginExtension(type, size)
      case 0x56: // V: volume label
      case 0x4d: // M: continuation of another volume
      case 0x4e: // N: old long names
        this.#beginSkip(size)
        return
    }
    const pax = this.#pax
    const entry = this.#entry
    const bodySize = pax?.size ?? size
    if (!(bodySize >= 0 && bodySize <= Number.MAX_SAFE_INTEGER)) throw this.#broken('the size of an entry is negative')
    const path = pax?.path ?? this.#longName ?? headerName(block, at)
    const kind = kindOf(type, path)
    entry.path = path
    entry.kind = kind
    entry.mode = this.#lenient(block, at + 100, 8, 'mode') & 0o7777
    entry.uid = pax?.uid ?? this.#lenient(block, at + 108, 8, 'owner')
    entry.gid = pax?.gid ?? this.#lenient(block, at + 116, 8, 'group')
    entry.mtime = pax?.mtime ? pax.mtime.seconds : this.#lenient(block, at + 136, 12, 'time')
    entry.nsec = pax?.mtime ? pax.mtime.nanoseconds : 0
    entry.link =
      kind === Kind.symlink || kind === Kind.hardlink
        ? (pax?.linkpath ?? this.#longLink ?? textField(block, at + 157, 100))
        : null
    const device = kind === Kind.char || kind === Kind.block
    entry.devMajor = device ? this.#lenient(block, at + 329, 8, 'device') : 0
    entry.devMinor = device ? this.#lenient(block, at + 337, 8, 'device') : 0
    entry.xattrs = pax?.xattrs ?? null
    entry.offset = this.#entryStart
    entry.size = bodySize
    // Links, devices, directories and fifos have no body whatever their size field says (Go's isHeaderOnly).
    this.#left = kind === Kind.file || type === 0x44 ? bodySize : 0
    this.#padding = -this.#left & (BLOCK - 1)
    this.sparse = null
    if (type === 0x53 && kind === Kind.file) {
      this.#sparseBlocks = [block.slice(at, at + BLOCK)]
      if (block[at + 482] !== 0) {
        entry.path = path.slice()
        this.#state = 'sparse'
        return
      }
      this.#finishGnuSparse()
    } else if (pax !== null && (pax.sparse !== null || pax.sparsePairs.length > 0) && kind === Kind.file) {
      const sparse = this.#guard(() => sparseFromPax(pax, bodySize))
      if (sparse !== null) {
        if (sparse.name !== null) entry.path = sparse.name
        entry.size = sparse.map.size
        this.sparse = sparse.map
      }
    }
    this.#beginEntry()
  }

  #sparseBlock(block: Uint8Array): void {
    this.#sparseBlocks.push(block)
    if (this.#sparseBlocks.length > MAX_EXTENSION / BLOCK) throw this.#broken('a sparse map is larger than 8 MiB')
    if (block[504] !== 0) return
    this.#finishGnuSparse()
    this.#beginEntry()
  }

  #finishGnuSparse(): void {
    this.sparse = this.#guard(() => gnuSparseMap(this.#sparseBlocks, this.#left))
    this.#entry.size = this.sparse.size
    this.#sparseBlocks = []
  }

  #beginEntry(): void {
    const entry = this.#entry
    entry.sparse = this.sparse !== null
    this.bodyOffset = this.position
    this.bodySize = this.#left
    this.#wanted = this.#sink.body !== undefined && entry.kind === Kind.file
    this.#state = 'body'
    this.#pax = null
    this.#longName = null
    this.#longLink = null
    this.#entryStart = -1
    this.#sink.entry(entry)
    if (this.#left + this.#padding === 0) this.#endBody()
  }

  #beginSkip(size: number): void {
    this.#left = size
    this.#padding = -size & (BLOCK - 1)
    this.#wanted = false
    this.#state = 'body'
    this.#entry.kind = Kind.dir
    if (this.#left === 0) this.#endBody()
  }

  #endBody(): void {
    this.#state = 'header'
    if (this.#entry.kind === Kind.file) this.#sink.bodyEnd?.()
  }

  #takeBody(chunk: Uint8Array, at: number, end: number): number {
    const body = Math.min(this.#left, end - at)
    if (body > 0 && this.#wanted) this.#sink.body?.(chunk, at, at + body)
    const padding = Math.min(this.#padding, end - at - body)
    this.#left -= body
    this.#padding -= padding
    this.position += body + padding
    if (this.#left + this.#padding === 0) this.#endBody()
    return body + padding
  }

  #beginExtension(type: number, size: number): void {
    const isName = type === 0x4c || type === 0x4b
    if (size > MAX_EXTENSION && !isName) throw this.#broken(`an extended header claims ${size} bytes, more than 8 MiB`)
    this.#extensionType = type
    this.#extension = nothing
    this.#extensionFill = 0
    this.#extensionRoom = Math.min(size, isName ? MAX_NAME : MAX_EXTENSION)
    this.#left = size
    this.#padding = -size & (BLOCK - 1)
    this.#state = 'extension'
    if (size === 0) this.#endExtension()
  }

  #takeExtension(chunk: Uint8Array, at: number, end: number): number {
    const take = Math.min(this.#left, end - at)
    // Nearly always all of it lies in one chunk and need not be copied.
    const whole = this.#left + this.#padding <= end - at && this.#extensionFill === 0 && take <= this.#extensionRoom
    if (whole) this.#extension = new Uint8Array(chunk.buffer, chunk.byteOffset + at, take)
    else this.#keepExtension(chunk, at, take)
    const padding = Math.min(this.#padding, end - at - take)
    this.#left -= take
    this.#padding -= padding
    this.position += take + padding
    if (this.#left + this.#padding === 0) this.#endExtension()
    return take + padding
  }

  #keepExtension(chunk: Uint8Array, at: number, take: number): void {
    if (this.#extensionFill === 0) this.#extension = new Uint8Array(this.#extensionRoom)
    const keep = Math.min(take, this.#extensionRoom - this.#extensionFill)
    this.#extension.set(chunk.subarray(at, at + keep), this.#extensionFill)
    this.#extensionFill += keep
  }

  #endExtension(): void {
    this.#state = 'header'
    const bytes = this.#extension
    this.#extension = nothing
    switch (this.#extensionType) {
      case 0x4c:
        this.#longName = this.#longText(bytes, 0)
        break
      case 0x4b:
        this.#longLink = this.#longText(bytes, 1)
        break
      case 0x67:
        this.#guard(() => parsePax(bytes, this.#here()))
        break
      default:
        this.#pax = parsePax(bytes, this.#here())
    }
  }

  #longText(bytes: Uint8Array, room: 0 | 1): Uint8Array {
    const nul = bytes.indexOf(0)
    if (nul < 0 && bytes.length === MAX_NAME) throw this.#broken('a name is longer than 1 MiB')
    const length = nul < 0 ? bytes.length : nul
    if (length > this.#nameRooms[room].length) this.#nameRooms[room] = new Uint8Array(length * 2)
    const into = this.#nameRooms[room].subarray(0, length)
    for (let i = 0; i < length; i++) into[i] = bytes[i]
    return into
  }

  /** Numbers that no reader needs to go on: rubbish in them is told, and read as 0. */
  #lenient(block: Uint8Array, start: number, length: number, what: string): number {
    const value = tarNumber(block, start, length)
    if (Number.isFinite(value)) return value
    this.#sink.anomaly?.({
      kind: 'bad-number',
      path: this.#entry.path,
      text: `the ${what} of an entry is not a number`,
    })
    return 0
  }

  #guard<T>(read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (error instanceof Fault && !error.message.startsWith(this.#name)) throw this.#broken(error.message)
      throw error
    }
  }

  #here(): string {
    const offset = this.#state === 'header' || this.#state === 'sparse' ? this.#blockStart : this.position
    return `${this.#name} is broken at offset ${offset}`
  }

  #broken(what: string): Fault {
    const path = this.#entry.path
    if (path.length > 0) this.#lastPath = printable(path)
    const after = this.#lastPath === '' ? '' : ` (in or after the entry "${this.#lastPath}")`
    return new Fault(`${this.#here()}: ${what}${after}.`)
  }
}

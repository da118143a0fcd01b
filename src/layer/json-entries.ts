/**
 * Takes a large JSON document apart while it passes by: `{…, "entries": [{…}, {…}], …}`. Each object of an array at the
 * top is handed out by itself, so that a table of contents of any length is never in memory as a whole.
 */
import { Fault } from '../base/errors.ts'

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const OPEN = 0x7b
const CLOSE = 0x7d
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d

/** One entry holds at most the extended attributes of one file. */
const MAX_ENTRY = 8 << 20
/** What stands around the entries: a version, a digest or two. */
const MAX_REST = 1 << 20
const MAX_DEPTH = 64

export interface JsonEntries {
  /** Reads on, in pieces of any size. @throws Fault when it is no such document. */
  push(chunk: Uint8Array): void
  /** What stands around the entries, their array empty. @throws Fault when the document ends in the middle. */
  end(): unknown
}

/** `take` gets one entry after the other as it was parsed; `name` says in errors what is being read. */
export function jsonEntries(name: string, take: (entry: unknown) => void): JsonEntries {
  /** Kinds of the brackets that are open. */
  const open: number[] = []
  let quoted = false
  let escaped = false
  let inEntry = false
  const tooLong = () => odd(name, 'an entry of it is longer than 8 MiB')
  const entry = growing(MAX_ENTRY, tooLong)
  const rest = growing(MAX_REST, () => odd(name, 'more than a megabyte stands beside its entries'))

  function openBracket(byte: number): void {
    if (open.length === MAX_DEPTH) throw odd(name, `it is nested more than ${MAX_DEPTH} levels deep`)
    if (byte === OPEN && open.length === 2 && open[1] === OPEN_LIST) inEntry = true
    open.push(byte)
  }

  function closeBracket(byte: number): boolean {
    if (open.pop() !== (byte === CLOSE ? OPEN : OPEN_LIST)) throw odd(name, 'its brackets do not match')
    return inEntry && open.length === 2
  }

  return {
    push(chunk) {
      /** Where what was not dealt with yet begins: an entry, or what stands beside them. */
      let from = 0
      /** Entries that lie whole in the chunk, with the commas between them: read together, in a third of the time. */
      let batch = -1
      let batchEnd = -1
      const flush = () => {
        if (batch < 0) return
        const text = asBuffer(chunk).toString('utf8', batch, batchEnd)
        batch = -1
        for (const one of parsed(`[${text}]`, name) as unknown[]) take(one)
      }
      const { length } = chunk
      for (let at = 0; at < length; at++) {
        if (quoted) {
          // Nearly all of it is text.
          if (!escaped) while (at < length && chunk[at] !== QUOTE && chunk[at] !== BACKSLASH) at++
          if (escaped) escaped = false
          else if (chunk[at] === BACKSLASH) escaped = true
          else if (chunk[at] === QUOTE) quoted = false
          continue
        }
        const byte = chunk[at]
        if (byte === QUOTE) quoted = true
        else if (byte === OPEN || byte === OPEN_LIST) {
          const before = inEntry
          openBracket(byte)
          if (inEntry && !before) {
            if (batch < 0) rest.add(chunk, from, at)
            from = at
          }
        } else if (byte === CLOSE || byte === CLOSE_LIST) {
          if (closeBracket(byte)) {
            inEntry = false
            if (at + 1 - from > MAX_ENTRY) throw tooLong()
            if (entry.isEmpty()) {
              if (batch < 0) batch = from
              batchEnd = at + 1
            } else take(parsed(entry.take(chunk, from, at + 1), name))
            from = at + 1
          } else if (open.length < 2) flush()
        } else if (byte === COMMA && open.length === 2 && open[1] === OPEN_LIST) {
          if (batch < 0) rest.add(chunk, from, at)
          from = at + 1
        }
      }
      flush()
      if (inEntry) entry.add(chunk, from, chunk.length)
      else rest.add(chunk, from, chunk.length)
    },
    end() {
      if (open.length > 0 || quoted) throw odd(name, 'it ends in the middle')
      return parsed(rest.take(new Uint8Array(0), 0, 0), name)
    },
  }
}

/** Bytes that come in pieces. What came in one piece is not copied. */
function growing(most: number, tooLong: () => Fault) {
  let room = Buffer.alloc(0)
  let filled = 0
  function add(chunk: Uint8Array, from: number, to: number): void {
    const length = filled + to - from
    if (length > most) throw tooLong()
    if (length > room.length) {
      const bigger = Buffer.alloc(Math.min(most, length * 2))
      room.copy(bigger, 0, 0, filled)
      room = bigger
    }
    room.set(chunk.subarray(from, to), filled)
    filled = length
  }
  return {
    add,
    isEmpty: () => filled === 0,
    take(chunk: Uint8Array, from: number, to: number): string {
      if (filled === 0) {
        if (to - from > most) throw tooLong()
        return asBuffer(chunk).toString('utf8', from, to)
      }
      add(chunk, from, to)
      const text = room.toString('utf8', 0, filled)
      filled = 0
      return text
    },
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}

function parsed(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Fault(`${name} can not be read: it is no JSON.`, { cause: error })
  }
}

function odd(name: string, what: string): Fault {
  return new Fault(`${name} can not be read: ${what}.`)
}

/** What the fields of one 512-byte header block mean, dialect by dialect. Offsets: POSIX.1-2017 pax, "ustar Interchange Format". */
import { Kind } from './entry.ts'
import { tarNumber } from './tar-numbers.ts'

/** GNU's own magic: its headers keep times and sparse maps where ustar has the prefix of a long name. */
function isGnu(block: Uint8Array, at: number): boolean {
  return block[at + 262] === 0x20 && block[at + 263] === 0x20
}

function isUstar(block: Uint8Array, at: number): boolean {
  return (
    block[at + 257] === 0x75 &&
    block[at + 258] === 0x73 &&
    block[at + 259] === 0x74 &&
    block[at + 260] === 0x61 &&
    block[at + 261] === 0x72
  )
}

/** star marks its headers with "tar\0" at their end and has times in the last 24 bytes of the prefix. */
function isStar(block: Uint8Array, at: number): boolean {
  return block[at + 508] === 0x74 && block[at + 509] === 0x61 && block[at + 510] === 0x72 && block[at + 511] === 0
}

/** The name in the header itself, with the prefix where the dialect has one. */
export function headerName(block: Uint8Array, at: number): Uint8Array {
  if (block[at + 345] === 0 || !isUstar(block, at)) return textField(block, at, 100)
  // Go before 1.8 wrote prefixes into GNU headers; they are told by not being the time that belongs there.
  if (isGnu(block, at) && !Number.isNaN(tarNumber(block, at + 345, 12))) return textField(block, at, 100)
  const prefix = textField(block, at + 345, isStar(block, at) ? 131 : 155)
  const name = textField(block, at, 100)
  const path = new Uint8Array(prefix.length + 1 + name.length)
  path.set(prefix)
  path[prefix.length] = 0x2f
  path.set(name, prefix.length + 1)
  return path
}

/** The kind of a type flag; a path tells V7 directories. */
export function kindOf(type: number, path: Uint8Array): Kind {
  switch (type) {
    case 0x31:
      return Kind.hardlink
    case 0x32:
      return Kind.symlink
    case 0x33:
      return Kind.char
    case 0x34:
      return Kind.block
    case 0x35:
    case 0x44: // GNU dump directory
      return Kind.dir
    case 0x36:
      return Kind.fifo
    case 0:
      // V7 has no type for directories but the slash.
      return path[path.length - 1] === 0x2f ? Kind.dir : Kind.file
    default:
      // POSIX: a type that is not known is a regular file.
      return Kind.file
  }
}

/** The bytes of a text field up to its NUL, as a view into the block. */
export function textField(block: Uint8Array, start: number, length: number): Uint8Array {
  let end = start
  const limit = start + length
  while (end < limit && block[end] !== 0) end++
  return block.subarray(start, end)
}

/** A path for an error message: bounded, without anything that could drive a terminal. */
export function printable(path: Uint8Array): string {
  const text = Array.from(path.subarray(0, 200), byte =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '?',
  )
  return text.join('') + (path.length > 200 ? '…' : '')
}

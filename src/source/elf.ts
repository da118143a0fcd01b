/**
 * What an ELF program needs to start: its interpreter and its libraries, read from the file itself. Nothing is run (ldd
 * runs what it looks at). Source: System V ABI, chapters 4 and 5 (program headers, dynamic section).
 */

export interface ElfNeeds {
  /** Path of the dynamic loader; null for a static program and for a library. */
  interpreter: string | null
  /** Names of libraries (DT_NEEDED), in order. */
  needed: string[]
  /** Folders to look in first (DT_RUNPATH, DT_RPATH), `$ORIGIN` not yet replaced. */
  runpath: string[]
}

const LOAD = 1
const DYNAMIC = 2
const INTERP = 3
const tags = { needed: 1, strings: 5, rpath: 15, runpath: 29 }
/** Real programs have about a dozen program headers and a hundred dynamic entries. */
const MAX_HEADERS = 256
const MAX_DYNAMIC = 4096
const MAX_STRING = 4096

interface Segment {
  type: number
  offset: number
  address: number
  size: number
}

/** What the ELF file with these bytes needs; null when it is no ELF file or a broken one. */
export function elfNeeds(file: Uint8Array): ElfNeeds | null {
  if (file.length < 64 || file[0] !== 0x7f || file[1] !== 0x45 || file[2] !== 0x4c || file[3] !== 0x46) return null
  try {
    return readNeeds(new DataView(file.buffer, file.byteOffset, file.byteLength), file[4] === 2, file[5] === 1)
  } catch (error) {
    if (error instanceof RangeError) return null
    throw error
  }
}

function readNeeds(view: DataView, wide: boolean, little: boolean): ElfNeeds {
  const word = (at: number) => (wide ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little))
  const segments = readSegments(view, wide, little, word)
  const interp = segments.find(segment => segment.type === INTERP)
  const needs: ElfNeeds = { interpreter: interp ? text(view, interp.offset) : null, needed: [], runpath: [] }
  const dynamic = segments.find(segment => segment.type === DYNAMIC)
  if (!dynamic) return needs
  const entries: [tag: number, value: number][] = []
  const step = wide ? 16 : 8
  for (let at = dynamic.offset; entries.length < MAX_DYNAMIC && at < dynamic.offset + dynamic.size; at += step) {
    const tag = word(at)
    if (tag === 0) break
    entries.push([tag, word(at + step / 2)])
  }
  const strings = fileOffset(segments, entries.find(([tag]) => tag === tags.strings)?.[1] ?? 0)
  for (const [tag, value] of entries) {
    if (tag === tags.needed) needs.needed.push(text(view, strings + value))
    if (tag === tags.runpath || tag === tags.rpath) needs.runpath.push(...text(view, strings + value).split(':'))
  }
  return needs
}

function readSegments(view: DataView, wide: boolean, little: boolean, word: (at: number) => number): Segment[] {
  const table = word(wide ? 32 : 28)
  const size = view.getUint16(wide ? 54 : 42, little)
  const count = Math.min(view.getUint16(wide ? 56 : 44, little), MAX_HEADERS)
  return Array.from({ length: count }, (_, i) => {
    const at = table + i * size
    return {
      type: view.getUint32(at, little),
      offset: word(at + (wide ? 8 : 4)),
      address: word(at + (wide ? 16 : 8)),
      size: word(at + (wide ? 32 : 16)),
    }
  })
}

function fileOffset(segments: readonly Segment[], address: number): number {
  const within = (segment: Segment) => address >= segment.address && address < segment.address + segment.size
  const segment = segments.find(candidate => candidate.type === LOAD && within(candidate))
  if (!segment) throw new RangeError('an address outside the file')
  return address - segment.address + segment.offset
}

function text(view: DataView, at: number): string {
  let out = ''
  for (let end = at; out.length < MAX_STRING; end++) {
    const byte = view.getUint8(end)
    if (byte === 0) return out
    out += String.fromCharCode(byte)
  }
  throw new RangeError('a string without an end')
}

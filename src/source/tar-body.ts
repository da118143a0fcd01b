/**
 * The content of one file of a layer tar: its header is read again where the index says it stands, and must still be
 * that file's. Then the stored pieces and the holes of its content.
 */
import { Fault } from '../base/errors.ts'
import { equalBytes, normalisePath } from '../base/paths.ts'
import { safeBytes } from '../base/text.ts'
import { Kind } from '../layer/entry.ts'
import { sparseFromBody } from '../layer/sparse.ts'
import { TarScanner } from '../layer/tar-scanner.ts'
import { part, type Region, readInto } from './region.ts'

export interface Body {
  /** Logical bytes of the content. */
  size: number
  /** Where the stored bytes begin in the region. */
  start: number
  /** offset, length pairs of what is stored, in order and one behind the other; null: all of it is. */
  pieces: number[] | null
}

/** A stretch of content: stored bytes, or a hole. */
export type Stretch = { at: number; length: number } | { zeros: number }

/** More than the extension headers of any one entry that the scanner accepts. */
export const MAX_HEADERS = 24 << 20

/**
 * Finds the body of the regular file whose first header stands at `offset`. Blocks, briefly. null: what is there of the
 * region so far does not hold all of the headers. @throws Fault when another entry stands there.
 */
export function locateBody(region: Region, offset: number, path: Uint8Array, name: string): Body | null {
  let found: { path: Uint8Array; kind: Kind; size: number } | null = null
  const scanner: TarScanner = new TarScanner(
    {
      entry(entry) {
        found ??= { path: entry.path.slice(), kind: entry.kind, size: entry.size }
      },
    },
    { name, position: offset },
  )
  const block = new Uint8Array(512)
  for (let at = offset; found === null; at += 512) {
    if (at - offset > MAX_HEADERS) throw new Fault(`${name}: the headers of “${safeBytes(path)}” have no end.`)
    if (readInto(region, at, block) < 512) return null
    scanner.push(block)
  }
  const { kind, size, path: there } = found as { path: Uint8Array; kind: Kind; size: number }
  if (kind !== Kind.file || !equalBytes(normalisePath(there), normalisePath(path))) {
    throw new Fault(
      `${name} has changed since it was indexed: at offset ${offset} stands “${safeBytes(there)}”, not “${safeBytes(path)}”.`,
    )
  }
  const { bodyOffset, bodySize, sparse } = scanner
  if (sparse === null) return { size, start: bodyOffset, pieces: null }
  if (sparse.pieces !== null) return { size: sparse.size, start: bodyOffset, pieces: sparse.pieces }
  return mapInBody(part(region, bodyOffset, bodySize), bodyOffset, bodySize, sparse.size)
}

/** PAX sparse format 1.0 keeps its map before the data. */
function mapInBody(body: Region, start: number, stored: number, size: number): Body | null {
  for (let length = 4096; ; length *= 8) {
    const head = new Uint8Array(Math.min(length, stored))
    const got = readInto(body, 0, head)
    const map = sparseFromBody(head.subarray(0, got), size, stored)
    if (map !== null) return { size, start: start + map.used, pieces: map.map.pieces }
    if (got < head.length) return null
    if (got === stored || length > MAX_HEADERS) throw new Fault('a sparse map has no end')
  }
}

/** The content from `from` to `to` as stretches of the region and holes. */
export function* stretches(body: Body, from: number, to: number): Generator<Stretch> {
  const end = Math.min(to, body.size)
  if (body.pieces === null) {
    if (from < end) yield { at: body.start + from, length: end - from }
    return
  }
  let logical = 0
  let stored = body.start
  for (let i = 0; i <= body.pieces.length; i += 2) {
    const offset = body.pieces[i] ?? body.size
    const length = body.pieces[i + 1] ?? 0
    yield* clipped(logical, offset - logical, null, from, end)
    yield* clipped(offset, length, stored, from, end)
    logical = offset + length
    stored += length
  }
}

function* clipped(
  logical: number,
  length: number,
  stored: number | null,
  from: number,
  end: number,
): Generator<Stretch> {
  const first = Math.max(logical, from)
  const last = Math.min(logical + length, end)
  if (last <= first) return
  yield stored === null ? { zeros: last - first } : { at: stored + first - logical, length: last - first }
}

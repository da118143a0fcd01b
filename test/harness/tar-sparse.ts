/**
 * Sparse files for tests, in the four ways that exist: GNU's old format and PAX 0.0, 0.1 and 1.0. A sparse file is given
 * as its logical size and the pieces that are stored; everything between them is zeros.
 */
import { Buffer } from 'node:buffer'
import { entry, type Piece, pax } from './tar.ts'
import { BLOCK, type Bytes, header, padded, seal } from './tar-header.ts'

/** Where a stored piece stands in the file, and its bytes. */
export type Segment = readonly [offset: number, bytes: Uint8Array]

/** GNU's old format: type S, four pieces in the header and 21 in each block that follows. */
export function gnuSparse(path: Bytes, size: number, segments: readonly Segment[]): Piece {
  const body = stored(segments)
  const block = Buffer.from(header({ name: path, flag: 'S', magic: 'gnu', size: body.length }))
  const map = [...segments.map(([offset, bytes]) => [offset, bytes.length] as const)]
  putMap(block, 386, map.splice(0, 4))
  block[482] = map.length > 0 ? 1 : 0
  putOctal(block, 483, size)
  seal(block)
  const more: Buffer[] = []
  while (map.length > 0) {
    const extension = Buffer.alloc(BLOCK)
    putMap(extension, 0, map.splice(0, 21))
    extension[504] = map.length > 0 ? 1 : 0
    more.push(extension)
  }
  return { blocks: Buffer.concat([block, ...more, padded(body)]) }
}

/** The logical content of a sparse file. */
export function expand(size: number, segments: readonly Segment[]): Uint8Array {
  const content = new Uint8Array(size)
  for (const [offset, bytes] of segments) content.set(bytes, offset)
  return content
}

/** PAX sparse files as GNU tar writes them with --sparse-version. */
export function paxSparse(
  version: '0.0' | '0.1' | '1.0',
  path: Bytes,
  size: number,
  segments: readonly Segment[],
): Piece {
  const map = segments.map(([offset, bytes]) => [offset, bytes.length] as const)
  const records: [string, Bytes][] = []
  let body = stored(segments)
  if (version === '1.0') {
    records.push(['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0'], ['GNU.sparse.name', path])
    records.push(['GNU.sparse.realsize', String(size)])
    const table = `${map.length}\n${map.map(([offset, length]) => `${offset}\n${length}\n`).join('')}`
    body = Buffer.concat([padded(Buffer.from(table)), body])
  } else {
    records.push(['GNU.sparse.size', String(size)], ['GNU.sparse.numblocks', String(map.length)])
    if (version === '0.1') records.push(['GNU.sparse.name', path], ['GNU.sparse.map', map.flat().join(',')])
    else
      for (const [offset, length] of map) {
        records.push(['GNU.sparse.offset', String(offset)], ['GNU.sparse.numbytes', String(length)])
      }
  }
  const name = version === '0.0' ? path : 'GNUSparseFile.0/file'
  return { blocks: Buffer.concat([pax(records).blocks, entry({ path: name, body }).blocks]) }
}

function stored(segments: readonly Segment[]): Buffer {
  return Buffer.concat(segments.map(([, bytes]) => bytes))
}

function putMap(block: Buffer, at: number, pairs: readonly (readonly [number, number])[]): void {
  for (const [offset, length] of pairs) {
    putOctal(block, at, offset)
    putOctal(block, at + 12, length)
    at += 24
  }
}

function putOctal(block: Buffer, at: number, value: number): void {
  block.write(`${value.toString(8).padStart(11, '0')}\0`, at, 'latin1')
}

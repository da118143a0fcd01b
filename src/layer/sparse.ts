/**
 * Sparse files in tars: which parts of the file are stored; the rest are holes. Formats: GNU's old header (type S) and
 * the PAX formats 0.0, 0.1 and 1.0 (GNU tar manual, "Storing Sparse Files"). Format 1.0 keeps its map at the start of
 * the body, so it can only be read together with the content.
 */
import { Fault } from '../base/errors.ts'
import { pathBytes } from '../base/paths.ts'
import type { PaxRecords } from './pax.ts'
import { tarNumber } from './tar-numbers.ts'

export interface SparseMap {
  /** Logical size of the file, bytes. */
  size: number
  /** offset, length pairs of the stored pieces in order; null: the map stands at the start of the body (format 1.0). */
  pieces: number[] | null
}

/** The map of an old GNU sparse header and its extension blocks; `stored` bytes of data follow. */
export function gnuSparseMap(blocks: Uint8Array[], stored: number): SparseMap {
  const pieces: number[] = []
  blocks.forEach((block, index) => {
    const from = index === 0 ? 386 : 0
    const count = index === 0 ? 4 : 21
    for (let i = 0; i < count; i++) {
      const at = from + i * 24
      if (block[at] === 0 && block[at + 12] === 0) break
      pieces.push(tarNumber(block, at, 12), tarNumber(block, at + 12, 12))
    }
  })
  return checked({ size: tarNumber(blocks[0]!, 483, 12), pieces }, stored)
}

/** The map that PAX records give, with the name they may give as well; null when they describe no sparse file. */
export function sparseFromPax(pax: PaxRecords, stored: number): { map: SparseMap; name: Uint8Array | null } | null {
  const records = pax.sparse ?? new Map<string, string>()
  const name = records.has('name') ? pathBytes(records.get('name')!) : null
  if (records.get('major') === '1' && records.get('minor') === '0') {
    return { map: checked({ size: numberOf(records.get('realsize')), pieces: null }, stored), name }
  }
  const text = records.get('map')
  const pieces = text === undefined ? pax.sparsePairs : text === '' ? [] : text.split(',').map(numberOf)
  const size = records.get('size') ?? records.get('realsize')
  if (size === undefined) return null
  return { map: checked({ size: numberOf(size), pieces }, stored), name }
}

/**
 * Reads the map of format 1.0 from the start of a body: the count and the pairs, one decimal number a line, padded to
 * a block. Returns null when `body` holds too little of it.
 */
export function sparseFromBody(
  body: Uint8Array,
  size: number,
  stored: number,
): { map: SparseMap; used: number } | null {
  const numbers: number[] = []
  let at = 0
  let wanted = 1
  while (numbers.length < wanted) {
    const end = body.indexOf(0x0a, at)
    if (end < 0 || end - at > 20) {
      if (body.length - at > 20) throw new Fault('a sparse map is malformed')
      return null
    }
    numbers.push(numberOf(String.fromCharCode(...body.subarray(at, end))))
    if (numbers.length === 1) wanted = 1 + 2 * Math.min(numbers[0]!, 1 << 20)
    at = end + 1
  }
  const used = Math.ceil(at / 512) * 512
  return { map: checked({ size, pieces: numbers.slice(1) }, stored - used), used }
}

/** Refuses maps that run backwards, overlap, leave the file, or hold more than is stored. */
function checked(map: SparseMap, stored: number): SparseMap {
  if (!(map.size >= 0 && map.size <= Number.MAX_SAFE_INTEGER)) throw new Fault('a sparse file has no valid size')
  if (map.pieces === null) return map
  if (map.pieces.length % 2 !== 0) throw new Fault('a sparse map has an odd number of values')
  let end = 0
  let total = 0
  for (let i = 0; i < map.pieces.length; i += 2) {
    const offset = map.pieces[i]!
    const length = map.pieces[i + 1]!
    if (!(offset >= end && length >= 0 && offset + length <= map.size)) throw new Fault('a sparse map is not in order')
    end = offset + length
    total += length
  }
  if (total > stored) throw new Fault('a sparse map holds more than is stored')
  return map
}

function numberOf(text: string | undefined): number {
  if (text === undefined || !/^\d{1,16}$/.test(text)) throw new Fault('a sparse map has a value that is not a number')
  return Number(text)
}

/**
 * tar-split of any tar, as the engines' stores keep it: JSON lines as Go's encoder writes them. Made with a walk of its
 * own over the blocks, so that it judges the reader and does not share its mistakes.
 */
import { Buffer } from 'node:buffer'
import { gzipSync } from 'node:zlib'

const BLOCK = 512

/** The lines, not compressed. Sizes and PAX sizes are read; sparse files are not for it. `sum`: of a body, base64. */
export function tarSplitLines(tar: Uint8Array, sum = crc64): string {
  const lines: string[] = []
  const bytes = Buffer.from(tar)
  const segment = (from: number, to: number) =>
    lines.push(JSON.stringify({ type: 2, payload: bytes.toString('base64', from, to), position: lines.length }))
  let from = 0
  let paxSize: number | null = null
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const block = bytes.subarray(at, at + BLOCK)
    if (block.every(byte => byte === 0)) break
    const flag = String.fromCharCode(block[156])
    const size = Number.parseInt(block.toString('latin1', 124, 136), 8) || 0
    at += BLOCK
    if ('xgLK'.includes(flag)) {
      if (flag === 'x') paxSize = paxSizeOf(bytes.toString('latin1', at, at + size)) ?? paxSize
      at += padded(size)
      continue
    }
    const stored = '123456'.includes(flag) ? 0 : (paxSize ?? size)
    paxSize = null
    segment(from, at)
    lines.push(fileLine(nameOf(block), bytes.subarray(at, at + stored), lines.length, sum))
    from = at + stored
    at += padded(stored)
  }
  segment(from, bytes.length)
  return `${lines.join('\n')}\n`
}

/** As it lies in a store. */
export function tarSplit(tar: Uint8Array, sum = crc64): Uint8Array {
  return gzipSync(tarSplitLines(tar, sum))
}

/** Go leaves out what is empty, and keeps names that are no UTF-8 in base64. */
function fileLine(name: Buffer, body: Buffer, position: number, sum: typeof crc64): string {
  const text = name.toString('utf8')
  const named = Buffer.from(text).equals(name) ? { name: text } : { name_raw: name.toString('base64') }
  const size = body.length > 0 ? { size: body.length } : {}
  return JSON.stringify({ type: 1, ...named, ...size, payload: body.length > 0 ? sum(body) : null, position })
}

/** CRC-64/GO-ISO, bit by bit, big-endian in base64. */
function crc64(bytes: Uint8Array): string {
  let sum = 0xffffffffffffffffn
  for (const byte of bytes) {
    sum ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit++) sum = (sum >> 1n) ^ (sum & 1n ? 0xd800000000000000n : 0n)
  }
  const value = Buffer.alloc(8)
  value.writeBigUInt64BE(sum ^ 0xffffffffffffffffn)
  return value.toString('base64')
}

function nameOf(block: Buffer): Buffer {
  const end = block.indexOf(0)
  return block.subarray(0, end < 0 || end > 100 ? 100 : end)
}

function paxSizeOf(records: string): number | null {
  const found = /\d+ size=(\d+)\n/.exec(records)
  return found ? Number(found[1]) : null
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK
}

/** The frames of a zstd stream (RFC 8878, 3.1): one behind the other, skippable ones between them. */
import { FrameError, type Framing } from './frames.ts'

type Part = 'magic' | 'skipSize' | 'skip' | 'descriptor' | 'header' | 'block' | 'body' | 'checksum' | 'garbage'

export function zstdFraming(): Framing {
  let part: Part = 'magic'
  /** Bytes that are still to be passed over, and a little-endian number of a few bytes that is being collected. */
  let left = 0
  let number = 0
  let digits = 0
  let lastBlock = false
  let hasChecksum = false
  let frames = 0
  let garbage = 0

  function collect(byte: number, length: number): boolean {
    number += byte * 2 ** (8 * digits)
    return ++digits === length
  }
  function taken(): number {
    const value = number
    number = digits = 0
    return value
  }
  function next(to: Part, size = 0): void {
    part = to
    left = size
  }
  function endOfHeader(descriptor: number): number {
    const single = (descriptor & 0x20) !== 0
    const contentSize = [single ? 1 : 0, 2, 4, 8][descriptor >>> 6]!
    hasChecksum = (descriptor & 4) !== 0
    return (single ? 0 : 1) + [0, 1, 2, 4][descriptor & 3]! + contentSize
  }
  function beginBlock(header: number): void {
    lastBlock = (header & 1) !== 0
    const type = (header >>> 1) & 3
    if (type === 3) throw new FrameError('a zstd block has a reserved type')
    next('body', type === 1 ? 1 : header >>> 3)
  }
  /** Whether the frame ended. */
  function endBlock(): boolean {
    if (!lastBlock) next('block')
    else if (hasChecksum) next('checksum', 4)
    else return endFrame()
    return false
  }
  function endFrame(): true {
    frames++
    next('magic')
    return true
  }
  function beginFrame(): Uint8Array | null {
    const magic = taken()
    if (magic === 0xfd2fb528) {
      next('descriptor')
      return new Uint8Array([0x28, 0xb5, 0x2f, 0xfd])
    }
    if (magic >= 0x184d2a50 && magic <= 0x184d2a5f) next('skipSize')
    else if (frames === 0) throw new FrameError('it does not begin with a zstd frame')
    else {
      next('garbage')
      garbage = 4
    }
    return null
  }

  return {
    *push(chunk) {
      let at = 0
      while (at < chunk.length) {
        if (part === 'garbage') {
          garbage += chunk.length - at
          return
        }
        if (part === 'magic') {
          if (!collect(chunk[at++]!, 4)) continue
          const magic = beginFrame()
          if (magic !== null) yield { bytes: magic, start: 0, end: 4 }
        } else if (part === 'skipSize') {
          if (collect(chunk[at++]!, 4)) next('skip', taken())
        } else if (part === 'skip') {
          const skipped = Math.min(left, chunk.length - at)
          at += skipped
          left -= skipped
          if (left === 0) endFrame()
        } else {
          const start = at
          at = walkFrame(chunk, at)
          yield { bytes: chunk, start, end: at }
        }
      }
    },
    unfinished() {
      if (part === 'garbage' || (part === 'skip' && left === 0)) return null
      if (part !== 'magic' || frames === 0) return 'it is truncated'
      garbage = digits
      return null
    },
    get garbage() {
      return garbage
    },
  }

  /** Goes on inside of a frame: to its end or to the end of the chunk. */
  function walkFrame(chunk: Uint8Array, at: number): number {
    while (at < chunk.length) {
      if (part === 'descriptor') {
        next('header', endOfHeader(chunk[at++]!))
        if (left === 0) next('block')
      } else if (part === 'block') {
        if (!collect(chunk[at++]!, 3)) continue
        beginBlock(taken())
        if (left === 0 && endBlock()) return at
      } else {
        const passed = Math.min(left, chunk.length - at)
        at += passed
        left -= passed
        if (left > 0) continue
        if (part === 'header') next('block')
        else if (part === 'checksum') {
          endFrame()
          return at
        } else if (endBlock()) return at
      }
    }
    return at
  }
}

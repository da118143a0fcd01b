/** The members of a gzip stream (RFC 1952): several are one stream (pigz, eStargz), zeros behind them are padding. */
import { FrameError, type FrameOwner, type Framing } from './frames.ts'

const FHCRC = 2
const FEXTRA = 4
const FNAME = 8
const FCOMMENT = 16

/** No writer comes near this; a name without end would otherwise be read for ever. */
const MAX_HEADER = 1 << 20

export function gzipFraming(owner: FrameOwner): Framing {
  let part: 'between' | 'header' | 'body' | 'trailer' | 'garbage' = 'between'
  let members = 0
  let header = newHeader()
  const trailer = new Uint8Array(8)
  let trailerFill = 0
  let garbage = 0

  function afterMember(byte: number): void {
    if (byte === 0x1f || members === 0) {
      part = 'header'
      header = newHeader()
    } else if (byte !== 0) part = 'garbage'
  }

  function endMember(): void {
    const view = new DataView(trailer.buffer)
    const { bytes, crc } = owner.produced()
    if (view.getUint32(4, true) !== bytes % 2 ** 32) throw new FrameError('its length is not what its trailer says')
    if (crc !== null && view.getUint32(0, true) !== crc) throw new FrameError('its CRC-32 is not what its trailer says')
    members++
    part = 'between'
  }

  return {
    *push(chunk) {
      let at = 0
      while (at < chunk.length) {
        switch (part) {
          case 'between':
            afterMember(chunk[at]!)
            if (part === 'between') at++
            break
          case 'header': {
            const verdict = header.take(chunk[at++]!)
            if (verdict === 'bad' && members === 0) throw new FrameError('its gzip header is malformed')
            if (verdict === 'bad') {
              part = 'garbage'
              garbage = header.length
            } else if (verdict === 'done') {
              owner.reset()
              part = 'body'
            }
            break
          }
          case 'body': {
            const taken = yield { bytes: chunk, start: at, end: chunk.length }
            at += taken
            if (at < chunk.length) {
              part = 'trailer'
              trailerFill = 0
            }
            break
          }
          case 'trailer':
            trailer[trailerFill++] = chunk[at++]!
            if (trailerFill === 8) endMember()
            break
          case 'garbage':
            garbage += chunk.length - at
            at = chunk.length
        }
      }
    },
    unfinished() {
      if (part === 'body' || part === 'trailer' || members === 0) return 'it is truncated'
      if (part === 'header') garbage = header.length
      return null
    },
    get garbage() {
      return garbage
    },
  }
}

/** Takes a member's header byte by byte. */
function newHeader(): { take(byte: number): 'more' | 'done' | 'bad'; length: number } {
  const fixed = new Uint8Array(10)
  let extraLeft = -2
  let extraLow = 0
  let textsLeft = 0
  let hcrcLeft = 0
  return {
    length: 0,
    take(byte) {
      const at = this.length++
      if (this.length > MAX_HEADER) return 'bad'
      if (at < 10) {
        fixed[at] = byte
        if (at < 3 && byte !== [0x1f, 0x8b, 0x08][at]) return 'bad'
        if (at < 9) return 'more'
        const flags = fixed[3]!
        if (flags & 0xe0) return 'bad'
        if (!(flags & FEXTRA)) extraLeft = 0
        textsLeft = (flags & FNAME ? 1 : 0) + (flags & FCOMMENT ? 1 : 0)
        hcrcLeft = flags & FHCRC ? 2 : 0
      } else if (extraLeft === -2) {
        extraLow = byte
        extraLeft = -1
        return 'more'
      } else if (extraLeft === -1) extraLeft = extraLow | (byte << 8)
      else if (extraLeft > 0) extraLeft--
      else if (textsLeft > 0) textsLeft -= byte === 0 ? 1 : 0
      else hcrcLeft--
      return extraLeft === 0 && textsLeft === 0 && hcrcLeft === 0 ? 'done' : 'more'
    },
  }
}

/**
 * Where compressed frames begin and end: what gzip members (RFC 1952) and zstd frames (RFC 8878) wrap around the data,
 * read apart from the decoder, so that truncation, several members, padding and trailing rubbish are told exactly and
 * alike by every decoder.
 */

/** Bytes for the decoder. The answer is how many of them it took: fewer than all means that its stream ended there. */
export interface Span {
  bytes: Uint8Array
  start: number
  end: number
}

/** Splits a compressed stream that comes in chunks. Whoever drives it feeds each span to a decoder. */
export interface Framing {
  push(chunk: Uint8Array): Generator<Span, void, number>
  /** Why the stream can not end here; null when it can. */
  unfinished(): string | null
  /** Bytes behind the last frame that are neither padding nor a frame; they are skipped. */
  readonly garbage: number
}

/** What a framing learns from the decoder between two frames. */
export interface FrameOwner {
  /** A new member begins: the decoder starts anew. */
  reset(): void
  /** Bytes and CRC-32 of what came out since the last reset. */
  produced(): { bytes: number; crc: number | null }
}

/** A broken frame; the caller says of what. */
export class FrameError extends Error {}

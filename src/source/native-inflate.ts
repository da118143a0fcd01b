/** The addon that native/inflate builds, where it was built: inflates, and makes SHA-256 where the processor has instructions for it. */
import process from 'node:process'
import { fileURLToPath } from 'node:url'

/** Works on arrays of the caller alone and keeps nothing. Wrong arguments are a TypeError. */
export interface NativeInflate {
  /** Size of a decoder; all zeros is one that has not begun. Its first three words: bytes taken, bytes made, 1 at the end. */
  readonly decoderBytes: number
  /** So many bytes of the output stand before what a call makes. */
  readonly windowBytes: number
  /** Goes on until the output is full, the input is used up or the stream ends; gives why it is broken. */
  inflate(decoder: Uint8Array, input: Uint8Array, start: number, end: number, output: Uint8Array): string | undefined
  /** Only where the processor can. */
  readonly sha256?: NativeSha256
}

export interface NativeSha256 {
  /** Size of a digest that is being made; all zeros is one that has not begun. */
  readonly bytes: number
  add(state: Uint8Array, bytes: Uint8Array, start: number, end: number): void
  /** Adds to two digests in the time that the longer one takes. */
  addTwo(
    state: Uint8Array,
    bytes: Uint8Array,
    start: number,
    end: number,
    other: Uint8Array,
    otherBytes: Uint8Array,
    otherStart: number,
    otherEnd: number,
  ): void
  end(state: Uint8Array, digest: Uint8Array): void
}

let loaded: NativeInflate | null | undefined

/** The addon, loaded once a thread; null where there is none. `STRATA_NATIVE_INFLATE` names another, or `none`. */
export function nativeInflate(): NativeInflate | null {
  if (loaded === undefined) loaded = load()
  return loaded
}

function load(): NativeInflate | null {
  const own = process.env.STRATA_NATIVE_INFLATE
  if (own === 'none') return null
  // Beside the bundle in dist/, where it was built in the checkout; never a folder above either.
  const place = import.meta.url.endsWith('.ts') ? '../../native/build/strata-inflate.node' : './strata-inflate.node'
  try {
    const module = { exports: {} as NativeInflate }
    process.dlopen(module, own || fileURLToPath(new URL(place, import.meta.url)))
    return module.exports
  } catch {
    // It was not built, or for another machine: Node's own zlib does the work.
    return null
  }
}

/** The two inner modules of unbzip2-stream that bzip2.ts stands on; the package itself brings no types. */
declare module 'unbzip2-stream/lib/bit_iterator.js' {
  export interface Bits {
    (count: number | null): number
    bytesRead: number
  }
  export default function bitIterator(next: () => Uint8Array): Bits
}

declare module 'unbzip2-stream/lib/bzip2.js' {
  import type { Bits } from 'unbzip2-stream/lib/bit_iterator.js'

  const decoder: {
    /** Reads a stream's header and gives its block size in 100 kB. */
    header(bits: Bits): number
    /** Decodes a block byte by byte; gives the running CRC, or null when this was the stream's end. */
    decompress(bits: Bits, emit: (byte: number) => void, table: Int32Array, size: number, crc: number): number | null
  }
  export default decoder
}

/** The plain bytes of a compressed region, from its beginning to its end, inflated while they are taken. */
import { createInflate } from './inflate.ts'
import { type Region, readChunks } from './region.ts'
import type { Compression } from './sniff.ts'

/** Off the calling thread where the format allows it. @throws Fault when the stream is broken or truncated. */
export async function* inflated(
  region: Region,
  compression: Compression,
  name: string,
  signal?: AbortSignal,
): AsyncGenerator<Uint8Array> {
  let ready: Uint8Array[] = []
  const inflate = createInflate(compression, chunk => void ready.push(chunk.slice()), { name, background: true })
  try {
    for await (const packed of readChunks(region, 0, region.size, signal)) {
      await inflate.push(packed)
      const plain = ready
      ready = []
      yield* plain
    }
    await inflate.end()
    yield* ready
  } finally {
    inflate.close()
  }
}

/** A plain layer as a gzip file: the same bytes each time, for nothing of the day or the machine gets into it. */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Digest } from '../../image/types.ts'
import { storeFault } from '../../runtime/store/blobs.ts'
import type { Workplace } from '../../runtime/store/folder.ts'

let begun = 0

/** The file lies in the workplace and goes with it. */
export async function compressLayer(
  from: string,
  place: Workplace,
  signal: AbortSignal,
): Promise<{ path: string; digest: Digest; size: number }> {
  const path = join(place.path, `gzip-${begun++}`)
  const hash = createHash('sha256')
  let size = 0
  const counted = new Transform({
    transform(chunk: Buffer, _, done) {
      hash.update(chunk)
      size += chunk.length
      done(null, chunk)
    },
  })
  try {
    const read = createReadStream(from, { highWaterMark: 1 << 20 })
    const gzip = createGzip({ level: 6, chunkSize: 256 << 10 })
    await pipeline(read, gzip, counted, createWriteStream(path, { mode: 0o600 }), { signal })
  } catch (error) {
    throw signal.aborted ? error : storeFault({ root: place.path, blobs: '', layers: '', images: '' }, error)
  }
  return { path, digest: `sha256:${hash.digest('hex')}`, size }
}
